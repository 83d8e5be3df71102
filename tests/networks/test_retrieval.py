"""A retrieving network answers from the rows it remembers, and never from the row itself."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from twins import FULL, MEMBERS, answers_of_twin, some_inputs, some_parameters

from fathometer.networks.network import Inputs, Network, Parameters, Retrieving, Shape, keep_all
from fathometer.networks.retrieval import Retrieval, turn

LEARNED = 40
SHAPES = {
    "all": FULL,
    "numbers": Shape(4, 0, (), 1),
    "flags": Shape(0, 2, (), 2),
    "codes": Shape(0, 0, (6,), 2),
    "wide": Shape(170, 0, (), 30),
    "wider": Shape(300, 0, (), 1),
}
shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def network(shape: Shape) -> Retrieval:
    return Retrieval(shape, size=8, width=12, candidates=LEARNED)


def target_of(inputs: Inputs, outputs: int) -> Tensor:
    """(P, n): classes, or values."""
    generator = torch.Generator().manual_seed(3)
    members, rows = inputs.numbers.shape[:2]
    if outputs > 1:
        return torch.randint(outputs, (members, rows), generator=generator)
    return torch.randn(members, rows, generator=generator)


def remembering(own: Retrieval, learned: Inputs, target: Tensor) -> Parameters:
    parameters = some_parameters(own, learned.numbers[0])
    # Each member has learned a row fewer than the one before it.
    rows = [LEARNED - member for member in range(MEMBERS)]
    known = [
        (Inputs(*(t[p : p + 1, :n] for t in tensors_of(learned))), target[p, :n])
        for p, n in enumerate(rows)
    ]
    return parameters | own.memory(parameters, known)


def tensors_of(inputs: Inputs) -> tuple[Tensor, Tensor, Tensor]:
    return inputs.numbers, inputs.flags, inputs.codes


def test_it_says_that_it_retrieves_and_what_is_never_trained() -> None:
    own = network(FULL)
    assert isinstance(own, Retrieving)
    assert own.fixed.isdisjoint(some_parameters(own, torch.zeros(3, FULL.numbers)))
    plain: Network = own
    assert plain.fixed >= {"keys", "values"}


@shapes
@pytest.mark.parametrize("rows", [0, 1, 11])
def test_twin_answers_as_the_network_does(shape: Shape, rows: int) -> None:
    own, learned = network(shape), some_inputs(shape, LEARNED)
    parameters = remembering(own, learned, target_of(learned, shape.outputs))
    inputs = Inputs(*(tensor[:, :rows] for tensor in tensors_of(some_inputs(shape, 12))))
    got = answers_of_twin(own, parameters, inputs, shape.outputs)
    want = own.forward(parameters, inputs).flatten(0, 1).numpy()
    np.testing.assert_allclose(got, want, atol=1e-5)


@shapes
def test_a_member_answers_alone_as_beside_those_that_remember_more(shape: Shape) -> None:
    own, learned = network(shape), some_inputs(shape, LEARNED)
    target = target_of(learned, shape.outputs)
    together = remembering(own, learned, target)
    asked = some_inputs(shape, 5)
    last = MEMBERS - 1
    alone = {n: t[last:] for n, t in together.items() if n not in own.fixed}
    few = LEARNED - last
    known = Inputs(*(tensor[last:, :few] for tensor in tensors_of(learned)))
    alone |= own.memory(alone, [(known, target[last, :few])])
    assert alone["keys"].shape[1] < together["keys"].shape[1]
    torch.testing.assert_close(
        own.forward(alone, asked.members([last]))[0], own.forward(together, asked)[last]
    )


@pytest.mark.parametrize("outputs", [1, 3])
def test_answers_are_means_of_learned_answers(outputs: int) -> None:
    shape = Shape(4, 0, (), outputs)
    own, learned = network(shape), some_inputs(shape, LEARNED)
    target = target_of(learned, outputs)
    answers = own.forward(remembering(own, learned, target), some_inputs(shape, 50))
    if outputs > 1:
        torch.testing.assert_close(answers.exp().sum(dim=2), torch.ones(MEMBERS, 50))
    else:
        assert float(answers.min()) > float(target.min())
        assert float(answers.max()) < float(target.max())


def test_a_remembered_row_that_is_far_from_others_is_answered_by_itself() -> None:
    shape = Shape(4, 0, (), 1)
    own, learned = network(shape), some_inputs(shape, LEARNED)
    parameters = some_parameters(own, learned.numbers[0])
    parameters["outer gain"] = parameters["outer gain"] * 1e3  # so that all rows are far apart
    target = target_of(learned, 1)
    known = [(learned.members([p]), target[p]) for p in range(MEMBERS)]
    answers = own.forward(parameters | own.memory(parameters, known), learned)
    torch.testing.assert_close(answers[:, :, 0], target)


@pytest.mark.parametrize("outputs", [1, 3])
def test_a_learning_row_never_sees_its_own_answer(outputs: int) -> None:
    shape = Shape(4, 0, (), outputs)
    own, learned = network(shape), some_inputs(shape, LEARNED)
    parameters = some_parameters(own, learned.numbers[0])
    target = target_of(learned, outputs)
    places = torch.arange(LEARNED).expand(MEMBERS, -1).clone()
    places[:, 20] = 0  # row 0 is drawn twice
    inputs = learned.take(torch.arange(MEMBERS), places)
    drawn = target.gather(1, places)
    same = places[:, :4].unsqueeze(2) == places.unsqueeze(1)
    before = own.recall(parameters, inputs, drawn, same, keep_all)
    assert before.shape == (MEMBERS, 4, outputs)
    changed = drawn.clone()
    changed[:, [0, 20]] = (drawn[:, [0, 20]] + 1) % max(outputs, 2)
    after = own.recall(parameters, inputs, changed, same, keep_all)
    torch.testing.assert_close(after[:, 0], before[:, 0], rtol=0, atol=0)
    assert ((after[:, 1:] - before[:, 1:]).abs().amax(dim=2) > 1e-6).all()


def test_a_network_that_diverged_remembers_no_numbers_and_stops_nobody() -> None:
    own, learned = network(FULL), some_inputs(FULL, LEARNED)
    parameters = some_parameters(own, learned.numbers[0])
    parameters["enter weight"] = torch.full_like(parameters["enter weight"], math.nan)
    target = target_of(learned, FULL.outputs)
    known = [
        (Inputs(*(t[p : p + 1] for t in tensors_of(learned))), target[p]) for p in range(MEMBERS)
    ]
    answers = own.forward(parameters | own.memory(parameters, known), some_inputs(FULL, 5))
    assert answers.isnan().all()


def test_few_coordinates_hold_nearly_all_that_sets_rows_apart() -> None:
    generator = torch.Generator().manual_seed(0)
    flat = torch.randn(200, 2, generator=generator, dtype=torch.float64)
    way = torch.linalg.qr(torch.randn(8, 8, generator=generator, dtype=torch.float64)).Q[:2]
    rows = (flat @ way + 3.0 + 1e-3 * torch.randn(200, 8, generator=generator)).unsqueeze(0)
    weight, bias = turn(rows, 0.01)
    assert weight.shape == (1, 8, 2)
    turned = (rows @ weight + bias.unsqueeze(1))[0]
    torch.testing.assert_close(
        torch.cdist(turned, turned), torch.cdist(flat, flat), atol=0.02, rtol=0
    )
    assert turned.mean(dim=0).abs().max() < 1e-9


def test_waves_are_shared_out_among_many_columns() -> None:
    found = {
        columns: network(Shape(columns, 0, (), 1)).waves for columns in (0, 1, 16, 40, 256, 257)
    }
    assert found == {0: 0, 1: 32, 16: 32, 40: 12, 256: 2, 257: 0}
