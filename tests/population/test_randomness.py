"""A member draws from its own seed alone."""

import torch

from fathometer.population.member import Member
from fathometer.population.randomness import MemberDropout, RowStream

CPU = torch.device("cpu")


def member(seed: int, dropout: float = 0.5) -> Member:
    return Member(0, seed, 1e-3, 0.0, dropout, 10)


def test_every_row_comes_once_before_any_comes_twice() -> None:
    rows = torch.arange(100, 110)
    stream = RowStream(member(0), rows)
    taken = torch.cat([stream.take(4) for _ in range(5)])
    assert taken[:10].sort().values.tolist() == rows.tolist()
    assert taken[10:].sort().values.tolist() == rows.tolist()


def test_a_batch_may_be_larger_than_the_rows() -> None:
    taken = RowStream(member(0), torch.arange(3)).take(6)
    assert taken.bincount().tolist() == [2, 2, 2]


def test_dropped_activations_do_not_depend_on_the_neighbours() -> None:
    ones = torch.ones(3, 8, 16)
    together = MemberDropout([member(4), member(5, 0.1), member(6)], CPU)(ones)
    alone = MemberDropout([member(5, 0.1)], CPU)(ones[:1])
    assert torch.equal(together[1], alone[0])


def test_dropout_keeps_the_expectation_of_each_member() -> None:
    ones = torch.ones(2, 200, 200)
    dropped = MemberDropout([member(0, 0.0), member(1, 0.4)], CPU)(ones)
    assert torch.equal(dropped[0], ones[0])
    assert abs(float(dropped[1].mean()) - 1.0) < 0.02
    assert abs(float((dropped[1] == 0).float().mean()) - 0.4) < 0.02
