"""Demo contests, drawn at random from a fixed seed, that look like real ones."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

from fathometer.graph import Element
from fathometer.report.content import (
    ColumnLine,
    FileLine,
    InputLine,
    ReportContent,
)
from fathometer.report.diagnosis import confusion, reliability, residuals
from fathometer.table.sources.raw import RejectedLine
from fathometer.table.task import Task, TaskKind
from fathometer.trial.scorecard import Bill, Coverage, Quality, Scorecard
from fathometer.verdict.verdict import ChallengerGap, FoldGap, Gap, Pair, Verdict, Worth

# name, family, score, half width of the interval, seconds, peak MB, file KB, one row µs, reads as
PASSENGER_CARDS = (
    ("CatBoost", "traditional", 0.868, 0.026, 3.1, 84, 212, 38, ""),
    ("both together", "both", 0.871, 0.026, 14.9, 310, 1400, 121, ""),
    ("LightGBM", "traditional", 0.862, 0.027, 1.4, 61, 158, 31, ""),
    ("RealMLP ×8", "deep", 0.861, 0.027, 9.8, 265, 410, 64, ""),
    ("XGBoost", "traditional", 0.859, 0.027, 1.9, 58, 190, 33, ""),
    ("multilayer perceptron", "deep", 0.853, 0.028, 6.2, 190, 88, 41, ""),
    ("random forest", "traditional", 0.855, 0.028, 0.9, 47, 2900, 92, ""),
    ("decision tree", "traditional", 0.842, 0.029, 0.1, 4, 6, 19, "9 rules"),
    ("logistic regression", "traditional", 0.839, 0.03, 0.12, 3, 9, 17, "14 coefficients"),
    ("naive Bayes", "traditional", 0.821, 0.031, 0.04, 2, 5, 15, ""),
    ("k-nearest neighbours", "traditional", 0.809, 0.033, 0.3, 9, 96, 58, ""),
    ("constant", "traditional", 0.5, 0.0, 0.004, 0.1, 1.6, 9, "1 number"),
)
RULES = (
    "sex = female\n  pclass <= 2.5: survived 0.947\n  pclass > 2.5: survived 0.502\nsex = male\n"
)


# From elsewhere: what it cost to make is not known.
CHALLENGER = Scorecard(
    "theirs.onnx",
    "challenger",
    quality=Quality("roc_auc", 0.856, 0.826, 0.882),
    bill=Bill(math.nan, math.nan, "estimated", 0, 90_000, 0.05, 0.07, 90_000.0),
    chosen="not trained here; may have seen these rows",
)


def scorecards(rows: tuple[tuple, ...], metric: str) -> tuple[Scorecard, ...]:
    """Finished cards in the order of `rows`, then one that failed and one that was not entered."""
    cards = tuple(
        Scorecard(
            name,
            family,
            quality=Quality(metric, score, score - half * 1.1, score + half * 0.9),
            others={"log_loss": 0.4 + place / 50, "accuracy": 0.83 - place / 100}
            if metric in ("roc_auc", "accuracy")
            else {"mae": score * 0.71, "r2": 0.82 - place / 30},
            out_of_fold=score * 1.004,
            calibration_error=0.03 + place / 200 if metric in ("roc_auc", "accuracy") else None,
            parity=2.1e-7,
            bill=Bill(seconds, seconds * 13.3, "estimated", int(peak * 1e6), int(file * 1e3),
                      latency / 1e3, latency / 640, 4e6 / latency),
            configurations=24,
            fits=120,
            chosen="depth 6, rate 0.05, 412 trees",
            reads_as=reads_as,
            reading=RULES if reads_as else "",
            intervals={"accuracy": [0.74, 0.88], "out_of_fold": [score * 0.97, score * 1.02],
                       "calibration_error": [0.0, 0.06 + place / 200]},
            coverage=Coverage(0.9, 0.91 - place / 200, 0.85 - place / 200, 0.95, 1.3),
        )
        for place, (name, family, score, half, seconds, peak, file, latency, reads_as) in enumerate(
            rows
        )
    )  # fmt: skip
    failed = Scorecard("extra trees", "traditional", "failed", "ran out of memory at 4.1 GB")
    absent = Scorecard(
        "TabM", "deep", "not entered", "needs 2,000 training rows, the table has 712"
    )
    return (*cards, failed, absent)


def passenger_columns() -> tuple[ColumnLine, ...]:
    return (
        ColumnLine("survived", "target", "two values, 0 and 1 → binary classification", 0),
        ColumnLine("name", "text", "891 different, 27 characters on average", 0,
                   "words counted (TF-IDF, 300 kept); letters embedded"),
        ColumnLine("ticket", "identifier", "681 different of 891", 0, "ignored"),
        ColumnLine("age", "number", "88 values, 0.42 to 80", 177,
                   "missing filled with the median and flagged; 16 quantile embeddings"),
        ColumnLine("embarked", "category", "3 values", 2, "one-hot; embedding of 4"),
    )  # fmt: skip


@pytest.fixture
def binary() -> ReportContent:
    """Passengers: two classes, the families practically equal."""
    random = np.random.default_rng(0)
    chance = random.beta(0.7, 1.1, 179)
    truth = (random.random(179) < chance).astype(np.int64)
    classes = ("0", "1")

    def answered(noise: float) -> np.ndarray:
        bent = np.clip(chance + random.normal(0, noise, 179), 0.01, 0.99)
        return np.column_stack([1 - bent, bent])

    drawn = [("CatBoost", "traditional", answered(0.06)), ("RealMLP ×8", "deep", answered(0.12))]
    return ReportContent(
        source="passengers.csv",
        rows=891,
        columns=passenger_columns(),
        task=Task(TaskKind.CLASSIFY, "survived", "roc_auc", classes, True, "two values, 0 and 1"),
        split="712 rows to learn (5 folds, stratified) · 179 in the lockbox, opened once",
        terms=("24 configurations × 5 folds for both families", "two cores, no GPU"),
        scorecards=(*scorecards(PASSENGER_CARDS, "roc_auc"), CHALLENGER),
        verdict=Verdict(
            "equivalent",
            "Traditional machine learning is enough for this table.",
            (
                "Boosted trees 0.868 ± 0.026 against networks 0.861 ± 0.027 on 179 unseen rows: "
                "the difference is within noise.",
                "A pruned decision tree of 9 rules reaches 0.842 and can be read.",
            ),
            "CatBoost",
            Gap("RealMLP ×8", "CatBoost", -0.0068, -0.0242, 0.0113, 0.01, 0.11, 0.58, 0.31),
            ("both together", "CatBoost", "LightGBM", "RealMLP ×8", "XGBoost"),
            tuple(row[0] for row in sorted(PASSENGER_CARDS, key=lambda row: -row[2])),
            ("179 unseen rows cannot tell differences below about 0.02 apart.",),
            expert=(
                "Lockbox, n = 179: RealMLP ×8 − CatBoost = −0.007 [−0.024, 0.011] ROC AUC (paired, "
                "95 %); region of practical equivalence ±0.010.",
                "The traditional side had 216 settings and 1,080 fits; the deep side 48 and 240.",
            ),
            fold_gap=FoldGap(5, -0.004, -0.021, 0.013, 0.55, 0.06, 0.68, 0.26),
            pairs=tuple(
                Pair(one[0], other[0], one[2] - other[2], one[2] - other[2] - 0.05,
                     one[2] - other[2] + 0.05, min(1.0, 0.001 / abs(one[2] - other[2] + 1e-4)))
                for one, other in combinations(PASSENGER_CARDS, 2)
            ),
            worth=Worth("CatBoost", "RealMLP ×8", 0.0068, -0.0113, 0.0242, -6.7, -89.1, -26.0,
                        -346.0, -198_000, "EUR", -0.00011, -0.0021, -260_000_000, -0.026),
            challengers=(ChallengerGap("theirs.onnx", "CatBoost", -0.012, -0.031, 0.007),),
        ),
        inputs=(
            InputLine("pclass", Element.DOUBLE, 3.0),
            InputLine("name", Element.STRING, 'Rice, Master. "Eugene"'),
            InputLine("age", Element.DOUBLE, None),
            InputLine("embarked", Element.STRING, "S"),
        ),
        outputs=("label", "probability"),
        seed=0,
        command="fathom compare passengers.csv --target survived --seed 0",
        machine="two cores of an Intel Xeon, 24 GB, no GPU",
        versions={"fathometer": "0.1.0", "python": "3.11.2", "onnxruntime": "1.24.0"},
        parity="largest relative deviation 2.1e-07 on 512 rows, test vectors in the file",
        files=(
            FileLine("winner.onnx", 212_345, "9f2c" * 16),
            FileLine("deep.onnx", 410_233, "51ab" * 16),
        ),
        reliability=tuple(reliability(n, f, classes, truth, s) for n, f, s in drawn),
        confusions=tuple(confusion(n, f, classes, truth, s) for n, f, s in drawn),
        rejected=(RejectedLine(17, "13 fields where 12 are expected", '16,0,3,"Rice",,'),),
        rejected_count=1,
        rejected_listed=1,
        notes=("age: 3 values “?” taken as missing",),
        suspicions=("34 passengers share a ticket with someone on the other side of the split.",),
    )  # fmt: skip


@pytest.fixture
def multiclass() -> ReportContent:
    """Covertypes: twenty classes of very different size, deep better."""
    random = np.random.default_rng(1)
    classes = tuple(f"cover type {letter}" for letter in "ABCDEFGHIJKLMNOPQRST")
    truth = random.choice(20, 2_000, p=(weights := 0.8 ** np.arange(20)) / weights.sum())

    def answered(sharpness: float) -> np.ndarray:
        scores = random.normal(0, 1, (2_000, 20))
        scores[np.arange(2_000), truth] += sharpness
        grown = np.exp(scores * 1.6)
        return grown / grown.sum(axis=1, keepdims=True)

    drawn = [("RealMLP ×8", "deep", answered(3.0)), ("LightGBM", "traditional", answered(2.4))]
    rows = (
        ("RealMLP ×8", "deep", 0.871, 0.014, 210, 900, 2400, 88, ""),
        ("LightGBM", "traditional", 0.838, 0.016, 34, 300, 9800, 140, ""),
        ("random forest", "traditional", 0.829, 0.016, 21, 800, 48000, 350, ""),
        ("ridge", "traditional", 0.702, 0.02, 1.1, 40, 22, 21, "1,080 coefficients"),
        ("constant", "traditional", 0.203, 0.018, 0.01, 1, 2, 9, "1 number"),
    )
    return ReportContent(
        source="forest.parquet",
        rows=10_000,
        columns=tuple(
            ColumnLine(f"soil_{n}", "number", "512 values", n, "ranked") for n in range(54)
        ),
        task=Task(TaskKind.CLASSIFY, "cover", "accuracy", classes, False),
        split="8,000 rows to learn (5 folds) · 2,000 in the lockbox",
        terms=("24 configurations × 5 folds for both families",),
        scorecards=scorecards(rows, "accuracy"),
        verdict=Verdict(
            "deep",
            "This table needs deep learning.",
            ("Networks 0.871 ± 0.014 against boosted trees 0.838 ± 0.016 on 2,000 unseen rows.",),
            "RealMLP ×8",
            Gap("RealMLP ×8", "LightGBM", 0.033, 0.021, 0.046, 0.005, 0.998, 0.002, 0.0),
            ("RealMLP ×8",),
            tuple(row[0] for row in rows),
        ),
        inputs=tuple(InputLine(f"soil_{n}", Element.DOUBLE, n / 7) for n in range(54)),
        outputs=("label", "probability"),
        seed=3,
        command="fathom compare forest.parquet --target cover --seed 3",
        reliability=tuple(reliability(n, f, classes, truth, s) for n, f, s in drawn),
        confusions=tuple(confusion(n, f, classes, truth, s) for n, f, s in drawn),
    )


@pytest.fixture
def regression() -> ReportContent:
    """Houses: skewed prices, undecided."""
    random = np.random.default_rng(2)
    truth = np.exp(random.normal(12, 0.4, 4_000))
    drawn = [
        ("XGBoost", "traditional", truth * np.exp(random.normal(0, 0.12, 4_000))),
        ("RealMLP ×8", "deep", truth * np.exp(random.normal(0.01, 0.125, 4_000))),
    ]
    rows = (
        ("XGBoost", "traditional", 24_310.0, 1_350, 5.2, 120, 640, 44, ""),
        ("both together", "both", 24_020.0, 1_300, 71, 400, 3100, 190, ""),
        ("RealMLP ×8", "deep", 24_890.0, 1_420, 64, 380, 1900, 95, ""),
        ("random forest", "traditional", 26_700.0, 1_600, 7.7, 350, 31000, 260, ""),
        ("lasso", "traditional", 31_450.0, 2_100, 0.4, 9, 14, 18, "22 coefficients"),
        ("constant", "traditional", 81_200.0, 3_900, 0.003, 0.2, 2, 8, "1 number"),
    )
    return ReportContent(
        source="houses.csv",
        rows=20_000,
        columns=(
            ColumnLine("price", "target", "numbers from 41,000 to 905,000", 0),
            ColumnLine("sold", "date", "day.month.year", 12, "year, month, weekday, days since"),
        ),
        task=Task(TaskKind.REGRESS, "price", "rmse", reason="18,203 different numbers"),
        split="16,000 rows to learn (past) · 4,000 in the lockbox (future)",
        terms=("24 configurations × 5 folds for both families",),
        scorecards=scorecards(rows, "rmse"),
        verdict=Verdict(
            "undecided",
            "Undecided: on these rows neither family is clearly better.",
            ("XGBoost 24,300 against RealMLP 24,900 on 4,000 unseen rows.",),
            "XGBoost",
            Gap("RealMLP ×8", "XGBoost", -580, -1_640, 430, 250, 0.09, 0.21, 0.70),
            ("both together", "XGBoost", "RealMLP ×8"),
            ("both together", "XGBoost", "RealMLP ×8", "random forest", "lasso", "constant"),
        ),
        inputs=(
            InputLine("sold", Element.STRING, "2020-12-31"),
            InputLine("area", Element.DOUBLE, 112.5),
        ),
        outputs=("value",),
        seed=0,
        command="fathom compare houses.csv --target price --time sold",
        residuals=tuple(residuals(n, f, truth, p) for n, f, p in drawn),
    )
