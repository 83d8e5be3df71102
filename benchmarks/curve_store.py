"""Learning curves of our own learners on open data, from which forecasts of more rows are learned.

    python benchmarks/curve_store.py ../shared/data --keep curves.jsonl [--only adult] [--distil]

Every job draws rows of one table, asks for one of its columns, and fits LightGBM, the modern
network and a linear model of effort quick on 1/2, 1/4, 1/8 … of them (`Split.limited`), each time
scored out of fold on all of them: exactly what a comparison measures of itself. A line a job is
added to --keep; jobs that stand there are not repeated. With --distil nothing is fitted: the lines
become the table that ships in the package, `verdict/past_curves.json`, which holds scores, names of
data sets and of columns, and no row of any of them."""

from __future__ import annotations

import argparse
import io
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: one core, on a busy machine too
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

SMALLEST = 100  # rows that teach, at least
FOLDS = 5
METRICS = {
    "binary": ("roc_auc", "accuracy", "log_loss"),
    "classes": ("accuracy", "log_loss"),
    "values": ("rmse", "mae"),
}
# Log loss is seldom what is asked, and its curves have another scale.
STORED = ("roc_auc", "accuracy", "rmse", "mae")
STORE = Path(__file__).parents[1] / "src" / "fathometer" / "verdict" / "past_curves.json"
LARGE, MEDIUM, SMALL = 12_800, 6_400, 3_200


@dataclass(frozen=True)
class Job:
    """One question asked of one table."""

    source: str
    target: str
    rows: int = SMALL
    ignore: tuple[str, ...] = ()
    kind: str = ""  # of the target, where the inferred one is another

    @property
    def name(self) -> str:
        return f"{self.source}/{self.target}" + (f"/{self.kind}" if self.kind else "")


COUNTED = ("instant", "casual", "registered")
JOBS = (
    Job("adult", "class", LARGE),
    Job("california_housing", "median_house_value", LARGE),
    Job("titanic", "Survived", 800, ("PassengerId",)),
    Job("bank_marketing", "y", LARGE),
    Job("diamonds", "price", LARGE),
    Job("credit_default_taiwan", "default.payment.next.month", MEDIUM, ("ID",)),
    Job("covertype_part", "Cover_Type", MEDIUM, kind="category"),
    Job("abalone", "Rings", 3_340),
    Job("wine_quality", "quality", 5_200),
    Job("telco_churn", "Churn", 5_600, ("customerID",)),
    Job("bike_sharing_hour", "cnt", LARGE, COUNTED),
    Job("higgs_small", "class", 7_000),
    Job("brfss_diabetes", "Diabetes_binary", MEDIUM),
    Job("letter_recognition", "letter", LARGE),
    Job("beijing_pm25", "pm2.5", MEDIUM, ("No",)),
    Job("bengaluru_house", "price"),
    Job("digits", "label", 1_600),
    Job("fashion_mnist", "label", SMALL),
    Job("cifar10_part", "label", SMALL),
    Job("sms_spam", "label", SMALL),
    Job("tweeteval_emotion", "label", SMALL),
    Job("clothing_reviews", "Recommended IND", SMALL, ("Rating",)),
    Job("kddcup99_10pct", "label", SMALL),
    # second questions
    Job("adult", "age"),
    Job("california_housing", "median_income"),
    Job("bank_marketing", "age"),
    Job("diamonds", "cut"),
    Job("credit_default_taiwan", "LIMIT_BAL", SMALL, ("ID",)),
    Job("covertype_part", "Elevation"),
    Job("abalone", "Sex", SMALL),
    Job("wine_quality", "quality", kind="category"),
    Job("telco_churn", "Contract", SMALL, ("customerID",)),
    Job("bike_sharing_hour", "hum", SMALL, ("instant",)),
    Job("higgs_small", "m_bb"),
    Job("brfss_diabetes", "BMI"),
    Job("letter_recognition", "xedge"),
    Job("beijing_pm25", "cbwd", SMALL, ("No",)),
    Job("kddcup99_10pct", "flag", SMALL, ("label",)),
    Job("clothing_reviews", "Age", SMALL),
    # third questions
    Job("adult", "sex"),
    Job("california_housing", "ocean_proximity", SMALL, ("longitude", "latitude")),
    Job("bank_marketing", "housing"),
    Job("diamonds", "clarity"),
    Job("credit_default_taiwan", "SEX", SMALL, ("ID",)),
    Job("covertype_part", "Horizontal_Distance_To_Roadways"),
    Job("abalone", "Shucked weight", SMALL),
    Job("wine_quality", "alcohol", SMALL, ("density",)),
    Job("telco_churn", "tenure", SMALL, ("customerID", "TotalCharges")),
    Job("bike_sharing_hour", "temp", SMALL, ("instant", "atemp")),
    Job("higgs_small", "m_jjj"),
    Job("brfss_diabetes", "GenHlth", kind="category"),
    Job("letter_recognition", "yedgex"),
    Job("beijing_pm25", "DEWP", SMALL, ("No",)),
    # fourth questions
    Job("adult", "occupation"),
    Job("california_housing", "housing_median_age"),
    Job("bank_marketing", "job"),
    Job("diamonds", "depth"),
    Job("credit_default_taiwan", "EDUCATION", SMALL, ("ID",), kind="category"),
    Job("covertype_part", "Hillshade_9am", SMALL, ("Hillshade_Noon", "Hillshade_3pm")),
    Job("wine_quality", "free sulfur dioxide"),
    Job("telco_churn", "PaymentMethod", SMALL, ("customerID",)),
    Job("bike_sharing_hour", "windspeed", SMALL, ("instant",)),
    Job("higgs_small", "m_wbb"),
    Job("brfss_diabetes", "HighBP"),
    Job("letter_recognition", "onpix"),
    Job("beijing_pm25", "PRES", SMALL, ("No",)),
    Job("adult", "hours-per-week"),
    Job("brfss_diabetes", "Income"),
)


