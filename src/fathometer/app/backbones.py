"""Backbones that a user brings: from local checkpoints to contestants, named and described."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fathometer.errors import OptionError
from fathometer.learners.frozen import FrozenBackbone
from fathometer.networks.backbone.load import load_backbone
from fathometer.trial.entrants import MOST_PENALTIES, STEPS, Effort

if TYPE_CHECKING:
    from fathometer.app.preparation import Understanding

    BackboneSources = str | Path | Sequence[str | Path]

QUICK_ITERATIONS, ITERATIONS = 40, 100  # of a logistic head, as of the logistic contestant


def backbones(sources: BackboneSources, effort: Effort) -> tuple[FrozenBackbone, ...]:
    """A contestant of each checkpoint.

    Raises:
        BackboneError: if one is no checkpoint that can be used.
        OptionError: if two have one name.
    """
    is_quick = effort is Effort.QUICK
    iterations = QUICK_ITERATIONS if is_quick else ITERATIONS
    penalties = MOST_PENALTIES[: STEPS[effort].penalties + 1]
    found: dict[str, FrozenBackbone] = {}
    for path in each_of(sources):
        learner = FrozenBackbone(load_backbone(path), penalties, iterations)
        if learner.name in found:
            raise OptionError(
                f"--backbone was given two networks that are a {learner.backbone.name}; the second "
                f"is {path}. Compare them in two runs.",
            )
        found[learner.name] = learner
    return tuple(found.values())


def described(entered: Sequence[FrozenBackbone], understanding: Understanding) -> Understanding:
    """What was understood, with each backbone checked against it and put into words.

    Raises:
        BackboneError: if the table has no column that a backbone reads.
    """
    lines = []
    for learner in entered:
        read = learner.columns(understanding.table, understanding.task)
        names = ", ".join(f'"{spec.name}"' for spec in read)
        lines.append(f"{learner.name}: {learner.words}; reads {names}")
    return replace(
        understanding,
        drawings=(*understanding.drawings, *lines),
        trained_elsewhere=tuple(learner.name for learner in entered),
    )


def each_of(sources: BackboneSources) -> tuple[str | Path, ...]:
    """One path or several, as several."""
    return (sources,) if isinstance(sources, str | Path) else tuple(sources)
