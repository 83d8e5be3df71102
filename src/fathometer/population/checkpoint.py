"""A whole population on the disk, so that a killed run goes on and ends with the same bytes.

Plain arrays in a .npz file, read without pickle; written beside and renamed, so that a kill while
saving leaves the last whole file."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from fathometer.population.train import Population

HEAD = "head"


def save_arrays(path: Path, head: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write a checkpoint whole or not at all; `head` is JSON and states what was "asked"."""
    arrays[HEAD] = np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)
    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def load_arrays(
    path: Path, asked: Sequence[str]
) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """A checkpoint's head and arrays; None where there is none, or one of something else.

    A damaged one counts as none: to begin anew ends with the same bytes."""
    if not path.exists():
        return None
    try:
        # Opened here, since numpy leaves a damaged file open.
        with path.open("rb") as source, np.load(source, allow_pickle=False) as file:
            arrays = dict(file)
        head = json.loads(arrays.pop(HEAD).tobytes())
        is_same = head["asked"] == list(asked)
    except (EOFError, KeyError, OSError, TypeError, ValueError, zipfile.BadZipFile):
        return None
    return (head, arrays) if is_same else None


class Checkpoint:
    """One file for one population, known by what was asked of it."""

    def __init__(self, path: Path, asked: Sequence[str]) -> None:
        self._path, self._asked = path, list(asked)

    def save(self, population: Population) -> None:
        """Write where everyone stands."""
        arrays = {}
        for number, cohort in enumerate(population.cohorts):
            arrays[f"{number}.history"] = cohort.choice.curves
            arrays[f"{number}.best"] = cohort.choice.best
            arrays[f"{number}.kept"] = cohort.choice.kept
            for place, state in enumerate(cohort.states):
                for name, array in state.arrays().items():
                    arrays[f"{number}.{place}.{name}"] = array
        head = {
            "asked": self._asked,
            "rung": population.rung,
            "waiting": population.waiting,
            "live": population.live,
            "arrived": population.arrived,
            "taken": [cohort.taken for cohort in population.cohorts],
        }
        save_arrays(self._path, head, arrays)

    def restore(self, population: Population) -> None:
        """Bring a fresh population to where the file stands, if there is one of the same."""
        found = load_arrays(self._path, self._asked)
        if found is None:
            return
        head, arrays = found
        population.rung, population.live = head["rung"], head["live"]
        population.waiting, population.arrived = head["waiting"], head["arrived"]
        for number, cohort in enumerate(population.cohorts):
            cohort.taken = head["taken"][number]
            cohort.choice.history = list(arrays[f"{number}.history"])
            cohort.choice.best = arrays[f"{number}.best"]
            cohort.choice.kept = arrays[f"{number}.kept"]
            for place, state in enumerate(cohort.states):
                state.restore(
                    {
                        name.rpartition(".")[2]: array
                        for name, array in arrays.items()
                        if name.startswith(f"{number}.{place}.")
                    }
                )
