"""About how many labels are wrong: what stays contradicted where everything is easiest.

If a share of the labels is wrong at random, even rows that any model finds easy contradict it in
about that share, and it does not fall as rows get easier. Where labels are right, the easiest rows
contradict hardly ever. So the rows are ordered by how sure their out-of-fold answer is, and what
the easiest ones contradict is an estimate, rather too high than too low: chance counts too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fathometer.trial.reliance import wilson

EASIEST = 0.2  # of all rows
NOTABLE = 0.01  # share of wrong labels from which it is worth a word
LEVEL = 0.6  # a share that falls below this part of itself as rows get easier is no noise
OVERALL = 0.5  # what is far below the share of all rows is plain chance of hard ones beside
FEWEST = 500  # rows, so that a hundred are the easiest


@dataclass(frozen=True)
class LabelNoise:
    """The share of labels that are contradicted where everything is easiest, and its interval."""

    share: float
    low: float
    high: float
    rows: int  # the easiest ones

    @property
    def words(self) -> str:
        """The finding in a sentence."""
        return (
            f"about {100 * self.share:.1f} % [{100 * self.low:.1f}, {100 * self.high:.1f}] of the "
            f"labels may be wrong, or are plain chance: of the {self.rows:,} rows that are easiest "
            "to tell, that many carry another label than all signs say."
        )


def find_noise(truth: np.ndarray, out_of_fold: np.ndarray) -> LabelNoise | None:
    """Estimate label noise; None where nothing speaks for it, or the rows are few.

    Args:
        truth: class places (rows,). out_of_fold: probabilities (rows, classes).
    """
    if len(truth) < FEWEST:
        return None
    said = out_of_fold.argmax(axis=1)
    # The easiest of each answer, so that a class that is merely common is not taken for easy.
    order = np.full(len(truth), np.inf)
    for place in np.unique(said):
        rows = np.flatnonzero(said == place)
        sure = np.argsort(-out_of_fold[rows, place], kind="stable")
        order[rows[sure]] = (np.arange(len(rows)) + 0.5) / len(rows)
    contradicted = said != truth
    easiest, easier = order <= EASIEST, order <= EASIEST / 2
    if not easier.any():
        return None
    share, still = float(contradicted[easiest].mean()), float(contradicted[easier].mean())
    low, high = wilson(share, int(easiest.sum()))
    if low < NOTABLE or still < LEVEL * share or share < OVERALL * float(contradicted.mean()):
        return None
    return LabelNoise(share, low, high, int(easiest.sum()))
