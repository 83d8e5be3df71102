"""One row → its scores, on the shortest way: no frame, no new array, no string for the runtime.

What a row is read into stays bound to the runtime between calls: numbers and codes are written in
place, and the runtime answers into memory that is there already."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from struct import Struct
from struct import error as StructError
from typing import TYPE_CHECKING, Any

import numpy as np

from fathometer.errors import ColumnError
from fathometer.graph import Element
from fathometer.modelfile.feeds import as_text, feed
from fathometer.modelfile.trim import Encoder, Entry, Trimmed
from fathometer.table.kind import ColumnSpec

if TYPE_CHECKING:
    import onnxruntime

PLAIN = frozenset({float, int, str, bool, type(None)})


def is_row(source: Mapping[str, Any], columns: Sequence[ColumnSpec]) -> bool:
    """Whether a mapping holds one value a column, rather than several."""
    return _is_one(source.get(columns[0].name))


def _is_one(value: object) -> bool:
    return type(value) in PLAIN or isinstance(value, str | bytes) or not hasattr(value, "__len__")


@dataclass(frozen=True, eq=False)
class Place:
    """The memory of one call, bound to the runtime."""

    slots: memoryview  # bytes of all doubles, then of all int64
    texts: tuple[np.ndarray, ...]  # (1, 1) objects each
    answer: Callable[[], list[float]]  # runs the session on what is there


@dataclass(frozen=True, eq=False)
class RowReader:
    """Asks the session of a trimmed model about one row at a time.

    Calls may run side by side: each takes a place of its own and leaves it for the next."""

    session: onnxruntime.InferenceSession
    columns: tuple[ColumnSpec, ...]
    trimmed: Trimmed
    output: str  # the scores
    width: int | None  # of the scores: classes, or None for one value
    _idle: list[Place] = field(default_factory=list)

    def scores(self, row: Mapping[str, Any]) -> list[float]:
        """Probabilities of the classes, or one value, for a mapping from column to value.

        Raises:
            ColumnError: if a column is absent, or holds several values. KindError: if a value is
                not of its column's kind.
        """
        try:
            values = self._values(row)
        except KeyError:
            for spec in self.columns:
                feed(row, spec)  # raises for the first that is absent
            raise
        first_word, first_text = len(self._counted), len(self._counted) + len(self._coded)
        numbers, words = values[:first_word], values[first_word:first_text]
        try:
            codes = list(map(dict.get, self._known, words))
        except TypeError:  # a list, or another value that is not hashable
            codes = [None]
        if None in codes:
            codes = [self._code(place, word) for place, word in enumerate(words)]
        place = self._place()
        try:
            self._layout.pack_into(place.slots, 0, *numbers, *codes)
        except (StructError, OverflowError, TypeError, ValueError):
            exact = [self._number(at, value) for at, value in enumerate(numbers)]
            self._layout.pack_into(place.slots, 0, *exact, *codes)
        for at, array in enumerate(place.texts, first_text):
            text = values[at]
            array[0, 0] = text.strip() if type(text) is str else self._text(at - first_text, text)
        scores = place.answer()
        self._idle.append(place)
        return scores

    def ready(self, feeds: Mapping[str, np.ndarray]) -> list[float]:
        """The same for inputs (1, 1) as the whole graph takes them: nothing is read into them."""
        values = self._values({name: array.item() for name, array in feeds.items()})
        first_word, first_text = len(self._counted), len(self._counted) + len(self._coded)
        words = values[first_word:first_text]
        codes = [
            encoder.codes.get(word, encoder.other)
            for (_, encoder), word in zip(self._coded, words, strict=True)
        ]
        place = self._place()
        self._layout.pack_into(place.slots, 0, *values[:first_word], *codes)
        for at, array in enumerate(place.texts, first_text):
            array[0, 0] = values[at]
        scores = place.answer()
        self._idle.append(place)
        return scores

    def _place(self) -> Place:
        """One that no other call is using."""
        try:
            return self._idle.pop()
        except IndexError:
            return _bind(self, self._entries, self._written)

    @cached_property
    def _specs(self) -> dict[str, ColumnSpec]:
        return {spec.name: spec for spec in self.columns}

    @cached_property
    def _entries(self) -> tuple[Entry, ...]:
        """Numbers first, then codes."""
        return tuple(sorted(self.trimmed.entries, key=lambda entry: entry.element is Element.INT64))

    @cached_property
    def _counted(self) -> tuple[ColumnSpec, ...]:
        sources = (source for entry in self._entries for source in entry.sources)
        return tuple(self._specs[each.column] for each in sources if each.encoder is None)

    @cached_property
    def _coded(self) -> tuple[tuple[ColumnSpec, Encoder], ...]:
        sources = (source for entry in self._entries for source in entry.sources)
        return tuple((self._specs[each.column], each.encoder) for each in sources if each.encoder)

    @cached_property
    def _written(self) -> tuple[ColumnSpec, ...]:
        return tuple(self._specs[name] for name in self.trimmed.texts)

    @cached_property
    def _values(self) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
        """From a row to what is counted, coded and written, and what must be there all the same."""
        names = [spec.name for spec in (*self._counted, *(s for s, _ in self._coded))]
        names += [spec.name for spec in self._written]
        names += [spec.name for spec in self.columns if spec.name not in set(names)]
        if len(names) > 1:
            return itemgetter(*names)
        return lambda row: tuple(row[name] for name in names)

    @cached_property
    def _known(self) -> tuple[dict[str | None, int], ...]:
        """Each encoder's codes; None is a missing value, which is written as an empty string."""
        return tuple(
            {**each.codes, None: each.codes.get("", each.other)} for _, each in self._coded
        )

    @cached_property
    def _layout(self) -> Struct:
        return Struct(f"={len(self._counted)}d{len(self._coded)}q")

    def _number(self, at: int, value: object) -> float:
        if value is None:
            return float("nan")
        spec = self._counted[at]
        return float(feed({spec.name: _one(value, spec)}, spec)[0, 0])

    def _code(self, place: int, word: object) -> int:
        spec, encoder = self._coded[place]
        return encoder.codes.get(as_text(_one(word, spec), spec.name), encoder.other)

    def _text(self, at: int, value: object) -> str:
        spec = self._written[at]
        return as_text(_one(value, spec), spec.name)


