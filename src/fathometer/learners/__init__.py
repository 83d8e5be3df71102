"""What can be fitted: one file a learner, traditional and deep behind the same protocol."""