def frame_of(data: Path, source: str) -> pd.DataFrame:
    """All rows of a source; pictures as the means of their blocks."""
    if source == "bengaluru_house":
        return pd.read_csv(data / "raw" / "Bengaluru_House_Data.csv")
    if source == "digits":
        from sklearn.datasets import load_digits

        digits = load_digits()
        frame = pd.DataFrame(digits.data, columns=[f"pixel {n}" for n in range(64)])
        return frame.assign(label=[f"digit {n}" for n in digits.target])
    if source == "fashion_mnist":
        return pooled(pd.read_parquet(data / "images" / "fashion_mnist.parquet").head(6_400), 4)
    if source == "cifar10_part":
        whole = pd.read_parquet(data / "images" / "cifar10_part_train.parquet")
        return pooled(whole.sample(6_400, random_state=0), 8)
    folder = "text" if source in ("sms_spam", "tweeteval_emotion") else "tables"
    frame = pd.read_parquet(data / folder / f"{source}.parquet")
    return frame.drop(columns="split")


def pooled(frame: pd.DataFrame, block: int) -> pd.DataFrame:
    """Pictures as the means of their square blocks, a column each."""
    from PIL import Image

    rows = []
    for content in frame["image"]:
        pixels = np.asarray(Image.open(io.BytesIO(content)), dtype=float)
        side = pixels.shape[0] // block
        rows.append(pixels.reshape(side, block, side, block, -1).mean(axis=(1, 3)).ravel())
    columns = [f"block {n}" for n in range(len(rows[0]))]
    return pd.DataFrame(np.array(rows).round(1), columns=columns).assign(
        label=frame["label"].astype(str).to_numpy()
    )


