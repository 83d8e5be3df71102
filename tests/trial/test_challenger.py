"""Promises of challengers: judged as all others, opened as carefully as our own files."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from foreign_files import constant, written
from onnx import TensorProto, helper

import fathometer as fm
from fathometer.errors import ColumnError, FathometerError, Fault, ModelFileError, OptionError
from fathometer.table.kind import Kind
from fathometer.table.table import Table, column_from
from fathometer.table.task import Task, TaskKind
from fathometer.trial import foreign
from fathometer.trial.challenger import NOT_TRAINED_HERE, challenger_from, judged_scores
from fathometer.trial.foreign import Port, open_foreign
from fathometer.trial.mapping import InputMapping, Mapped, foreign_feeds

SURVIVAL = Task(TaskKind.CLASSIFY, "survived", "roc_auc", ("0", "1"), integer_labels=True)
FARES = Task(TaskKind.REGRESS, "fare", "rmse")
DOUBLE, FLOAT, TEXT = TensorProto.DOUBLE, TensorProto.FLOAT, TensorProto.STRING
MAPPING = """
[input.features]
columns = ["age", "sex"]
missing = 30
codes.sex = { male = 0, female = 1 }

[output]
scores = "margin"
kind = "logit"
"""


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A torch-like network of one linear layer over age and sex, which answers a margin."""
    return written(
        tmp_path / "network.onnx",
        [helper.make_node("Gemm", ["features", "weight", "bias"], ["margin"], transB=1)],
        [("features", FLOAT, ["batch", 2])],
        [("margin", FLOAT, ["batch", 1])],
        [
            constant("weight", np.array([[-0.01, 2.5]], dtype=np.float32)),
            constant("bias", np.array([-1.0], dtype=np.float32)),
        ],
    )


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mapping.toml"
    path.write_text(MAPPING, encoding="utf-8")
    return path


@pytest.fixture
def classifier(tmp_path: Path) -> Path:
    """As scikit-learn's converter leaves one: a label, and a list of maps from class to
    probability; over a column of its own name."""
    return written(
        tmp_path / "classifier.onnx",
        [
            helper.make_node("Cast", ["fare"], ["narrow"], to=FLOAT),
            helper.make_node(
                "LinearClassifier",
                ["narrow"],
                ["label", "raw"],
                domain="ai.onnx.ml",
                classlabels_ints=[1, 0],  # not in the order of the task
                coefficients=[0.02, -0.02],
                intercepts=[-1.0, 1.0],
                post_transform="LOGISTIC",
            ),
            helper.make_node("Normalizer", ["raw"], ["share"], domain="ai.onnx.ml", norm="L1"),
            helper.make_node(
                "ZipMap", ["share"], ["maps"], domain="ai.onnx.ml", classlabels_int64s=[1, 0]
            ),
        ],
        [("fare", DOUBLE, ["rows", 1])],
        [("label", TensorProto.INT64, ["rows"]), ("maps", FLOAT, [])],
    )


@pytest.fixture(scope="module")
def passengers(passengers_path: Path) -> Table:
    return fm.read(passengers_path).table


