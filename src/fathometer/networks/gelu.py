"""GELU in graphs (Hendrycks and Gimpel 2016), in forms that onnxruntime turns into one operator."""

from __future__ import annotations

import math

import numpy as np

from fathometer.graph import Graph


def write_gelu(graph: Graph, x: str) -> str:
    """x · Φ(x) by the error function, as torch's default does; float."""
    bent = graph.add("Erf", graph.add("Div", x, graph.constant(np.float32(math.sqrt(2)))))
    return _write_share(graph, x, bent)


def write_gelu_by_tanh(graph: Graph, x: str) -> str:
    """The same with Φ approximated by a hyperbolic tangent; float."""
    cubed = graph.add("Pow", x, graph.constant(np.float32(3)))
    bent = graph.add("Add", x, graph.add("Mul", cubed, graph.constant(np.float32(0.044715))))
    scaled = graph.add("Mul", bent, graph.constant(np.float32(math.sqrt(2 / math.pi))))
    return _write_share(graph, x, graph.add("Tanh", scaled))


def _write_share(graph: Graph, x: str, bent: str) -> str:
    share = graph.add("Add", bent, graph.constant(np.float32(1)))
    return graph.add("Mul", graph.add("Mul", x, share), graph.constant(np.float32(0.5)))
