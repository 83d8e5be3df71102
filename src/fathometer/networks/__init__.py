"""Layers and architectures: a network is parameters of P members and a pure function."""
