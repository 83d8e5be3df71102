"""Linear learners on n-grams of words and characters: logistic, NB-SVM, naive Bayes, ridge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from fathometer.features.ngram_blocks import BlockPlan
from fathometer.features.ngram_weights import Weighting
from fathometer.features.roads import feature_specs
from fathometer.features.text_tokens import SHORT_BYTES, Unit, characters_help
from fathometer.learners.contract import UNLIMITED, Budget, Family, needs
from fathometer.learners.ngram_course import (
    Learning,
    NgramModel,
    NgramSearch,
    Setting,
    fit_on_ngrams,
)
from fathometer.learners.sparse_descent import Lesson, Loss, Margins, fit_margins
from fathometer.table.kind import Kind
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind

MOST_WEIGHTS = 1_000_000  # of one block, classes counted: 4 MB of a file
LEAST_COLUMNS = 10_000  # a block may have whatever the classes
# Beyond so many classes every fit is slow: fewer penalties are tried, of all blocks together, and
# fewer steps taken (banking77, NB-SVM: accuracy 0.907 after 20 steps and 2.4 s, 0.908 after 60).
MANY_CLASSES = 10
MANY_CLASSES_ITERATIONS = 20

Blocks = tuple[str, tuple[BlockPlan, ...]]  # a choice of blocks, and its name


@dataclass(frozen=True)
class Penalised:
    """Fits a row of penalties, each begun from the one before."""

    loss: Loss
    iterations: int
    smoothing: float | None = None  # of the class ratios that scale the weights; None for none

    def __call__(self, learning: Learning, penalties: Sequence[float]) -> Iterator[Margins]:
        truth, link = learning.truth, learning.link
        target = link.target(truth) if self.loss is Loss.SQUARED else truth
        lesson = Lesson(learning.rows, target, link.task.outputs, self.loss)
        scale: np.ndarray | None = None
        if self.smoothing is not None:
            scale = class_ratios(lesson, self.smoothing)
            scale[learning.text_columns :] = 1  # dense columns are signed and have no such ratio
        start: np.ndarray | None = None
        for penalty in penalties:
            margins, start = fit_margins(
                lesson, penalty, scale=scale, start=start, iterations=self.iterations
            )
            yield margins


def class_ratios(lesson: Lesson, smoothing: float) -> np.ndarray:
    """(columns, margins) float32 log of how much more a column belongs to a class than to the rest.

    Wang & Manning 2012, equation 2, over rows of length 1."""
    signs = lesson.signs()
    positive = abs(lesson.rows).T.tocsr()
    own = positive @ (signs > 0).astype(np.float32) + smoothing
    rest = positive @ (signs < 0).astype(np.float32) + smoothing
    ratio = np.log((own / own.sum(axis=0)) / (rest / rest.sum(axis=0)))
    return np.asarray(ratio, dtype=np.float32)


@dataclass(frozen=True)
class Bayes:
    """Multinomial naive Bayes of two classes, complement naive Bayes of more (Rennie et al. 2003).

    Of rows of length 1 of TF-IDF, as Rennie et al. advise; signed columns are left out."""

    def __call__(self, learning: Learning, smoothings: Sequence[float]) -> Iterator[Margins]:
        classes = learning.link.task.outputs
        shown = np.eye(classes)[learning.truth]
        sums = np.asarray(learning.rows.T @ shown)[: learning.text_columns]
        for smoothing in smoothings:
            held = (sums if classes == 2 else sums.sum(axis=1, keepdims=True) - sums) + smoothing
            logs = np.log(held / held.sum(axis=0))
            prior = np.log(np.maximum(shown.mean(axis=0), 1e-9))
            weights = np.zeros((learning.rows.shape[1], learning.link.margins), dtype=np.float32)
            if classes == 2:
                weights[: len(logs), 0] = logs[:, 1] - logs[:, 0]
                yield Margins(weights, np.array([prior[1] - prior[0]], dtype=np.float32))
            else:
                weights[: len(logs)] = logs.mean(axis=1, keepdims=True) - logs
                yield Margins(weights, prior.astype(np.float32))


@dataclass(frozen=True)
class Spread:
    """How far a learner spreads texts out."""

    words: tuple[int, int] = (1, 2)  # shortest and longest n-gram
    characters: tuple[int, int] = (2, 4)
    most: int = 50_000  # columns a block; fewer for many classes
    short_bytes: int = SHORT_BYTES  # of text; beyond it words alone are counted

    def blocks(self, table: Table, task: Task, split: Split, weighting: Weighting) -> list[Blocks]:
        """Choices of blocks, each with its name, simplest first."""
        margins = task.outputs if task.outputs > 2 else 1
        most = min(self.most, max(LEAST_COLUMNS, MOST_WEIGHTS // margins))
        words = BlockPlan(Unit.WORDS, self.words, most, 2, weighting)
        characters = BlockPlan(Unit.CHARACTERS, self.characters, most, 4, weighting)
        blocks = [("words", (words,)), ("words and characters", (words, characters))]
        texts = [table[each.name] for each in feature_specs(table, task) if each.kind is Kind.TEXT]
        learned = [each.take(split.train).values for each in texts]
        if not characters_help(learned, self.short_bytes):
            return blocks[:1]
        return blocks[1:] if margins > MANY_CLASSES else blocks


def settings_for(
    blocks: Sequence[Blocks], strengths: Sequence[float], what: str
) -> tuple[Setting, ...]:
    """Every strength for each choice of blocks."""
    return tuple(
        Setting(plans, strength, f"{name}, {what} {strength:g}")
        for name, plans in blocks
        for strength in strengths
    )


class NgramLearner(Protocol):
    """A linear learner on n-grams: it brings its search, the fit is common to all."""

    kind: ClassVar[TaskKind] = TaskKind.CLASSIFY  # what it answers
    weighting: ClassVar[Weighting] = Weighting.TF_IDF

    @property
    def name(self) -> str: ...
    @property
    def spread(self) -> Spread: ...

    def search(self, blocks: Sequence[Blocks], *, has_many_classes: bool) -> NgramSearch:
        """What to try on these choices of blocks; less of it where there are many classes."""
        ...

    def fit(
        self, table: Table, task: Task, split: Split, *, budget: Budget = UNLIMITED
    ) -> NgramModel:
        """Search the settings cleanly, then fit all training rows.

        Raises:
            LearnerError: if it does not answer this task, or the table holds no text.
            OutOfTimeError: if the budget ended too soon.
        """
        needs(task, self.kind, self.name)
        blocks = self.spread.blocks(table, task, split, self.weighting)
        search = self.search(blocks, has_many_classes=task.outputs > MANY_CLASSES)
        return fit_on_ngrams(search, table, task, split, budget=budget)


@dataclass(frozen=True)
class NgramLogistic(NgramLearner):
    """Logistic regression on TF-IDF of word and character n-grams; multinomial for many classes."""

    penalties: tuple[float, ...] = (1e-4, 1e-5, 3e-6)
    many_classes_penalties: tuple[float, ...] = (1e-5,)
    spread: Spread = Spread()
    iterations: int = 60
    name: str = "n-gram logistic"
    family: ClassVar[Family] = Family.TRADITIONAL

    def search(self, blocks: Sequence[Blocks], *, has_many_classes: bool) -> NgramSearch:
        penalties, steps = _penalties_and_steps(self, has_many_classes=has_many_classes)
        settings = settings_for(blocks, penalties, "penalty")
        return NgramSearch(settings, Penalised(Loss.LOGISTIC, steps))


@dataclass(frozen=True)
class NaiveBayesSVM(NgramLearner):
    """A linear support vector machine on n-grams scaled by their naive Bayes weights.

    Wang & Manning 2012: presence instead of counts, squared hinge, one class against the rest. Rows
    have length 1 and margins are calibrated, so that it gives probabilities."""

    penalties: tuple[float, ...] = (1e-3, 1e-4, 1e-5)
    many_classes_penalties: tuple[float, ...] = (1e-4,)
    spread: Spread = Spread(most=100_000)
    iterations: int = 60
    name: str = "NB-SVM"
    family: ClassVar[Family] = Family.TRADITIONAL
    weighting: ClassVar[Weighting] = Weighting.PRESENCE

    def search(self, blocks: Sequence[Blocks], *, has_many_classes: bool) -> NgramSearch:
        penalties, steps = _penalties_and_steps(self, has_many_classes=has_many_classes)
        settings = settings_for(blocks[-1:], penalties, "penalty")
        return NgramSearch(settings, Penalised(Loss.SQUARED_HINGE, steps, smoothing=1.0))


def _penalties_and_steps(
    learner: NgramLogistic | NaiveBayesSVM, *, has_many_classes: bool
) -> tuple[tuple[float, ...], int]:
    if not has_many_classes:
        return learner.penalties, learner.iterations
    return learner.many_classes_penalties, min(learner.iterations, MANY_CLASSES_ITERATIONS)


@dataclass(frozen=True)
class NgramBayes(NgramLearner):
    """Naive Bayes on n-grams, calibrated; reads the texts alone."""

    smoothings: tuple[float, ...] = (1.0, 0.3, 0.1, 0.03)
    many_classes_smoothings: tuple[float, ...] = (1.0,)  # of 77, calibrating one takes 5 s
    spread: Spread = Spread()
    name: str = "n-gram naive Bayes"
    family: ClassVar[Family] = Family.TRADITIONAL

    def search(self, blocks: Sequence[Blocks], *, has_many_classes: bool) -> NgramSearch:
        smoothings = self.many_classes_smoothings if has_many_classes else self.smoothings
        return NgramSearch(settings_for(blocks, smoothings, "smoothing"), Bayes())


@dataclass(frozen=True)
class NgramRidge(NgramLearner):
    """Linear regression on TF-IDF of n-grams with an L2 penalty."""

    penalties: tuple[float, ...] = (1e-2, 1e-3, 1e-4)
    spread: Spread = Spread()
    iterations: int = 60
    name: str = "n-gram ridge"
    family: ClassVar[Family] = Family.TRADITIONAL
    kind: ClassVar[TaskKind] = TaskKind.REGRESS

    def search(self, blocks: Sequence[Blocks], *, has_many_classes: bool) -> NgramSearch:
        settings = settings_for(blocks, self.penalties, "penalty")
        return NgramSearch(settings, Penalised(Loss.SQUARED, self.iterations))
