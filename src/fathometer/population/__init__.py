"""P networks trained as one batched program; knows tensors, never tables."""
