"""How often the evidence behind the verdict is right, in worlds whose truth is known.

    python benchmarks/evidence_simulation.py [--worlds 400] [--part pairs] [--write]

- pairs: eight equally good contestants before the same rows, so that every difference found is
  false: how many lockboxes have one, by the max-t correction and pair by pair.
- folds: two learners of exactly equal worth, a linear discriminant on either of two exchangeable
  halves of the columns, fitted and scored over folds: how often the corrected resampled t-test
  names one, and the plain t-test over the same folds; and over ten times as many, which is where
  the plain one goes wrong.
- coverage: intervals and sets calibrated out of fold over five folds and asked of 2,000 fresh rows,
  for a model refitted on all rows: the mean coverage where 0.90 is stated.

Prints the tables; with --write puts them into benchmarks/results/evidence-simulation.md."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: one core, on a busy machine too

import numpy as np
from scipy.special import stdtr

from fathometer.modelfile.intervals import residual_quantiles, set_thresholds
from fathometer.table.metric import METRICS
from fathometer.trial.measure import machine, versions
from fathometer.verdict.bench import Bench, Rows
from fathometer.verdict.pairs import all_pairs
from fathometer.verdict.resampled import fold_gap

sys.path.insert(0, str(Path(__file__).parent))
from verdict_simulation import AREAS, Parts, Random, share, write_parts

RESULTS = Path(__file__).parent / "results" / "evidence-simulation.md"
CONTESTANTS = 8
HALF = 6  # columns of each half
FOLDS = 5
REPEATS = 10
STATED = 0.9


def eight_equals(random: Random, rows: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Two classes, and equally good answers that share a part of their noise."""
    truth = (random.random(rows) < 0.4).astype(int)
    while len(np.unique(truth)) < 2:
        truth = (random.random(rows) < 0.4).astype(int)
    shared, cast = random.normal(size=rows), []
    for _ in range(CONTESTANTS):
        signal = AREAS[0] * (truth - 0.5) + 0.8 * shared + 0.4 * random.normal(size=rows)
        chance = 1 / (1 + np.exp(-signal))
        cast.append(np.column_stack([1 - chance, chance]))
    return truth, cast


def pair_rows(options: argparse.Namespace) -> Iterator[str]:
    """The lines of the table of pairs."""
    yield "| metric | rows | worlds | a false difference, max-t % | pair by pair % |"
    yield "|---|---|---|---|---|"
    for metric in ("roc_auc", "accuracy"):
        for rows in (60, 200, 600):
            random = np.random.default_rng([options.seed, rows, *metric.encode()])
            corrected = plain = 0
            for world in range(options.worlds):
                truth, cast = eight_equals(random, rows)
                bench = Bench(METRICS[metric], Rows(truth), world, most_resamples=1000)
                named = [(str(place), scores) for place, scores in enumerate(cast)]
                corrected += any(pair.p_value < 0.05 for pair in all_pairs(bench, named))
                gaps = [bench.gap(a, b) for k, a in enumerate(cast) for b in cast[k + 1 :]]
                plain += any(gap.low > 0 or gap.high < 0 for gap in gaps)
            yield (
                f"| {METRICS[metric].label} | {rows} | {options.worlds} | "
                f"{share(corrected, options.worlds)} | {share(plain, options.worlds)} |"
            )


