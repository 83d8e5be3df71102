from typing import Literal

from fathometer.app.standing import Standing
from fathometer.table.metric import METRICS
from fathometer.trial.event import Event
from fathometer.trial.scorecard import Quality, Scorecard

Family = Literal["traditional", "deep", "both"]


def standing_of(*names: tuple[str, Family], metric: str = "roc_auc") -> Standing:
    standing = Standing(METRICS[metric])
    for name, family in names:
        standing.note(Event("entered", name, family))
    return standing


def finish(name: str, family: Family, score: float, metric: str = "roc_auc") -> Event:
    card = Scorecard(name, family, quality=Quality(metric, score, score, score))
    return Event("finished", name, family, scorecard=card)


def test_family_is_as_far_as_its_contestants_on_average() -> None:
    standing = standing_of(("ridge", "traditional"), ("forest", "traditional"))
    standing.note(finish("ridge", "traditional", 0.8))
    standing.note(Event("progress", "forest", "traditional", done=0.5))
    assert standing.done("traditional") == 0.75
    assert standing.done("deep") == 0.0


def test_progress_never_goes_back() -> None:
    standing = standing_of(("forest", "traditional"))
    standing.note(Event("progress", "forest", "traditional", done=0.5))
    standing.note(Event("progress", "forest", "traditional", done=0.2))
    assert standing.done("traditional") == 0.5


def test_finished_contestant_stays_finished() -> None:
    standing = standing_of(("forest", "traditional"))
    standing.note(finish("forest", "traditional", 0.8))
    standing.note(Event("progress", "forest", "traditional", done=0.2))
    assert len(standing.finished()) == 1


def test_best_stands_first_where_more_is_better_and_where_less_is() -> None:
    names: list[tuple[str, Family]] = [("low", "traditional"), ("high", "traditional")]
    for metric, best in (("roc_auc", "high"), ("rmse", "low")):
        standing = standing_of(*names, metric=metric)
        standing.note(finish("low", "traditional", 0.2, metric))
        standing.note(finish("high", "traditional", 0.9, metric))
        assert standing.best_first()[0].name == best


def test_failed_contestant_has_no_place_in_the_standing() -> None:
    standing = standing_of(("XGBoost", "traditional"))
    card = Scorecard("XGBoost", "traditional", state="not entered", failure="absent")
    standing.note(Event("finished", "XGBoost", "traditional", scorecard=card))
    assert standing.best_first() == ()
    assert standing.done("traditional") == 1.0


def test_whole_time_is_guessed_only_once_a_tenth_is_done() -> None:
    standing = standing_of(("forest", "traditional"))
    assert "about" not in standing.clock()
    standing.note(Event("progress", "forest", "traditional", done=0.5))
    assert "of about" in standing.clock()


def test_budget_of_minutes_is_the_whole_time() -> None:
    assert Standing(METRICS["rmse"], minutes=2).clock().endswith("of 2 min 00 s")


def test_both_together_counts_once_it_has_started() -> None:
    standing = standing_of(("ridge", "traditional"), ("both together", "both"))
    assert len(standing.entered()) == 1
    standing.note(Event("started", "both together", "both"))
    assert len(standing.entered()) == 2


def test_a_family_is_through_when_no_longer_fit_can_come() -> None:
    standing = Standing(METRICS["roc_auc"], minutes=2)
    standing.note(Event("entered", "ridge", "traditional"))
    seen = []
    for name in ("ridge", "ridge ×3"):
        standing.note(Event("started", name, "traditional"))
        standing.note(finish(name, "traditional", 0.8))
        seen.append(standing.done("traditional"))
        assert not standing.is_through("traditional")
    assert standing.counted("traditional") == "2"
    standing.note(Event("started", "both together", "both"))
    assert standing.is_through("traditional")
    assert [*seen, standing.done("traditional")] == [0.25, 0.5, 1.0]
