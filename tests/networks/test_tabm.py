"""TabM's heads: they share weights, differ from the start, and answer by their mean."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from fathometer.networks.network import Headed, Inputs, Parameters, Shape
from fathometer.networks.tabm import TabM

MEMBERS, ROWS, HEADS = 2, 9, 4


def network(outputs: int) -> TabM:
    return TabM(Shape(3, 1, (), outputs), width=8, depth=2, bins=4, count=HEADS)


def started(tabm: TabM) -> tuple[Parameters, Inputs]:
    generator = torch.Generator().manual_seed(0)
    numbers = torch.randn(MEMBERS, ROWS, 3, generator=generator)
    flags = torch.randint(2, (MEMBERS, ROWS, 1), generator=generator).float()
    inputs = Inputs(numbers, flags, torch.zeros(MEMBERS, ROWS, 0, dtype=torch.int64))
    starts = [tabm.start(numbers[p], torch.Generator().manual_seed(p)) for p in range(MEMBERS)]
    return {name: torch.stack([s[name] for s in starts]) for name in starts[0]}, inputs


def test_it_says_that_it_has_heads() -> None:
    assert isinstance(network(1), Headed)


def test_classes_are_answered_by_the_mean_of_the_heads_probabilities() -> None:
    parameters, inputs = started(tabm := network(3))
    heads = tabm.heads(parameters, inputs)
    assert heads.shape == (MEMBERS, HEADS, ROWS, 3)
    answered = tabm.forward(parameters, inputs).softmax(dim=2)
    torch.testing.assert_close(answered, heads.softmax(dim=3).mean(dim=1))


def test_values_are_answered_by_the_mean_of_the_heads() -> None:
    parameters, inputs = started(tabm := network(1))
    heads = tabm.heads(parameters, inputs)
    torch.testing.assert_close(tabm.forward(parameters, inputs), heads.mean(dim=1))


def test_certain_and_contrary_heads_keep_a_finite_loss() -> None:
    parameters, inputs = started(tabm := network(2))
    parameters["answer bias"] = torch.tensor([200.0, -200.0]).expand(MEMBERS, HEADS, 2)
    answers = tabm.forward(parameters, inputs).flatten(0, 1)
    assert torch.isfinite(cross_entropy(answers, torch.ones(len(answers), dtype=torch.int64)))


def test_heads_differ_before_any_training() -> None:
    parameters, inputs = started(tabm := network(1))
    parameters["answer weight"] = parameters["answer weight"][:, :1].expand(-1, HEADS, -1, -1)
    heads = tabm.heads(parameters, inputs)
    for one in range(HEADS):
        for other in range(one):
            assert not torch.allclose(heads[:, one], heads[:, other], atol=1e-3)


@pytest.mark.parametrize("name", ["leave0", "leave1", "enter1", "bias0", "answer weight"])
def test_what_a_head_has_of_its_own_changes_no_other_head(name: str) -> None:
    parameters, inputs = started(tabm := network(3))
    before = tabm.heads(parameters, inputs)
    parameters[name][:, 1] += 0.5
    changed = (tabm.heads(parameters, inputs) - before).abs().amax(dim=(2, 3))
    assert (changed[:, 1] > 1e-4).all()
    assert (changed[:, [0, 2, 3]] == 0).all()


def test_shared_weights_change_every_head() -> None:
    parameters, inputs = started(tabm := network(3))
    before = tabm.heads(parameters, inputs)
    parameters["weight1"] += 0.5
    assert ((tabm.heads(parameters, inputs) - before).abs().amax(dim=(2, 3)) > 1e-4).all()
