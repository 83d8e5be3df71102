"""Inputs, members and twins of the user's own networks, for their tests."""

from __future__ import annotations

import numpy as np
import onnxruntime
import torch

from fathometer.graph import Element, Graph
from fathometer.modelfile.verify import OPERATORS
from fathometer.networks.network import Inputs, InputTensors, Network, Parameters, Shape
from fathometer.population.member import Lessons

MEMBERS, ROWS = 3, 11
FULL = Shape(4, 2, (3, 5), 3)


def some_inputs(shape: Shape, rows: int = ROWS) -> Inputs:
    generator = torch.Generator().manual_seed(1)
    codes = [torch.randint(n, (MEMBERS, rows), generator=generator) for n in shape.levels]
    return Inputs(
        torch.randn(MEMBERS, rows, shape.numbers, generator=generator),
        torch.randint(2, (MEMBERS, rows, shape.flags), generator=generator).float(),
        torch.stack(codes, dim=2) if codes else torch.zeros(MEMBERS, rows, 0, dtype=torch.int64),
    )


def some_parameters(network: Network, numbers: torch.Tensor) -> Parameters:
    """Of `MEMBERS` members, (P, ...) each."""
    starts = [
        network.start(numbers, torch.Generator().manual_seed(member)) for member in range(MEMBERS)
    ]
    return {name: torch.stack([start[name] for start in starts]) for name in starts[0]}


def answers_of_twin(
    network: Network, parameters: Parameters, inputs: Inputs, outputs: int
) -> np.ndarray:
    """What the runtime answers, (P * rows, outputs), from operators that a model file may hold."""
    graph = Graph()
    arrays = {"numbers": inputs.numbers, "flags": inputs.flags, "codes": inputs.codes}
    named = {name: graph.constant(a.numpy()) for name, a in arrays.items() if a.shape[2]}
    weights = {name: tensor.detach().numpy() for name, tensor in parameters.items()}
    out = network.write(graph, weights, InputTensors(*(named.get(name) for name in arrays)))
    flat = graph.add("Reshape", out, graph.constant(np.array([-1, outputs])))
    proto = graph.finish({"out": (flat, Element.FLOAT, outputs)})
    assert {node.op_type for node in proto.graph.node} <= OPERATORS[""]
    return np.asarray(onnxruntime.InferenceSession(proto.SerializeToString()).run(None, {})[0])


def lessons(shape: Shape) -> Lessons:
    """90 rows in `MEMBERS` folds: a target that depends on a product and a category."""
    inputs = some_inputs(shape, 90)
    score = inputs.numbers[0, :, 0] * inputs.numbers[0, :, 1] + inputs.codes[0, :, 0] - 1
    classify = shape.outputs > 1
    target = (score > 0).long() if classify else score
    validation = torch.arange(90).tensor_split(MEMBERS)
    learning = tuple(torch.cat([v for v in validation if v is not own]) for own in validation)
    return Lessons(inputs, target.expand(MEMBERS, -1), learning, tuple(validation), classify)
