"""Opening a model file and asking it. Needs numpy and onnxruntime, nothing else.

`load` verifies first (see `modelfile/verify`); a refused file never reaches the runtime."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fathometer import runtime
from fathometer.errors import Fault, ModelFileError
from fathometer.graph import Element
from fathometer.modelfile import signature
from fathometer.modelfile.feeds import answer_frame, feeds_from
from fathometer.modelfile.intervals import Intervals, intervals_from_json
from fathometer.modelfile.picture_list import PictureList, is_picture, of_one_size
from fathometer.modelfile.row import RowReader, is_row
from fathometer.modelfile.signature import Question
from fathometer.modelfile.time_limit import TimeLimit
from fathometer.modelfile.trim import trim
from fathometer.modelfile.unlike import TrainingRanges, ranges_from_json
from fathometer.modelfile.verify import LARGEST_FILE, Contents, parse_json, verify
from fathometer.table.kind import ELEMENTS, ColumnSpec, Kind

if TYPE_CHECKING:
    import onnxruntime

# Rows a chunk: large enough that the cost of a call vanishes. Where they are compared with training
# rows, so many distances, in double and a few times over, are held at once.
CHUNK, DISTANCES = 1024, 5 << 20
# Counts of n-grams are up to 200,000 floats a row before they are weighed: 25 MB in such a chunk.
# And the words of the longest text in a chunk make room for as many in every row.
TEXT_CHUNK = 32
SPLIT_TEXTS = {"TfIdfVectorizer", "com.microsoft.Tokenizer"}  # operators
PICTURE_CHUNK = 64  # what a convolution answers is some hundred times larger than the picture
# Seconds of work that threads are started for; on a busy machine of two cores starting and meeting
# them made a 3 ms batch (logistic, 8,192 rows of 23 numbers) last 45 ms.
WORTH_THREADS = 0.02


@dataclass(frozen=True, eq=False)
class ModelFile:
    """One verified `.onnx` file: raw columns in, answers out."""

    content: bytes
    contents: Contents
    name: str  # what the leaderboard called it
    family: str
    task: Question
    columns: tuple[ColumnSpec, ...]
    parity: Mapping[str, object]  # the certificate: rows, deviation, test vectors
    quality: Mapping[str, object]  # how it did on the lockbox; empty if never measured
    versions: Mapping[str, object]
    intervals: Intervals | None = None  # where its answers' coverage was calibrated
    ranges: TrainingRanges | None = None  # where the training rows' ranges were noted
    time_limit: TimeLimit = field(default_factory=TimeLimit, repr=False)  # of a chunk of rows

    @property
    def sha256(self) -> str:
        """The hash the file states and was found to have (its own field blanked)."""
        return self.contents.sha256

    @property
    def size_bytes(self) -> int:
        return len(self.content)

    @property
    def inputs(self) -> dict[str, str]:
        """From each input's name to "double", "string" or, of pictures, "uint8"."""
        return {port.name: Element(port.element).name.lower() for port in self.contents.inputs}

    @cached_property
    def session(self) -> onnxruntime.InferenceSession:
        """The runtime session, opened once; one thread, so that calls can run side by side."""
        return open_session(self.content)

    @cached_property
    def _row_reader(self) -> RowReader:
        trimmed = trim(self.content, self._scores_name, *_inputs_by_element(self.contents))
        width = len(self.task.classes) if self.task.kind == "classify" else None
        return RowReader(
            open_session(trimmed.content), self.columns, trimmed, self._scores_name, width
        )

    def release(self) -> None:
        """Close the runtime's sessions, several times the file's size; asked again, they open."""
        for opened in ("session", "_row_reader"):
            self.__dict__.pop(opened, None)

    @property
    def _scores_name(self) -> str:
        # The scores are the last output: probability after label, or value alone.
        return self.contents.outputs[-1].name

    @cached_property
    def _labels(self) -> list[Any]:
        """The classes as they are answered: str, or int where they are whole numbers."""
        kind = int if self.task.integer_labels else str
        return [kind(name) for name in self.task.classes]

    def scores(self, feeds: Mapping[str, Any]) -> np.ndarray:
        """Probabilities (rows, classes), or values (rows, 1), float64, of raw inputs (rows, 1)."""
        rows = len(next(iter(feeds.values()))) if feeds else 0
        if rows == 0:
            return np.zeros((0, len(self.task.classes) or 1))
        if rows == 1 and not _take_pictures(self.columns):
            return np.array([self._row_reader.ready(feeds)])
        edges = chunk_edges(rows, rows_a_chunk(self), runtime.cores())
        chunks = [
            {name: values[start:end] for name, values in feeds.items()}
            for start, end in pairwise(edges)
        ]
        started = time.perf_counter()
        found = [self._scores_of(chunks[0])]
        left = (time.perf_counter() - started) * (rows - edges[1]) / edges[1]
        if left < WORTH_THREADS:
            return np.concatenate([*found, *map(self._scores_of, chunks[1:])])
        with ThreadPoolExecutor(runtime.cores()) as pool:
            return np.concatenate([*found, *pool.map(self._scores_of, chunks[1:])])

    def predict(self, source: Any) -> Any:
        """Answers for raw rows, in the caller's own frame type.

        Args:
            source: a frame (pandas, Polars, Arrow, DuckDB), a path, a `Table`, a mapping from
                column to values, or one row: a mapping from column to value. Pictures are paths,
                contents of files, or uint8 arrays (height, width, channels) of any sizes; a model
                that takes nothing else takes them without a mapping, and folders of them.

        Returns:
            Labels or values: a Series or array named like the target; numpy for a mapping of
            values; the label or value itself for one row.

        Raises:
            ColumnError: if a column is absent. KindError: if a value is not of its kind.
        """
        if _is_row(source, self.columns):
            scores = _row_scores(self, source)
            return self._labels[scores.index(max(scores))] if self._labels else scores[0]
        feeds, like = feeds_from(source, self.columns)
        return answer_frame(like, {self.task.target: self.answers(self.scores(feeds))}, single=True)

    def predict_proba(self, source: Any) -> Any:
        """Probabilities for raw rows, a column a class, in the caller's own frame type.

        A mapping of values gets a numpy array (rows, classes), one row an array (classes,)."""
        if self.task.kind != "classify":
            raise ModelFileError(
                Fault.SHAPE,
                f"{self.name} gives values, not probabilities.",
                try_next="model.predict(frame)",
            )
        if _is_row(source, self.columns):
            return np.array(_row_scores(self, source))
        feeds, like = feeds_from(source, self.columns)
        scores = self.scores(feeds)
        named = dict(zip(self.task.classes, scores.T, strict=True))
        return scores if like is None else answer_frame(like, named, single=False)

    def predict_interval(self, source: Any, coverage: float = 0.9) -> Any:
        """What holds the truth in this share of rows like the training rows, in the caller's frame.

        See `modelfile/intervals` for what is promised. The lockbox's own coverage stands in the
        file's `quality`.

        Args:
            source: as for `predict`; of one row, a mapping from column to a list of one value.

        Returns:
            For values, columns "low" and "high", (rows, 2). For classes, a column a class, (rows,
            classes) bool: whether it is in the row's set.

        Raises:
            ModelFileError: if the file holds no intervals.
            OptionError: if it does not hold this coverage.
        """
        feeds, like = feeds_from(source, self.columns)
        found = intervals_of(self).hold(self.scores(feeds), coverage)
        names = self.task.classes if self.task.kind == "classify" else ("low", "high")
        named = dict(zip(names, found.T, strict=True))
        return found if like is None else answer_frame(like, named, single=False)

    def unlike(self, source: Any) -> list[str]:
        """For each raw row the columns for which it is unlike the rows that were learned from, such
        as "age, embarked"; "" where it is like them (see `modelfile/unlike`).

        Raises:
            ModelFileError: if the file does not say what the training rows held.
        """
        return ranges_of(self).reasons(feeds_from(source, self.columns)[0])

    def answers(self, scores: np.ndarray) -> np.ndarray:
        """(rows,) labels or values of these scores."""
        if self.task.kind != "classify":
            return scores[:, 0]
        kind = np.int64 if self.task.integer_labels else object
        named: np.ndarray = np.array(self.task.classes, dtype=object)[scores.argmax(axis=1)]
        return named.astype(kind)

    def _scores_of(self, feeds: Mapping[str, Any]) -> np.ndarray:
        if any(isinstance(values, PictureList) for values in feeds.values()):
            return np.concatenate([self._scores_of(each) for each in of_one_size(feeds)])
        found = self.time_limit.run(self.session, self._scores_name, feeds)
        return found.astype(np.float64).reshape(len(found), -1)