def test_a_network_over_a_matrix_is_asked_through_its_mapping(
    network: Path, mapping: Path, passengers: Table
) -> None:
    found = judged_scores(challenger_from(f"{network}:{mapping}", SURVIVAL), passengers)
    age = np.nan_to_num(passengers["age"].numbers, nan=30.0)
    margin = -0.01 * age + 2.5 * (passengers["sex"].strings == "female") - 1.0
    np.testing.assert_allclose(found[:, 1], 1 / (1 + np.exp(-margin)), atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


def test_a_classifier_over_columns_needs_no_mapping(classifier: Path, passengers: Table) -> None:
    found = judged_scores(challenger_from(str(classifier), SURVIVAL), passengers)
    # The probability of class 1, wherever the file keeps it, grows with the fare.
    fare = passengers["fare"].numbers
    assert (
        np.corrcoef(np.argsort(np.argsort(fare)), np.argsort(np.argsort(found[:, 1])))[0, 1] > 0.9
    )
    assert 0 <= found.min() <= found.max() <= 1


def test_a_model_of_texts_is_given_them_as_they_are_written(
    tmp_path: Path, reviews_path: Path
) -> None:
    path = written(
        tmp_path / "texts.onnx",
        [
            helper.make_node(
                "LabelEncoder",
                ["review"],
                ["value"],
                domain="ai.onnx.ml",
                keys_strings=["the lovely 🙂 dress"],
                values_floats=[1.0],
                default_float=0.0,
            )
        ],
        [("review", TEXT, ["rows", 1])],
        [("value", FLOAT, ["rows", 1])],
    )
    table = fm.read(reviews_path).table
    assert table["review"].kind is Kind.TEXT
    texts = ["the lovely 🙂 dress", *table["review"].strings[1:]]
    first = Table((column_from("review", Kind.TEXT, texts), table["liked"]))
    asked = Task(TaskKind.CLASSIFY, "liked", "roc_auc", ("no", "yes"))
    found = judged_scores(challenger_from(str(path), asked), first)
    np.testing.assert_array_equal(found[:, 1], np.arange(len(first)) == 0)


def test_a_model_of_labels_alone_is_judged_by_its_labels(tmp_path: Path, passengers: Table) -> None:
    path = written(
        tmp_path / "labels.onnx",
        [
            helper.make_node(
                "LabelEncoder",
                ["sex"],
                ["label"],
                domain="ai.onnx.ml",
                keys_strings=["male", "female"],
                values_int64s=[0, 1],
            )
        ],
        [("sex", TEXT, ["rows", 1])],
        [("label", TensorProto.INT64, ["rows", 1])],
    )
    found = judged_scores(challenger_from(str(path), SURVIVAL), passengers)
    np.testing.assert_array_equal(found[:, 1], passengers["sex"].strings == "female")


def test_a_regressor_fixed_to_one_row_is_asked_row_by_row(
    tmp_path: Path, passengers: Table
) -> None:
    path = written(
        tmp_path / "one.onnx",
        [helper.make_node("Mul", ["pclass", "pclass"], ["value"])],
        [("pclass", DOUBLE, [1, 1])],
        [("value", DOUBLE, [1, 1])],
    )
    found = judged_scores(challenger_from(str(path), FARES), passengers.rows(np.arange(9)))
    np.testing.assert_array_equal(found[:, 0], passengers["pclass"].numbers[:9] ** 2)


def fixed(tmp_path: Path, kind: int, width: int, rows: int | str = "rows") -> Path:
    """A model whose answer is its input, so many columns wide."""
    return written(
        tmp_path / "fixed.onnx",
        [helper.make_node("Identity", ["x"], ["label"])],
        [("x", kind, [rows, width])],
        [("label", kind, [rows, width])],
    )


@pytest.mark.parametrize(
    ("kind", "width", "rows", "said"),
    [
        (TensorProto.INT64, 2, "rows", "2 columns of labels"),
        (TEXT, 2, "rows", "2 columns of labels"),
        (DOUBLE, 2, 10**13, "exactly 10,000,000,000,000 rows at a time"),
    ],
)
def test_answers_of_another_shape_are_refused(
    tmp_path: Path, passengers: Table, kind: int, width: int, rows: int | str, said: str
) -> None:
    path = fixed(tmp_path, kind, width, rows)
    mapping = tmp_path / "two.toml"
    mapping.write_text('[input.x]\ncolumns = ["pclass", "survived"]\n', encoding="utf-8")
    with pytest.raises(ModelFileError, match=said):
        judged_scores(challenger_from(f"{path}:{mapping}", SURVIVAL), passengers)


def test_one_answer_for_all_rows_is_refused(tmp_path: Path, passengers: Table) -> None:
    path = written(
        tmp_path / "scalar.onnx",
        [helper.make_node("ReduceSum", ["pclass"], ["value"], keepdims=0)],
        [("pclass", DOUBLE, ["rows", 1])],
        [("value", DOUBLE, [])],
    )
    with pytest.raises(ModelFileError, match="has shape"):
        judged_scores(challenger_from(str(path), FARES), passengers)


def test_two_columns_do_not_enter_an_input_of_one_value_a_row(
    tmp_path: Path, passengers: Table
) -> None:
    path = written(
        tmp_path / "flat.onnx",
        [helper.make_node("Identity", ["x"], ["value"])],
        [("x", DOUBLE, ["rows"])],
        [("value", DOUBLE, ["rows"])],
    )
    mapping = tmp_path / "two.toml"
    mapping.write_text('[input.x]\ncolumns = ["pclass", "survived"]\n', encoding="utf-8")
    with pytest.raises(ColumnError, match="one value a row, and 2 columns"):
        judged_scores(challenger_from(f"{path}:{mapping}", FARES), passengers)


def test_a_model_that_drops_the_axis_of_one_row_is_asked_all_the_same(
    tmp_path: Path, passengers: Table
) -> None:
    path = written(
        tmp_path / "squeezed.onnx",
        [helper.make_node("Squeeze", ["pclass"], ["value"])],
        [("pclass", DOUBLE, ["rows", 1])],
        [("value", DOUBLE, None)],
    )
    challenger = challenger_from(str(path), FARES)
    one = judged_scores(challenger, passengers.rows(np.arange(1)))
    assert one.shape == (1, 1)
    assert challenger.bill(passengers.rows(np.arange(9))).latency_ms_p50 > 0


def refused(make: Callable[[], object]) -> FathometerError:
    with pytest.raises(FathometerError) as caught:
        make()
    return caught.value


def asked(option: str, passengers: Table, task: Task = SURVIVAL) -> Callable[[], object]:
    return lambda: judged_scores(challenger_from(option, task), passengers)


def test_an_input_without_a_column_asks_for_a_mapping(network: Path, passengers: Table) -> None:
    error = refused(asked(str(network), passengers))
    assert isinstance(error, ColumnError)
    assert 'takes "features float32 (rows, 2)"' in error.message
    assert "[input.features]" in error.details
    assert error.try_next == "--with MODEL.onnx:mapping.toml"


def test_margins_are_not_taken_for_probabilities(
    network: Path, mapping: Path, passengers: Table
) -> None:
    mapping.write_text(MAPPING.replace("logit", "probability"), encoding="utf-8")
    error = refused(asked(f"{network}:{mapping}", passengers))
    assert isinstance(error, ModelFileError)
    assert "is no probability" in error.message
    assert 'kind = "logit"' in error.message


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('"age", "sex"', '"age", "sexe"', 'puts "sexe" into features'),
        ('"age", "sex"', '"age"', "1 columns are put there"),
        ("input.features", "input.feature", 'an input "feature"'),
        ("missing = 30", "mising = 30", 'has "input.features.mising"'),
        ('"margin"', '"proba"', 'has no output "proba"'),
        ('"logit"', '"odds"', "probability or logit"),
        ("codes.sex = { male = 0, female = 1 }", "", 'holds "male" in row 0'),
    ],
)
def test_a_mistaken_mapping_is_answered_in_words(
    network: Path, mapping: Path, passengers: Table, old: str, new: str, found: str
) -> None:
    mapping.write_text(MAPPING.replace(old, new), encoding="utf-8")
    error = refused(asked(f"{network}:{mapping}", passengers))
    assert found in error.message
    assert isinstance(error, ColumnError | OptionError | ModelFileError)


