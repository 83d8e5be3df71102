"""What a model file says of itself, for a person and for a program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING

from fathometer.graph import Element
from fathometer.table.metric import METRICS
from fathometer.trial.scorecard import Quality
from fathometer.verdict.quantities import file_size, shared_places, training_rows, with_interval
from fathometer.wording import counted

if TYPE_CHECKING:
    from fathometer.modelfile.intervals import Intervals
    from fathometer.modelfile.load import ModelFile
    from fathometer.table.kind import ColumnSpec

SHOWN_CLASSES = 8


def print_inspection(model: ModelFile, path: Path, *, stream: IO[str]) -> None:
    """Print the task, the quality, the parity certificate, versions, hash and columns."""
    from rich.table import Table as Grid

    from fathometer.app.lines import console_for
    from fathometer.app.overview import print_remark

    console = console_for(stream)
    console.print(f" {path.name}   {model.name} · {model.family} · {file_size(model.size_bytes)}")
    for name, words in remarks(model):
        print_remark(console, name, words)
    grid = Grid(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for heading in (" column", "kind", "enters as"):
        grid.add_column(heading, overflow="fold")
    for spec in model.columns:
        layout = f", written {spec.layout.order}" if spec.layout else ""
        kind = spec.kind.value + layout
        grid.add_row(" " + spec.name, kind, model.inputs[spec.name] + shape_words(spec))
    console.print(grid)


def shape_words(spec: ColumnSpec) -> str:
    """ " (rows, any height, any width, 3), learned at 96 × 72" of pictures; nothing of the rest."""
    if spec.picture is None:
        return ""
    size = spec.picture
    return (
        f" (rows, any height, any width, {size.channels}), learned at {size.height} × {size.width}"
    )


def remarks(model: ModelFile) -> Iterator[tuple[str, str]]:
    """The lines above the columns: what each is about, and the words."""
    yield "task", task_words(model)
    yield "quality", quality_words(model.quality)
    yield "parity", parity_words(model.parity)
    yield "answers", answer_words(model)
    yield "holds", holding_words(model)
    if model.intervals is not None:
        yield "coverage", intervals_words(model.intervals)
    yield "made by", " · ".join(f"{name} {version}" for name, version in model.versions.items())
    yield "sha256", model.sha256


def task_words(model: ModelFile) -> str:
    """ "classify survived: 2 classes (0, 1) · judged by ROC AUC"."""
    task = model.task
    metric = METRICS[task.metric].label if task.metric in METRICS else task.metric
    if task.kind != "classify":
        return f"{task.kind} {task.target} · judged by {metric}"
    listed = ", ".join(task.classes[:SHOWN_CLASSES])
    more = ", …" if len(task.classes) > SHOWN_CLASSES else ""
    classes = counted(len(task.classes), "class", "classes")
    return f"{task.kind} {task.target}: {classes} ({listed}{more}) · judged by {metric}"


def quality_words(quality: Mapping[str, object]) -> str:
    """How the file did on the lockbox: the score with its interval, then what else is said."""
    if not quality:
        return "not measured"
    rest = dict(quality)
    parts = []
    numbers = [rest.pop(name, None) for name in ("value", "low", "high")]
    value, low, high = (x if isinstance(x, int | float) else None for x in numbers)
    metric = str(rest.pop("metric", ""))
    if value is not None:
        measured = Quality(
            metric, value, value if low is None else low, value if high is None else high
        )
        label = METRICS[metric].label if metric in METRICS else metric
        parts.append(f"{label} {with_interval(measured, shared_places([measured]))}")
    parts += [f"{name} {value}" for name, value in rest.items() if not isinstance(value, dict)]
    return " · ".join(parts)


def parity_words(parity: Mapping[str, object]) -> str:
    """On how many rows the file was compared with the model, and how far it is off at most."""
    if not parity:
        return "no certificate"
    return (
        f"compared with the trained model on {parity.get('rows')} rows, {parity.get('edge_rows')} "
        f"of them edge cases: off by {parity.get('deviation')} at most "
        f"(allowed {parity.get('tolerance')})"
    )


def intervals_words(by: Intervals) -> str:
    """ "0.5 to 0.99, calibrated on 713 rows; 0.9 held in 0.893 [0.839, 0.931] of unseen rows"."""
    said = f"{by.levels[0]:g} to {by.levels[-1]:g}, calibrated on {by.rows:,} out-of-fold answers"
    if by.checked is None:
        return said
    stated, held, low, high = by.checked
    return f"{said}; {stated:g} held in {held:.3f} [{low:.3f}, {high:.3f}] of unseen rows"


def answer_words(model: ModelFile) -> str:
    """The outputs with their element types and shapes."""
    return " · ".join(
        f"{port.name} {Element(port.element).name.lower()} "
        f"({', '.join('rows' if size is None else str(size) for size in port.shape)})"
        for port in model.contents.outputs
    )


def holding_words(model: ModelFile) -> str:
    """What of the training data travels in the file."""
    rows = training_rows(model.contents.training_rows)
    return f"{rows} in numbers: as confidential as they are" if rows else "no training row"


def inspection(model: ModelFile) -> dict[str, object]:
    """The same as plain values, the parity certificate's test vectors included."""
    return {
        "name": model.name,
        "family": model.family,
        "task": {
            "kind": model.task.kind,
            "target": model.task.target,
            "metric": model.task.metric,
            "classes": list(model.task.classes),
            "integer_labels": model.task.integer_labels,
        },
        "columns": [
            {"name": spec.name, "kind": spec.kind.value, "element": model.inputs[spec.name]}
            | ({"picture": asdict(spec.picture)} if spec.picture else {})
            for spec in model.columns
        ],
        "quality": dict(model.quality),
        "parity": dict(model.parity),
        "intervals": model.intervals.as_json() if model.intervals else None,
        "training": model.ranges.as_json() if model.ranges else None,
        "training_rows": list(model.contents.training_rows),
        "versions": dict(model.versions),
        "size_bytes": model.size_bytes,
        "sha256": model.sha256,
    }
