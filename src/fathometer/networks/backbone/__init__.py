"""Networks trained by others, read from local checkpoints and kept as they are."""
