"""Networks trained side by side on the disk, so that a killed run ends with the same bytes.

Plain arrays in a .npz file, read without pickle; written beside and renamed, so that a kill while
saving leaves the last whole file. Every member is saved as it stood after its last whole epoch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fathometer.population.checkpoint import load_arrays, save_arrays
from fathometer.population.pupil import under

if TYPE_CHECKING:
    from fathometer.population.solo import Course


class SoloCheckpoint:
    """One file for one training, known by what was asked of it."""

    def __init__(self, path: Path, asked: Sequence[str]) -> None:
        self._path, self._asked = path, list(asked)

    def save(self, course: Course) -> None:
        """Write where everyone stands."""
        choice = course.choice
        arrays = {"history": choice.curves, "best": choice.best, "kept": choice.kept}
        losses = []
        for place, (standing, kept, ahead) in enumerate(
            zip(course.standing, course.kept, course.ahead, strict=True)
        ):
            arrays |= {f"{place}.standing.{name}": own for name, own in standing.items()}
            arrays |= {f"{place}.kept.{name}": own for name, own in kept.items()}
            losses.append([loss for loss, _ in ahead])
            for step, (_, weights) in enumerate(ahead):
                arrays |= {f"{place}.ahead.{step}.{name}": own for name, own in weights.items()}
        head = {"asked": self._asked, "planned": course.planned, "losses": losses}
        save_arrays(self._path, head, arrays)

    def restore(self, course: Course) -> None:
        """Bring a fresh course to where the file stands, if there is one of the same."""
        found = load_arrays(self._path, self._asked)
        if found is None:
            return
        head, arrays = found
        course.planned = head["planned"]
        course.choice.history = list(arrays["history"])
        course.choice.best, course.choice.kept = arrays["best"], arrays["kept"]
        for place, pupil in enumerate(course.pupils):
            own = under(arrays, f"{place}.")
            course.standing[place] = under(own, "standing.")
            pupil.restore(course.standing[place])
            course.kept[place] = under(own, "kept.")
            course.ahead[place] = [
                (loss, under(own, f"ahead.{step}."))
                for step, loss in enumerate(head["losses"][place])
            ]
