"""What every architecture promises, whatever kinds of columns there are."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from twins import FULL, MEMBERS, ROWS, answers_of_twin, some_inputs, some_parameters

from fathometer.networks.modern import Modern
from fathometer.networks.network import (
    Headed,
    Inputs,
    Network,
    Parameters,
    Shape,
    Widening,
)
from fathometer.networks.perceptron import Perceptron
from fathometer.networks.periodic import Periodic
from fathometer.networks.residual import Residual
from fathometer.networks.tabm import TabM

ARCHITECTURES: list[Callable[[Shape], Network]] = [
    lambda shape: Perceptron(shape, width=8, depth=2),
    lambda shape: Modern(shape, width=8, depth=3, bins=4),
    lambda shape: Periodic(shape, width=8, depth=3),
    lambda shape: Residual(shape, width=8, depth=2, bins=4),
    lambda shape: TabM(shape, width=8, depth=3, bins=4, count=5),
]
NAMES = ["plain", "modern", "periodic", "residual", "tabm"]
SHAPES = [FULL, Shape(4, 0, (), 1), Shape(0, 2, (), 2), Shape(0, 0, (6,), 2)]

WIDENING = [make for make in ARCHITECTURES if isinstance(make(SHAPES[0]), Widening)]

architectures = pytest.mark.parametrize("make", ARCHITECTURES, ids=NAMES)
shapes = pytest.mark.parametrize("shape", SHAPES, ids=["all", "numbers", "flags", "codes"])


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
    parameters = stirred(network, some_parameters(network, inputs.numbers[0]))
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
    parameters = stirred(network, some_parameters(network, inputs.numbers[0]))
    inputs = Inputs(inputs.numbers[:, :rows], inputs.flags[:, :rows], inputs.codes[:, :rows])
    got = answers_of_twin(network, parameters, inputs, shape.outputs)
    want = network.forward(parameters, inputs).flatten(0, 1).numpy()
    np.testing.assert_allclose(got, want, atol=1e-5)


@architectures
@shapes
def test_same_seed_starts_the_same(make: Callable[[Shape], Network], shape: Shape) -> None:
    network, inputs = make(shape), some_inputs(shape)
    one, other = (some_parameters(network, inputs.numbers[0]) for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)
    trained = [one[name] for name in one if name not in network.fixed]
    assert any(not torch.equal(weights[0], weights[1]) for weights in trained)


@architectures
@shapes
def test_gradient_reaches_every_parameter_that_is_trained(
    make: Callable[[Shape], Network], shape: Shape
) -> None:
    network, inputs = make(shape), some_inputs(shape)
    parameters = some_parameters(network, inputs.numbers[0])
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
    own = stirred(narrow, some_parameters(narrow, inputs.numbers[0]))
    padded = {
        name: torch.zeros_like(t) for name, t in some_parameters(wide, inputs.numbers[0]).items()
    }
    for name, tensor in own.items():
        padded[name][tuple(slice(length) for length in tensor.shape)] = tensor
    torch.testing.assert_close(wide.forward(padded, inputs), narrow.forward(own, inputs))
