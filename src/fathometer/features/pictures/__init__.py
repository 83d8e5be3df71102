"""Pictures → numbers; each step carries its own ONNX twin."""
