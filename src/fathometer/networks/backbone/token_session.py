"""Networks on ids of tokens, run in batches as a model file runs them.

The graph is the definition of what a network answers: a head weighs hundreds of features by how
little they vary, and there the last bits of two libraries' sums part a model from its file. With
onnxruntime 1.31 a text's features are the same bits whatever texts stand beside it and however far
it is filled up; torch's are off by up to 6e-6 (134 texts, 6 layers of 384, drawn weights)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from fathometer import runtime
from fathometer.graph import Element, Graph
from fathometer.networks.backbone.wordpiece_graph import Ids

if TYPE_CHECKING:
    import onnxruntime

TOKENS_AT_ONCE = 4096  # of a batch, so that the attention of twelve heads stays under 30 MB
THREADS = 8  # at most; what is answered depends on their number in no way


def open_session(write: Callable[[Graph, Ids], str], width: int) -> onnxruntime.InferenceSession:
    """A network that takes ids.

    write: writes it and returns its features, float (rows, width)."""
    from onnx import helper

    graph = Graph()

    def declared(name: str, element: Element) -> str:
        # Sizes of other names: else the runtime knew them to be equal, which it does not in a file
        # that cuts texts itself, and would join other operators than there.
        sizes = [f"{name}/rows", f"{name}/tokens"]
        return graph.declare(helper.make_tensor_value_info(name, element.value, sizes))

    ids = Ids(declared("ids", Element.INT64), declared("is_text", Element.BOOL))
    found = write(graph, ids)
    model = graph.finish({"features": (found, Element.FLOAT, width)})
    return runtime.open_session(model.SerializeToString())  # as a model file is run


def features_of(
    session: onnxruntime.InferenceSession, texts: Sequence[Sequence[int]], width: int
) -> np.ndarray:
    """(rows, width) float32 of the ids of each text."""
    found = np.zeros((len(texts), width), dtype=np.float32)

    def run(rows: list[int]) -> None:
        size = max(1, max(len(texts[row]) for row in rows))
        ids = np.zeros((len(rows), size), dtype=np.int64)
        is_text = np.zeros(ids.shape, dtype=bool)
        for place, row in enumerate(rows):
            ids[place, : len(texts[row])] = texts[row]
            is_text[place, : len(texts[row])] = True
        found[rows] = session.run(None, {"ids": ids, "is_text": is_text})[0]

    with ThreadPoolExecutor(min(THREADS, runtime.cores())) as pool:
        list(pool.map(run, _batches([len(own) for own in texts])))
    return found


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows of like lengths, the longest first, so that little is filled up."""
    rows: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if rows and (len(rows) + 1) * lengths[rows[0]] > TOKENS_AT_ONCE:
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows
