"""A frozen backbone is read once, its head fitted on learning rows alone, its file equal to it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from fathometer.errors import BackboneError, OutOfTimeError
from fathometer.graph import Graph
from fathometer.learners.contract import UNLIMITED, Budget, Family, LearnsFeatures, Progress
from fathometer.learners.frozen import FrozenBackbone
from fathometer.learners.frozen_features import features_of, fit_step
from fathometer.modelfile.write import TOLERANCE, ship
from fathometer.networks.backbone.contract import Reads
from fathometer.networks.backbone.load import load_backbone
from fathometer.networks.raw.encoder import PictureShape
from fathometer.table.ask import ask
from fathometer.table.divide import DivideOptions, divide
from fathometer.table.kind import Kind
from fathometer.table.metric import METRICS
from fathometer.table.read import read
from fathometer.table.split import Split
from fathometer.table.table import Table, column_from, picture_column
from fathometer.table.task import Task
from tiny_checkpoints import drawn_resnet, write_checkpoint

WORDS = ("good", "bad", "fine", "poor")


@dataclass(frozen=True, eq=False)
class KnownWords:
    """A backbone of texts that tells which of a few words a text is; it counts what it reads."""

    asked: list[int] = field(default_factory=list)
    name: str = "word list"
    licence: str = "MIT"
    parameters: int = 4
    width: int = len(WORDS)
    reads: ClassVar[Reads] = Reads.TEXTS

    def features(self, values: np.ndarray) -> np.ndarray:
        self.asked.append(len(values))
        return (values[:, None] == np.array(WORDS, dtype=object)).astype(np.float32)

    def write(self, graph: Graph, values: str, shape: PictureShape | None) -> str:
        code = graph.add(
            "LabelEncoder",
            values,
            domain="ai.onnx.ml",
            keys_strings=list(WORDS),
            values_int64s=list(range(len(WORDS))),
            default_int64=len(WORDS),
        )
        shown = np.eye(len(WORDS) + 1, len(WORDS), dtype=np.float32)
        flat = graph.add("Reshape", code, graph.constant(np.array([-1])))
        return graph.add("Gather", graph.constant(shown), flat)


@dataclass(frozen=True, eq=False)
class Question:
    table: Table
    task: Task
    split: Split


def asked(table: Table, target: str) -> Question:
    task = ask(table, target)
    return Question(table, task, divide(table, task, DivideOptions(folds=3)))


@pytest.fixture(scope="module")
def stripes(striped_folder: Path) -> Question:
    return asked(read(striped_folder).table, "label")


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> FrozenBackbone:
    folder = write_checkpoint(tmp_path_factory.mktemp("net"), drawn_resnet())
    return FrozenBackbone(load_backbone(folder), (1e-1, 1e-2))


@pytest.fixture(scope="module")
def mixed() -> Question:
    """A text that tells half of the answer, some missing, and a number that tells the rest."""
    generator = np.random.default_rng(0)
    texts = generator.choice([*WORDS, "other"], 240)
    number = generator.normal(size=240)
    value = np.isin(texts, WORDS[::2]) * 2.0 + number + generator.normal(size=240) * 0.1
    shown = [None if row % 40 == 0 else str(text) for row, text in enumerate(texts)]
    columns = (
        column_from("note", Kind.TEXT, shown),
        column_from("number", Kind.NUMBER, number),
        column_from("value", Kind.NUMBER, value),
        column_from("rating", Kind.CATEGORY, np.where(value > 1, "high", "low").astype(object)),
    )
    return asked(Table(columns), "value")


def test_a_linear_head_learns_from_what_a_network_sees(
    learner: FrozenBackbone, stripes: Question
) -> None:
    model = learner.fit(stripes.table, stripes.task, stripes.split)
    assert model.family is Family.DEEP
    truth = stripes.task.encode(stripes.table["label"])[stripes.split.train]
    assert (model.out_of_fold.argmax(axis=1) == truth).mean() > 0.9
    assert f"{learner.backbone.parameters:,} parameters, licence not stated; penalty" in (
        model.account.chosen
    )
    assert model.account.fits == 3 * 2 + 1


def test_the_file_answers_as_the_model(learner: FrozenBackbone, stripes: Question) -> None:
    model = learner.fit(stripes.table, stripes.task, stripes.split)
    shipped = ship(model, learner.name, stripes.table, np.arange(len(stripes.table)))
    assert shipped.parity.deviation <= TOLERANCE
    larger = np.random.default_rng(0).integers(0, 256, (3, 50, 70, 3), dtype=np.uint8)
    together = shipped.file().scores({"image": larger})
    singly = [shipped.file().scores({"image": each[None]}) for each in larger]
    np.testing.assert_allclose(together, np.concatenate(singly), atol=1e-6)


def test_rows_to_judge_on_change_nothing(learner: FrozenBackbone, stripes: Question) -> None:
    pixels = stripes.table["image"].pixels.copy()
    pixels[stripes.split.lockbox] = 255 - pixels[stripes.split.lockbox] // 2
    changed = picture_column("image", pixels)
    other = replace(
        stripes.table,
        columns=tuple(changed if each.name == "image" else each for each in stripes.table),
    )
    models = [learner.fit(table, stripes.task, stripes.split) for table in (stripes.table, other)]
    np.testing.assert_array_equal(models[0].out_of_fold, models[1].out_of_fold)
    first, second = (model.predict(stripes.table).scores for model in models)
    np.testing.assert_array_equal(first, second)


def test_the_scale_of_a_fold_is_that_of_its_learning_rows(
    learner: FrozenBackbone, stripes: Question
) -> None:
    rows, _ = stripes.split.fold_rows(0)
    step = fit_step(learner.backbone, stripes.table["image"].take(rows))
    features = learner.backbone.features(stripes.table["image"].pixels)
    np.testing.assert_allclose(step.mean, features[rows].mean(axis=0), rtol=1e-5)
    assert not np.allclose(step.mean, features.mean(axis=0), rtol=1e-5)


@pytest.mark.parametrize("target", ["value", "rating"])
def test_other_columns_join_on_the_linear_road(mixed: Question, target: str) -> None:
    left = "rating" if target == "value" else "value"
    question = asked(mixed.table.without([left]), target)
    learner = FrozenBackbone(KnownWords(), (1e-1, 1e-3))
    model = learner.fit(question.table, question.task, question.split)
    metric = METRICS[question.task.metric]
    truth = question.task.encode(question.table[target])[question.split.train]
    texts_alone = asked(question.table.without(["number"]), target)
    alone = learner.fit(texts_alone.table, texts_alone.task, texts_alone.split)
    loss = metric.loss(truth, model.out_of_fold)
    assert loss < metric.loss(truth, alone.out_of_fold) - 0.1
    assert {spec.name for spec in model.columns} == {"note", "number"}
    shipped = ship(model, learner.name, question.table, np.arange(len(question.table)))
    assert shipped.parity.deviation <= TOLERANCE


def test_every_row_is_read_once(mixed: Question) -> None:
    backbone = KnownWords()
    question = asked(mixed.table.without(["rating"]), "value")
    learner = FrozenBackbone(backbone, (1e-1, 1e-3))
    learner.fit(question.table, question.task, question.split)
    model = learner.fit(question.table, question.task, question.split)
    model.predict(question.table)
    assert sum(backbone.asked) == len(set(question.table["note"].strings))


def test_the_same_rows_give_the_same_answers(learner: FrozenBackbone, stripes: Question) -> None:
    models = [learner.fit(stripes.table, stripes.task, stripes.split) for _ in range(2)]
    first, second = (model.predict(stripes.table).scores for model in models)
    np.testing.assert_array_equal(first, second)


def test_what_it_sees_is_told_for_the_credit(learner: FrozenBackbone, stripes: Question) -> None:
    model = learner.fit(stripes.table, stripes.task, stripes.split)
    assert isinstance(model, LearnsFeatures)
    told = model.learned_features(stripes.table)
    assert len(told) == len(stripes.split.folds)
    np.testing.assert_array_equal(told[0], learner.backbone.features(stripes.table["image"].pixels))


def test_a_table_without_its_kind_of_column_is_refused(
    learner: FrozenBackbone, mixed: Question
) -> None:
    with pytest.raises(BackboneError, match="reads pictures, but table has no column") as caught:
        learner.fit(mixed.table, mixed.task, mixed.split)
    assert caught.value.try_next.startswith("--kind COLUMN=image")


def test_reading_stops_when_the_time_is_up(mixed: Question) -> None:
    learner = FrozenBackbone(KnownWords())
    with pytest.raises(OutOfTimeError, match="it read 0"):
        learner.fit(mixed.table, mixed.task, mixed.split, budget=Budget(time.monotonic()))


def test_reading_is_given_up_when_the_rest_will_not_fit() -> None:
    @dataclass(frozen=True, eq=False)
    class SlowWords(KnownWords):
        def features(self, values: np.ndarray) -> np.ndarray:
            time.sleep(0.05)
            return super().features(values)

    column = column_from("note", Kind.TEXT, [f"text {row}" for row in range(20_000)])
    started = time.monotonic()
    with pytest.raises(OutOfTimeError, match="would not have read 20,000 texts"):
        features_of(SlowWords(), column, Budget(started + 1.0))
    assert time.monotonic() - started < 0.5


def test_progress_grows_to_the_end(mixed: Question) -> None:
    told: list[Progress] = []
    budget = replace(UNLIMITED, report=told.append)
    learner = FrozenBackbone(KnownWords(), (1e-1, 1e-2))
    learner.fit(mixed.table, mixed.task, mixed.split, budget=budget)
    done = [each.done for each in told]
    assert done == sorted(done)
    assert done[-1] > 0.9
    assert any("texts read" in each.words for each in told)


def test_values_that_overflow_are_this_backbones_failure(stripes: Question, tmp_path: Path) -> None:
    tensors = drawn_resnet()
    tensors |= {name: each * 1e20 for name, each in tensors.items() if "conv" in name}
    learner = FrozenBackbone(load_backbone(write_checkpoint(tmp_path, tensors)))
    with pytest.raises(BackboneError, match="values that are not finite"):
        learner.fit(stripes.table, stripes.task, stripes.split)
