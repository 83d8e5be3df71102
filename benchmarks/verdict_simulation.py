"""How often the verdict and the intervals are right, in worlds whose truth is known.

    python benchmarks/verdict_simulation.py [--worlds 60] [--only rmse] [--part verdicts] [--write]

Every world draws held-out rows and the answers of one network and one forest; the verdict is that
of `decide`, the interval that of `interval`, called as a comparison calls them. In equal worlds
both are equally good on all such rows, so that every verdict which names a family is false; in the
others the network is better by a known gap. Worlds with 1,000 rows and more are a quarter as many.
Prints the tables; with --write puts them into benchmarks/results/verdict-simulation.md."""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: one core, on a busy machine too

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit, ndtr

from fathometer.table.metric import METRICS
from fathometer.table.task import Task
from fathometer.trial.interval import interval
from fathometer.trial.measure import machine, versions
from fathometer.trial.resample import bootstrap_scores, resample_count, resample_weights
from fathometer.trial.scorecard import Bill, Quality, Scorecard
from fathometer.verdict.bench import Rows
from fathometer.verdict.decide import Contestant, decide
from fathometer.verdict.verdict import Verdict

RESULTS = Path(__file__).parent / "results" / "verdict-simulation.md"
ROWS = (30, 100, 300, 1000, 3000)
MANY_ROWS = 1000  # from here on a quarter of the worlds
TRAIN_ROWS = 200  # they decide the width of the zone, and who enters for a family: here the one
GROUP_ROWS = 5
SHARED, OWN = 0.8, 0.4  # deviations of the noise that both share and of each one's own
SPREAD = math.hypot(SHARED, OWN)

Random = np.random.Generator
Errors = Callable[[Random, int], np.ndarray]
Answers = tuple[np.ndarray, np.ndarray, np.ndarray]  # truth, the network's scores, the forest's


@dataclass(frozen=True)
class World:
    """Rows and two contestants: `answers(random, rows, better)` draws them, with the network
    better by the known gap or not; `scores(better)` are their true scores on all such rows."""

    name: str
    metric: str
    answers: Callable[[Random, int, bool], Answers]
    scores: Callable[[bool], tuple[float, float]]
    grouped: bool = False


@dataclass(frozen=True)
class Counts:
    """What a number of worlds came to."""

    worlds: int
    right: int  # verdicts that name the family that is better
    wrong: int  # ... that name one that is not
    equivalent: int
    gap_held: int  # 95 % intervals of the difference that hold the true one
    score_held: int  # 95 % intervals of the network's score that hold the true one


# Classification. The class shifts a signal by `skill`; the noise has a shared and an own part. The
# area under the ROC curve is then ndtr(skill / SPREAD / sqrt 2), and a calibrated contestant hits
# where the signal is beyond the point at which both classes are equally probable.


def skill_for(area: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(area)) * SPREAD * math.sqrt(2)


def hit_rate(skill: float, share: float) -> float:
    """The accuracy of a calibrated contestant where this share of rows is of the second class."""
    edge = -float(logit(share)) * SPREAD**2 / skill  # of the signal, from the middle of both
    first, second = ndtr((edge + skill / 2) / SPREAD), ndtr((skill / 2 - edge) / SPREAD)
    return float((1 - share) * first + share * second)


def coarse_area(skill: float, step: float) -> float:
    """The area under the curve of a signal that is rounded to steps, as a small tree's is."""
    edges = np.arange(-40, 41) * step + step / 2
    cells = [np.diff(ndtr((edges - mean) / SPREAD)) for mean in (-skill / 2, skill / 2)]
    return float(cells[1] @ (np.cumsum(cells[0]) - cells[0] / 2))


