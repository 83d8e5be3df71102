"""Time that is left goes to the leaders of both families: in turn, each with half of the rest."""

from __future__ import annotations

import pytest

from fathometer.learners.light_gbm import LightGBM
from fathometer.learners.linear import Logistic
from fathometer.learners.network import ModernNetwork, PlainNetwork
from fathometer.learners.random_forest import RandomForest
from fathometer.table.metric import METRICS
from fathometer.trial.encore import Longer, encores
from fathometer.trial.scorecard import Bill, Scorecard

METRIC = METRICS["roc_auc"]
FORMS = (LightGBM, RandomForest, Logistic, PlainNetwork, ModernNetwork)


def card(learner, out_of_fold, seconds):
    bill = Bill(seconds, 0.0, "estimated", 0, 0, 0.0, 0.0, 0.0)
    return Scorecard(learner.name, learner.family.value, out_of_fold=out_of_fold, bill=bill)


@pytest.fixture
def cards():
    """Named worst to best, as a contest never sorts them."""
    form, forest, linear, plain, modern = (made() for made in FORMS)
    return [
        card(linear, 0.7, 0.1),
        card(forest, 0.8, 1.0),
        card(form, 0.9, 1.0),
        card(plain, 0.75, 2.0),
        card(modern, 0.85, 4.0),
    ]


def fits(*times):
    return {
        made().name: tuple(Longer(made(name=f"{made().name} {x}"), x) for x in times)
        for made in FORMS
    }


def turns(cards, share, *times):
    return [(one.name, left) for one, left in encores(cards, fits(*times), METRIC, share)]


def test_the_best_of_each_family_in_turn(cards):
    assert turns(cards, lambda left: 20.0, 4.0) == [
        ("LightGBM 4.0", 2),
        ("modern network 4.0", 1),
        ("random forest 4.0", 2),
        ("perceptron 4.0", 1),
        ("logistic 4.0", 1),
    ]


def test_each_gets_the_longest_fit_that_its_share_allows(cards):
    found = [name for name, _ in turns(cards, lambda left: 12.0, 2.0, 4.0, 12.0)]
    assert found == ["LightGBM 12.0", "modern network 2.0", "random forest 12.0",
                     "perceptron 4.0", "logistic 12.0"]  # fmt: skip


def test_who_can_do_with_less_gets_a_longer_fit_than_its_share_holds(cards):
    longer = fits(2.0)
    longer["modern network"] += (Longer(ModernNetwork(name="longest"), 12.0, least=0.25),)
    found = [one.name for one, _ in encores(cards, longer, METRIC, lambda left: 12.0)]
    assert found[:2] == ["LightGBM 2.0", "longest"]


def test_half_of_what_is_left_is_the_other_familys(cards):
    left = [24.0]
    seen = []
    for learner, _ in encores(cards, fits(4.0, 12.0), METRIC, lambda count: left[0] / count):
        seen.append(learner.name)
        left[0] -= 8.0
    assert seen == ["LightGBM 12.0", "modern network 4.0", "random forest 4.0"]


def test_who_had_a_longer_fit_before_a_stop_has_had_its_turn(cards):
    longer = fits(4.0)
    found = encores(cards, longer, METRIC, lambda left: 20.0, done=["LightGBM 4.0", "logistic"])
    assert [(one.name, left) for one, left in found][:2] == [
        ("modern network 4.0", 1),
        ("random forest 4.0", 2),
    ]


def test_no_time_lengthens_nothing(cards):
    assert turns(cards, lambda left: 0.0, 4.0) == []


def test_who_failed_or_has_no_longer_fit_has_no_turn(cards):
    cards[2] = Scorecard("LightGBM", "traditional", state="failed")
    longer = fits(4.0)
    del longer["random forest"], longer["modern network"], longer["perceptron"]
    found = [one.name for one, _ in encores(cards, longer, METRIC, lambda left: 20.0)]
    assert found == ["logistic 4.0"]
