import io
from pathlib import Path

import pytest
from rich.console import Console

from fathometer.app.closing import print_verdict, ranked, shown
from fathometer.trial.scorecard import Scorecard
from fathometer.verdict.verdict import Verdict


def test_verdict_comes_with_its_sentences_and_its_doubts(verdict: Verdict) -> None:
    console = Console(file=io.StringIO(), width=100, markup=False, highlight=False)
    print_verdict(console, verdict)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == (
        " VERDICT  Traditional machine learning is enough for this table.\n"
        "   The difference is within noise on 179 unseen rows.\n"
        "   Watch out: 34 passengers share a ticket.\n\n"
    )


def test_contestants_stand_as_the_verdict_ranks_them(
    cards: tuple[Scorecard, ...], verdict: Verdict
) -> None:
    names = [card.name for card in ranked(tuple(reversed(cards)), verdict)]
    assert names == ["CatBoost", "modern network", "decision tree", "XGBoost"]


def test_paths_are_shown_as_one_would_type_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown(tmp_path / "a.fathom") == "a.fathom"
    assert shown(tmp_path / "my table.fathom") == "'my table.fathom'"
    assert shown(Path("/elsewhere/a.fathom")) == "/elsewhere/a.fathom"
