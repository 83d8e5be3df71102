"""A declared network answers as it says, alone as among others, and as its twin does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from twins import FULL, MEMBERS, answers_of_twin, lessons, some_inputs, some_parameters

from fathometer.networks.declaration import ACTIVATION_NAMES, Declaration, Layer
from fathometer.networks.declared import DeclaredNetwork
from fathometer.networks.network import Inputs, Shape
from fathometer.population.member import Member, Schedule
from fathometer.population.train import train

SHAPES = [FULL, Shape(4, 0, (), 1), Shape(0, 2, (), 2), Shape(0, 0, (6,), 2)]


def two_roads() -> Declaration:
    """A sparse wide layer, a branch, a concatenation and an addition."""
    wide = Layer("wide", 8, "silu", density=0.3)
    narrow = Layer("narrow", 4, "tanh", ("all",), dropout=False)
    both = Layer("both", 8, "gelu", ("wide", "narrow"), ("wide",), pattern_seed=1, density=0.5)
    picked = Layer("picked", 2, "mish", ("both",), pattern=((0, 0), (7, 1), (3, 1)))
    return Declaration((wide, narrow, both, picked), ("picked", "both", "narrow"), bins=3)


@pytest.mark.parametrize("rows", [0, 1, 11])
@pytest.mark.parametrize("shape", SHAPES, ids=["all", "numbers", "flags", "codes"])
def test_twin_answers_as_the_network_does(shape: Shape, rows: int) -> None:
    network = DeclaredNetwork(shape, two_roads())
    parameters = some_parameters(network, some_inputs(shape).numbers[0])
    inputs = some_inputs(shape, rows)
    want = network.forward(parameters, inputs).flatten(0, 1).numpy()
    found = answers_of_twin(network, parameters, inputs, shape.outputs)
    np.testing.assert_allclose(found, want, atol=1e-5)


@pytest.mark.parametrize("activation", ACTIVATION_NAMES)
def test_activation_and_its_twin_agree_far_from_zero(activation: str) -> None:
    network = DeclaredNetwork(
        Shape(1, 0, (), 1), Declaration((Layer("h", 6, activation),), ("h",), bins=2)
    )
    inputs = some_inputs(network.shape)
    parameters = some_parameters(network, inputs.numbers[0])
    far = Inputs(inputs.numbers * 40, inputs.flags, inputs.codes)
    want = network.forward(parameters, far).flatten(0, 1).numpy()
    found = answers_of_twin(network, parameters, far, 1)
    np.testing.assert_allclose(found, want, rtol=1e-5, atol=1e-5)


def test_a_layer_computes_what_it_says() -> None:
    a = Layer("a", 2, "tanh", ("numbers",))
    b = Layer("b", 2, "relu", ("a",), ("a",), pattern=((1, 0), (0, 1)))
    declaration = Declaration((a, b), ("b", "numbers"))
    network = DeclaredNetwork(Shape(2, 0, (), 1), declaration)
    inputs = some_inputs(network.shape)
    parameters = some_parameters(network, inputs.numbers[0])
    own, x = {name: tensor[1] for name, tensor in parameters.items()}, inputs.numbers[1]
    first = torch.tanh(x @ own["a.weight"] + own["a.bias"])
    crossed = torch.stack(
        [first[:, 1] * own["b.weight"][1, 0], first[:, 0] * own["b.weight"][0, 1]], dim=1
    )
    second = torch.relu(crossed + own["b.bias"]) + first
    want = torch.cat([second, x], dim=1) @ own["output.weight"] + own["output.bias"]
    torch.testing.assert_close(network.forward(parameters, inputs)[1], want)


def test_density_is_the_share_of_inputs_that_reach_each_unit() -> None:
    layer = Layer("h", 50, density=0.2, reads=("encoded",))
    network = DeclaredNetwork(Shape(5, 0, (), 1), Declaration((layer,), ("h",), bins=8))
    mask = network.mask(layer)
    assert mask.shape == (40, 50)
    assert set(mask.sum(axis=0)) == {8.0}
    other = DeclaredNetwork(network.shape, Declaration((Layer("g", 50, density=0.2),), ("g",)))
    assert not np.array_equal(mask, other.mask(other.declaration.layers[0])[:40])
    assert np.array_equal(mask, network.mask(layer))


def members(network: DeclaredNetwork) -> list[Member]:
    """Of unlike settings, so that none has a say in when another is kept."""
    return [Member(network, f, 5 + f, 3e-3 * (f + 1), 1e-2, 0.1 * f, 40) for f in range(MEMBERS)]


@pytest.mark.parametrize("classify", [True, False])
def test_member_equals_the_same_network_trained_alone(classify: bool) -> None:
    shape = Shape(FULL.numbers, FULL.flags, FULL.levels, 2 if classify else 1)
    taught, schedule = lessons(shape), Schedule(batch=16, every=5, patience=50, exact=True)
    everybody = members(DeclaredNetwork(shape, two_roads()))
    for found, member in zip(train(taught, everybody, schedule), everybody, strict=True):
        (alone,) = train(taught, [member], schedule)
        torch.testing.assert_close(found.outputs, alone.outputs, atol=1e-4, rtol=1e-4)
        for name, tensor in alone.parameters.items():
            torch.testing.assert_close(found.parameters[name], tensor, atol=1e-4, rtol=1e-4)


def test_weights_that_are_left_out_stay_zero_while_others_learn() -> None:
    network = DeclaredNetwork(Shape(4, 2, (3, 5), 1), two_roads())
    everybody = members(network)
    for found in train(lessons(network.shape), everybody, Schedule(16, 5, 50)):
        start = network.start(torch.zeros(4, 4), torch.Generator().manual_seed(0))
        for layer in network.declaration.layers:
            if layer.is_sparse:
                mask = found.parameters[f"{layer.name}.mask"]
                weight = found.parameters[f"{layer.name}.weight"]
                assert torch.equal(mask, start[f"{layer.name}.mask"])
                assert not weight[mask == 0].any()
                assert (weight[mask == 1] != 0).all()
