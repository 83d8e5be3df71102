"""Layers and architectures: a network is parameters with a leading population axis and a pure function."""
