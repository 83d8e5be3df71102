import io
import json
from pathlib import Path

import numpy as np

from fathometer.app.document import as_json
from fathometer.app.inspect import inspection, print_inspection, quality_words, remarks
from fathometer.learners.constant import Constant
from fathometer.learners.neighbours import Neighbours
from fathometer.modelfile.load import load
from fathometer.modelfile.unlike import training_ranges
from fathometer.modelfile.write import ship
from fathometer.table.read import read
from fathometer.table.split import Split
from fathometer.table.task import Task, TaskKind


def test_inspection_says_task_quality_parity_versions_and_hash(model_path: Path) -> None:
    stream = io.StringIO()
    model = load(model_path)
    print_inspection(model, model_path, stream=stream)
    shown = stream.getvalue()
    for said in ("classify survived", "ROC AUC 0.840 [0.780, 0.900]", "off by", "onnxruntime"):
        assert said in shown
    assert model.sha256 in shown


def test_inspection_lists_every_input(model_path: Path) -> None:
    stream = io.StringIO()
    model = load(model_path)
    print_inspection(model, model_path, stream=stream)
    assert [name for name in model.inputs if f" {name} " not in stream.getvalue()] == []


def test_inspection_as_json_carries_the_certificate(model_path: Path) -> None:
    document = json.loads(as_json(inspection(load(model_path))))
    assert document["parity"]["vectors"]["inputs"]["age"]
    assert [column["name"] for column in document["columns"]] == list(load(model_path).inputs)


def test_inspection_as_json_holds_what_the_training_rows_held(
    model_path: Path, passengers: Path
) -> None:
    assert inspection(load(model_path))["training"] is None
    table = read(passengers).table
    rows = np.arange(len(table))
    split = Split(rows[180:], rows[:180], (rows[180:500], rows[500:]), seed=0)
    task = Task(TaskKind.CLASSIFY, "survived", "roc_auc", ("0", "1"), integer_labels=True)
    model = Constant().fit(table, task, split)
    ranges = training_ranges(table, model.columns, split.train).as_json()
    file = ship(model, "constant", table, split.lockbox).file(more={"training": ranges})
    document = json.loads(as_json(inspection(file)))
    held = {each["name"]: each for each in document["training"]["columns"]}
    assert held["age"]["far"][0] < 0.42 < 80 < held["age"]["far"][1]
    assert held["sex"]["levels"] == ["female", "male"]


def test_inspection_says_how_many_training_rows_travel(passengers: Path) -> None:
    table = read(passengers).table
    rows = np.arange(len(table))
    split = Split(rows[180:], rows[:180], (rows[180:500], rows[500:]), seed=0)
    task = Task(TaskKind.CLASSIFY, "survived", "roc_auc", ("0", "1"), integer_labels=True)
    said = []
    for learner in (Constant(), Neighbours((5,), most_rows=100)):
        model = learner.fit(table, task, split)
        file = ship(model, learner.name, table, split.lockbox).file()
        said.append(dict(remarks(file))["holds"])
        assert inspection(file)["training_rows"] == list(file.contents.training_rows)
    assert said[0] == "no training row"
    assert said[1].startswith(f"{file.contents.training_rows[0]} training rows in numbers")


def test_file_that_was_never_measured_says_so() -> None:
    assert quality_words({}) == "not measured"
