"""A decision tree as text that a person can read, in the units of the raw columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fathometer.features.category import OneHot
from fathometer.features.number import CentredNumbers
from fathometer.features.recipe import Recipe
from fathometer.learners.voted import Ballot, Estimator
from fathometer.table.task import TaskKind

if TYPE_CHECKING:
    from sklearn.tree._tree import Tree as SklearnTree

INDENT = "    "


@dataclass(frozen=True)
class Question:
    """One matrix column as it is asked in a rule."""

    name: str
    centre: float = 0.0  # what the recipe took off the raw value
    may_miss: bool = False
    is_level: bool = False  # a 0/1 column: the name itself is the question


def questions(recipe: Recipe) -> tuple[Question, ...]:
    """How each matrix column of a recipe is asked."""
    asked: list[Question] = []
    for step in recipe.steps:
        if isinstance(step, CentredNumbers):
            missing = np.isnan(step.fill)
            asked += map(Question, step.names, step.centre.tolist(), missing.tolist())
        else:
            is_level = isinstance(step, OneHot)
            asked += [Question(name, is_level=is_level) for name in step.names]
    return tuple(asked)


def rules(estimator: Estimator, recipe: Recipe, ballot: Ballot) -> str:
    """The tree of a fitted scikit-learn estimator as indented text, a leaf a line."""
    tree: SklearnTree = estimator.tree_  # type: ignore[attr-defined]
    leaves = _leaves(tree, estimator, ballot)
    return "\n".join(_lines(tree, questions(recipe), leaves, 0, ""))


def _lines(
    tree: SklearnTree, asked: tuple[Question, ...], leaves: list[str], node: int, indent: str
) -> Iterator[str]:
    left, right = int(tree.children_left[node]), int(tree.children_right[node])
    if left < 0:
        yield indent + leaves[node]
        return
    question = asked[tree.feature[node]]
    if question.is_level:
        first, second, words = right, left, question.name
    else:
        first, second = left, right
        words = f"{question.name} ≤ {_short(float(tree.threshold[node]), question.centre)}"
        if question.may_miss and tree.missing_go_to_left[node]:
            words += " or missing"
    yield f"{indent}if {words}:"
    yield from _lines(tree, asked, leaves, first, indent + INDENT)
    yield f"{indent}else:"
    yield from _lines(tree, asked, leaves, second, indent + INDENT)


def _short(threshold: float, centre: float) -> str:
    """Their sum in the fewest digits that send every row where the tree sends it.

    A row reaches the tree as float32, so that a quarter of a step of it moves none."""
    value = threshold + centre
    near = float(np.spacing(np.float32(abs(threshold)))) / 4
    fewest = max(6, len(str(int(abs(value)))))  # no exponent for whole numbers
    written = (f"{value:.{digits}g}" for digits in range(fewest, 17))
    return next((text for text in written if abs(float(text) - value) <= near), repr(value))


def _leaves(tree: SklearnTree, estimator: Estimator, ballot: Ballot) -> list[str]:
    """What each node would answer, in words, were it a leaf."""
    value, rows = tree.value[:, 0, :], tree.n_node_samples
    if ballot.task.kind is TaskKind.REGRESS:
        means = value[:, 0] * ballot.deviation + ballot.mean
        return [f"{mean:.6g} ({count:,} rows)" for mean, count in zip(means, rows, strict=True)]
    shares = value / value.sum(axis=1, keepdims=True)
    places = estimator.classes_.astype(np.int64)[shares.argmax(axis=1)]
    return [
        f"{ballot.task.classes[place]}, {share:.0%} of {count:,} rows"
        for place, share, count in zip(places, shares.max(axis=1), rows, strict=True)
    ]
