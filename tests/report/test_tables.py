from dataclasses import replace

from fathometer.report.content import ColumnLine, Confusion
from fathometer.report.tables import (
    CLASSES_SHOWN,
    columns_table,
    failures,
    folded,
    leaderboard,
    rejected_table,
)
from fathometer.table.sources.raw import RejectedLine


def test_the_leaderboard_names_everyone_with_score_and_unit(binary):
    written = leaderboard(binary)
    assert all(card.name in written for card in binary.finished)
    assert "0.868 [0.839, 0.891]" in written
    for said in ("energy", "≈41 J", "3.1 s", "38 µs", "212 KB"):
        assert f">{said}</" in written


def test_measured_joules_are_not_marked_as_estimates(binary):
    cards = [
        replace(card, bill=replace(card.bill, energy_source="measured")) for card in binary.finished
    ]
    assert ">≈" not in leaderboard(replace(binary, scorecards=tuple(cards)))


def test_rows_sort_by_number_not_by_how_it_is_written(binary):
    assert 'data-value="3.1"' in leaderboard(binary)


def test_who_failed_is_named_with_the_reason(binary):
    written = failures(binary.unfinished)
    assert "ran out of memory" in written
    assert "not entered" in written


def test_folding_keeps_the_largest_classes_and_every_row():
    counts = tuple(tuple(place if place == n else 1 for n in range(20)) for place in range(20))
    names, kept = folded(Confusion("m", "deep", tuple(f"c{n}" for n in range(20)), counts))
    assert len(names) == CLASSES_SHOWN + 1
    assert names[-1] == "5 others"
    assert "c0" not in names
    assert sum(map(sum, kept)) == sum(map(sum, counts))


def test_few_classes_are_not_folded():
    names, kept = folded(Confusion("m", "deep", ("a", "b"), ((3, 1), (0, 2))))
    assert (names, kept) == (("a", "b"), [[3, 1], [0, 2]])


def test_ten_thousand_columns_are_cut_and_counted(binary):
    lines = tuple(ColumnLine(f"c{n}", "number", "", 0) for n in range(10_000))
    written = columns_table(replace(binary, columns=lines))
    assert "9,500 columns more." in written
    assert len(written) < 200_000


def test_rejected_lines_beyond_the_first_are_counted(binary):
    lines = tuple(RejectedLine(n, "too long", "x" * 9_000) for n in range(1, 101))
    written = rejected_table(replace(binary, rejected=lines, rejected_count=250))
    assert "150 lines more." in written
    assert len(written) < 100_000
