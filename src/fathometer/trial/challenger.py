"""Models from elsewhere in the contest: frozen, asked about the lockbox, judged as all others.

A challenger was not trained here, so nothing is known of what it cost, nor whether it has seen the
lockbox rows; its scorecard says so, and it can neither win nor stand for a family."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from fathometer.errors import ColumnError, Fault, ModelFileError, OptionError
from fathometer.modelfile.load import ModelFile, from_bytes
from fathometer.modelfile.verify import HASH_KEY
from fathometer.table.kind import Kind
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind
from fathometer.trial.bill import BATCH_SECONDS
from fathometer.trial.foreign import ForeignModel, Port, open_foreign
from fathometer.trial.mapping import Feed, InputMapping, Mapped, foreign_feeds, mapping_from
from fathometer.trial.measure import measure_latency, rows_per_second
from fathometer.trial.picture_feed import MOST_PICTURES, PictureFeed
from fathometer.trial.scorecard import Bill

NOT_TRAINED_HERE = "not trained here; may have seen these rows"
SUMS_TO = 1e-3  # probabilities of a row may miss 1 by this much
MEASURED_ROWS = 1000  # of the batch that throughput is measured on
MEASURE_SECONDS = 0.2
CHUNK = 1024  # rows asked at once, where they hold no pictures
ELEMENTS = {"double": "float64"}  # of our files, in NumPy's words
LABELS = ("int64", "int32", "uint8")
MOST_FIXED = 65_536  # rows that a model may insist on


class Asked(Protocol):
    """What can be asked for scores of raw rows."""

    @property
    def size_bytes(self) -> int: ...

    def feeds(self, table: Table) -> Mapping[str, Feed]:
        """Its inputs for these rows."""
        ...

    def scores(self, feeds: Mapping[str, Feed], rows: int) -> np.ndarray:
        """(rows, outputs) what it answers to them."""
        ...


@dataclass(frozen=True)
class Challenger:
    """A model from elsewhere, ready to be asked."""

    name: str
    asked: Asked
    note: str = NOT_TRAINED_HERE

    def scores(self, table: Table) -> np.ndarray:
        """(rows, outputs) what it answers to raw rows."""
        return self.asked.scores(self.asked.feeds(table), len(table))

    def bill(self, table: Table) -> Bill:
        """What it costs to ask; what it cost to train is not known (NaN)."""
        one = table.rows(np.arange(min(len(table), 1)))
        latency = measure_latency(self._asking(one), seconds=MEASURE_SECONDS)
        few = table.rows(np.arange(_measured_rows(table, latency.p50_ms)))
        rate = rows_per_second(self._asking(few), len(few), seconds=MEASURE_SECONDS)
        return Bill(
            train_seconds=math.nan,
            energy_joules=math.nan,
            energy_source="estimated",
            peak_bytes=0,
            file_bytes=self.asked.size_bytes,
            latency_ms_p50=latency.p50_ms,
            latency_ms_p99=latency.p99_ms,
            rows_per_second=rate,
        )

    def _asking(self, table: Table) -> Callable[[], np.ndarray]:
        """What asks about these rows, again and again. Pictures are decoded before, as they are
        where contestants are measured."""
        feeds = self.asked.feeds(table)
        ready = {
            name: each.ready() if isinstance(each, PictureFeed) else each
            for name, each in feeds.items()
        }
        if not _pictures_of(ready):
            return lambda: self.scores(table)
        return lambda: self.asked.scores(ready, len(table))


def _measured_rows(table: Table, one_ms: float) -> int:
    """How many rows to ask about at once: of pictures, about as many as take `BATCH_SECONDS`."""
    most = min(len(table), MEASURED_ROWS)
    if not table.of_kind(Kind.IMAGE):
        return most
    return int(np.clip(BATCH_SECONDS * 1000 / one_ms, min(MOST_PICTURES, most), most))


def challenger_from(option: str, task: Task) -> Challenger:
    """ "model.onnx" or "model.onnx:mapping.toml" as a challenger for this task.

    Raises:
        OptionError: if a file cannot be read, or the mapping says something else.
        ModelFileError: if the model is refused, or answers another question.
    """
    model, colon, mapping = option.rpartition(":")
    if not colon or not mapping.endswith(".toml"):
        model, mapping = option, ""
    path = Path(model)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise OptionError(
            f"--with was given {model}, which cannot be read: {error.strerror}.",
            try_next="--with MODEL.onnx",
        ) from error
    mapped = mapping_from(Path(mapping)) if mapping else Mapped()
    # No contestant has a point in its name, so none is taken for another.
    name = path.name if path.suffix else f"{path.name}.onnx"
    try:
        # Ours say so, and are then checked as ours; a file that says so falsely is refused.
        if HASH_KEY.encode() in content:
            return Challenger(name, _own(from_bytes(content), mapped, task))
        return Challenger(name, _foreign(open_foreign(content), mapped, task))
    except ModelFileError as error:
        raise ModelFileError(
            error.fault, f"{path.name} cannot enter: {error.message}", try_next=error.try_next
        ) from error


@dataclass(frozen=True, eq=False)
class _Own:
    """A model file of another run."""

    file: ModelFile
    mapped: Mapped
    order: np.ndarray  # the places of our classes among the file's

    @property
    def size_bytes(self) -> int:
        return self.file.size_bytes

    def feeds(self, table: Table) -> Mapping[str, Feed]:
        inputs = dict(self.mapped.inputs)
        ports = []
        for spec in self.file.columns:
            if spec.kind is Kind.IMAGE:
                size = spec.size
                axes = (None, size.height, size.width, size.channels)
                ports.append(Port(spec.name, "uint8", axes))
                said = inputs.get(spec.name, InputMapping(()))
                pictures = replace(said.pictures, layout="NHWC")  # a height may be 1 or 3 as well
                inputs[spec.name] = replace(said, pictures=pictures)
            else:
                element = self.file.inputs[spec.name]
                ports.append(Port(spec.name, ELEMENTS.get(element, element), (None, 1)))
        return foreign_feeds(table, ports, replace(self.mapped, inputs=inputs))

    def scores(self, feeds: Mapping[str, Feed], rows: int) -> np.ndarray:
        return self.file.scores(feeds)[:, self.order]


def _pictures_of(feeds: Mapping[str, Feed]) -> list[PictureFeed]:
    return [each for each in feeds.values() if isinstance(each, PictureFeed)]


def _own(file: ModelFile, mapped: Mapped, task: Task) -> _Own:
    if file.task.kind != task.kind.value:
        raise ModelFileError(
            Fault.SHAPE, f"it was made to {file.task.kind}, and the task is to {task.kind.value}."
        )
    if task.kind is not TaskKind.CLASSIFY:
        return _Own(file, mapped, np.array([0]))
    return _Own(file, mapped, _order(file.task.classes, task))


def _order(classes: tuple[str, ...], task: Task) -> np.ndarray:
    """Where each class of the task stands among these.

    Raises:
        ModelFileError: if they are not the same classes.
    """
    if sorted(classes) != sorted(task.classes):
        raise ModelFileError(
            Fault.SHAPE,
            f"it knows the classes {', '.join(classes[:10])}, and the task has "
            f"{', '.join(task.classes[:10])}.",
            try_next="--with MODEL.onnx:mapping.toml",
        )
    return np.array([classes.index(name) for name in task.classes])


@dataclass(frozen=True, eq=False)
class _Foreign:
    """A model of another program."""

    model: ForeignModel
    mapped: Mapped
    task: Task
    output: Port

    @property
    def size_bytes(self) -> int:
        return self.model.size_bytes

    def feeds(self, table: Table) -> Mapping[str, Feed]:
        return foreign_feeds(table, self.model.inputs, self.mapped)

    def scores(self, feeds: Mapping[str, Feed], rows: int) -> np.ndarray:
        found = self._answered(feeds, rows)
        if found.ndim > 2:
            raise ModelFileError(
                Fault.SHAPE,
                f"its output {self.output.name} has shape {found.shape} for {rows:,} rows.",
            )
        if self.output.element == "string" or self._gives_labels:
            return self._of_labels(found)
        numbers = found.astype(np.float64).reshape(rows, -1)
        if not np.isfinite(numbers).all():
            raise ModelFileError(Fault.RUNTIME, "it answers rows with numbers that are not finite.")
        if self.task.kind is TaskKind.REGRESS:
            return self._values(numbers)
        return self._probabilities(numbers)

    def _answered(self, feeds: Mapping[str, Feed], rows: int) -> np.ndarray:
        """The output for all rows: some at a time, or as many as the model was fixed to."""
        fixed = {port.axes[0] for port in self.model.inputs if port.axes and port.axes[0]}
        pictures = _pictures_of(feeds)
        self.model.pictures += rows * len(pictures)
        most = min((each.form.most_rows for each in pictures), default=CHUNK)
        chunk = min((size for size in fixed if size is not None), default=most)
        limit = min((each.form.most_fixed for each in pictures), default=MOST_FIXED)
        if chunk > limit:
            raise ModelFileError(
                Fault.SHAPE,
                f"it takes exactly {chunk:,} rows at a time, more than {limit:,}.",
            )
        found = []
        for start in range(0, rows, chunk):
            places = np.arange(start, start + chunk) if fixed else np.arange(start, rows)[:chunk]
            some = {name: values[np.minimum(places, rows - 1)] for name, values in feeds.items()}
            answered = self.model.run(self.output.name, some)
            if answered.size == len(places):  # of one row, some models drop the axis of rows
                answered = answered.reshape(len(places), -1)
            if answered.shape[:1] != (len(places),):
                raise ModelFileError(
                    Fault.SHAPE,
                    f"its output {self.output.name} has shape {answered.shape} for "
                    f"{len(places):,} rows.",
                )
            found.append(answered)
        return np.concatenate(found)[:rows] if fixed else np.concatenate(found)

    @property
    def _gives_labels(self) -> bool:
        return self.task.kind is TaskKind.CLASSIFY and self.output.element in LABELS

    def _values(self, numbers: np.ndarray) -> np.ndarray:
        if numbers.shape[1] != 1:
            raise ModelFileError(
                Fault.SHAPE, f"its output {self.output.name} has {numbers.shape[1]} columns."
            )
        return numbers

    def _probabilities(self, numbers: np.ndarray) -> np.ndarray:
        """(rows, classes) in the task's order."""
        from scipy.special import expit, softmax

        classes = self.mapped.classes or self.model.classes or self.task.classes
        order = _order(classes, self.task)
        if numbers.shape[1] == 1 and len(classes) == 2:
            second = expit(numbers) if self.mapped.is_logit else numbers
            numbers = np.concatenate([1 - second, second], axis=1)
        elif self.mapped.is_logit:
            numbers = softmax(numbers, axis=1)
        if numbers.shape[1] != len(classes):
            raise ModelFileError(
                Fault.SHAPE,
                f"its output {self.output.name} has {numbers.shape[1]} columns for "
                f"{len(classes)} classes.",
                try_next="--with MODEL.onnx:mapping.toml",
            )
        sums = numbers.sum(axis=1, keepdims=True)
        if numbers.min() < -SUMS_TO or np.abs(sums - 1).max() > SUMS_TO:
            raise ModelFileError(
                Fault.SHAPE,
                f"its output {self.output.name} is no probability: from {numbers.min():.3g} to "
                f'{numbers.max():.3g}. A mapping with  [output]  kind = "logit"  says what it is.',
                try_next="--with MODEL.onnx:mapping.toml",
            )
        held = np.clip(numbers, 0.0, 1.0)
        return np.asarray((held / held.sum(axis=1, keepdims=True))[:, order])

    def _of_labels(self, found: np.ndarray) -> np.ndarray:
        """1 for the label that was answered."""
        if self.task.kind is TaskKind.REGRESS:
            raise ModelFileError(Fault.SHAPE, f"its output {self.output.name} holds text.")
        if found.size != len(found):
            raise ModelFileError(
                Fault.SHAPE,
                f"its output {self.output.name} has {found.shape[1]} columns of labels; one is "
                "wanted, or probabilities.",
                try_next="--with MODEL.onnx:mapping.toml",
            )
        places = {name: place for place, name in enumerate(self.task.classes)}
        named = [str(label) for label in found.reshape(len(found))]
        unknown = next((name for name in named if name not in places), None)
        if unknown is not None:
            raise ModelFileError(
                Fault.SHAPE,
                f'it answers "{unknown}"; the task has {", ".join(self.task.classes[:10])}.',
            )
        return np.eye(len(places))[[places[name] for name in named]]


