"""A fitted model → one ONNX file, and the certificate that it answers as the model did."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from fathometer.errors import ParityError
from fathometer.graph import Element, Graph
from fathometer.learners.contract import Model, Prediction
from fathometer.modelfile import signature
from fathometer.modelfile.feeds import feeds_from
from fathometer.modelfile.lean import lean
from fathometer.modelfile.load import ModelFile, from_bytes
from fathometer.modelfile.verify import BLANK_HASH, HASH_KEY, blank_hash_of
from fathometer.table.kind import ELEMENTS, ColumnSpec, Kind
from fathometer.table.table import STORAGE, Column, Table
from fathometer.table.task import Task, TaskKind

if TYPE_CHECKING:
    import onnx

# Largest deviation between model and file that is accepted: absolute for probabilities, relative
# to the larger of the value and the target's spread for values.
TOLERANCE = 1e-5
VECTORS = 8  # rows that travel in the certificate
VECTOR_BYTES = 225_000  # of pixels in them: 8 pictures of 96 × 96 in colour, 300 KB as base64


@dataclass(frozen=True, eq=False)
class ShippedPart:
    """A model file as a part of a larger model: asked as it is, written by replaying its graph."""

    file: ModelFile
    task: Task
    known: Mapping[str, np.ndarray] = field(default_factory=dict)  # its scores, by content hash

    def predict(self, table: Table) -> Prediction:
        """As the file answers; rows that it has answered before are not asked again."""
        found = self.known.get(table.content_hash) if self.known else None
        if found is None:
            found = self.file.scores(feeds_from(table, self.file.columns)[0])
        return Prediction(self.task, found)

    def write(self, graph: Graph) -> str:
        import onnx

        scores = graph.replay(onnx.ModelProto.FromString(self.file.content))
        if self.task.kind is TaskKind.CLASSIFY:
            return scores
        return graph.add("Unsqueeze", scores, graph.constant(np.array([1])))  # values are (rows,)


@dataclass(frozen=True)
class Parity:
    """How closely the file answers as the model did."""

    rows: int
    deviation: float
    edge_rows: int  # of the rows: made of missing values, unseen levels and extremes


def to_onnx(model: Model) -> onnx.ModelProto:
    """The model as a graph from raw columns to label and probability, or value; no metadata yet."""
    return lean(written_by(model))


def written_by(model: Model) -> onnx.ModelProto:
    """The same, node by node as the model and its steps write themselves."""
    graph = Graph()
    for spec in model.columns:
        if spec.kind is Kind.IMAGE:
            graph.pictures(spec.name, spec.size.channels)
        else:
            graph.input(spec.name, ELEMENTS[spec.kind])
    scores = model.write(graph)
    taken = {spec.name for spec in model.columns}

    def free(name: str) -> str:
        # A column may be called "label"; it keeps its name and the output gets a mark.
        return free(name + "_") if name in taken else name

    task = model.task
    if task.kind is TaskKind.REGRESS:
        flat = graph.add("Squeeze", scores, graph.constant(np.array([1])))
        return graph.finish({free("value"): (flat, Element.DOUBLE, None)})
    names = np.array(task.classes, dtype=object)
    classes = graph.constant(names.astype(np.int64) if task.integer_labels else names)
    label = graph.add("Gather", classes, graph.add("ArgMax", scores, axis=1, keepdims=0))
    kind = Element.INT64 if task.integer_labels else Element.STRING
    return graph.finish(
        {
            free("label"): (label, kind, None),
            free("probability"): (scores, Element.FLOAT, task.outputs),
        }
    )


@dataclass(frozen=True, eq=False)
class Shipped:
    """A certified file, its parity, and its scores on the rows it was compared on."""

    proto: onnx.ModelProto
    stated: Mapping[str, Mapping[str, object]]  # the metadata, parity certificate included
    parity: Parity
    scores: np.ndarray  # (rows, outputs) float64

    def file(
        self,
        quality: Mapping[str, object] | None = None,
        more: Mapping[str, Mapping[str, object]] | None = None,
    ) -> ModelFile:
        """The verified file, stating how it did on the lockbox, and what `more` says of it.

        A quality that is no number, such as the ROC AUC of rows of one class, is written null."""
        told = {
            name: None if _is_endless(value) else value for name, value in (quality or {}).items()
        }
        stated = {**self.stated, **(more or {}), "quality": told}
        return from_bytes(seal(self.proto, stated))


def ship(model: Model, name: str, table: Table, rows: np.ndarray) -> Shipped:
    """Write a model as a verified file, after comparing the two on these rows and on edge rows.

    Raises:
        ParityError: if the file deviates by more than `TOLERANCE` anywhere.
    """
    proto = to_onnx(model)
    stated = statements(model, name)
    bare = from_bytes(seal(proto, stated))
    judged = table.rows(rows)
    edges = edge_rows(judged, model.columns)
    scores = bare.scores(feeds_from(judged, model.columns)[0])
    feeds = feeds_from(edges, model.columns)[0]
    # One row takes a shorter way through the runtime than many, so the edges go both.
    singly = [
        bare.scores({column: values[row : row + 1] for column, values in feeds.items()})
        for row in range(len(edges))
    ]
    deviation = max(
        _deviation(model, judged, scores),
        _deviation(model, edges, bare.scores(feeds)),
        _deviation(model, edges, np.concatenate(singly)),
    )
    # Written so that NaN, which compares false, is refused as well.
    if not deviation <= TOLERANCE:
        raise ParityError(
            f"{name}: the exported file deviates from the model by {deviation:.2g}; "
            f"at most {TOLERANCE:g} is shipped."
        )
    certificate = {
        "rows": len(rows) + len(edges),
        "edge_rows": len(edges),
        "deviation": float(f"{deviation:.3g}"),
        "tolerance": TOLERANCE,
        "vectors": _vectors(bare, edges.rows(np.arange(VECTORS))),
    }
    parity = Parity(len(rows) + len(edges), deviation, len(edges))
    return Shipped(proto, {**stated, "parity": certificate}, parity, scores)


def statements(model: Model, name: str) -> dict[str, Mapping[str, object]]:
    """What a file says of itself, parity and quality still empty.

    No times, paths or machine names go in, so that the same model is the same bytes."""
    import onnx
    import onnxruntime

    import fathometer

    task = model.task
    return {
        "model": {
            "format": signature.FORMAT,
            "name": name,
            "family": model.family.value,
            "chosen": model.account.chosen,
        },
        "task": {
            "kind": task.kind.value,
            "target": task.target,
            "metric": task.metric,
            "classes": list(task.classes),
            "integer_labels": task.integer_labels,
        },
        "columns": {"columns": signature.columns_as_json(model.columns)},
        "parity": {},
        "quality": {},
        "versions": {
            "fathometer": fathometer.__version__,
            "onnx": onnx.__version__,
            "onnxruntime": onnxruntime.__version__,
        },
    }


def seal(proto: onnx.ModelProto, stated: Mapping[str, Mapping[str, object]]) -> bytes:
    """The file's bytes: graph, metadata, and last of all the hash over both."""
    from onnx import helper

    props = {f"fathometer.{key}": _json(value) for key, value in stated.items()}
    helper.set_model_props(proto, {**props, HASH_KEY: BLANK_HASH})
    content: bytes = proto.SerializeToString(deterministic=True)
    start = content.rindex(BLANK_HASH.encode())
    stamp = blank_hash_of(content, start).encode()
    return content[:start] + stamp + content[start + len(BLANK_HASH) :]