def test_other_classes_are_refused(classifier: Path, passengers: Table) -> None:
    other = Task(TaskKind.CLASSIFY, "embarked", "accuracy", ("C", "Q", "S"))
    error = refused(asked(str(classifier), passengers, other))
    assert "knows the classes 1, 0, and the task has C, Q, S" in error.message


def test_a_file_that_is_not_there_or_no_model_is_refused(tmp_path: Path) -> None:
    error = refused(lambda: challenger_from(str(tmp_path / "absent.onnx"), SURVIVAL))
    assert isinstance(error, OptionError)
    (tmp_path / "text.onnx").write_text("hello there, this is no model", encoding="utf-8")
    error = refused(lambda: challenger_from(str(tmp_path / "text.onnx"), SURVIVAL))
    assert isinstance(error, ModelFileError)
    assert error.fault is Fault.NOT_A_MODEL


def hostile(kind: str) -> onnx.ModelProto:
    """A model that does what a challenger may not."""
    x = helper.make_tensor_value_info("fare", DOUBLE, ["rows", 1])
    y = helper.make_tensor_value_info("value", DOUBLE, ["rows", 1])
    nodes = [helper.make_node("Identity", ["fare"], ["value"])]
    held: list[onnx.TensorProto] = []
    if kind == "loop":
        body = helper.make_graph(
            [helper.make_node("Identity", ["go"], ["on"])],
            "body",
            [
                helper.make_tensor_value_info("step", TensorProto.INT64, []),
                helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            ],
            [helper.make_tensor_value_info("on", TensorProto.BOOL, [])],
        )
        nodes.append(helper.make_node("Loop", ["", ""], [], body=body))
    elif kind == "custom":
        nodes = [helper.make_node("Own", ["fare"], ["value"], domain="my.company")]
    elif kind == "grows":
        nodes.append(helper.make_node("ConstantOfShape", ["size"], ["much"]))
        held = [constant("size", np.array([1 << 40]))]
    elif kind == "external":
        tensor = constant("far", np.zeros(3))
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="../../etc/passwd")
        held = [tensor]
        nodes.append(helper.make_node("Identity", ["far"], ["there"]))
    graph = helper.make_graph(nodes, "hostile", [x], [y], initializer=held)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("my.company", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("loop", Fault.OPERATOR),
        ("custom", Fault.OPERATOR),
        ("grows", Fault.OPERATOR),
        ("external", Fault.EXTERNAL),
    ],
)
def test_what_may_do_harm_is_refused_before_it_is_run(kind: str, fault: Fault) -> None:
    with pytest.raises(ModelFileError) as caught:
        open_foreign(hostile(kind).SerializeToString())
    assert caught.value.fault is fault