def _bind(reader: RowReader, entries: Sequence[Entry], texts: Sequence[ColumnSpec]) -> Place:
    """New memory for a call: all doubles, then all codes, then the strings."""
    slots = np.zeros(sum(len(entry.sources) for entry in entries))
    arrays: dict[str, np.ndarray] = {}
    start = 0
    for entry in entries:
        end = start + len(entry.sources)
        kind = np.int64 if entry.element is Element.INT64 else np.float64
        arrays[entry.name] = slots[start:end].view(kind)[None]
        start = end
    if texts:
        own = {spec.name: np.full((1, 1), "", dtype=object) for spec in texts}
        answer = _run(reader.session, arrays | own, reader.output)
        return Place(slots.data.cast("B"), tuple(own.values()), answer)
    value = np.zeros(1) if reader.width is None else np.zeros((1, reader.width), np.float32)
    answer = _run_bound(reader.session, arrays, reader.output, value)
    return Place(slots.data.cast("B"), (), answer)


def _run(
    session: onnxruntime.InferenceSession, arrays: dict[str, np.ndarray], output: str
) -> Callable[[], list[float]]:
    """The runtime binds no strings; with them every call hands all arrays over."""
    outputs = [output]
    return lambda: session.run(outputs, arrays)[0].reshape(-1).tolist()


def _run_bound(
    session: onnxruntime.InferenceSession,
    arrays: dict[str, np.ndarray],
    output: str,
    value: np.ndarray,
) -> Callable[[], list[float]]:
    import onnxruntime

    wrap = onnxruntime.OrtValue.ortvalue_from_numpy  # shares the array's memory
    binding = session.io_binding()
    for name, array in arrays.items():
        binding.bind_ortvalue_input(name, wrap(array))
    binding.bind_ortvalue_output(output, wrap(value))
    flat = value.reshape(-1)

    def answer(_kept: object = arrays) -> list[float]:
        session.run_with_iobinding(binding)
        found: list[float] = flat.tolist()
        return found

    return answer


def _one(value: object, spec: ColumnSpec) -> object:
    if not _is_one(value):
        raise ColumnError(
            f'the column "{spec.name}" holds several values, the first column one.',
            try_next="one value in every column, or equally many",
        )
    return value
