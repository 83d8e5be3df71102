"""The lean graph answers as the one the model wrote, in fewer nodes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest

from fathometer.features.roads import feature_specs
from fathometer.learners.contract import Account
from fathometer.learners.decision_tree import DecisionTree
from fathometer.learners.ensemble import Ensemble
from fathometer.learners.light_gbm import LightGBM
from fathometer.learners.linear import ElasticNet, Logistic
from fathometer.learners.network import ModernNetwork, PlainNetwork
from fathometer.learners.random_forest import RandomForest
from fathometer.learners.xg_boost import XGBoost
from fathometer.modelfile import lookups
from fathometer.modelfile.feeds import feeds_from
from fathometer.modelfile.forests import raw_thresholds
from fathometer.modelfile.lean import lean
from fathometer.modelfile.write import ShippedPart, edge_rows, ship, to_onnx, written_by
from fathometer.table.task import TaskKind


def brief(learner):
    training = replace(learner.training, epochs=2, least_steps=4, patience=2)
    return replace(learner, training=training)


CASES = [
    (LightGBM(rounds=12), "survival"),
    (LightGBM(rounds=6), "classes"),
    (LightGBM(rounds=12), "fares"),
    (XGBoost(rounds=12), "survival"),
    (DecisionTree(smallest_leaf=200), "fares"),  # one leaf
    (RandomForest(trees=8), "classes"),
    (RandomForest(trees=8), "fares"),
    (Logistic((1e-2,), iterations=20), "classes"),
    (ElasticNet((1e-2,)), "fares"),
    (brief(ModernNetwork()), "survival"),
    (brief(PlainNetwork(width=16)), "fares"),
]


def scores_of(proto, table, columns):
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    feeds, _ = feeds_from(table, columns)
    return session.run([proto.graph.output[-1].name], feeds)[0]


def encoders(proto):
    """How often each column is encoded; words of texts have tables of their own."""
    columns = {port.name for port in proto.graph.input}
    nodes = [node for node in proto.graph.node if node.op_type == "LabelEncoder"]
    return Counter(node.input[0] for node in nodes if node.input[0] in columns)


def operators(proto):
    return Counter(node.op_type for node in proto.graph.node)


@pytest.mark.parametrize(
    ("learner", "question"), CASES, ids=[f"{each.name}-{question}" for each, question in CASES]
)
def test_lean_graph_answers_as_the_one_the_model_wrote(learner, question, request):
    setting = request.getfixturevalue(question)
    model = learner.fit(setting.table, setting.task, setting.split)
    written = written_by(model)
    short = lean(written)
    for table in (setting.table, edge_rows(setting.table, model.columns)):
        expected = scores_of(written, table, model.columns)
        found = scores_of(short, table, model.columns)
        np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-7)
    assert len(short.graph.node) <= len(written.graph.node)


def test_folds_share_one_node_of_trees_and_one_encoder_a_column(survival):
    model = LightGBM(rounds=12).fit(survival.table, survival.task, survival.split)
    before, after = operators(written_by(model)), operators(to_onnx(model))
    assert before["TreeEnsembleRegressor"] == len(survival.split.folds)
    assert after["TreeEnsembleRegressor"] == 1
    assert max(encoders(to_onnx(model)).values()) == 1
    assert after["LabelEncoder"] < before["LabelEncoder"]
    assert sum(after.values()) < 0.7 * sum(before.values())


def test_members_of_a_mixture_share_what_they_read(survival):
    task, columns = survival.task, feature_specs(survival.table, survival.task)
    files = [
        ship(
            learner.fit(survival.table, task, survival.split),
            learner.name,
            survival.table,
            survival.split.lockbox,
        ).file()
        for learner in (LightGBM(rounds=8), XGBoost(rounds=8), brief(ModernNetwork()))
    ]
    parts = tuple(ShippedPart(file, task) for file in files)
    mixed = Ensemble(
        task, columns, parts, ("a", "b", "c"), (0.5, 0.25, 0.25), np.zeros(0), Account(1, 0, "")
    )
    found = operators(to_onnx(mixed))
    assert max(encoders(to_onnx(mixed)).values()) == 1
    assert found["TreeEnsembleRegressor"] == 2
    table = edge_rows(survival.table, columns)
    np.testing.assert_allclose(
        scores_of(to_onnx(mixed), table, columns), mixed.predict(table).scores, atol=1e-6
    )
    assert task.kind is TaskKind.CLASSIFY


def test_a_raw_threshold_parts_the_numbers_as_the_centred_one_did():
    random = np.random.default_rng(0)
    centre = np.concatenate([random.normal(0, 1e3, 300), [0.0, 1e12, -7.25, 3.0]])
    limit = random.normal(0, 50, 304).astype(np.float32).astype(np.float64)
    limit[300:] = [0.0, 0.0, np.float32(-1e-3), np.float64(np.float32(-np.inf))]
    found = raw_thresholds(limit, centre)
    near = [found]
    for direction in (-np.inf, np.inf):
        step = found
        for _ in range(3):
            step = np.nextafter(step, direction)
            near.append(step)
    near += [limit + centre, random.normal(0, 1e3, 304), np.full(304, 1e30), np.full(304, -1e30)]
    for numbers in near:
        usable = np.abs(numbers) <= 1e30  # beyond it a number counts as missing
        with np.errstate(over="ignore"):
            centred = (numbers - centre).astype(np.float32) <= limit
        assert np.array_equal((numbers <= found)[usable], centred[usable])


def test_leaning_twice_changes_nothing_more(survival):
    model = LightGBM(rounds=8).fit(survival.table, survival.task, survival.split)
    once = to_onnx(model)
    assert len(lean(once).graph.node) == len(once.graph.node)


@pytest.mark.parametrize(
    "learner", [LightGBM(rounds=6), Logistic((1e-2,), iterations=20), brief(ModernNetwork())]
)
def test_tables_that_would_grow_large_stay_as_they_were(learner, survival, monkeypatch):
    """A column of very many levels must not blow up what another model says of a few of them."""
    model = learner.fit(survival.table, survival.task, survival.split)
    written = written_by(model)
    monkeypatch.setattr(lookups, "_is_small", lambda cells, given: False)
    found = lean(written)
    for table in (survival.table, edge_rows(survival.table, model.columns)):
        np.testing.assert_allclose(
            scores_of(found, table, model.columns),
            scores_of(written, table, model.columns),
            rtol=2e-6,
            atol=2e-7,
        )