def test_a_small_file_that_makes_gigabytes_is_ended_at_its_bound() -> None:
    """A kilobyte whose constant doubles at every node, and one whose input does."""
    fare = helper.make_tensor_value_info("fare", FLOAT, ["rows", 1])
    value = helper.make_tensor_value_info("value", FLOAT, None)
    for start in ("one", "fare"):
        names = [start, *(f"c{k}" for k in range(33))]
        nodes = [
            helper.make_node("Concat", [before, before], [after], axis=1)
            for before, after in itertools.pairwise(names)
        ]
        nodes.append(helper.make_node("ReduceMax", [names[-1]], ["most"], axes=[1]))
        nodes.append(helper.make_node("Add", ["fare", "most"], ["value"]))
        held = [constant("one", np.ones((1, 1), np.float32))]
        graph = helper.make_graph(nodes, "grows", [fare], [value], initializer=held)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        model = open_foreign(made.SerializeToString())
        with pytest.raises(ModelFileError, match="cannot run it"):
            model.run("value", {"fare": np.ones((1, 1), np.float32)})


def test_a_class_that_is_no_text_and_a_map_of_nothing_are_refused(tmp_path: Path) -> None:
    latin = helper.make_node(
        "LinearClassifier",
        ["fare"],
        ["label", "value"],
        domain="ai.onnx.ml",
        coefficients=[1.0, -1.0],
        classlabels_strings=["no", "cafe"],
    )
    labels = next(each for each in latin.attribute if each.name == "classlabels_strings")
    labels.strings[1] = "café".encode("latin-1")
    ports = [("fare", FLOAT, ["rows", 1])], [("value", FLOAT, ["rows", 2])]
    zipped = [
        helper.make_node("Identity", ["fare"], ["value"]),
        helper.make_node("ZipMap", [], [], domain="ai.onnx.ml", classlabels_int64s=[0, 1]),
    ]
    for name, nodes in (("latin", [latin]), ("zip", zipped)):
        path = written(tmp_path / f"{name}.onnx", nodes, *ports)
        error = refused(lambda path=path: challenger_from(str(path), SURVIVAL))
        assert isinstance(error, ModelFileError)
        assert error.fault is Fault.GRAPH


