"""What is settled before anybody trains."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fathometer.app.preparation import Options, prepare
from fathometer.features.roads import feature_specs
from fathometer.table.kind import Kind


@pytest.fixture
def readings() -> pd.DataFrame:
    """Sales that grow from day to day, each day sold in one of four shops."""
    random = np.random.default_rng(0)
    days = random.permutation(240)
    return pd.DataFrame(
        {
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(days, unit="D"),
            "shop": random.choice(["north", "south", "east", "west"], 240),
            "stock": random.normal(size=240),
            "sold": days + random.normal(size=240),
        }
    )


def learned_from(frame: pd.DataFrame, **asked: object) -> set[str]:
    found = prepare(frame, Options("sold", **asked))
    return {spec.name for spec in feature_specs(found.table, found.task)}


def test_a_time_that_is_ignored_orders_the_rows_and_teaches_nothing(readings):
    assert learned_from(readings, time="day") == {"day", "shop", "stock"}
    assert learned_from(readings, time="day", ignore=("day",)) == {"shop", "stock"}
    found = prepare(readings, Options("sold", time="day", ignore=("day",)))
    assert found.table["day"].kind is Kind.IDENTIFIER
    assert "--time" in found.table["day"].reason
    judged = readings["day"].iloc[found.split.lockbox]
    assert judged.min() > readings["day"].iloc[found.split.train].max()


def test_what_groups_the_rows_teaches_nothing_ignored_or_not(readings):
    for ignored in ((), ("shop",)):
        assert learned_from(readings, group="shop", ignore=ignored) == {"day", "stock"}
        found = prepare(readings, Options("sold", group="shop", ignore=ignored))
        shops = readings["shop"].to_numpy()
        assert not set(shops[found.split.lockbox]) & set(shops[found.split.train])


def test_a_lockbox_of_the_users_own_may_carry_an_ignored_time(readings):
    early, late = readings[readings["sold"] < 180], readings[readings["sold"] >= 180]
    found = prepare(early, Options("sold", time="day", ignore=("day",), test=late))
    assert len(found.split.lockbox) == len(late)
    assert "day" not in {spec.name for spec in feature_specs(found.table, found.task)}
