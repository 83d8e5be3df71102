"""What is settled before anybody trains."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fathometer.app.preparation import Options, describe_command, folder_for, prepare
from fathometer.errors import OptionError, SplitError
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


def test_refused_lines_of_the_users_lockbox_are_counted_and_named(tmp_path):
    lines = ["x,y", *(f"{n},{'ab'[n % 2]}" for n in range(40))]
    (tmp_path / "train.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "test.csv").write_text("\n".join([*lines[:21], "1,a,b,c", "2,a,b,c"]) + "\n")
    options = Options("y", kinds={"x": "number"}, test=str(tmp_path / "test.csv"))
    reading = prepare(str(tmp_path / "train.csv"), options).reading
    assert reading.rejected_count == 2
    assert all(line.reason.startswith("test.csv: ") for line in reading.rejected)


@pytest.fixture
def lay(tmp_path):
    """Lay 12 pictures of each of two classes into each of these folders, and name their parent."""

    def laid(*folders):
        for place, folder in enumerate(folders):
            for number in range(24):
                path = tmp_path / folder / "ab"[number % 2] / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                pixels = np.random.default_rng(24 * place + number).integers(0, 255, (8, 8))
                Image.fromarray(pixels.astype(np.uint8)).save(path)
        return tmp_path / "photos"

    return laid


def paths_of(found, rows):
    return {found.table["path"].values[int(row)].as_py().split("/")[0] for row in rows}


def test_a_part_to_judge_on_is_left_out_where_the_users_own_rows_judge(lay):
    photos = lay("photos/train", "photos/test", "mine")
    own = prepare(photos, Options("label"))
    assert paths_of(own, own.split.train) == {"train"}
    assert paths_of(own, own.split.lockbox) == {"test"}
    assert "learned from train/; judged on test/, the lockbox" in own.table.notes
    found = prepare(photos, Options("label", test=photos.parent / "mine"))
    assert paths_of(found, found.split.train) == {"train"}
    assert paths_of(found, found.split.lockbox) == {"a", "b"}
    assert len(found.split.train) == len(found.split.lockbox) == 24
    said = "learned from train/; test/ left out, 24 files: judged on the rows of --test"
    assert [note for note in found.table.notes if "test" in note] == [said]


def test_a_part_for_choosing_is_learned_from_where_the_users_own_rows_judge(lay):
    photos = lay("photos/train", "photos/val", "mine")
    own = prepare(photos, Options("label"))
    assert paths_of(own, own.split.lockbox) == {"val"}
    found = prepare(photos, Options("label", test=photos.parent / "mine"))
    assert paths_of(found, found.split.train) == {"train", "val"}
    assert "learned from train/ and val/; judged on the rows of --test" in found.table.notes


def test_a_part_to_judge_on_without_a_picture_is_refused(lay):
    photos = lay("photos/train", "photos/test")
    for path in (photos / "test").rglob("*.png"):
        path.write_bytes(b"")
    with pytest.raises(SplitError, match="no picture in it can be read"):
        prepare(photos, Options("label"))


def test_a_lockbox_on_which_the_metric_measures_nothing_is_refused(readings):
    early = readings.assign(sold=(readings["sold"] < 60).astype(int))
    with pytest.raises(SplitError, match="have the same sold") as caught:
        prepare(early, Options("sold", time="day"))
    assert caught.value.try_next == "--metric accuracy"
    prepare(early, Options("sold", time="day", metric="accuracy"))


def test_a_lockbox_of_one_row_or_group_is_refused(readings):
    with pytest.raises(SplitError, match="a single row"):
        prepare(readings, Options("sold", test=readings.iloc[:1]))
    west = readings["shop"] == "west"
    apart = readings.assign(shop=readings["shop"] + (readings["day"].dt.day % 2).astype(str))
    one = readings[west]
    with pytest.raises(SplitError, match="a single group"):
        prepare(apart[~west], Options("sold", group="shop", test=one))


def test_no_data_numbers_as_large_as_numbers_go_break_nothing(readings):
    lost = readings.assign(stock=readings["stock"].where(readings.index % 7 > 0, -1.79e308))
    assert prepare(lost, Options("sold")).task.target == "sold"


@pytest.mark.parametrize("option", ["group", "time", "ignore"])
def test_the_target_can_be_nothing_else(option):
    with pytest.raises(OptionError, match=f'"sold" is the target; --{option}'):
        Options("sold", **{option: ("sold",) if option == "ignore" else "sold"})


def test_a_frame_handed_in_as_lockbox_is_not_printed_into_the_command(readings):
    command = describe_command("shop.csv", Options("sold", test=readings), None)
    assert "--test …" in command.replace("'", "")


@pytest.mark.parametrize(
    ("source", "folder"),
    [
        ("titanic.csv", "titanic.fathom"),
        ("in/sales.2023.csv.gz", "sales.2023.fathom"),
        ("sales.2024.csv", "sales.2024.fathom"),
        ("photos/", "photos.fathom"),
        ("book.xlsx#Sheet 2", "book.fathom"),
        (".csv", ".csv.fathom"),
    ],
)
def test_each_table_has_a_folder_of_its_own(source, folder):
    assert str(folder_for(source, None)) == folder
