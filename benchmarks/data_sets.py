"""The development data as its manifest describes it: entries, metrics, and each set's own split.

Knows nothing of contests; a set's README says where its rows come from."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

METRICS = {  # in the manifest's words, and in ours
    "ROC AUC": "roc_auc",
    "accuracy": "accuracy",
    "RMSE": "rmse",
    "F1 of spam": "roc_auc",
    "macro-F1": "macro_f1",
}
# Columns that order the rows, where there is one.
TIMES = {"bike_sharing_hour": "dteday", "beijing_pm25": "No"}
TABLES = ("tables/", "raw/")  # where the sets lie that are tables


def entries(data: Path, only: str = "", folders: tuple[str, ...] = ("",)) -> list[dict]:
    """The sets of the manifest, in its order.

    only: names, separated by commas; "": all. folders: where their files lie."""
    found = json.loads((data / "manifest.json").read_text())["datasets"]
    names = only.split(",") if only else [entry["name"] for entry in found]
    return [e for e in found if e["files"][0].startswith(folders) and e["name"] in names]


def by_name(data: Path) -> dict[str, dict]:
    """All sets of the manifest."""
    return {entry["name"]: entry for entry in entries(data)}


def metric_of(entry: dict) -> str | None:
    """Our name of the first metric that the manifest gives, where we have it."""
    return METRICS.get(entry["metric"].split(";")[0])


def own_split(table: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The training rows, those for validation among them, and the test rows."""
    train, test = (
        table.filter(pc.is_in(table["split"], pa.array(parts))).drop_columns(["split"])
        for parts in (["train", "val"], ["test"])
    )
    return train, test


def split_files(data: Path, entry: dict, folder: Path) -> tuple[Path, Path]:
    """The training and the test rows as files of the kind the source is."""
    if "{train,test}" in entry["files"][0]:
        whole = data / entry["files"][0].split("/{")[0]
        return whole / "train", whole / "test"
    source = data / entry["files"][0]
    if source.suffix == ".csv":
        with source.open(newline="", encoding="utf-8") as file:
            head, *rows = list(csv.reader(file))
        parts = {"train": [], "test": []}
        for place, row in enumerate(rows):
            parts["test" if place % 5 == 4 else "train"].append(row)
        for name, lines in parts.items():
            with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([head, *lines])
        return folder / "train.csv", folder / "test.csv"
    whole = pa.concat_tables([pq.read_table(data / name) for name in entry["files"]])
    for name, part in zip(("train", "test"), own_split(whole), strict=True):
        pq.write_table(part, folder / f"{name}.parquet")
    return folder / "train.parquet", folder / "test.parquet"
