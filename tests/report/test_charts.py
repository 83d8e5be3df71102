from dataclasses import replace
from xml.etree import ElementTree

import pytest

from fathometer.report.charts import NARROW, WIDE, contest_chart, gap_chart, reach, three_way_bar
from fathometer.trial.scorecard import Quality, Scorecard
from fathometer.verdict.verdict import Gap

GAP = Gap("net", "trees", 0.01, -0.02, 0.04, 0.01, 0.5, 0.3, 0.2)


def qualities(*scores):
    return [Quality("roc_auc", score, score - 0.02, score + 0.02) for score in scores]


def cards(*scores):
    return [
        Scorecard(f"model {place}", "deep", quality=quality)
        for place, quality in enumerate(qualities(*scores))
    ]


def test_a_far_constant_breaks_the_axis_instead_of_pressing_the_others_together():
    drawn = reach(qualities(0.87, 0.86, 0.85, 0.5))
    assert drawn.cut_low
    assert drawn.low > 0.8


def test_a_near_last_contestant_is_simply_drawn():
    drawn = reach(qualities(0.87, 0.86, 0.85, 0.84))
    assert (drawn.cut_low, drawn.cut_high) == (False, False)
    assert drawn.low < 0.82


def test_the_break_of_the_axis_can_be_seen():
    assert 'class="break"' in contest_chart(cards(0.9, 0.89, 0.88, 0.5), "model 0", 0.01, WIDE)
    assert 'class="break"' not in contest_chart(cards(0.9, 0.89, 0.88), "model 0", 0.01, WIDE)


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("scores", [(0.9,), (0.9, 0.9), (0.9, 0.8, 0.7, 0.6, 0.5)])
def test_the_contest_is_well_formed_and_names_everyone(width, scores):
    root = ElementTree.fromstring(contest_chart(cards(*scores), "model 0", 0.0, width))
    said = root.get("aria-label")
    assert all(f"model {place} (deep)" in said for place in range(len(scores)))
    assert sum(element.get("class") == "star" for element in root.iter()) == 1


def test_a_contest_of_one_score_without_width_is_drawn():
    card = Scorecard("constant", "traditional", quality=Quality("rmse", 0.0, 0.0, 0.0))
    assert "constant" in contest_chart([card], "constant", 0.0, WIDE)


def test_the_bar_gives_each_answer_its_share_and_says_it_in_words():
    root = ElementTree.fromstring(three_way_bar(GAP))
    widths = [float(part.get("width")) / WIDE for part in root.iter("rect")]
    assert widths == pytest.approx([0.2, 0.3, 0.5], abs=1e-3)
    assert "deep better 50 %" in root.get("aria-label")


@pytest.mark.parametrize("gap", [GAP, replace(GAP, value=0, low=0, high=0, zone=0)])
def test_the_paired_difference_is_well_formed_even_where_there_is_none(gap):
    ElementTree.fromstring(gap_chart(gap, "ROC AUC", NARROW))
