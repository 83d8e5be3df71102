import io
import json
from pathlib import Path

from fathometer.app.document import as_json
from fathometer.app.inspect import inspection, print_inspection, quality_words
from fathometer.modelfile.load import load


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


def test_file_that_was_never_measured_says_so() -> None:
    assert quality_words({}) == "not measured"
