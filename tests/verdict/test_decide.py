"""Promises of the verdict, in worlds whose truth is known."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from fathometer.errors import LearnerError
from fathometer.table.metric import METRICS
from fathometer.table.task import Task, TaskKind
from fathometer.trial.scorecard import Bill, Quality, Scorecard
from fathometer.verdict.bench import Rows
from fathometer.verdict.decide import ZONES, Contestant, call_of, decide, zone_of
from fathometer.verdict.verdict import Call, Gap, Verdict

SIZES = {"constant": 1, "tree": 6, "logistic": 9, "forest": 900, "network": 400, "both": 1500}
FAMILIES = {"network": "deep", "both": "both"}


class World:
    """Rows of two classes, half to learn and half in the lockbox, and contestants of known skill.

    A contestant of skill s sees the class with so much weight, a part of the noise that all share,
    and a little of its own."""

    def __init__(self, rows: int, seed: int, *, learn: int | None = None) -> None:
        self.random = np.random.default_rng(seed)
        self.learn = rows if learn is None else learn
        self.truth = (self.random.random(self.learn + rows) < 0.4).astype(int)
        self.shared = self.random.normal(size=len(self.truth))

    def contestant(self, name: str, skill: float, *, metric: str = "roc_auc") -> Contestant:
        own = self.random.normal(size=len(self.truth))
        signal = skill * (self.truth - 0.5) + 0.8 * self.shared + 0.4 * own
        if name == "constant":
            signal = np.full(len(self.truth), -0.4)
        chance = 1 / (1 + np.exp(-signal))
        scores = np.column_stack([1 - chance, chance])
        learned, judged = scores[: self.learn], scores[self.learn :]
        score = METRICS[metric].score
        value = score(self.truth[self.learn :], judged)
        card = Scorecard(
            name,
            FAMILIES.get(name, "traditional"),  # type: ignore[arg-type]
            quality=Quality(metric, value, value - 0.03, value + 0.03),
            out_of_fold=score(self.truth[: self.learn], learned),
            bill=Bill(1.0, 10.0, "estimated", 1000, 1000 * SIZES[name], 0.03, 0.05, 1e5),
        )
        return Contestant(card, judged, learned)

    def verdict(self, *contestants: Contestant, metric: str = "roc_auc") -> Verdict:
        return decide(
            contestants,
            task=Task(TaskKind.CLASSIFY, "y", metric, ("0", "1")),
            lockbox=Rows(self.truth[self.learn :]),
            train=Rows(self.truth[: self.learn]),
            seed=0,
        )


def against(skill: float, other: float, *, rows: int, seed: int = 0) -> Verdict:
    world = World(rows, seed)
    deep, traditional = world.contestant("network", skill), world.contestant("forest", other)
    return world.verdict(deep, traditional)


def test_a_clearly_better_family_is_named() -> None:
    assert against(2.5, 1.0, rows=400).call == "deep"
    assert against(1.0, 2.5, rows=400).call == "traditional"


def test_the_gap_is_turned_so_that_more_is_better_for_deep() -> None:
    world = World(500, 1)
    deep = world.contestant("network", 2.5, metric="log_loss")
    traditional = world.contestant("forest", 0.5, metric="log_loss")
    gap = world.verdict(deep, traditional, metric="log_loss").gap
    assert gap is not None
    assert gap.low > 0
    assert gap.deep_better > 0.99


def test_equal_answers_are_equivalent() -> None:
    world = World(200, 0)
    forest = world.contestant("forest", 1.5)
    card = replace(forest.scorecard, name="network", family="deep")
    verdict = world.verdict(
        forest, Contestant(card, forest.lockbox_scores, forest.out_of_fold_scores)
    )
    assert verdict.call == "equivalent"
    assert verdict.gap is not None
    assert (verdict.gap.value, verdict.gap.equivalent) == (0.0, 1.0)


def test_a_small_difference_on_many_rows_is_equivalent_and_on_few_undecided() -> None:
    assert against(1.5, 1.5, rows=30_000).call == "equivalent"
    assert against(1.5, 1.5, rows=60, seed=1).call == "undecided"


@pytest.mark.parametrize("metric", ["roc_auc", "accuracy", "log_loss"])
def test_in_equal_worlds_a_family_is_named_in_at_most_one_of_twenty(metric: str) -> None:
    named = 0
    for seed in range(150):
        world = World(150, seed)
        cast = [world.contestant(name, 1.5, metric=metric) for name in ("network", "forest")]
        named += world.verdict(*cast, metric=metric).call in ("deep", "traditional")
    assert named <= 14  # 5 % of 150 and two and a half standard errors


def test_many_tries_do_not_win() -> None:
    named = 0
    for seed in range(30):
        world = World(150, seed)
        tries = [world.contestant("network", 1.5) for _ in range(10)]
        tries = [
            replace(each, scorecard=replace(each.scorecard, name=f"network {place}"))
            for place, each in enumerate(tries)
        ]
        named += world.verdict(world.contestant("forest", 1.5), *tries).call == "deep"
    assert named <= 4  # 5 % of 30 and two standard errors


def test_probabilities_add_up_to_one() -> None:
    gap = against(1.6, 1.5, rows=300).gap
    assert gap is not None
    assert gap.deep_better + gap.equivalent + gap.traditional_better == pytest.approx(1.0)
    assert gap.low <= gap.value <= gap.high


def test_few_rows_without_a_difference_settle_nothing() -> None:
    truth = np.arange(10) % 2
    right = Quality("accuracy", 1.0, 0.7, 1.0)
    cast = [
        Contestant(
            Scorecard(name, family, quality=right, out_of_fold=1.0),
            np.eye(2)[truth] * sure + (1 - sure) / 2,
            np.eye(2)[truth],
        )
        for name, family, sure in (("network", "deep", 0.9), ("forest", "traditional", 0.8))
    ]
    task = Task(TaskKind.CLASSIFY, "y", "accuracy", ("0", "1"))
    verdict = decide(cast, task=task, lockbox=Rows(truth), train=Rows(truth), seed=0)
    assert verdict.call == "undecided"


def test_the_smallest_file_of_a_tie_wins() -> None:
    world = World(400, 0)
    cast = [world.contestant(name, 1.5) for name in ("forest", "network", "logistic")]
    verdict = world.verdict(*cast)
    assert set(verdict.rivals) == {"forest", "network", "logistic"}
    assert verdict.winner == "logistic"


def test_a_clearly_beaten_contestant_does_not_win_however_small() -> None:
    world = World(400, 4)
    verdict = world.verdict(world.contestant("forest", 2.5), world.contestant("tree", 1.0))
    assert (verdict.winner, verdict.rivals) == ("forest", ("forest",))


def test_a_tiny_lockbox_does_not_crown_the_constant() -> None:
    world = World(6, 5, learn=300)
    verdict = world.verdict(world.contestant("forest", 2.0), world.contestant("constant", 0.0))
    assert verdict.winner == "forest"


def test_the_winner_is_of_the_family_that_is_called_better() -> None:
    """A small file of the other family may be lucky; it was judged through its family's best."""
    world = World(3000, 4)
    deep, forest = world.contestant("network", 2.4), world.contestant("forest", 1.2)
    lucky = replace(deep, scorecard=replace(
        deep.scorecard, name="tree", family="traditional",
        out_of_fold=0.9 * (forest.scorecard.out_of_fold or 0.0),
        bill=replace(deep.scorecard.bill, file_bytes=10),
    ))  # fmt: skip
    found = world.verdict(deep, forest, lucky)
    assert found.call == "deep"
    assert found.rivals == ("network", "tree")
    assert found.winner == "network"
    said = " ".join(found.sentences)
    assert "network wins: best out of fold; of the other family tree did as well" in said