def run(data: Path, job: Job) -> dict:
    """The curves of one job: scores at every size, in the metric's unit, with standard errors."""
    from fathometer.table.ask import answerable, ask
    from fathometer.table.divide import DivideOptions, divide
    from fathometer.table.metric import METRICS as KNOWN
    from fathometer.table.read import read
    from fathometer.trial.entrants import Effort, entrants
    from fathometer.verdict.bench import Bench, Rows
    from fathometer.verdict.decide import zone_of

    frame = frame_of(data, job.source).dropna(subset=[job.target])
    frame = frame.sample(min(job.rows + 20, len(frame)), random_state=len(job.target))
    kinds = {job.target: job.kind} if job.kind else {}
    table = read(frame.reset_index(drop=True), ignore=job.ignore, kinds=kinds).table
    task = ask(table, job.target)
    table, _ = answerable(table, task)
    split = divide(table, task, DivideOptions(FOLDS), lockbox_rows=np.arange(20))
    truth = task.encode(table[task.target])[split.train]
    wanted = ("LightGBM", "modern network", "logistic", "ridge")
    learners = [one for one in entrants(task, table, Effort.QUICK, 0) if one.name in wanted]
    kind = "values" if not task.classes else "binary" if len(task.classes) == 2 else "classes"
    shares = [2.0**-k for k in range(12, -1, -1) if len(split.train) * 2.0**-k >= SMALLEST]
    sizes, answers = [], {learner.name: [] for learner in learners}
    seconds = {learner.name: [] for learner in learners}
    for share in shares:
        limited = split.limited(share, classes=truth if task.classes else None)
        sizes.append(float(np.mean([len(limited.fold_rows(k)[0]) for k in range(FOLDS)])))
        for learner in learners:
            started = time.process_time()
            answers[learner.name].append(learner.fit(table, task, limited).out_of_fold)
            seconds[learner.name].append(round(time.process_time() - started, 2))
    measured = {}
    for name in METRICS[kind]:
        metric, point = KNOWN[name], zone_of(KNOWN[name], truth)
        bench = Bench(metric, Rows(truth), 0, most_resamples=200)
        measured[name] = {
            "point": point,
            "scores": {
                who: [metric.score(truth, one) for one in all_] for who, all_ in answers.items()
            },
            # of the difference from the network at the same size
            "apart": {
                who: [
                    bench.gap(one, other).deviation
                    for one, other in zip(all_, answers["modern network"], strict=True)
                ]
                for who, all_ in answers.items()
                if who != "modern network"
            },
            # of the difference from the same learner's own score at half the size
            "moved": {
                who: [
                    bench.gap(one, other).deviation
                    for one, other in zip(all_[1:], all_[:-1], strict=True)
                ]
                for who, all_ in answers.items()
            },
        }
    return {
        "name": job.name,
        "source": job.source,
        "kind": kind,
        "rows": len(split.train),
        "sizes": sizes,
        "seconds": seconds,
        "metrics": measured,
    }


def kept(path: Path) -> Iterator[dict]:
    """The finished jobs."""
    if path.exists():
        for line in path.read_text().splitlines():
            yield json.loads(line)


def distil(lines: Sequence[dict]) -> None:
    """Write the store: curves as losses in points, and what is learned from them."""
    from fathometer.trial.measure import versions
    from fathometer.verdict.past_curves import cases, past_curve_from
    from fathometer.verdict.past_lessons import Study, learn

    curves = [curve for line in sorted(lines, key=lambda one: one["name"]) for curve in told(line)]
    lesson = learn(Study.of(cases([past_curve_from(curve) for curve in curves])))
    used = ("numpy", "scikit-learn", "lightgbm", "torch")
    known = versions()
    store = {
        "made": "python benchmarks/curve_store.py ../shared/data --keep curves.jsonl, then "
        "--distil; effort quick, 5 folds, seed 0, out of fold; losses in points: hundredths of a "
        "share, of a nat, or of what the best constant errs",
        "versions": {name: known[name] for name in used if name in known},
        "learned": lesson.as_json(),
        "curves": curves,
    }
    text = json.dumps(store, indent=None, separators=(",", ":"))
    # A line a curve, so that a change of the store can be read.
    text = text.replace('{"source"', '\n{"source"').replace('"curves"', '\n"curves"')
    STORE.write_text(text + "\n")
    sources = {curve["source"] for curve in curves}
    print(f"{len(curves)} curves of {len(sources)} data sets, {len(text) / 1e3:.0f} KB")


def told(line: dict) -> Iterator[dict]:
    """One job's curves as they ship, one for each metric."""
    from fathometer.table.metric import METRICS as KNOWN

    for name, measured in line["metrics"].items():
        if name not in STORED:
            continue
        up, point = KNOWN[name].greater_is_better, measured["point"]
        losses = {
            who: [round((1 - one if up else one) / point, 3) for one in scores]
            for who, scores in measured["scores"].items()
        }
        steps = {
            who: [round(one / point, 3) for one in (all_[:1] + all_)]
            for who, all_ in measured["moved"].items()
        }
        apart = {
            who: [round(one / point, 3) for one in all_] for who, all_ in measured["apart"].items()
        }
        yield {
            "source": line["source"],
            "question": line["name"].split("/", 1)[1],
            "metric": name,
            "rows": [round(size) for size in line["sizes"]],
            "losses": losses,
            "steps": steps,
            "apart": apart,
        }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--only", default="", help="a source")
    parser.add_argument("--distil", action="store_true")
    options = parser.parse_args(arguments)
    if options.distil:
        distil(list(kept(options.keep)))
        return
    import torch

    torch.set_num_threads(1)
    done = {line["name"] for line in kept(options.keep)}
    for job in JOBS:
        if job.name in done or (options.only and job.source != options.only):
            continue
        started = time.process_time()
        line = run(options.data, job)
        with options.keep.open("a") as file:
            file.write(json.dumps(line) + "\n")
        print(f"{job.name}: {time.process_time() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
