"""What every architecture promises, whatever kinds of columns there are."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch

from fathometer.graph import Element, Graph
from fathometer.networks.modern import Modern
from fathometer.networks.network import (
    Headed,
    Inputs,
    InputTensors,
    Network,
    Parameters,
    Shape,
    Widening,
)
from fathometer.networks.perceptron import Perceptron
from fathometer.networks.periodic import Periodic
from fathometer.networks.residual import Residual
from fathometer.networks.tabm import TabM

MEMBERS, ROWS = 3, 11
ARCHITECTURES: list[Callable[[Shape], Network]] = [
    lambda shape: Perceptron(shape, width=8, depth=2),
    lambda shape: Modern(shape, width=8, depth=3, bins=4),
    lambda shape: Periodic(shape, width=8, depth=3),
    lambda shape: Residual(shape, width=8, depth=2, bins=4),
    lambda shape: TabM(shape, width=8, depth=3, bins=4, count=5),
]
NAMES = ["plain", "modern", "periodic", "residual", "tabm"]
SHAPES = [Shape(4, 2, (3, 5), 3), Shape(4, 0, (), 1), Shape(0, 2, (), 2), Shape(0, 0, (6,), 2)]

WIDENING = [make for make in ARCHITECTURES if isinstance(make(SHAPES[0]), Widening)]

architectures = pytest.mark.parametrize("make", ARCHITECTURES, ids=NAMES)
shapes = pytest.mark.parametrize("shape", SHAPES, ids=["all", "numbers", "flags", "codes"])


def some_inputs(shape: Shape) -> Inputs:
    generator = torch.Generator().manual_seed(1)
    codes = [torch.randint(n, (MEMBERS, ROWS), generator=generator) for n in shape.levels]
    return Inputs(
        torch.randn(MEMBERS, ROWS, shape.numbers, generator=generator),
        torch.randint(2, (MEMBERS, ROWS, shape.flags), generator=generator).float(),
        torch.stack(codes, dim=2) if codes else torch.zeros(MEMBERS, ROWS, 0, dtype=torch.int64),
    )


def some_parameters(network: Network, inputs: Inputs) -> Parameters:
    starts = [
        network.start(inputs.numbers[member], torch.Generator().manual_seed(member))
        for member in range(MEMBERS)
    ]
    return {name: torch.stack([start[name] for start in starts]) for name in starts[0]}


def stirred(network: Network, parameters: Parameters) -> Parameters:
    """As after some training: nothing that is trained stands at 0 or 1 any more."""
    generator = torch.Generator().manual_seed(2)
    return {
        name: tensor
        if name in network.fixed
        else tensor + 0.1 * torch.randn(tensor.shape, generator=generator)
        for name, tensor in parameters.items()
    }


@architectures
@shapes
def test_member_answers_alone_as_among_others(
    make: Callable[[Shape], Network], shape: Shape
) -> None:
    network, inputs = make(shape), some_inputs(shape)
    parameters = stirred(network, some_parameters(network, inputs))
    together = network.forward(parameters, inputs)
    assert together.shape == (MEMBERS, ROWS, shape.outputs)
    own = {name: tensor[1:2] for name, tensor in parameters.items()}
    alone = network.forward(own, inputs.members([1]))
    torch.testing.assert_close(alone[0], together[1])


@architectures
@shapes
@pytest.mark.parametrize("rows", [0, 1, ROWS])
def test_twin_answers_as_the_network_does(
    make: Callable[[Shape], Network], shape: Shape, rows: int
) -> None:
    network, inputs = make(shape), some_inputs(shape)
    parameters = stirred(network, some_parameters(network, inputs))
    inputs = Inputs(inputs.numbers[:, :rows], inputs.flags[:, :rows], inputs.codes[:, :rows])
    graph = Graph()
    arrays = {"numbers": inputs.numbers, "flags": inputs.flags, "codes": inputs.codes}
    named = {name: graph.constant(a.numpy()) for name, a in arrays.items() if a.shape[2]}
    tensors = InputTensors(*(named.get(name) for name in arrays))
    weights = {name: tensor.numpy() for name, tensor in parameters.items()}
    flat = graph.add("Flatten", network.write(graph, weights, tensors), axis=2)
    proto = graph.finish({"out": (flat, Element.FLOAT, shape.outputs)})
    got = onnxruntime.InferenceSession(proto.SerializeToString()).run(None, {})[0]
    want = network.forward(parameters, inputs).flatten(0, 1).numpy()
    np.testing.assert_allclose(got, want, atol=1e-5)


@architectures
@shapes
def test_same_seed_starts_the_same(make: Callable[[Shape], Network], shape: Shape) -> None:
    network, inputs = make(shape), some_inputs(shape)
    one, other = some_parameters(network, inputs), some_parameters(network, inputs)
    assert all(torch.equal(one[name], other[name]) for name in one)
    trained = [one[name] for name in one if name not in network.fixed]
    assert any(not torch.equal(weights[0], weights[1]) for weights in trained)


@architectures
@shapes
def test_gradient_reaches_every_parameter_that_is_trained(
    make: Callable[[Shape], Network], shape: Shape
) -> None:
    network, inputs = make(shape), some_inputs(shape)
    parameters = some_parameters(network, inputs)
    trained = {
        name: parameters[name].requires_grad_() for name in parameters.keys() - network.fixed
    }
    answers = network.heads if isinstance(network, Headed) else network.forward
    answers(parameters, inputs).square().sum().backward()
    idle = [name for name, tensor in trained.items() if tensor.grad is None]
    assert not idle
    assert [name for name, tensor in trained.items() if not (tensor.grad != 0).any()] == []


@pytest.mark.parametrize("make", WIDENING)
@shapes
def test_wider_network_of_zeros_answers_as_the_narrow_one(
    make: Callable[[Shape], Network], shape: Shape
) -> None:
    narrow, inputs = replace(make(shape), width=7), some_inputs(shape)
    wide = narrow.padded
    assert wide.width == 8
    own = stirred(narrow, some_parameters(narrow, inputs))
    padded = {name: torch.zeros_like(t) for name, t in some_parameters(wide, inputs).items()}
    for name, tensor in own.items():
        padded[name][tuple(slice(length) for length in tensor.shape)] = tensor
    torch.testing.assert_close(wide.forward(padded, inputs), narrow.forward(own, inputs))
