"""What searching configurations, and crosses of columns, bring to the tree learners.

    python benchmarks/traditional_search.py ../shared/data [--only adult] [--rows 8000]

Every learner is fitted in its usual settings, searched without crosses, and searched as it is at
effort standard, where crosses are one of the configurations. Scored on the test rows that the
data's README gives. Prints a line a fit and writes a table to benchmarks/results/ after each.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from data_sets import TIMES, by_name, metric_of, own_split

from fathometer.learners import tree_portfolio
from fathometer.learners.boosted import fit_boosted
from fathometer.learners.cat_boost import CatBoost
from fathometer.learners.contract import UNLIMITED
from fathometer.learners.light_gbm import LightGBM
from fathometer.learners.random_forest import ExtraTrees, RandomForest
from fathometer.learners.xg_boost import XGBoost
from fathometer.table.ask import ask
from fathometer.table.divide import DivideOptions, divide
from fathometer.table.metric import METRICS
from fathometer.table.read import read
from fathometer.trial.measure import machine, versions

TABLES = "california_housing,adult,bike_sharing_hour,wine_quality,covertype_part,diamonds"
LEARNERS = {each.name: each for each in (LightGBM, XGBoost, CatBoost, RandomForest, ExtraTrees)}
VARIANTS = ("usual", "searched, no crosses", "searched")
RESULTS = Path(__file__).parent / "results" / "traditional-search.md"


def understood(data: Path, entry: dict, rows: int, seed: int) -> tuple:
    """Table, task and split, the test rows of the data's README as the lockbox."""
    train, test = own_split(pq.read_table(data / entry["files"][0]))
    table = read(pa.concat_tables([train, test]).drop_columns(entry["ignore"])).table
    task = ask(table, entry["target"], metric=metric_of(entry))
    lockbox = np.arange(len(train), len(table))
    options = DivideOptions(5, time=TIMES.get(entry["name"]), max_train=rows)
    return table, task, divide(table, task, options, seed=seed, lockbox_rows=lockbox)


def learner_of(name: str, classes: int, options: argparse.Namespace, seed: int):
    """A learner with this much work, classes counted as effort standard counts them."""
    if "boost" not in name.lower() and name != "LightGBM":
        return LEARNERS[name](trees=options.trees, configurations=options.configurations, seed=seed)
    rounds = options.rounds // (classes if classes > 2 else 1)
    rate = min(0.2, 0.1 * (options.rounds / rounds) ** 0.5)
    tried = options.configurations
    return LEARNERS[name](rounds, rate, max(20, rounds // 10), configurations=tried, seed=seed)


def fit_one(learner, variant: str, setting: tuple) -> dict:
    """Seconds, the test score in the task's metric, and what was chosen."""
    table, task, split = setting
    started = time.monotonic()
    if variant == "usual":
        model = replace(learner, configurations=1).fit(table, task, split)
    elif variant == "searched":
        model = learner.fit(table, task, split)
    else:
        plain = [replace(each, crosses=False) for each in tree_portfolio.configurations(learner)]
        model = fit_boosted(plain, table, task, split, budget=UNLIMITED)
    seconds = time.monotonic() - started
    truth = task.encode(table[task.target])
    loss = METRICS["log_loss" if task.classes else "rmse"]
    scores = model.predict(table.rows(split.lockbox)).scores
    return {
        "seconds": seconds,
        "score": METRICS[task.metric].score(truth[split.lockbox], scores),
        "loss": loss.score(truth[split.lockbox], scores),
        "out_of_fold_loss": loss.score(truth[split.train], model.out_of_fold),
        "fits": model.account.fits,
        "chosen": model.account.chosen,
    }


def as_markdown(results: list[dict], options: argparse.Namespace) -> str:
    """A row a table and learner: score, loss and seconds of each variant, means over seeds."""
    hardware = " · ".join(machine().values())
    lines = [
        "# Search and crosses of the tree learners",
        "",
        f"`python benchmarks/traditional_search.py DATA --rows {options.rows} --rounds "
        f"{options.rounds} --trees {options.trees} --configurations {options.configurations} "
        f"--seeds {options.seeds}`, on: {hardware}.",
        f"Versions: {', '.join(f'{name} {version}' for name, version in versions().items())}.",
        f"At most {options.rows:,} rows to learn from, 5 folds, test rows of the data's own split; "
        f"means over {options.seeds} seeds, each with its own rows, folds and learner.",
        "Score on the test rows (loss: log loss or RMSE there, in per cent of the usual settings'; "
        "seconds of the fit). Other work ran beside it, so seconds are no more than a hint.",
        "",
        "| table | learner | metric | " + " | ".join(VARIANTS) + " |",
        "|---|---|---|" + "---|" * len(VARIANTS),
    ]
    keys = dict.fromkeys((each["table"], each["learner"], each["metric"]) for each in results)
    for key in keys:
        own = [each for each in results if (each["table"], each["learner"], each["metric"]) == key]
        cells = [_cell([each for each in own if each["variant"] == name], own) for name in VARIANTS]
        lines.append(f"| {' | '.join(key)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(these: list[dict], own: list[dict]) -> str:
    if not these:
        return "–"
    usual = np.mean([each["loss"] for each in own if each["variant"] == "usual"])
    score, loss, seconds = (
        float(np.mean([each[name] for each in these])) for name in ("score", "loss", "seconds")
    )
    shown = f"{score:,.0f}" if score > 1e4 else f"{score:.4f}" if score < 1 else f"{score:.2f}"
    return f"{shown} ({100 * loss / usual:.1f} %, {seconds:.0f} s)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", default=TABLES)
    parser.add_argument("--learners", default=",".join(LEARNERS))
    parser.add_argument("--rows", type=int, default=8_000)
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--configurations", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    known = by_name(options.data)
    results: list[dict] = []
    for name in options.learners.split(","):
        for table in options.only.split(","):
            for seed in range(options.seeds):
                setting = understood(options.data, known[table], options.rows, seed)
                task = setting[1]
                learner = learner_of(name, len(task.classes), options, seed)
                for variant in VARIANTS:
                    if variant == "searched, no crosses" and not hasattr(learner, "rounds"):
                        continue
                    found = fit_one(learner, variant, setting)
                    told = {"table": table, "learner": name, "metric": task.metric}
                    results.append({**told, "variant": variant, "seed": seed, **found})
                    print(json.dumps(results[-1]), flush=True)
                    options.out.write_text(as_markdown(results, options))
    print(as_markdown(results, options))


if __name__ == "__main__":
    main()
