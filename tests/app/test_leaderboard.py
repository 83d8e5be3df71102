import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from fathometer.app.leaderboard import (
    bill_cells,
    final_headings,
    final_rows,
    fitting,
    print_leaderboard,
)
from fathometer.report.tables import CHARGES
from fathometer.table.metric import METRICS
from fathometer.trial.scorecard import Scorecard
from fathometer.verdict.prices import Prices, priced
from fathometer.verdict.verdict import Verdict

METRIC = METRICS["roc_auc"]
WINS = Verdict("undecided", "…", (), "CatBoost", None, ("CatBoost",), ("CatBoost",))


def printed(cards: tuple[Scorecard, ...], width: int, verdict: Verdict = WINS) -> str:
    console = Console(file=io.StringIO(), width=width, markup=False, highlight=False)
    print_leaderboard(console, cards, verdict, METRIC)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [40, 50, 60, 80, 100, 140])
def test_table_never_exceeds_the_terminal(cards: tuple[Scorecard, ...], width: int) -> None:
    assert max(cell_len(line) for line in printed(cards, width).splitlines()) <= width


def test_narrow_terminal_keeps_the_model_and_its_quality(cards: tuple[Scorecard, ...]) -> None:
    assert "CatBoost ★      0.868 [0.818, 0.918]" in printed(cards, 40)


def test_wide_terminal_shows_the_whole_bill(cards: tuple[Scorecard, ...]) -> None:
    shown = printed(cards, 140)
    for said in ("3.1 s", "≈41 J", "123 MB", "212 KB", "38 µs", "26,000", "9 rules"):
        assert said in shown


def test_the_report_says_every_cost_as_the_terminal_does(cards: tuple[Scorecard, ...]) -> None:
    bills = [card.bill for card in cards if card.bill is not None]
    assert bills
    for bill in bills:
        assert set(bill_cells(bill)) <= {charge.cell(bill).said for charge in CHARGES}


def test_columns_give_way_one_at_a_time(cards: tuple[Scorecard, ...]) -> None:
    headings, rows = final_headings(METRIC), final_rows(cards, "CatBoost")
    counts = [len(fitting(headings, rows, width)) for width in range(40, 141)]
    assert counts == sorted(counts)
    assert counts[0] == 2
    assert counts[-1] == len(headings)


def test_prices_put_money_beside_the_bill(cards: tuple[Scorecard, ...]) -> None:
    paid = priced(WINS, Prices("EUR", 0.3, 0.04), cards, cores=2)
    assert "EUR to train  EUR a million" in printed(cards, 140, paid)
    assert "0.000072" in printed(cards, 140, paid)  # 3.1 s of two cores, 41 J
    narrow = printed(cards, 80, paid)
    assert "EUR a million" in narrow  # who gave prices sees them before bytes
    assert max(cell_len(line) for line in narrow.splitlines()) <= 80
    assert "EUR" not in printed(cards, 140)


def test_absent_contestant_is_named_with_its_reason(cards: tuple[Scorecard, ...]) -> None:
    assert "not entered XGBoost: xgboost is absent" in printed(cards, 100)


def test_estimated_energy_is_explained(cards: tuple[Scorecard, ...]) -> None:
    assert "≈ estimated" in printed(cards, 100)


def test_contest_without_a_finisher_prints_no_table(cards: tuple[Scorecard, ...]) -> None:
    assert "model" not in printed(cards[3:], 100)
