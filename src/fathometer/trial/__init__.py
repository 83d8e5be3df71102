"""Equal terms: one split, one budget, one way to measure quality, time, energy and memory."""