def test_a_mixture_without_clear_gain_does_not_win() -> None:
    world = World(200, 6)
    forest = world.contestant("forest", 1.5)
    both = world.contestant("both", 1.5)
    flattered = replace(both, scorecard=replace(both.scorecard, out_of_fold=0.99))
    verdict = world.verdict(forest, flattered)
    assert verdict.rivals[0] == "both"
    assert verdict.winner == "forest"


def test_one_family_alone_has_no_gap() -> None:
    world = World(200, 7)
    verdict = world.verdict(world.contestant("forest", 2.0), world.contestant("tree", 1.5))
    assert (verdict.gap, verdict.call) == (None, "undecided")


def test_the_same_contestants_give_the_same_verdict_in_any_order() -> None:
    world = World(300, 8)
    cast = [world.contestant(name, 1.5) for name in ("forest", "network", "tree", "constant")]
    assert world.verdict(*cast) == world.verdict(*reversed(cast))


@pytest.mark.parametrize(
    ("call", "probability"),
    [("deep", 0.97), ("equivalent", 0.02), ("traditional", 0.01), ("undecided", None)],
)
def test_a_verdict_tells_its_family_and_the_chance_that_it_is_so(
    call: Call, probability: float | None
) -> None:
    gap = Gap("net", "trees", 0.03, 0.01, 0.05, 0.01, 0.97, 0.02, 0.01)
    given = Verdict(call, "", (), "net", gap, (), ())
    assert (given.family, given.probability) == (call, probability)
    assert replace(given, call="undecided", gap=None).probability is None


def test_a_contestant_without_a_number_is_not_judged() -> None:
    world = World(200, 9)
    forest, tree = world.contestant("forest", 1.5), world.contestant("tree", 1.5)
    broken = replace(tree, lockbox_scores=np.full_like(tree.lockbox_scores, np.nan))
    assert world.verdict(forest, broken).ranking == ("forest",)
    with pytest.raises(LearnerError, match="no contestant could be judged"):
        world.verdict(broken)


