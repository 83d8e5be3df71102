"""A member draws from its own seed alone."""

import torch

from fathometer.networks.network import Shape
from fathometer.networks.perceptron import Perceptron
from fathometer.population.member import Member
from fathometer.population.randomness import MemberDropout, Purpose, RowStream, generator

CPU = torch.device("cpu")


NETWORK = Perceptron(Shape(2, 0, (), 1), 16, 1)


def member(seed: int, dropout: float = 0.5) -> Member:
    return Member(NETWORK, 0, seed, 1e-3, 0.0, dropout, 10)


def dropout_of(members: list[Member], narrowed: float = 1.0) -> MemberDropout:
    generators = [generator(member, Purpose.DROPOUT, CPU) for member in members]
    shares = [member.dropout for member in members]
    return MemberDropout(shares, generators, [narrowed] * len(members), CPU)


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
    together = dropout_of([member(4), member(5, 0.1), member(6)])(ones)
    alone = dropout_of([member(5, 0.1)])(ones[:1])
    assert torch.equal(together[1], alone[0])


def test_dropout_keeps_the_expectation_of_each_member() -> None:
    ones = torch.ones(2, 200, 200)
    dropped = dropout_of([member(0, 0.0), member(1, 0.4)])(ones)
    assert torch.equal(dropped[0], ones[0])
    assert abs(float(dropped[1].mean()) - 1.0) < 0.02
    assert abs(float((dropped[1] == 0).float().mean()) - 0.4) < 0.02


def test_a_padded_member_drops_what_it_would_drop_at_its_own_width() -> None:
    padded = dropout_of([member(4)], narrowed=0.75)(torch.ones(1, 8, 16))
    alone = dropout_of([member(4)])(torch.ones(1, 8, 12))
    assert torch.equal(padded[:, :, :12], alone)


def test_a_stream_goes_on_from_its_state() -> None:
    stream = RowStream(member(1), torch.arange(7))
    stream.take(3)
    other = RowStream(member(2), torch.arange(7))
    other.state = stream.state
    assert torch.equal(stream.take(20), other.take(20))
