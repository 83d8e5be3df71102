"""The deep learner for raw columns: pictures and texts each through an encoder of their own.

One network is trained for each fold and seed; a column of pictures or texts, and all other columns
together, each have an encoder, whose features are joined before one linear head (late fusion). The
model is the mean of the networks' answers, written as one graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from fathometer.errors import LearnerError, OutOfTimeError
from fathometer.features.raw_road import PictureStep, RawStep, TableStep, TextStep, fit_raw_road
from fathometer.features.roads import feature_specs
from fathometer.learners.contract import UNLIMITED, Account, Budget, Family, Progress
from fathometer.learners.network_lessons import standardised
from fathometer.learners.network_model import TargetScale, fit_target_scale, scores
from fathometer.learners.raw_model import RawModel
from fathometer.learners.sharpness import best_factor, factors_by_others
from fathometer.table.split import Split
from fathometer.table.table import Column, Table
from fathometer.table.task import Task, TaskKind

if TYPE_CHECKING:
    from fathometer.features.tokens import TextCodes
    from fathometer.networks.raw.encoder import (
        Encoder,
        PictureArchitecture,
        RawTraining,
        TextArchitecture,
    )
    from fathometer.networks.raw.fusion import RawNet
    from fathometer.population.pupil import SoloLessons
    from fathometer.population.solo import SoloGraduate, SoloStanding


@dataclass(frozen=True)
class RawNetwork:
    """Networks that take pixels and tokens as they are."""

    name: str
    picture: PictureArchitecture | None = None  # None: columns of pictures are left out
    text: TextArchitecture | None = None  # None: texts enter as word counts
    training: RawTraining | None = None  # None: as the picture's architecture says, or the text's
    seed: int = 0
    family: ClassVar[Family] = Family.DEEP

    def fit(
        self, table: Table, task: Task, split: Split, *, budget: Budget = UNLIMITED
    ) -> RawModel:
        """Train one network for each fold and seed.

        Raises:
            LearnerError: if the table has no column that this network encodes.
            OutOfTimeError: if the time is up before the first validation.
        """
        from fathometer.population.solo import SoloMember, train_solo

        if task.kind not in (TaskKind.CLASSIFY, TaskKind.REGRESS):
            raise LearnerError(f"{self.name} cannot answer a task of the kind {task.kind.value}.")
        if budget.spent:
            raise OutOfTimeError(f"no time was left for {self.name}.")
        training = self.taught()
        own_rows = [split.fold_rows(fold) for fold in range(len(split.folds))]
        learning = [rows for rows, _ in own_rows]
        steps = fit_raw_road(
            table, task, learning, pictures=self.picture is not None, cut=self._cut()
        )
        target = task.encode(table.rows(split.train)[task.target])
        scale = None
        if task.kind is TaskKind.REGRESS:
            scale = fit_target_scale(target, [split.places(rows) for rows in learning])
        lessons = raw_lessons(steps, table, target, scale, split)
        members = [
            SoloMember(fold, (self.seed * training.seeds + draw) * len(own_rows) + fold)
            for draw in range(training.seeds)
            for fold in range(len(own_rows))
        ]
        graduates = train_solo(
            lessons,
            members,
            self._builder(steps, task),
            training,
            identity=repr(self),
            deadline=budget.deadline,
            goes_on=lambda: not budget.spent,
            report=reporter(budget, len(own_rows)),
            checkpoint=budget.checkpoint,
        )
        if not graduates:
            raise OutOfTimeError(f"the time was up before {self.name} had learned anything.")
        folds = tuple(graduate.member.fold for graduate in graduates)
        factor, by_others = stretched(graduates, split, target, task)
        return RawModel(
            task,
            feature_specs(table, task),
            out_of_fold_scores(graduates, by_others, split, scale, task),
            described(graduates, training),
            steps,
            tuple(graduate.net for graduate in graduates),
            folds,
            None if scale is None else scale.take(folds),
            factor,
        )

    def taught(self) -> RawTraining:
        """How its networks are trained.

        Raises:
            LearnerError: if it encodes neither pictures nor texts.
        """
        architecture = self.picture or self.text
        if architecture is None:
            raise LearnerError(f"{self.name} encodes neither pictures nor texts.")
        return self.training or architecture.training

    def _cut(self) -> Callable[[Column], TextCodes] | None:
        """What cuts texts into codes, as the text architecture wants them."""
        if self.text is None:
            return None
        from fathometer.features.tokens import fit_tokens

        own = self.text.tokens

        def cut(column: Column) -> TextCodes:
            return fit_tokens(column, unit=own.unit, length=own.length, vocabulary=own.vocabulary)

        return cut

    def _builder(self, steps: Sequence[RawStep], task: Task) -> Callable[[], RawNet]:
        """What makes one untrained network for these columns."""
        from fathometer.networks.raw.fusion import RawNet

        training = self.taught()

        def build() -> RawNet:
            encoders = [self._encoder(step) for step in steps]
            return RawNet(encoders, task.outputs, dropout=training.dropout, rate=training.head)

        return build

    def _encoder(self, step: RawStep) -> Encoder:
        """The encoder of one raw column."""
        from fathometer.networks.raw.encoder import PictureShape, TableShape, TextShape
        from fathometer.networks.raw.table import TableArchitecture

        if isinstance(step, PictureStep) and self.picture is not None:
            size = step.spec.size
            return self.picture.encoder(PictureShape(size.channels, size.height, size.width))
        if isinstance(step, TextStep) and self.text is not None:
            return self.text.encoder(TextShape(*step.cut.shape, step.cut.pieces))
        assert isinstance(step, TableStep)
        road = step.road
        sizes = len(road.number_names), len(road.flag_names)
        return TableArchitecture().encoder(TableShape(*sizes, road.levels))


def raw_lessons(
    steps: Sequence[RawStep],
    table: Table,
    target: np.ndarray,
    scale: TargetScale | None,
    split: Split,
) -> SoloLessons:
    """Rows and targets as tensors, on the GPU where there is one."""
    import torch

    from fathometer.population.pupil import SoloLessons

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    folds = range(len(split.folds))
    training_rows = table.rows(split.train)
    shared = [
        None
        if isinstance(step, TableStep)
        else torch.from_numpy(step.values(training_rows, 0)).to(device)
        for step in steps
    ]
    raws = tuple(
        tuple(
            torch.from_numpy(step.values(training_rows, fold)).to(device) if own is None else own
            for step, own in zip(steps, shared, strict=True)
        )
        for fold in folds
    )
    each = np.broadcast_to(target, (len(folds), len(target)))
    if scale is not None:
        each = standardised(target, scale)
    places = [tuple(map(split.places, split.fold_rows(fold))) for fold in folds]
    return SoloLessons(
        raws,
        torch.from_numpy(each.copy()).to(device),
        tuple(torch.from_numpy(learned) for learned, _ in places),
        tuple(torch.from_numpy(validated) for _, validated in places),
        classify=scale is None,
    )


def reporter(budget: Budget, folds: int) -> Callable[[SoloStanding], None]:
    """Tells after each epoch of any network how far they all have come."""

    def report(standing: SoloStanding) -> None:
        epoch, fold = standing.epochs[standing.member], standing.member % folds
        words = f"epoch {epoch}/{standing.planned} · fold {fold + 1}"
        budget.report(Progress(standing.done, words, ((standing.member, standing.loss),)))

    return report


def stretched(
    graduates: Sequence[SoloGraduate], split: Split, target: np.ndarray, task: Task
) -> tuple[float, list[float]]:
    """What to multiply logits by: in the model, and of each network on its own validation rows,
    which have no say in the latter. All 1 for values."""
    if task.kind is TaskKind.REGRESS:
        return 1.0, [1.0] * len(graduates)
    folds = [graduate.member.fold for graduate in graduates]
    logits = [graduate.outputs.numpy() for graduate in graduates]
    truth = [target[split.places(split.folds[fold])] for fold in folds]
    whole = best_factor(np.concatenate(logits), np.concatenate(truth))
    return whole, factors_by_others(logits, truth, folds)


def out_of_fold_scores(
    graduates: Sequence[SoloGraduate],
    factors: Sequence[float],
    split: Split,
    scale: TargetScale | None,
    task: Task,
) -> np.ndarray:
    """Each training row's mean score over the networks that did not learn from it.

    factors: what each network's logits are multiplied by."""
    total = np.zeros((len(split.train), task.outputs))
    for graduate, factor in zip(graduates, factors, strict=True):
        fold = graduate.member.fold
        own = None if scale is None else scale.take([fold])
        rows = split.places(split.folds[fold])
        total[rows] += scores(graduate.outputs.unsqueeze(0) * factor, own)[0]
    return total / (len(graduates) / len(split.folds))


def described(graduates: Sequence[SoloGraduate], training: RawTraining) -> Account:
    """What was trained, in words."""
    size = sum(own.numel() for own in graduates[0].net.parameters() if own.requires_grad)
    kept = np.median([graduate.kept for graduate in graduates]) + 1
    taken = max(len(graduate.curve) for graduate in graduates)
    chosen = (
        f"{len(graduates)} networks of {size:,} parameters, weights of epoch {kept:.0f} of {taken}"
    )
    is_shortened = taken < training.epochs
    return Account(1, len(graduates), chosen, is_shortened=is_shortened)
