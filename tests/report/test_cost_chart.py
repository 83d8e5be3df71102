from dataclasses import replace
from xml.etree import ElementTree

import pytest

from fathometer.report.cost_chart import COSTS, cost_chart, priced


@pytest.mark.parametrize("cost", COSTS, ids=lambda cost: cost.key)
@pytest.mark.parametrize("width", [760, 360])
def test_every_cost_is_drawn_with_a_mark_for_everyone_whose_it_is_known(binary, cost, width):
    root = ElementTree.fromstring(cost_chart(binary.finished, "CatBoost", cost, width))
    marks = [e for e in root.iter() if (e.get("class") or "").startswith("mark")]
    unknown = {"train", "energy"} & {cost.key}  # of a challenger
    assert len(marks) == len(binary.finished) - len(unknown)
    assert "CatBoost 3.1 s" in root.get("aria-label") or cost.key != "train"


def test_better_is_up_also_where_less_is_better(regression):
    root = ElementTree.fromstring(cost_chart(regression.finished, "XGBoost", COSTS[0], 760))
    heights = {
        e.find("title").text.split(":")[0]: float(e.find("circle").get("cy"))
        for e in root.iter("g")
        if e.find("title") is not None and e.find("circle") is not None
    }
    assert heights["XGBoost"] < heights["lasso"] < heights["constant"]


def test_a_contestant_without_this_cost_is_left_out(binary):
    free = replace(binary.scorecards[0], bill=replace(binary.scorecards[0].bill, energy_joules=0.0))
    energy = next(cost for cost in COSTS if cost.key == "energy")
    assert [card.name for card, _, _ in priced([free, binary.scorecards[1]], energy)] == [
        "both together"
    ]
    assert cost_chart([free], "CatBoost", energy, 760) == ""