def chunk_edges(rows: int, most: int, cores: int) -> list[int]:
    """Where chunks of at most so many rows begin and end: (chunks + 1,).

    Of more rows than that a small chunk comes first, whose time tells what the others will take,
    and then equal ones, so many that no core waits for another at the end. Never by a clock: in
    chunks of other sizes the last bits of an answer may differ."""
    if rows <= most:
        return [0, rows]
    first = max(1, most // 8)
    turns = -(-(rows - first) // (most * cores))
    count = min(turns * cores, rows - first)
    return [0, *np.linspace(first, rows, count + 1).astype(int).tolist()]


def _take_pictures(columns: Sequence[ColumnSpec]) -> bool:
    return any(spec.kind is Kind.IMAGE for spec in columns)


def intervals_of(file: ModelFile) -> Intervals:
    """A file's intervals.

    Raises:
        ModelFileError: if it holds none.
    """
    if file.intervals is None:
        raise ModelFileError(
            Fault.METADATA,
            f"{file.name} holds no intervals: it was made without them.",
            try_next="fathom predict MODEL SOURCE",
        )
    return file.intervals


def ranges_of(file: ModelFile) -> TrainingRanges:
    """What a file's training rows held.

    Raises:
        ModelFileError: if it does not say.
    """
    if file.ranges is None:
        raise ModelFileError(
            Fault.METADATA,
            f"{file.name} does not say what its training rows held.",
            try_next="fathom predict MODEL SOURCE",
        )
    return file.ranges


def _inputs_by_element(contents: Contents) -> tuple[list[str], list[str]]:
    """The names of the double and of the string inputs."""
    double = [p.name for p in contents.inputs if p.element == Element.DOUBLE.value]
    return double, [p.name for p in contents.inputs if p.name not in set(double)]


def _is_row(source: Any, columns: Sequence[ColumnSpec]) -> bool:
    """Whether a mapping holds one value a column, such as one picture, rather than several."""
    if not isinstance(source, Mapping):
        return False
    first = columns[0]
    if first.kind is Kind.IMAGE and first.name in source:
        return is_picture(source[first.name], first)
    return is_row(source, columns)


def _row_scores(file: ModelFile, row: Mapping[str, Any]) -> list[float]:
    """Of one value a column."""
    if not _take_pictures(file.columns):
        return file._row_reader.scores(row)
    found: list[float] = file.scores(feeds_from(row, file.columns)[0])[0].tolist()
    return found


def open_session(content: bytes) -> onnxruntime.InferenceSession:
    """A session of one thread.

    Raises:
        ModelFileError: if the runtime refuses the model.
    """
    try:
        return runtime.open_session(content)
    except Exception as error:  # noqa: BLE001  its errors share no public type
        raise ModelFileError(
            Fault.RUNTIME, f"onnxruntime cannot open it: {str(error).splitlines()[0][:300]}"
        ) from None


def load(path: str | Path) -> ModelFile:
    """Open a model file after checking it.

    Raises:
        ModelFileError: if anything about the file is not as it must be; `.fault` says what.
    """
    location = Path(path)
    try:
        with location.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)  # more is refused, so not read either
    except OSError as error:
        raise ModelFileError(
            Fault.NOT_A_MODEL, f"{location} cannot be read: {error.strerror}."
        ) from error
    try:
        return from_bytes(content)
    except ModelFileError as error:
        raise ModelFileError(
            error.fault, f"{location.name} was refused: {error.message}", try_next=error.try_next
        ) from error


def rows_a_chunk(file: ModelFile) -> int:
    """How many rows the runtime is handed at once."""
    if _take_pictures(file.columns):
        return PICTURE_CHUNK
    if not SPLIT_TEXTS.isdisjoint(file.contents.operators):
        return TEXT_CHUNK
    return max(1, min(CHUNK, DISTANCES // max(file.contents.training_rows, default=1)))


def from_bytes(content: bytes) -> ModelFile:
    """A model file from its bytes, checked as `load` does."""
    contents = verify(content)
    stated = {
        key: parse_json(contents.metadata.get(f"fathometer.{key}", ""), key)
        for key in ("model", "task", "columns", "parity", "quality", "versions")
    }
    if stated["model"].get("format") != signature.FORMAT:
        raise ModelFileError(
            Fault.FORMAT,
            f"it has format {stated['model'].get('format')!r}; this version reads "
            f"{signature.FORMAT}. Another version of Fathometer reads it; bring your clone up to "
            "date.",
            try_next="git pull && pip install .",
        )
    more = {
        key: parse_json(contents.metadata.get(f"fathometer.{key}", "{}"), key)
        for key in ("intervals", "training")
    }
    question = signature.question_from_json(stated["task"])
    columns = signature.columns_from_json(stated["columns"].get("columns"))
    file = ModelFile(
        content,
        contents,
        str(stated["model"].get("name")),
        str(stated["model"].get("family")),
        question,
        columns,
        stated["parity"],
        stated["quality"],
        stated["versions"],
        intervals_from_json(more["intervals"], len(question.classes)),
        ranges_from_json(more["training"], columns),
    )
    _check_ports(file)
    if file.ranges and not {r.name for r in file.ranges.columns} <= {c.name for c in file.columns}:
        raise ModelFileError(Fault.METADATA, "its ranges are of columns that it does not take.")
    return file


def _check_ports(file: ModelFile) -> None:
    """Inputs are the columns and outputs what the task asks for, in type and shape."""
    expected = [(spec.name, ELEMENTS[spec.kind].value) for spec in file.columns]
    found = [(port.name, port.element) for port in file.contents.inputs]
    if sorted(found) != sorted(expected):
        raise ModelFileError(Fault.SHAPE, "its inputs are not the columns that it states.")
    for port in file.contents.inputs:
        picture = next(spec.picture for spec in file.columns if spec.name == port.name)
        wanted = (None, 1) if picture is None else (None, None, None, picture.channels)
        if port.shape != wanted:
            raise ModelFileError(Fault.SHAPE, f'its input "{port.name}" has the wrong shape.')
    classes = len(file.task.classes)
    label = Element.INT64 if file.task.integer_labels else Element.STRING
    outputs = (
        [(label.value, (None,)), (Element.FLOAT.value, (None, classes))]
        if file.task.kind == "classify"
        else [(Element.DOUBLE.value, (None,))]
    )
    if [(port.element, port.shape) for port in file.contents.outputs] != outputs:
        raise ModelFileError(Fault.SHAPE, "its outputs are not what its task asks for.")
