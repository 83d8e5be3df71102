"""Columns → numbers, fitted on training rows only; each step carries its own ONNX twin."""
