"""Every library's trees, read into a `Forest`, answer as the library does, in NumPy and in ONNX."""

import json
import struct

import catboost
import lightgbm
import numpy as np
import onnxruntime
import pytest
import xgboost
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import ExtraTreesClassifier, RandomForestRegressor

from fathometer.errors import LearnerError
from fathometer.graph import Element, Graph
from fathometer.learners.cat_boost import from_catboost
from fathometer.learners.forest import Forest, Tree, below_float32, floor_float32
from fathometer.learners.light_gbm import from_lightgbm
from fathometer.learners.voted import from_sklearn
from fathometer.learners.xg_boost import from_xgboost
from fathometer.table.task import Task, TaskKind

ROWS, FEATURES = 400, 6


def graph_scores(forest: Forest, matrix: np.ndarray) -> np.ndarray:
    graph = Graph()
    scores = forest.write(graph, graph.input("matrix", Element.FLOAT))
    model = graph.finish({"scores": (scores, Element.DOUBLE, forest.outputs)})
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = matrix.shape[1]
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return np.asarray(session.run(None, {"matrix": matrix})[0])


def matrices(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A matrix with gaps, ties, zeros and extremes, and a signal in it."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(ROWS, FEATURES)).astype(np.float32)
    matrix[:, 1] = np.round(matrix[:, 1])
    matrix[:, 2] *= np.float32(1e6)
    signal = matrix[:, 0] * matrix[:, 1] + np.sin(matrix[:, 3]) + rng.normal(size=ROWS) / 5
    matrix[rng.random(matrix.shape) < 0.15] = np.nan
    matrix[:, 4] = np.where(np.isnan(matrix[:, 4]), 0.0, matrix[:, 4])
    return matrix, signal


def agrees(
    forest: Forest, matrix: np.ndarray, library: np.ndarray, *, within: float = 1e-6
) -> None:
    expected = library.reshape(len(matrix), -1)
    assert_allclose(forest.predict(matrix), expected, rtol=within, atol=within)
    assert_allclose(graph_scores(forest, matrix), expected, rtol=within, atol=within)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("classes", [0, 2, 4])
def test_lightgbm_is_read_as_it_answers(seed: int, classes: int) -> None:
    matrix, signal = matrices(seed)
    target = places(signal, classes) if classes else signal
    objective = {0: "regression", 2: "binary"}.get(classes, "multiclass")
    settings = {"objective": objective, "verbosity": -1, "num_threads": 1, "num_leaves": 15}
    settings |= {"num_class": classes} if classes > 2 else {}
    booster = lightgbm.train(settings, lightgbm.Dataset(matrix, target), 40)
    forest = from_lightgbm(booster.model_to_string())
    agrees(forest, matrix, booster.predict(matrix, raw_score=True))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("classes", [0, 2, 4])
def test_xgboost_is_read_as_it_answers(seed: int, classes: int) -> None:
    matrix, signal = matrices(seed)
    target = places(signal, classes) if classes else signal
    objective = {0: "reg:squarederror", 2: "binary:logistic"}.get(classes, "multi:softprob")
    settings = {"objective": objective, "verbosity": 0, "nthread": 1}
    settings |= {"num_class": classes} if classes > 2 else {}
    rows = xgboost.DMatrix(matrix, target)
    booster = xgboost.train(settings, rows, 40)
    forest = from_xgboost(bytes(booster.save_raw("json")))
    agrees(forest, matrix, booster.predict(rows, output_margin=True), within=5e-6)


@pytest.mark.parametrize("nan_mode", ["Min", "Max"])
@pytest.mark.parametrize("classes", [0, 2, 4])
def test_catboost_is_read_as_it_answers(nan_mode: str, classes: int, tmp_path) -> None:
    matrix, signal = matrices(classes)
    target = places(signal, classes) if classes else signal
    objective = {0: "RMSE", 2: "Logloss"}.get(classes, "MultiClass")
    booster = catboost.CatBoost(
        {
            "loss_function": objective,
            "iterations": 40,
            "nan_mode": nan_mode,
            "thread_count": 1,
            "logging_level": "Silent",
            "allow_writing_files": False,
        }
    )
    booster.fit(matrix, target)
    booster.save_model(str(tmp_path / "model.json"), format="json")
    forest = from_catboost((tmp_path / "model.json").read_bytes())
    agrees(forest, matrix, booster.predict(matrix, prediction_type="RawFormulaVal"))


def test_scikit_learn_values_are_read_as_it_answers() -> None:
    matrix, signal = matrices(0)
    estimator = RandomForestRegressor(20, random_state=0).fit(matrix, signal)
    trees = from_sklearn(estimator, Task(TaskKind.REGRESS, "signal", "rmse"))
    agrees(Forest(trees, np.zeros(1)).scaled(1 / 20), matrix, estimator.predict(matrix))


def test_scikit_learn_classes_are_read_as_it_answers() -> None:
    matrix, signal = matrices(0)
    estimator = ExtraTreesClassifier(20, random_state=0).fit(matrix, places(signal, 3))
    task = Task(TaskKind.CLASSIFY, "signal", "accuracy", ("a", "b", "c"))
    trees = from_sklearn(estimator, task)
    agrees(Forest(trees, np.zeros(3)).scaled(1 / 20), matrix, estimator.predict_proba(matrix))


@pytest.mark.parametrize("missing_in_training", [False, True])
def test_lightgbm_rule_for_missing_values_is_the_one_it_learned(missing_in_training: bool) -> None:
    matrix, signal = matrices(3)
    learn = matrix if missing_in_training else np.nan_to_num(matrix)
    settings = {"objective": "regression", "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(settings, lightgbm.Dataset(learn, signal), 20)
    agrees(from_lightgbm(booster.model_to_string()), matrix, booster.predict(matrix))


def test_lightgbm_average_of_a_random_forest_is_kept() -> None:
    matrix, signal = matrices(1)
    settings = {"objective": "regression", "boosting": "rf", "bagging_fraction": 0.6}
    settings |= {"bagging_freq": 1, "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(settings, lightgbm.Dataset(matrix, signal), 20)
    agrees(from_lightgbm(booster.model_to_string()), matrix, booster.predict(matrix))


def test_lightgbm_linear_leaves_are_refused() -> None:
    matrix, signal = matrices(1)
    settings = {"objective": "regression", "linear_tree": True, "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(settings, lightgbm.Dataset(np.nan_to_num(matrix), signal), 5)
    with pytest.raises(LearnerError, match="linear"):
        from_lightgbm(booster.model_to_string())


def test_xgboost_learned_intercept_is_kept() -> None:
    matrix, signal = matrices(2)
    rows = xgboost.DMatrix(matrix, signal + 100.0)
    booster = xgboost.train({"nthread": 1, "verbosity": 0, "max_depth": 2}, rows, 2)
    agrees(from_xgboost(bytes(booster.save_raw("json"))), matrix, booster.predict(rows))


def test_xgboost_linear_booster_is_refused() -> None:
    saved = {"learner": {"gradient_booster": {"name": "gblinear"}}}
    with pytest.raises(LearnerError, match="gblinear"):
        from_xgboost(json.dumps(saved).encode())


def test_floor_never_lies_above_and_no_float_lies_between() -> None:
    values = np.random.default_rng(0).normal(size=10_000) * 10.0 ** np.arange(-20, 20).repeat(250)
    floor = floor_float32(values)
    assert floor.dtype == np.float32
    assert (floor.astype(np.float64) <= values).all()
    above = np.nextafter(floor, np.float32(np.inf)).astype(np.float64)
    assert (above > values).all()


def test_below_turns_less_into_at_most() -> None:
    value = np.float32(struct.unpack("f", b"\x01\x00\x80\x3f")[0])  # just above 1
    near = np.array([1.0, value, np.nextafter(value, np.float32(2.0))], dtype=np.float32)
    assert_array_equal(near <= below_float32(value), near < value)


def test_tree_of_one_leaf_answers_for_every_row() -> None:
    leaf, none = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=bool)
    tree = Tree(leaf, np.zeros(1, np.float32), leaf, leaf, none, np.array([[7.0]]))
    forest = Forest((tree,), np.array([0.5]))
    matrix = np.array([[1.0], [np.nan]], dtype=np.float32)
    assert_allclose(forest.predict(matrix), [[7.5], [7.5]])
    assert_allclose(graph_scores(forest, matrix), [[7.5], [7.5]])


def places(signal: np.ndarray, classes: int) -> np.ndarray:
    edges = np.quantile(signal, np.linspace(0, 1, classes + 1)[1:-1])
    return np.searchsorted(edges, signal)
