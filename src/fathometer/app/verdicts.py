"""`fathom verdict RUN.fathom`: the verdict of a run that has ended, from its folder."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from fathometer.app.closing import print_verdict, ranked
from fathometer.app.document import as_json
from fathometer.app.leaderboard import print_leaderboard
from fathometer.app.lines import console_for
from fathometer.app.wishes import with_prices
from fathometer.errors import OptionError, StoreError
from fathometer.table.metric import METRICS
from fathometer.trial.scorecard import Scorecard
from fathometer.trial.store import scorecard_from
from fathometer.verdict.prices import prices_from
from fathometer.verdict.schema import verdict_from
from fathometer.verdict.verdict import Verdict

VERDICT, SCORECARDS = "verdict.json", "scorecards.json"
LARGEST = 64 << 20  # bytes; a verdict of 40 contestants has 150 KB


def read_verdict(folder: Path) -> tuple[Verdict, tuple[Scorecard, ...]]:
    """The verdict and the scorecards in a run's folder.

    Raises:
        OptionError: if there is no such folder, or no finished run in it.
        StoreError: if its files are not as Fathometer writes them.
    """
    if folder.name == VERDICT:
        folder = folder.parent
    if not folder.is_dir():
        raise OptionError(
            f"there is no folder {folder}.",
            details="a comparison writes one beside where it was started, named after its table",
            try_next="fathom compare TABLE --target COLUMN",
        )
    verdict = verdict_from(_json_of(folder, VERDICT), source=str(folder / VERDICT))
    cards = _json_of(folder, SCORECARDS)
    try:
        return verdict, tuple(scorecard_from(card) for card in cards)
    except (TypeError, KeyError) as error:
        raise StoreError(
            f"{folder / SCORECARDS} is not as Fathometer writes it: {error}."
        ) from error


def print_run(folder: Path, *, prices: Path | None = None) -> None:
    """Print verdict and table of a run as its end did, at these prices.

    Raises:
        OptionError: if the prices cannot be read.
    """
    verdict, cards = _at_prices(folder, prices)
    console = console_for(sys.stdout)
    print_verdict(console, verdict)
    judged = next((card.quality for card in cards if card.quality is not None), None)
    if judged is not None:
        print_leaderboard(console, ranked(cards, verdict), verdict, METRICS[judged.metric])


def run_document(folder: Path, *, prices: Path | None = None) -> str:
    """The verdict and every scorecard of a run, at these prices, as one JSON document.

    Raises:
        OptionError: if the prices cannot be read.
    """
    verdict, cards = _at_prices(folder, prices)
    return as_json(
        {
            "verdict": verdict.as_json(),
            "scorecards": [card.as_json() for card in cards],
            "folder": str(folder),
        }
    )


def _at_prices(folder: Path, prices: Path | None) -> tuple[Verdict, tuple[Scorecard, ...]]:
    """What is in a run's folder; the files there keep the prices that they were written with."""
    verdict, cards = read_verdict(folder)
    return with_prices(verdict, None if prices is None else prices_from(prices), cards), cards


def _json_of(folder: Path, name: str) -> Any:
    path = folder / name
    try:
        if path.stat().st_size > LARGEST:
            raise StoreError(f"{path} is larger than any that Fathometer writes.")
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise OptionError(
            f"{folder} holds no {name}, so no comparison has ended there.",
            try_next="fathom compare TABLE --target COLUMN",
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"{path} cannot be read: {error}.") from error