def test_rows_of_a_group_count_once() -> None:
    world = World(300, 10)
    cast = [world.contestant("network", 1.9), world.contestant("forest", 1.5)]
    doubled = [replace(each, lockbox_scores=np.repeat(each.lockbox_scores, 4, 0)) for each in cast]
    rows = Rows(np.repeat(world.truth[300:], 4), np.repeat(np.arange(300), 4))
    task = Task(TaskKind.CLASSIFY, "y", "roc_auc", ("0", "1"))
    train = Rows(world.truth[:300])
    once = world.verdict(*cast).gap
    grouped = decide(doubled, task=task, lockbox=rows, train=train, seed=0).gap
    assert once is not None
    assert grouped is not None
    assert grouped.high - grouped.low == pytest.approx(once.high - once.low, rel=0.05)


def test_a_separation_without_an_exception_is_clear_among_all_pairs() -> None:
    truth = np.arange(40) % 2
    cast = []
    for name, signal in (("network", truth), ("forest", np.zeros(40)), ("tree", np.zeros(40))):
        scores = np.column_stack([0.9 - 0.8 * signal, 0.1 + 0.8 * signal])
        value = METRICS["roc_auc"].score(truth, scores)
        quality = Quality("roc_auc", value, value - 0.1, value)
        bill = Bill(1.0, 10.0, "estimated", 1000, 1000, 0.03, 0.05, 1e5)
        family = FAMILIES.get(name, "traditional")
        card = Scorecard(name, family, quality=quality, out_of_fold=value, bill=bill)  # type: ignore[arg-type]
        cast.append(Contestant(card, scores, scores))
    task = Task(TaskKind.CLASSIFY, "y", "roc_auc", ("0", "1"))
    found = decide(cast, task=task, lockbox=Rows(truth), train=Rows(truth), seed=0)
    clear = {(one.one, one.other) for one in found.pairs if one.p_value < 0.05}
    assert clear == {(one.one, one.other) for one in found.pairs if one.low > 0 or one.high < 0}
    assert len(clear) == 2


@pytest.mark.parametrize("groups", [1, 2])
def test_one_or_two_groups_name_no_family(groups: int) -> None:
    random = np.random.default_rng(11)
    truth = 300_000 + 80_000 * random.normal(size=60)
    cast = []
    for name, family, error in (("network", "deep", 30_000), ("forest", "traditional", 60_000)):
        answers = (truth + error * random.normal(size=60))[:, None]
        value = METRICS["rmse"].score(truth, answers)
        quality = Quality("rmse", value, value - 1, value + 1)
        bill = Bill(1.0, 10.0, "estimated", 1000, 1000, 0.03, 0.05, 1e5)
        card = Scorecard(name, family, quality=quality, out_of_fold=value, bill=bill)
        cast.append(Contestant(card, answers, answers))
    lockbox = Rows(truth, np.arange(60) % groups)
    task = Task(TaskKind.REGRESS, "price", "rmse")
    found = decide(cast, task=task, lockbox=lockbox, train=Rows(truth), seed=0)
    assert found.gap is not None
    assert found.gap.low < 0 < found.gap.high
    assert found.call == "undecided"
    assert all(pair.low < 0 < pair.high for pair in found.pairs)


def test_the_zone_of_an_error_is_one_percent_of_the_best_constant() -> None:
    truth = np.array([1.0, 2.0, 3.0, 10.0])
    assert zone_of(METRICS["rmse"], truth) == pytest.approx(0.01 * truth.std())
    assert zone_of(METRICS["mae"], truth) == pytest.approx(0.01 * np.abs(truth - 2.5).mean())
    assert zone_of(METRICS["rmsle"], truth) == pytest.approx(0.01 * np.log1p(truth).std())


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_has_a_zone(name: str) -> None:
    assert name in ZONES or METRICS[name].kind is TaskKind.REGRESS
    assert zone_of(METRICS[name], np.array([0.0, 1.0, 1.0])) > 0


@pytest.mark.parametrize(
    ("deep", "equal", "low", "high", "call"),
    [
        (0.97, 0.03, 0.02, 0.09, "deep"),
        (0.96, 0.04, -0.01, 0.09, "undecided"),  # the interval reaches 0
        (0.90, 0.10, 0.01, 0.09, "undecided"),
        (0.02, 0.96, -0.02, 0.01, "equivalent"),
        (0.00, 0.04, -0.09, -0.02, "traditional"),
    ],
)
def test_a_call_needs_probability_and_interval(
    deep: float, equal: float, low: float, high: float, call: str
) -> None:
    gap = Gap("d", "t", (low + high) / 2, low, high, 0.01, deep, equal, 1 - deep - equal)
    assert call_of(gap) == call


def test_a_verdict_is_plain_json() -> None:
    written = json.loads(json.dumps(against(1.6, 1.5, rows=100).as_json()))
    assert written["schema"] == 2
    assert set(written["gap"]) >= {"deep", "traditional", "low", "high", "equivalent"}