def test_numbers_enter_texts_as_they_are_written_and_whole_inputs_whole() -> None:
    rates = Table((column_from("rate", Kind.NUMBER, [0.1, 3.0, None]),), "rates")
    as_text = foreign_feeds(rates, [Port("rate", "string", (None, 1))], Mapped())
    assert as_text["rate"].ravel().tolist() == ["0.1", "3", ""]
    coded = Mapped({"f": InputMapping(("rate",), None, {"rate": {"0.1": 1.0, "3": 2.0}})})
    fed = foreign_feeds(rates, [Port("f", "float32", (None, 1))], coded)["f"].ravel()
    assert fed[:2].tolist() == [1.0, 2.0]
    with pytest.raises(ColumnError, match=r'takes int64, and "rate" holds 0\.1 in row 0'):
        foreign_feeds(rates.rows(np.arange(2)), [Port("rate", "int64", (None, 1))], Mapped())


def test_a_model_that_takes_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = [
        helper.make_node("Identity", ["fare"], ["0"]),
        *(helper.make_node("MatMul", [str(k), "square"], [str(k + 1)]) for k in range(300)),
    ]
    nodes.append(helper.make_node("ReduceMax", ["300"], ["value"], axes=[1], keepdims=1))
    path = written(
        tmp_path / "slow.onnx",
        nodes,
        [("fare", DOUBLE, ["rows", 600])],
        [("value", DOUBLE, ["rows", 1])],
        [constant("square", np.eye(600))],
    )
    monkeypatch.setattr(foreign, "RUN_SECONDS", 0.05)
    model = open_foreign(path.read_bytes())
    with pytest.raises(ModelFileError, match="still answering"):
        model.run("value", {"fare": np.ones((4000, 600))})


def test_our_own_file_that_was_tampered_with_is_refused(
    tmp_path: Path, compared: fm.Comparison
) -> None:
    content = bytearray(compared.files["winner.onnx"].read_bytes())
    content[200] ^= 1
    path = tmp_path / "winner.onnx"
    path.write_bytes(content)
    assert isinstance(refused(lambda: challenger_from(str(path), SURVIVAL)), ModelFileError)


@pytest.fixture(scope="module")
def compared(passengers_path: Path, tmp_path_factory: pytest.TempPathFactory) -> fm.Comparison:
    return fm.compare(
        passengers_path,
        target="survived",
        only=["constant", "logistic"],
        ignore=["name", "ticket", "cabin"],
        out=tmp_path_factory.mktemp("first"),
    )


def test_the_winner_of_another_run_enters_and_is_judged_as_it_was(
    compared: fm.Comparison, passengers_path: Path, network: Path, mapping: Path, tmp_path: Path
) -> None:
    winner = compared.files["winner.onnx"]
    found = fm.compare(
        passengers_path,
        target="survived",
        only=["constant", "decision tree"],
        ignore=["name", "ticket", "cabin"],
        challengers=[winner, f"{network}:{mapping}"],
        out=tmp_path / "second",
    )
    cards = {card.name: card for card in found.scorecards}
    before = next(c for c in compared.scorecards if c.name == compared.verdict.winner)
    card = cards["winner.onnx"]
    assert card.family == "challenger"
    assert card.quality == before.quality  # the same rows and resamples
    assert card.chosen == NOT_TRAINED_HERE
    assert [gap.name for gap in found.verdict.challengers] == ["winner.onnx", "network.onnx"]
    assert set(found.verdict.ranking) == set(cards) - {
        name for name, each in cards.items() if each.quality is None
    }
    assert found.verdict.winner not in ("winner.onnx", "network.onnx")
    said = [each for each in found.verdict.sentences if "may have seen them" in each]
    assert len(said) == 2
    stored = json.loads(found.files["scorecards.json"].read_text(encoding="utf-8"))
    assert next(c for c in stored if c["name"] == "winner.onnx")["bill"]["train_seconds"] is None
    assert "winner.onnx" in found.files["report.html"].read_text(encoding="utf-8")