def _foreign(model: ForeignModel, mapped: Mapped, task: Task) -> _Foreign:
    """Which output answers: the one that was named, else the last of numbers, else of labels."""
    named = {port.name: port for port in model.outputs}
    if mapped.scores and mapped.scores not in named:
        raise ModelFileError(
            Fault.SHAPE,
            f'it has no output "{mapped.scores}"; it has {", ".join(named)}.',
            try_next="--with MODEL.onnx:mapping.toml",
        )
    real = [port for port in model.outputs if port.element.startswith("float")]
    output = named[mapped.scores] if mapped.scores else (real or list(model.outputs))[-1]
    if task.kind is TaskKind.CLASSIFY:
        classes = mapped.classes or model.classes
        if classes:
            _order(classes, task)
    return _Foreign(model, mapped, task, output)


def judged_scores(challenger: Challenger, table: Table) -> np.ndarray:
    """Its scores on these rows (rows, outputs).

    Raises:
        ModelFileError, ColumnError: if it cannot answer them, named after its file.
    """
    try:
        return challenger.scores(table)
    except ModelFileError as error:
        raise ModelFileError(
            error.fault,
            f"{challenger.name} cannot answer: {error.message}",
            try_next=error.try_next,
        ) from error
    except ColumnError as error:
        raise ColumnError(
            f"{challenger.name}: {error.message}", details=error.details, try_next=error.try_next
        ) from error
