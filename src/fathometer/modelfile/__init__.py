"""Model ↔ one ONNX file: write, read, verify, predict; nothing in it can execute code."""