def noise(random: Random, rows: int, grouped: bool) -> np.ndarray:
    """Standard normal noise; in groups, half of its variance is the group's."""
    own = random.normal(size=rows)
    if not grouped:
        return own
    return math.sqrt(0.5) * (own + np.repeat(random.normal(size=rows // GROUP_ROWS), GROUP_ROWS))


def classes(
    name: str,
    metric: str,
    *,
    skills: tuple[float, float],
    share: float = 0.4,
    coarse: float = 0.0,
    alike: bool = True,
    grouped: bool = False,
) -> World:
    """Two classes. skills: without and with the gap. coarse: the steps of the forest's signal.
    alike: whether the contestants share a part of their noise."""
    rival = skills[0]
    if coarse:
        target = ndtr(skills[0] / SPREAD / math.sqrt(2))
        rival = brentq(lambda skill: coarse_area(skill, coarse) - target, 0.1, 6)

    def answers(random: Random, rows: int, better: bool) -> Answers:
        truth = (random.random(rows) < share).astype(int)
        shared = SHARED * noise(random, rows, grouped)
        scores = []
        for skill, step in ((skills[better], 0.0), (rival, coarse)):
            own = OWN * noise(random, rows, grouped)
            signal = (
                skill * (truth - 0.5)
                + (shared if alike else SHARED * noise(random, rows, grouped))
                + own
            )
            signal = np.round(signal / step) * step if step else signal
            chance = expit(skill / SPREAD**2 * signal + logit(share))
            scores.append(np.column_stack([1 - chance, chance]))
        return truth, scores[0], scores[1]

    def true_scores(better: bool) -> tuple[float, float]:
        if metric == "accuracy":
            return hit_rate(skills[better], share), hit_rate(rival, share)
        area = coarse_area(rival, coarse) if coarse else ndtr(rival / SPREAD / math.sqrt(2))
        return float(ndtr(skills[better] / SPREAD / math.sqrt(2))), float(area)

    return World(name, metric, answers, true_scores, grouped)


# Regression. Both err by a shared and an own part; the network's gap is in the size of its own.


def normal(random: Random, rows: int) -> np.ndarray:
    return random.normal(size=rows)


def same(random: Random, rows: int) -> np.ndarray:
    return np.ones(rows)


def values(
    name: str,
    *,
    shared: Errors = normal,
    rival: Errors = normal,
    size: Errors = same,
    grouped: bool = False,
) -> World:
    """A number. shared, rival: noise of variance 1 in both errors, and in the forest's own; size:
    by what both errors of a row are multiplied, of mean square 1."""
    own = (0.5, 0.15)  # without and with the gap: the RMSE is 1.118 and 1.011

    def answers(random: Random, rows: int, better: bool) -> Answers:
        truth, unit = 2 * random.normal(size=rows), size(random, rows)
        both = noise(random, rows, True) if grouped else shared(random, rows)
        first = both + own[better] * noise(random, rows, grouped)
        second = both + own[0] * (noise(random, rows, True) if grouped else rival(random, rows))
        return truth, (truth + unit * first)[:, None], (truth + unit * second)[:, None]

    def true_scores(better: bool) -> tuple[float, float]:
        return math.hypot(1, own[better]), math.hypot(1, own[0])

    return World(name, "rmse", answers, true_scores, grouped)


def heavy(random: Random, rows: int) -> np.ndarray:
    """Student's t with 3 degrees of freedom, variance 1."""
    return random.standard_t(3, size=rows) / math.sqrt(3)


def with_outliers(random: Random, rows: int) -> np.ndarray:
    """Variance 1; one row in twenty is four times as far off as the others."""
    size = np.where(random.random(rows) < 0.05, 4.0, 1.0) / math.sqrt(0.95 + 0.05 * 16)
    return size * random.normal(size=rows)


def uneven(random: Random, rows: int) -> np.ndarray:
    """Variance 1; how far off it is differs from row to row as a lognormal does."""
    return np.exp(0.7 * random.normal(size=rows) - 0.49) * random.normal(size=rows)


def lognormal(random: Random, rows: int) -> np.ndarray:
    """Sizes of mean square 1; one row in forty is seven times as large as the middle one."""
    return np.exp(random.normal(size=rows) - 1)


AREAS = (skill_for(0.85), skill_for(0.88))
HITS = (1.7, 2.0)  # of 40 % and 60 %: accuracy 0.837 and 0.873
WORLDS = (
    classes("ROC AUC 0.85, 40 % positive", "roc_auc", skills=AREAS),
    classes("ROC AUC 0.85, 10 % positive", "roc_auc", skills=AREAS, share=0.1),
    classes("ROC AUC 0.85, forest coarse", "roc_auc", skills=AREAS, coarse=0.5),
    classes("ROC AUC 0.85, groups of 5", "roc_auc", skills=AREAS, grouped=True),
    classes("accuracy, 40 % positive", "accuracy", skills=HITS),
    classes("accuracy, 10 % positive", "accuracy", skills=HITS, share=0.1),
    classes("accuracy, errors unrelated", "accuracy", skills=HITS, alike=False),
    classes("accuracy, groups of 5", "accuracy", skills=HITS, grouped=True),
    values("RMSE, normal errors"),
    values("RMSE, heavy tails", shared=heavy),
    values("RMSE, rows of unlike size", size=lognormal),
    values("RMSE, forest has outliers", rival=with_outliers),
    values("RMSE, forest uneven", rival=uneven),
    values("RMSE, groups of 5", grouped=True),
)


def contestant(
    name: str, family: str, metric: str, scores: np.ndarray, learned: np.ndarray
) -> Contestant:
    card = Scorecard(
        name,
        family,  # type: ignore[arg-type]
        quality=Quality(metric, 0.5, 0.4, 0.6),  # `decide` looks whether there is one, not at it
        out_of_fold=0.5,
        bill=Bill(1.0, 10.0, "estimated", 1000, 1000, 0.03, 0.05, 1e5),
    )
    return Contestant(card, scores, learned)


def verdict_of(world: World, drawn: Answers, learned: Answers, seed: int) -> Verdict:
    """The verdict on one world's rows."""
    metric = METRICS[world.metric]
    task = Task(metric.kind, "y", metric.name, ("0", "1") if metric.name != "rmse" else ())
    rows = len(drawn[0])
    groups = np.arange(rows) // GROUP_ROWS if world.grouped else None
    cast = [
        contestant(name, family, metric.name, drawn[place], learned[place])
        for place, (name, family) in enumerate((("network", "deep"), ("forest", "traditional")), 1)
    ]
    return decide(
        cast, task=task, lockbox=Rows(drawn[0], groups), train=Rows(learned[0]), seed=seed
    )


def simulate(world: World, rows: int, worlds: int, better: bool, seed: int) -> Counts:
    """Draw the worlds and count the verdicts and the intervals that hold the truth."""
    metric = METRICS[world.metric]
    true, rival = world.scores(better)
    gap = (true - rival) * (1 if metric.greater_is_better else -1)
    # A world's draws do not depend on what else is simulated beside.
    random = np.random.default_rng([seed, rows, int(better), *world.name.encode()])
    right = wrong = equivalent = gap_held = score_held = 0
    for place in range(worlds):
        drawn = world.answers(random, rows, better)
        while metric.name == "roc_auc" and len(np.unique(drawn[0])) < 2:
            drawn = world.answers(random, rows, better)  # no area without both classes
        verdict = verdict_of(world, drawn, world.answers(random, TRAIN_ROWS, better), place)
        named = verdict.call in ("deep", "traditional")
        right += better and verdict.call == "deep"
        wrong += named and not (better and verdict.call == "deep")
        equivalent += verdict.call == "equivalent"
        assert verdict.gap is not None
        gap_held += verdict.gap.low <= gap <= verdict.gap.high
        groups = np.arange(rows) // GROUP_ROWS if world.grouped else None
        found = interval(metric, drawn[0], drawn[1], seed=place, groups=groups)
        score_held += found.low <= true <= found.high
    return Counts(worlds, right, wrong, equivalent, gap_held, score_held)


def share(count: int, worlds: int) -> str:
    """A share in per cent with its standard error; that of 0 and of all as of half a world."""
    inner = min(max(count, 0.5), worlds - 0.5) / worlds
    return f"{100 * count / worlds:.1f} ± {100 * math.sqrt(inner * (1 - inner) / worlds):.1f}"


def verdict_rows(options: argparse.Namespace) -> Iterator[str]:
    """The lines of the table of verdicts."""
    yield (
        "| world | rows | worlds | false verdict % | right at the gap % | wrong at the gap % | "
        "equivalent, equal % | interval of the gap holds % (equal, at the gap) | "
        "interval of the score holds % |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for world in WORLDS:
        if options.only not in f"{world.metric} {world.name}":
            continue
        for rows in options.rows:
            worlds = options.worlds if rows < MANY_ROWS else max(options.worlds // 4, 10)
            equal, better = (
                simulate(world, rows, worlds, each, options.seed) for each in (False, True)
            )
            held = share(equal.score_held + better.score_held, 2 * worlds)
            yield (
                f"| {world.name} | {rows:,} | {worlds} | {share(equal.wrong, worlds)} | "
                f"{share(better.right, worlds)} | {share(better.wrong, worlds)} | "
                f"{share(equal.equivalent, worlds)} | {share(equal.gap_held, worlds)}, "
                f"{share(better.gap_held, worlds)} | {held} |"
            )


# The interval of one score, beside the plain percentile bootstrap.

Single = Callable[[Random, int], tuple[np.ndarray, np.ndarray]]
MILLION = 1_000_000  # rows that stand for all rows, where the true score has no formula
SINGLE_ROWS = (30, 60, 180)


def calibrated(rate: float) -> Single:
    """Two classes, and a contestant that hits this share of rows."""

    def answers(random: Random, rows: int) -> tuple[np.ndarray, np.ndarray]:
        truth = random.integers(2, size=rows)
        said = np.where(random.random(rows) < rate, truth, 1 - truth)
        return truth, np.eye(2)[said]

    return answers


def ranked(share: float) -> Single:
    """Two classes, this share of the second, and scores with an area of 0.85."""

    def answers(random: Random, rows: int) -> tuple[np.ndarray, np.ndarray]:
        truth = (random.random(rows) < share).astype(int)
        while len(np.unique(truth)) < 2:
            truth = (random.random(rows) < share).astype(int)
        chance = expit(AREAS[0] / SPREAD * (truth - 0.5) + random.normal(size=rows))
        return truth, np.column_stack([1 - chance, chance])

    return answers


def probable(random: Random, rows: int) -> tuple[np.ndarray, np.ndarray]:
    chance = random.beta(0.5, 0.5, size=rows) * 0.96 + 0.02
    return (random.random(rows) < chance).astype(int), np.column_stack([1 - chance, chance])


def three_classes(random: Random, rows: int) -> tuple[np.ndarray, np.ndarray]:
    truth = random.choice(3, size=rows, p=[0.6, 0.3, 0.1])
    said = np.where(random.random(rows) < 0.75, truth, random.integers(3, size=rows))
    return truth, np.eye(3)[said]


def erring(draw_errors: Errors) -> Single:
    def answers(random: Random, rows: int) -> tuple[np.ndarray, np.ndarray]:
        truth = random.normal(size=rows)
        return truth, (truth + draw_errors(random, rows))[:, None]

    return answers


def laplace(random: Random, rows: int) -> np.ndarray:
    return random.laplace(size=rows)


SINGLES: tuple[tuple[str, str, Single], ...] = (
    ("accuracy 0.80", "accuracy", calibrated(0.8)),
    ("accuracy 0.95", "accuracy", calibrated(0.95)),
    ("ROC AUC, 40 %", "roc_auc", ranked(0.4)),
    ("ROC AUC, 10 %", "roc_auc", ranked(0.1)),
    ("macro F1", "macro_f1", three_classes),
    ("log loss", "log_loss", probable),
    ("RMSE, normal", "rmse", erring(normal)),
    ("RMSE, Laplace", "rmse", erring(laplace)),
    ("R², normal", "r2", erring(normal)),
    ("MAE, normal", "mae", erring(normal)),
)


def interval_rows(options: argparse.Namespace) -> Iterator[str]:
    """The lines of the table of intervals: ours, and in brackets the percentiles of the plain
    bootstrap."""
    yield "| score | " + " | ".join(f"{rows} rows %" for rows in SINGLE_ROWS) + " |"
    yield "|---|" + "---|" * len(SINGLE_ROWS)
    for name, key, answers in SINGLES:
        if options.only not in f"{key} {name}":
            continue
        metric = METRICS[key]
        true = metric.score(*answers(np.random.default_rng(options.seed), MILLION))
        cells = []
        for rows in SINGLE_ROWS:
            random = np.random.default_rng([options.seed, rows, *name.encode()])
            held = plain = 0
            for place in range(options.worlds):
                truth, scores = answers(random, rows)
                found = interval(metric, truth, scores, seed=place)
                held += found.low <= true <= found.high
                weights = resample_weights(rows, resample_count(rows), place)
                samples = bootstrap_scores(metric, truth, scores, weights)
                low, high = np.nanquantile(samples, (0.025, 0.975))
                plain += low <= true <= high
            cells.append(f"{share(held, options.worlds)} ({100 * plain / options.worlds:.0f})")
        yield f"| {name} | {' | '.join(cells)} |"


# What a simulation shows, by its name: a title, and the lines of its table.
Parts = dict[str, tuple[str, Callable[[argparse.Namespace], Iterator[str]]]]
PARTS: Parts = {
    "verdicts": ("Verdicts", verdict_rows),
    "intervals": ("Intervals of one score, and in brackets of the plain bootstrap", interval_rows),
}


def heading() -> list[str]:
    gaps = [hit_rate(HITS[1], part) - hit_rate(HITS[0], part) for part in (0.4, 0.1)]
    return [
        "# The verdict in worlds whose truth is known",
        "",
        f"`python benchmarks/verdict_simulation.py {' '.join(sys.argv[1:])}` on "
        f"{' · '.join(machine().values())}; "
        + ", ".join(f"{name} {versions()[name]}" for name in ("fathometer", "numpy", "scipy"))
        + ".",
        "Every share is followed by its standard error. At most 5 % of verdicts in equal worlds "
        "may be false, and 95 % of intervals should hold the truth.",
        f"The gaps: ROC AUC 0.03; accuracy {gaps[0]:.3f} with 40 % positive, {gaps[1]:.3f} with "
        "10 %; RMSE 1.011 against 1.118.",
    ]


def write_parts(parts: Parts, head: list[str], options: argparse.Namespace, path: Path) -> None:
    """Print the heading and the parts asked for as they come; with --write into the file too."""
    started = time.perf_counter()
    lines = list(head)
    print("\n".join(lines), flush=True)
    for name, (title, rows) in parts.items():
        if options.part in (None, name):
            for line in chain(("", f"## {title}", ""), rows(options)):
                lines.append(line)
                print(line, flush=True)
    lines += ["", f"{time.perf_counter() - started:.0f} s on one core."]
    if options.write:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=60, help="of each kind")
    parser.add_argument(
        "--rows", type=lambda words: [int(each) for each in words.split(",")], default=list(ROWS)
    )
    parser.add_argument(
        "--only", default="", help="part of a metric's or world's name: rmse, coarse"
    )
    parser.add_argument("--part", choices=list(PARTS), default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    write_parts(PARTS, heading(), options, RESULTS)


if __name__ == "__main__":
    main()
