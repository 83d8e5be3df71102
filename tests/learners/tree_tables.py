"""Small tables with all that trees can stumble over, and how to ask a model's graph."""

import numpy as np
import onnxruntime

from fathometer.graph import Element, Graph
from fathometer.learners.contract import Model
from fathometer.table.kind import ELEMENTS, Kind
from fathometer.table.split import Split
from fathometer.table.table import Table, column_from
from fathometer.table.task import Task, TaskKind

SHADES = np.array(["red", "green", "blue", ""], dtype=object)


def shells(rows: int, *, classes: int, seed: int = 0) -> tuple[Table, Task, Split]:
    """A made-up table of numbers with gaps, large numbers and categories; classes 0: values."""
    rng = np.random.default_rng(seed)
    size, weight = rng.normal(size=rows), rng.gamma(2.0, size=rows)
    shade = rng.integers(0, 4, rows)
    when = 1.7e9 + rng.integers(0, 86_400, rows)  # float32 alone could not tell these apart
    signal = size * np.where(shade == 0, 2.0, -1.0) + weight + (when - 1.7e9) / 43_200
    signal = signal + 0.3 * rng.normal(size=rows)
    size[rng.random(rows) < 0.1] = np.nan
    if classes:
        places = np.searchsorted(np.quantile(signal, np.linspace(0, 1, classes + 1)[1:-1]), signal)
        names = tuple(f"kind {place}" for place in range(classes))
        answer = column_from("answer", Kind.CATEGORY, np.array(names, dtype=object)[places])
        metric = "roc_auc" if classes == 2 else "log_loss"
        task = Task(TaskKind.CLASSIFY, "answer", metric, names)
    else:
        answer = column_from("answer", Kind.NUMBER, 5_000.0 + 300.0 * signal)
        task = Task(TaskKind.REGRESS, "answer", "rmse")
    columns = (
        column_from("size", Kind.NUMBER, size),
        column_from("weight", Kind.NUMBER, weight),
        column_from("shade", Kind.CATEGORY, SHADES[shade]),
        column_from("when", Kind.NUMBER, when),
        answer,
    )
    return Table(columns, "shells"), task, thirds(rows, seed)


def thirds(rows: int, seed: int = 0) -> Split:
    """Three folds, and every fifth row in the lockbox."""
    order = np.random.default_rng(seed).permutation(rows)
    train = np.sort(order[rows // 5 :])
    folds = tuple(np.sort(part) for part in np.array_split(order[rows // 5 :], 3))
    return Split(train, np.sort(order[: rows // 5]), folds, seed)


def graph_bytes(model: Model) -> bytes:
    """The model as ONNX."""
    graph = Graph()
    scores = model.write(graph)
    element = Element.FLOAT if model.task.kind is TaskKind.CLASSIFY else Element.DOUBLE
    written = graph.finish({"scores": (scores, element, model.task.outputs)})
    return bytes(written.SerializeToString(deterministic=True))


def ask_graph(model: Model, table: Table) -> np.ndarray:
    """What onnxruntime answers for the raw columns; (rows, outputs)."""
    session = onnxruntime.InferenceSession(graph_bytes(model), providers=["CPUExecutionProvider"])
    kinds = {spec.name: spec.kind for spec in model.columns}
    feed = {}
    for wanted in session.get_inputs():
        column = table[wanted.name]
        is_number = ELEMENTS[kinds[wanted.name]] is Element.DOUBLE
        feed[wanted.name] = (column.numbers if is_number else column.strings).reshape(-1, 1)
    return np.asarray(session.run(None, feed)[0])


def far_off(table: Table) -> Table:
    """The table with every value a stranger: all missing, or a level that was never seen."""
    columns = []
    for column in table:
        if column.kind is Kind.NUMBER:
            columns.append(column_from(column.name, Kind.NUMBER, np.full(len(table), np.nan)))
        else:
            columns.append(column_from(column.name, column.kind, ["unheard of"] * len(table)))
    return Table(tuple(columns), table.name)
