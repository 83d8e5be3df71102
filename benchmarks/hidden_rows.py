"""A forecast from a few rows of a large table, and what the rows that were hidden then showed.

    python benchmarks/hidden_rows.py ../shared/data --keep hidden.jsonl [--only adult] [--write]

Draws 1,250 rows of a table, compares LightGBM, the modern network and a linear model of effort
quick on 1,000 of them, draws their learning curves and forecasts 2 and 4 times the rows, all as a
comparison does, by what the store teaches without this table. Then as many more rows are taught,
and all are scored on 6,000 further rows that no one has seen. Unlike `forecast.py`, this holds the
sampling error of today's scores as well. A line a table and draw is added to --keep; with --write
the table of them goes into benchmarks/results/forecast-hidden.md."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: one core, on a busy machine too
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from curve_store import JOBS, Job, frame_of, kept

RESULTS = Path(__file__).parent / "results" / "forecast-hidden.md"
TODAY, JUDGES = 1_250, 6_000
FACTORS = (2, 4)
FOLDS = 5
NAMES = ("LightGBM", "modern network", "logistic", "ridge", "constant")
SOURCES = (
    "adult",
    "california_housing",
    "bank_marketing",
    "diamonds",
    "credit_default_taiwan",
    "covertype_part",
    "bike_sharing_hour",
    "brfss_diabetes",
    "letter_recognition",
    "beijing_pm25",
)
DRAWS = 2


def run(data: Path, job: Job, draw: int) -> dict:
    """One forecast and what came."""
    from fathometer.table.ask import answerable, ask
    from fathometer.table.divide import DivideOptions, divide
    from fathometer.table.metric import METRICS
    from fathometer.table.read import read
    from fathometer.table.split import Split
    from fathometer.trial.contest import Contest
    from fathometer.trial.curves import learning_curves
    from fathometer.trial.entrants import Effort, entrants
    from fathometer.trial.store import RunStore
    from fathometer.verdict.bench import Bench, Rows
    from fathometer.verdict.decide import zone_of
    from fathometer.verdict.forecast import forecast
    from fathometer.verdict.past_curves import cases, past_curves
    from fathometer.verdict.past_lessons import Study, learn

    frame = frame_of(data, job.source).dropna(subset=[job.target])
    wanted = TODAY * max(FACTORS) + JUDGES
    frame = frame.sample(wanted, random_state=1000 + draw).reset_index(drop=True)
    kinds = {job.target: job.kind} if job.kind else {}
    table = read(frame, ignore=job.ignore, kinds=kinds).table
    task = ask(table, job.target)
    table, _ = answerable(table, task)
    truth = task.encode(table[task.target])
    metric = METRICS[task.metric]
    judges = np.arange(wanted - JUDGES, len(table))
    learners = [one for one in entrants(task, table, Effort.QUICK, 0) if one.name in NAMES]
    today = divide(
        table.rows(np.arange(TODAY)), task, DivideOptions(FOLDS), seed=draw
    )  # the first rows, so row numbers are those of the whole table
    point = zone_of(metric, truth[today.train])
    started = time.process_time()
    with (
        tempfile.TemporaryDirectory() as folder,
        RunStore.open(Path(folder) / "run", "hidden") as store,
    ):
        contest = Contest(table, task, today, store, lambda event: None)
        trials = contest.run(learners)
        pair = learning_curves(contest, learners, trials)
    lesson = learn(Study.of([case for case in cases(past_curves()) if case.source != job.source]))
    found = forecast(
        pair, metric, Rows(truth[today.train]), point, rows=len(today.train), seed=0, past=lesson
    )
    assert found is not None
    came = []
    named = {one.name: one for one in learners}
    for factor, outlook in zip(FACTORS, found.outlooks, strict=False):
        rows = np.arange(len(today.train) * factor)
        whole = np.concatenate([rows, judges])
        place = np.random.default_rng(draw).permutation(len(whole)) % FOLDS
        folds = tuple(whole[place == fold] for fold in range(FOLDS))
        split = Split(whole, judges[:1], folds, draw, taught=rows)
        scored = split.places(judges)
        answers = {
            family: named[pair.of(family).name].fit(table, task, split).out_of_fold[scored]
            for family in ("traditional", "deep")
        }
        bench = Bench(metric, Rows(truth[judges]), 0, most_resamples=200)
        gap = bench.gap(answers["deep"], answers["traditional"])
        came.append(
            {
                "factor": factor,
                "traditional": metric.score(truth[judges], answers["traditional"]),
                "deep": metric.score(truth[judges], answers["deep"]),
                "gap": gap.value,
                "gap_error": gap.deviation,
                "expected": {
                    name: [getattr(band, end) for end in ("value", "low", "high")]
                    for name, band in (
                        ("traditional", outlook.traditional),
                        ("deep", outlook.deep),
                        ("gap", outlook.gap),
                    )
                },
                "deep_ahead": outlook.deep_ahead,
            }
        )
    return {
        "name": f"{job.source} {draw}",
        "source": job.source,
        "metric": metric.name,
        "point": point,
        "store": len(past_curves()),
        "traditional": found.traditional.name,
        "today": [found.traditional.scores[-1], found.deep.scores[-1], found.gap.value],
        "came": came,
        "seconds": time.process_time() - started,
    }


def report(lines: list[dict]) -> str:
    """The table of all forecasts, and what they add up to."""
    from fathometer.trial.measure import machine
    from fathometer.verdict.past_lessons import SURE

    rows = [
        "# Forecasts from 1,000 rows, and what hidden rows then showed",
        "",
        "`python benchmarks/hidden_rows.py ../shared/data --keep hidden.jsonl --write`: "
        f"{len(lines)} draws of 1,250 rows from {len({line['source'] for line in lines})} tables, "
        "of which 1,000 teach; forecasts by the store without the table; then 2 and 4 times as "
        "many rows taught, scored on 6,000 others. The store held "
        f"{min(line['store'] for line in lines)} curves or more. Effort quick, "
        "5 folds; best of LightGBM and a linear model against the modern network. Intervals: 90 %.",
        "",
        "| table, draw | metric | rows | traditional: came | expected | deep: came | expected | "
        "gap: came | expected | P(deep ahead) |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    held = {name: [] for name in ("traditional", "deep", "gap")}
    off: dict[str, list[float]] = {"quality": [], "same": [], "gap": [], "gap same": []}
    winner: list[tuple[bool, bool, bool]] = []
    for line in lines:
        for one in line["came"]:
            cells = [line["name"], line["metric"], f"{one['factor']}×"]
            for name, now in zip(held, line["today"], strict=True):
                value, low, high = one["expected"][name]
                cells += [f"{one[name]:.4g}", f"{value:.4g} [{low:.4g}, {high:.4g}]"]
                held[name].append(low <= one[name] <= high)
                kind = "gap" if name == "gap" else "quality"
                off[kind].append(abs(value - one[name]) / line["point"])
                same = "gap same" if name == "gap" else "same"
                off[same].append(abs(now - one[name]) / line["point"])
            rows.append("| " + " | ".join([*cells, f"{one['deep_ahead']:.2f}"]) + " |")
            if abs(one["gap"]) > 2 * one["gap_error"]:
                chance, deep = one["deep_ahead"], one["gap"] > 0
                decided = max(chance, 1 - chance) >= SURE
                winner.append((decided, (chance > 0.5) == deep, (line["today"][2] > 0) == deep))
    decided = [right for named, right, _ in winner if named]
    rows += [
        "",
        f"Of {len(held['gap'])} forecasts, the 90 % interval held: traditional "
        f"{np.mean(held['traditional']):.0%}, deep {np.mean(held['deep']):.0%}, gap "
        f"{np.mean(held['gap']):.0%}. Mean error in points: quality {np.mean(off['quality']):.2f} "
        f"(that it stays: {np.mean(off['same']):.2f}), gap {np.mean(off['gap']):.2f} (that it "
        f"stays: {np.mean(off['gap same']):.2f}).",
        "",
        f"In {len(winner)} one family came to be ahead by more than two standard errors; "
        f"{len(decided)} named a family, {sum(decided)} of these the right one. The more probable "
        f"one was right in {np.mean([one[1] for one in winner]):.0%} of all, today's leader in "
        f"{np.mean([one[2] for one in winner]):.0%}.",
        "",
        f"On: {' · '.join(machine().values())}.",
    ]
    return "\n".join(rows) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    done = {line["name"] for line in kept(options.keep)}
    first = {job.source: job for job in reversed(JOBS)}
    for draw in range(DRAWS):
        for source in SOURCES:
            if f"{source} {draw}" in done or (options.only and source != options.only):
                continue
            line = run(options.data, first[source], draw)
            with options.keep.open("a") as file:
                file.write(json.dumps(line) + "\n")
            print(f"{line['name']}: {line['seconds']:.0f} s", flush=True)
    text = report(list(kept(options.keep)))
    print(text)
    if options.write:
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