def discriminant(columns: np.ndarray, truth: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A linear discriminant; gives probabilities (rows, 2)."""
    means = [columns[truth == place].mean(axis=0) for place in (0, 1)]
    spread = np.cov(columns.T) + 1e-6 * np.eye(columns.shape[1])
    weights = np.linalg.solve(spread, means[1] - means[0])
    middle = weights @ (means[0] + means[1]) / 2

    def ask(rows: np.ndarray) -> np.ndarray:
        chance = 1 / (1 + np.exp(-(rows @ weights - middle)))
        return np.column_stack([1 - chance, chance])

    return ask


def two_halves(random: Random, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, and two halves of the columns that are worth the same."""
    truth = np.arange(rows) % 2
    columns = random.normal(size=(rows, 2 * HALF)) + 0.35 * (truth[:, None] - 0.5)
    return truth, columns[:, :HALF], columns[:, HALF:]


def out_of_fold(columns: np.ndarray, truth: np.ndarray, folds: list[np.ndarray]) -> np.ndarray:
    scores = np.zeros((len(truth), 2))
    for fold in folds:
        rest = np.setdiff1d(np.arange(len(truth)), fold)
        scores[fold] = discriminant(columns[rest], truth[rest])(columns[fold])
    return scores


def folds_of(random: Random, rows: int) -> list[np.ndarray]:
    order = random.permutation(rows)
    return [np.sort(order[fold::FOLDS]) for fold in range(FOLDS)]


def fold_rows(options: argparse.Namespace) -> Iterator[str]:
    """The lines of the table of folds."""
    yield "| rows | worlds | corrected, 5 folds % | plain t % | plain t, 10 times 5 folds % |"
    yield "|---|---|---|---|---|"
    metric = METRICS["accuracy"]
    for rows in (100, 300, 1000):
        random = np.random.default_rng([options.seed, rows])
        corrected = plain = repeated = 0
        for _ in range(options.worlds):
            truth, one, other = two_halves(random, rows)
            gaps: list[float] = []
            for repeat in range(REPEATS):
                folds = folds_of(random, rows)
                first, second = (out_of_fold(each, truth, folds) for each in (one, other))
                gaps += [
                    metric.score(truth[f], first[f]) - metric.score(truth[f], second[f])
                    for f in folds
                ]
                if repeat == 0:
                    view = fold_gap(metric, Rows(truth, folds=tuple(folds)), first, second, 0.01)
                    corrected += view is not None and view.p_value < 0.05
                    plain += plain_p(gaps) < 0.05
            repeated += plain_p(gaps) < 0.05
        found = (share(count, options.worlds) for count in (corrected, plain, repeated))
        yield f"| {rows:,} | {options.worlds} | {' | '.join(found)} |"


def plain_p(gaps: list[float]) -> float:
    """The p-value of Student's t as if folds were independent."""
    found = np.array(gaps)
    error = found.std(ddof=1) / np.sqrt(len(found))
    return 1.0 if error == 0 else float(2 * stdtr(len(found) - 1, -abs(found.mean()) / error))


def coverage_rows(options: argparse.Namespace) -> Iterator[str]:
    """The lines of the table of coverage: mean over worlds, and the spread from world to world."""
    yield "| answers | rows to learn | worlds | held %, mean | of single worlds: 5 to 95 % |"
    yield "|---|---|---|---|---|"
    worlds = max(options.worlds // 4, 20)
    for rows in (100, 400, 2000):
        random = np.random.default_rng([options.seed, rows, 9])
        sets, ends = [], []
        for _ in range(worlds):
            truth, one, other = two_halves(random, rows)
            fresh, near, far = two_halves(random, 2000)
            columns, asked = np.hstack([one, other]), np.hstack([near, far])
            folds = folds_of(random, rows)
            scores = out_of_fold(random, columns, truth, folds)
            found = discriminant(columns, truth)(asked)
            held = set_thresholds(truth, scores).sets(found, STATED)
            sets.append(held[np.arange(len(fresh)), fresh].mean())
            ends.append(_ends_held(random, columns, asked, folds))
        for name, shares in (("classes", sets), ("values", ends)):
            low, high = 100 * np.quantile(shares, (0.05, 0.95))
            yield (
                f"| {name} | {rows:,} | {worlds} | {100 * np.mean(shares):.1f} | "
                f"{low:.0f} to {high:.0f} |"
            )


def _ends_held(
    random: Random, columns: np.ndarray, asked: np.ndarray, folds: list[np.ndarray]
) -> float:
    """Least squares on values whose errors grow with one column."""

    def drawn(rows: np.ndarray) -> np.ndarray:
        size = np.exp(0.5 * rows[:, 0])
        return rows.sum(axis=1) + size * random.normal(size=len(rows))

    def fitted(rows: np.ndarray, values: np.ndarray) -> np.ndarray:
        return np.linalg.lstsq(np.column_stack([rows, np.ones(len(rows))]), values, rcond=None)[0]

    def said(weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return np.column_stack([rows, np.ones(len(rows))]) @ weights

    truth, fresh = drawn(columns), drawn(asked)
    scores = np.zeros((len(truth), 1))
    for fold in folds:
        rest = np.setdiff1d(np.arange(len(truth)), fold)
        scores[fold, 0] = said(fitted(columns[rest], truth[rest]), columns[fold])
    by = residual_quantiles(truth, scores)
    ends = by.ends(said(fitted(columns, truth), asked)[:, None], STATED)
    return float(((ends[:, 0] <= fresh) & (fresh <= ends[:, 1])).mean())


PARTS: Parts = {
    "pairs": ("Eight equals before the same rows", pair_rows),
    "folds": ("Two equal learners over folds", fold_rows),
    "coverage": ("Intervals and sets that state 90 %", coverage_rows),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=400, help="of each kind")
    parser.add_argument("--part", choices=list(PARTS), default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    lines = [
        "# The evidence behind the verdict, in worlds whose truth is known",
        "",
        f"`python benchmarks/evidence_simulation.py {' '.join(sys.argv[1:])}` on "
        f"{' · '.join(machine().values())}; "
        + ", ".join(f"{name} {versions()[name]}" for name in ("fathometer", "numpy", "scipy"))
        + ".",
        "Shares are followed by their standard error. Every difference found between equals is "
        "false, and at most 5 % of worlds may have one.",
    ]
    write_parts(PARTS, lines, options, RESULTS)


if __name__ == "__main__":
    main()