def _is_endless(value: object) -> bool:
    """Whether JSON has no word for it."""
    return isinstance(value, float) and not math.isfinite(value)


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)


def _deviation(model: Model, table: Table, found: np.ndarray) -> float:
    expected = model.predict(table).scores
    gap = np.abs(expected - found)
    if model.task.kind is TaskKind.REGRESS:
        spread = float(np.std(model.out_of_fold)) or 1.0
        gap = gap / np.maximum(np.abs(expected), spread)
    return float(gap.max(initial=0.0)) if np.isfinite(gap).all() else math.nan


def edge_rows(table: Table, columns: tuple[ColumnSpec, ...]) -> Table:
    """Rows that break converters: everything missing, nothing seen before, extremes, mixtures.

    Made up, so that no row of the data travels in a file."""
    rows = 16
    made = tuple(_edge_column(table[spec.name], rows, place) for place, spec in enumerate(columns))
    return replace(table, columns=made)


def _edge_column(column: Column, rows: int, place: int) -> Column:
    if column.kind is Kind.IMAGE:
        return _edge_pictures(column, rows)
    if STORAGE[column.kind] == pa.float64():
        known = column.numbers[np.isfinite(column.numbers)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        middle = float(f"{(low + high) / 2:.3g}")
        choices: list[object] = [None, middle, 0.0, float(f"{high:.3g}"), float(f"{low:.3g}")]
        if column.kind is Kind.NUMBER:
            choices += [1e12, -1e12, math.inf, -math.inf, 1e-300]
        elif column.kind is Kind.BOOLEAN:
            choices = [None, 0.0, 1.0]
        else:
            choices = [None, middle // 1, 0.0, 4102444800.0, -2208988800.0]  # years 2100 and 1900
    else:
        levels = sorted(set(column.strings[:1000].tolist()) - {""})
        seen = levels[:: max(1, len(levels) // 4)] if column.kind is Kind.CATEGORY else []
        choices = [None, "never seen before", *seen, "Ünsëen ☃ 名前", " "]
    # Row 0 is missing everywhere, row 1 holds the second choice everywhere; then a mixture.
    picks = [choices[r if r < 2 else (r * (place + 1) + place) % len(choices)] for r in range(rows)]
    return Column(column.spec, pa.array(picks, type=STORAGE[column.kind]))


def _edge_pictures(column: Column, rows: int) -> Column:
    """None, black, white, mid gray, stripes, squares and noise of every size."""
    size = column.spec.size
    shape = (size.height, size.width, size.channels)
    down, across = np.indices(shape[:2])
    patterns = [np.full(shape[:2], value) for value in (0, 255, 128)]
    patterns += [(down + across) // wide % 2 * 255 for wide in (1, 4)]
    patterns += [across * 255 // max(1, size.width - 1), down * 255 // max(1, size.height - 1)]
    made = [np.broadcast_to(each[..., None], shape).astype(np.uint8) for each in patterns]
    generator = np.random.default_rng(0)
    made += [generator.integers(0, 256, shape, dtype=np.uint8) for _ in range(rows - 1 - len(made))]
    stored = pa.array([None, *(each.tobytes() for each in made)], type=pa.binary(size.bytes))
    return Column(column.spec, stored)


def _vectors(file: ModelFile, table: Table) -> dict[str, object]:
    """Raw inputs and the file's answers, as JSON: NaN is written null."""
    feeds, _ = feeds_from(table, file.columns)
    room = VECTOR_BYTES // max(1, sum(values.dtype == np.uint8 for values in feeds.values()))
    feeds = {
        name: _thinned(values, room) if values.dtype == np.uint8 else values
        for name, values in feeds.items()
    }
    scores = file.scores(feeds)

    def plain(value: object) -> object:
        if isinstance(value, float) and not math.isfinite(value):
            return None if math.isnan(value) else ("inf" if value > 0 else "-inf")
        return value

    return {
        "inputs": {
            name: picture_vectors(values)
            if values.dtype == np.uint8
            else [plain(v) for v in values[:, 0].tolist()]
            for name, values in feeds.items()
        },
        "scores": [[float(f"{score:.9g}") for score in row] for row in scores.tolist()],
    }


def _thinned(pictures: np.ndarray, most: int) -> np.ndarray:
    """Pictures (rows, height, width, channels) of at most so many bytes: every other pixel, or
    fewer. A file takes pictures of any size."""
    step = 1
    while pictures[:, ::step, ::step].size > most:
        step += 1
    return np.ascontiguousarray(pictures[:, ::step, ::step])


def picture_vectors(pictures: np.ndarray) -> dict[str, object]:
    """Pictures as plain values: their shape, and their bytes in base64."""
    shape = list(pictures.shape)
    return {"shape": shape, "uint8": base64.b64encode(pictures.tobytes()).decode("ascii")}
