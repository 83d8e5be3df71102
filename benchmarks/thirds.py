"""What the verdict on a third of the rows said, and what the full rows then showed.

    python benchmarks/tables.py ../shared/data --keep full.jsonl [--sets images|text]
    python benchmarks/thirds.py ../shared/data --full full.jsonl --keep thirds.jsonl [--write]

Every set once more through `fathom compare --effort quick`, from a third of the rows that the run
on all of them learned from, judged on the same test rows. Beside both calls stands the forecast
that the third made of the gap between the families at three times its rows. With --write the table
goes to benchmarks/results/thirds.md.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from data_sets import by_name
from tables import RESULTS, run_one

MOST_ROWS = 20_000  # that effort quick learns from
PARTS = 3


def third_of(train: Path, folder: Path) -> Path:
    """A third of the rows, or pictures, that a run learns from, evenly spread, in the same form."""
    third = folder / f"third-{train.name}"
    if train.is_dir():
        for own in sorted(each for each in train.iterdir() if each.is_dir()):
            (third / own.name).mkdir(parents=True)
            for picture in sorted(own.iterdir())[::PARTS]:
                shutil.copy(picture, third / own.name / picture.name)
    elif train.suffix == ".csv":
        with train.open(newline="", encoding="utf-8") as file:
            head, *rows = list(csv.reader(file))
        with third.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([head, *(rows[place] for place in spread_over(len(rows)))])
    else:
        table = pq.read_table(train)
        pq.write_table(table.take(spread_over(len(table))), third)
    return third


def spread_over(rows: int) -> np.ndarray:
    """Places of a third of the rows that are learned from, in order."""
    kept = math.ceil(min(rows, MOST_ROWS) / PARTS)
    return np.linspace(0, rows - 1, kept).round().astype(int)


def forecast_gap(forecast: dict | None) -> dict | None:
    """The gap forecast at three times the rows: value and 90 % interval, between two steps."""
    if forecast is None:
        return None
    factors = np.log([each["factor"] for each in forecast["path"]])
    return {
        key: float(np.interp(math.log(PARTS), factors, [p["gap"][key] for p in forecast["path"]]))
        for key in ("value", "low", "high")
    }


def interval_words(gap: dict | None) -> str:
    """ "+0.0012 [−0.0034, +0.0058]"."""
    if gap is None:
        return "–"
    value, low, high = (f"{gap[key]:+.3g}" for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def as_markdown(pairs: list[tuple[dict, dict]]) -> str:
    """A row a set, and how often the third was right."""
    from fathometer.trial.measure import machine, versions

    lines = [
        "# A third of the rows, then all of them",
        "",
        f"`fathom compare --effort quick`, seed 0, on: {' · '.join(machine().values())}.",
        f"Versions: {', '.join(f'{name} {version}' for name, version in versions().items())}.",
        "Both are judged on the same test rows. Gap: best deep against best traditional, turned so "
        "that more is better for deep, with its 95 % interval; the forecast, made by the third for "
        "three times its rows, with its 90 % interval. Not all families' best are the same "
        "contestants in both runs.",
        "",
        "| set | metric | a third: call | gap | forecast of the gap | all rows: call | gap |",
        "|---|---|---|---|---|---|---|",
    ]
    for third, full in pairs:
        seen = [interval_words(each["gap"]) for each in (third, full)]
        lines.append(
            f"| {full['name']} | {full['metric']} | {third['call']} | {seen[0]} | "
            f"{interval_words(forecast_gap(third['forecast']))} | {full['call']} | {seen[1]} |"
        )
    return "\n".join([*lines, "", *summary(pairs)]) + "\n"


def summary(pairs: list[tuple[dict, dict]]) -> list[str]:
    """How often the calls agree, and how often the forecast held what came."""
    same = sum(third["call"] == full["call"] for third, full in pairs)
    clear = [pair for pair in pairs if pair[0]["call"] in ("deep", "traditional")]
    reversed_ = sum({t["call"], f["call"]} == {"deep", "traditional"} for t, f in pairs)
    told = [(forecast_gap(t["forecast"]), f["gap"]["value"]) for t, f in pairs if t["forecast"]]
    held = sum(band["low"] <= value <= band["high"] for band, value in told)
    return [
        f"The same call on {same} of {len(pairs)} sets; {len(clear)} thirds named a better family, "
        f"{reversed_} of which the full rows reversed. The forecast's 90 % interval held the gap "
        f"that came on {held} of the {len(told)} sets with a forecast.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--full", type=Path, required=True)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    known_sets = by_name(options.data)
    known = {}
    if options.keep.exists():
        kept = map(json.loads, options.keep.read_text().splitlines())
        known = {result["name"]: result for result in kept}
    pairs, refused = [], []
    for full in map(json.loads, options.full.read_text().splitlines()):
        name = full["name"]
        if "failed" in full or (options.only and name not in options.only.split(",")):
            continue
        if name not in known:
            known[name] = run_one(
                options.data, known_sets[name], "--effort", "quick", part=third_of
            )
            print(json.dumps(known[name]), flush=True)
            with options.keep.open("a") as file:
                file.write(json.dumps(known[name]) + "\n")
        if "failed" in known[name]:
            refused.append(f"- {name}: {' '.join(known[name]['failed'].split())}")
        else:
            pairs.append((known[name], full))
    report = as_markdown(pairs)
    if refused:
        report += "\n".join(["", "The third alone was refused:", "", *refused]) + "\n"
    print(report)
    if options.write:
        (RESULTS / "thirds.md").write_text(report)


if __name__ == "__main__":
    main()
