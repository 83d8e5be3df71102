"""What both families get, in words: shown before the first contestant starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fathometer.app.limits import limits_from
from fathometer.learners.network import Training
from fathometer.learners.student import LATENCY_HEADROOM
from fathometer.table.split import Split
from fathometer.trial.entrants import STEPS, Effort

if TYPE_CHECKING:
    from fathometer.app.preparation import Options


def terms_in_words(
    options: Options, epochs: int | None, first: Split, costly: Sequence[str]
) -> tuple[str, ...]:
    """What both families get, in words.

    epochs: of networks on pictures or texts, where there are any. first: of the first fits.
    costly: names of those left out."""
    steps, folds = STEPS[options.effort], len(first.folds)
    has_longer = options.minutes is not None and options.effort is not Effort.THOROUGH
    first_of = "first fits at " if has_longer else ""
    words = [
        f"{first_of}effort {options.effort.value}: both families learn from the same rows in the "
        f"same {folds} folds",
        f"networks {steps.seeds} × {folds} of each kind, up to {_epochs_words(steps.epochs)}; "
        f"boosted trees {folds} of each kind, up to {steps.boosting_work:,} trees",
    ]
    if steps.configurations > 1:
        words[1] = (
            f"{steps.configurations} configurations × {folds} folds searched of each kind of "
            f"boosted trees and forests and of the modern network, the worst dropped on the way: "
            f"up to {steps.boosting_work:,} trees, up to {_epochs_words(steps.epochs)}"
        )
    if epochs is not None:
        words.append(f"networks on raw pictures and texts {folds} of each kind, {epochs} epochs")
    if costly and not options.only:
        words.append(
            f"left out at this effort, with so many words to read: {', '.join(costly)}; a higher "
            "--effort or --only with their names lets them in"
        )
    limits = limits_from(options.latency, options.size)
    if limits is not None:
        words.append(
            f"a student of the best for at most {limits.in_words}, chosen with "
            f"{LATENCY_HEADROOM:.0%} of the latency in hand"
        )
    if options.minutes is not None:
        whole = ""
        if len(first.teaching) < len(first.train):
            whole = f", {len(first.teaching):,} rows to learn from at first"
        then = "; what is left goes to longer fits of the best of each family that has more steps"
        words.append(
            f"all within {options.minutes:g} minutes, an equal share of time for each{whole}"
            + (then if has_longer else "")
        )
    return tuple(words)


def _epochs_words(epochs: int) -> str:
    """ "24 epochs (600 to 4,000 steps)"."""
    return f"{epochs} epochs ({Training.least_steps:,} to {Training.most_steps:,} steps)"
