"""What the terminal says at the end: verdict, table, files, and what to type next."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from fathometer.app.leaderboard import print_leaderboard
from fathometer.app.lines import print_hanging
from fathometer.table.kind import Kind
from fathometer.table.metric import METRICS
from fathometer.trial.scorecard import Scorecard
from fathometer.verdict.quantities import duration
from fathometer.verdict.verdict import Verdict

if TYPE_CHECKING:
    from rich.console import Console

    from fathometer.app.comparison import Comparison

# Files are named in the order in which they are wanted; the rest follow.
WANTED = (
    "winner.onnx",
    "traditional.onnx",
    "deep.onnx",
    "student.onnx",
    "report.html",
    "verdict.json",
)


def print_closing(console: Console, comparison: Comparison) -> None:
    """Print the verdict, the leaderboard, where the files are and the next commands."""
    verdict = comparison.verdict
    metric = METRICS[comparison.task.metric]
    print_verdict(console, verdict)
    print_leaderboard(console, ranked(comparison.scorecards, verdict), verdict, metric)
    console.print()
    print_files(console, comparison)


def print_verdict(console: Console, verdict: Verdict) -> None:
    """Print the headline, the sentences below it, every doubt, and the same for an expert."""
    print_hanging(console, " VERDICT  ", verdict.headline, style="bold", lead_style="bold green")
    for sentence in verdict.sentences:
        print_hanging(console, "   ", sentence)
    for warning in verdict.warnings:
        print_hanging(console, "   Watch out: ", warning, lead_style="yellow")
    for line in verdict.expert:
        print_hanging(console, "   · ", line, style="dim", lead_style="dim")
    console.print()


def ranked(cards: tuple[Scorecard, ...], verdict: Verdict) -> list[Scorecard]:
    """The scorecards as the verdict ranks them; those it does not rank come last."""
    places = {name: place for place, name in enumerate(verdict.ranking)}
    return sorted(cards, key=lambda card: places.get(card.name, len(places)))


def print_files(console: Console, comparison: Comparison) -> None:
    """Print the folder, what lies in it, how long it took, and what to type next."""
    names = sorted(comparison.files, key=lambda name: (wanted_place(name), name))
    folder = shown(comparison.folder)
    took = f"done in {duration(comparison.seconds)}"
    print_hanging(console, f" {folder}/  ", " · ".join((*names, took)), lead_style="bold")
    winner = comparison.files.get("winner.onnx")
    if winner is not None:
        kinds = [spec.kind for spec in comparison.winner.columns]
        asked = "more_photos/" if kinds == [Kind.IMAGE] else "new.csv"
        console.print(f" next:  fathom predict {shown(winner)} {asked}", soft_wrap=True)
        console.print(f"        fathom inspect {shown(winner)}", soft_wrap=True)
    report = comparison.files.get("report.html")
    if report is not None:
        console.print(f"        open {shown(report)} in a browser", soft_wrap=True)


def wanted_place(name: str) -> int:
    return WANTED.index(name) if name in WANTED else len(WANTED)


def shown(path: Path) -> str:
    """A path as one would type it here: relative where that is shorter, quoted where needed."""
    relative = os.path.relpath(path)
    return shlex.quote(str(path) if relative.startswith("..") else relative)
