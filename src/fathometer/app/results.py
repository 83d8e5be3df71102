"""The run's folder: model files, scorecards, verdict, rejected rows and report, written safely."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fathometer.app.document import finite
from fathometer.app.preparation import Understanding
from fathometer.errors import StoreError
from fathometer.features.text_statistics import text_statistics
from fathometer.graph import Element
from fathometer.modelfile.load import ModelFile
from fathometer.report import gallery
from fathometer.report.content import (
    ColumnLine,
    Confusion,
    FileLine,
    InputLine,
    Reliability,
    ReportContent,
    Residuals,
    Side,
)
from fathometer.report.diagnosis import confusion, reliability, residuals
from fathometer.report.gallery import Gallery
from fathometer.report.page import render
from fathometer.table.kind import ELEMENTS, Kind
from fathometer.table.metric import METRICS
from fathometer.table.read import rejected_as_csv
from fathometer.table.table import Column
from fathometer.table.task import TaskKind
from fathometer.trial.best import best_trial
from fathometer.trial.files import remove, sha256_of, write_bytes, write_text
from fathometer.trial.measure import machine, versions
from fathometer.trial.trial import Trial
from fathometer.verdict.quantities import training_rows
from fathometer.verdict.verdict import Verdict

SHOWN_REJECTS = 100
STUDENT_FILE = "student.onnx"
REJECTED = "rejected.csv"

# What is done to a column of each kind, in words: the engineered road, then the learned one.
TREATMENTS: dict[Kind, str] = {
    Kind.NUMBER: "traditional: centred, or in standard deviations; networks: robust scale, "
    "soft clip. Missing: own mark",
    Kind.BOOLEAN: "0 or 1; missing: own mark",
    Kind.CATEGORY: "traditional: a column a level, or the target's mean by level, out of fold; "
    "networks: a learned embedding",
    Kind.DATE: "year, month, day, weekday, day of the year, hour, days since the first; "
    "sines and cosines for products and networks",
    Kind.TEXT: "traditional: counts of words, word pairs and runs of letters; networks: counts of "
    "words, or of longer texts a learned vector for each word",
    Kind.IMAGE: "resized; traditional: shapes, textures and colours as people described them in "
    "numbers; networks: the pixels",
    Kind.IDENTIFIER: "ignored",
    Kind.CONSTANT: "ignored",
}


def write_results(
    folder: Path,
    understanding: Understanding,
    trials: Sequence[Trial],
    verdict: Verdict,
    command: str,
) -> dict[str, Path]:
    """Write everything a run leaves; returns the files by name.

    Raises:
        StoreError: if the folder cannot be written to.
    """
    by_name = {trial.scorecard.name: trial for trial in trials}
    metric = METRICS[understanding.task.metric]
    models = {
        "winner.onnx": by_name[verdict.winner],
        "traditional.onnx": best_trial(trials, metric, "traditional"),
        "deep.onnx": best_trial(trials, metric, "deep"),
        STUDENT_FILE: next((trial for trial in trials if trial.scorecard.distillation), None),
    }
    for name in (*models, REJECTED):  # what an earlier run left here is not of these rows
        remove(folder / name)
    written: dict[str, Path] = {}
    for name, trial in models.items():
        if trial is not None and trial.file is not None:
            write_bytes(folder / name, trial.file.content)
            written[name] = folder / name
    cards = [trial.scorecard.as_json() for trial in trials]
    for name, content in (("scorecards.json", cards), ("verdict.json", verdict.as_json())):
        text = json.dumps(finite(content), indent=1, ensure_ascii=False, allow_nan=False)
        write_text(folder / name, text + "\n")
        written[name] = folder / name
    if understanding.reading.rejected_count:
        write_text(folder / REJECTED, rejected_as_csv(understanding.reading.rejected))
        written[REJECTED] = folder / REJECTED
    report = report_content(understanding, trials, verdict, command, written)
    write_text(folder / "report.html", render(report))
    written["report.html"] = folder / "report.html"
    written["run.sqlite"] = folder / "run.sqlite"
    return written


def report_content(
    understanding: Understanding,
    trials: Sequence[Trial],
    verdict: Verdict,
    command: str,
    files: dict[str, Path],
) -> ReportContent:
    """Everything that the report says."""
    by_name = {trial.scorecard.name: trial for trial in trials}
    winner = by_name[verdict.winner]
    assert winner.file is not None
    reading, task, split = understanding.reading, understanding.task, understanding.split
    metric = METRICS[task.metric]
    shown = [winner, *(best_trial(trials, metric, side) for side in ("traditional", "deep"))]
    distinct = list({t.scorecard.name: t for t in shown if t is not None}.values())
    pictures = [_diagnose(trial, understanding) for trial in distinct]
    return ReportContent(
        source=understanding.table.name,
        rows=len(reading.table),
        columns=tuple(_column_line(column, understanding) for column in reading.table),
        task=task,
        split=split.how,
        terms=understanding.terms,
        scorecards=tuple(trial.scorecard for trial in trials),
        verdict=verdict,
        inputs=_input_lines(winner.file, understanding),
        outputs=tuple(port.name for port in winner.file.contents.outputs),
        seed=split.seed,
        command=command,
        machine=" · ".join(machine().values()),
        versions=versions(),
        parity=_parity_words(winner.file),
        files=tuple(
            FileLine(name, path.stat().st_size, sha256_of(path)) for name, path in files.items()
        ),
        reliability=tuple(p for p in pictures if isinstance(p, Reliability)),
        confusions=tuple(_confusions(distinct, understanding)),
        residuals=tuple(p for p in pictures if isinstance(p, Residuals)),
        galleries=_galleries(winner, understanding),
        rejected=reading.rejected[:SHOWN_REJECTS],
        rejected_count=reading.rejected_count,
        rejected_listed=len(reading.rejected),
        notes=understanding.table.notes,
        suspicions=tuple(doubt.words for doubt in understanding.suspicions),
        rows_held=training_rows(winner.file.contents.training_rows),
    )


def _column_line(column: Column, understanding: Understanding) -> ColumnLine:
    if column.name == understanding.task.target:
        return ColumnLine(column.name, "target", column.reason, column.missing)
    used = understanding.table[column.name]
    treatment = TREATMENTS[used.kind]
    return ColumnLine(column.name, used.kind.value, used.reason, column.missing, treatment)


def _judged(trial: Trial, understanding: Understanding) -> tuple[Side, np.ndarray, np.ndarray]:
    """A trial's family, the lockbox's truth, and its scores there."""
    task = understanding.task
    truth = task.encode(understanding.table[task.target])[understanding.split.lockbox]
    if trial.lockbox is None:
        raise StoreError(f"the answers of {trial.scorecard.name} are missing from the run's log.")
    return trial.scorecard.family, truth, trial.lockbox


def _diagnose(trial: Trial, understanding: Understanding) -> Reliability | Residuals:
    family, truth, scores = _judged(trial, understanding)
    name, task = trial.scorecard.name, understanding.task
    if task.kind is TaskKind.CLASSIFY:
        return reliability(name, family, task.classes, truth, scores)
    return residuals(name, family, truth, scores[:, 0])


def _confusions(trials: Sequence[Trial], understanding: Understanding) -> list[Confusion]:
    task = understanding.task
    if task.kind is not TaskKind.CLASSIFY:
        return []
    found = []
    for trial in trials:
        family, truth, scores = _judged(trial, understanding)
        found.append(confusion(trial.scorecard.name, family, task.classes, truth, scores))
    return found


def _galleries(trial: Trial, understanding: Understanding) -> tuple[Gallery, ...]:
    """Rows that can be looked at, a gallery for each column of pictures or texts."""
    table, task, split = understanding.table, understanding.task, understanding.split
    _, truth, scores = _judged(trial, understanding)
    learned = task.encode(table[task.target])[split.train]
    found = []
    for column in table.of_kind(Kind.IMAGE, Kind.TEXT):
        if column.name == task.target or not gallery.shows(column):
            continue
        pairs: tuple[gallery.ConfusedPair, ...] = ()
        if task.kind is TaskKind.CLASSIFY:
            pairs, worst = gallery.mistakes_in_classes(
                column, task.classes, truth, scores, split.lockbox
            )
        else:
            worst = gallery.mistakes_in_values(column, truth, scores[:, 0], split.lockbox)
        samples = gallery.samples_of(column, task.classes, learned, split.train)
        learned_rows = column.take(split.train)
        is_text = column.kind is Kind.TEXT
        notes = text_statistics(learned_rows).sentences() if is_text else ()
        name = trial.scorecard.name
        found.append(Gallery(column.name, name, samples, tuple(notes), pairs, worst))
    return tuple(found)


def _input_lines(file: ModelFile, understanding: Understanding) -> tuple[InputLine, ...]:
    """The file's inputs, each with a value: the middle number, or the commonest text."""
    lines = []
    for spec in file.columns:
        column = understanding.table[spec.name]
        example: float | str | None
        if ELEMENTS[spec.kind] is Element.DOUBLE:
            known = column.numbers[np.isfinite(column.numbers)]
            example = float(np.quantile(known, 0.5, method="nearest")) if len(known) else None
        elif spec.kind is Kind.IMAGE:
            example = None
        else:
            texts = Counter(filter(None, column.strings))
            example = min(texts, key=lambda text: (-texts[text], text), default=None)
        lines.append(InputLine(spec.name, ELEMENTS[spec.kind], example, spec.picture))
    return tuple(lines)


def _parity_words(file: ModelFile) -> str:
    stated = file.parity
    return (
        f"The file answers as the trained model did on {stated['rows']:,} rows, "
        f"{stated['edge_rows']} of them made of missing values, unseen levels and extremes: "
        f"largest deviation {stated['deviation']:.1g}, at most {stated['tolerance']:g} is shipped."
    )
