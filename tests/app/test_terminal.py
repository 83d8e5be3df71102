import io
import threading

import pytest
from rich.cells import cell_len
from rich.console import Console

from fathometer.app.preparation import Understanding
from fathometer.app.terminal import LiveScreen, PlainScreen, open_screen
from fathometer.trial.event import Event
from fathometer.trial.scorecard import Scorecard


def play(screen: LiveScreen | PlainScreen, cards: tuple[Scorecard, ...]) -> None:
    """The events of a contest in which the last contestant is still at work."""
    for card in cards:
        screen.watch(Event("entered", card.name, card.family))
    for card in cards[:-1]:
        screen.watch(Event("started", card.name, card.family))
        screen.watch(Event("progress", card.name, card.family, 0.5, "epoch 1/2"))
        screen.watch(Event("finished", card.name, card.family, 1.0, scorecard=card))
    last = cards[-1]
    screen.watch(Event("progress", last.name, last.family, 0.5, "epoch 1/2"))


def picture(screen: LiveScreen, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None, markup=False)
    console.print(screen.picture())
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.fixture
def live(understanding: Understanding, cards: tuple[Scorecard, ...], width: int) -> LiveScreen:
    console = Console(file=io.StringIO(), width=width, height=30, force_terminal=True)
    screen = LiveScreen(console, stop=threading.Event())
    with screen:
        screen.watch(understanding)
        play(screen, cards)
    return screen


def test_stream_without_a_terminal_gets_plain_lines() -> None:
    assert isinstance(open_screen(io.StringIO()), PlainScreen)


def test_plain_screen_prints_one_line_for_each_that_is_through(
    understanding: Understanding, cards: tuple[Scorecard, ...]
) -> None:
    stream = io.StringIO()
    screen = open_screen(stream)
    screen.watch(understanding)
    before = stream.getvalue()
    play(screen, (*cards, Scorecard("late", "deep")))  # type: ignore[arg-type]
    assert stream.getvalue().removeprefix(before).splitlines() == [
        " 1 of 5  CatBoost (traditional)  ROC AUC 0.871 out of fold, 3.1 s",
        " 2 of 5  modern network (deep)  ROC AUC 0.864 out of fold, 3.1 s",
        " 3 of 5  decision tree (traditional)  ROC AUC 0.845 out of fold, 3.1 s",
        " 4 of 5  XGBoost (traditional)  not entered: xgboost is absent",
    ]


def test_plain_screen_writes_no_control_characters(
    understanding: Understanding, cards: tuple[Scorecard, ...]
) -> None:
    stream = io.StringIO()
    screen = open_screen(stream)
    screen.watch(understanding)
    play(screen, cards)  # type: ignore[arg-type]
    assert "\033" not in stream.getvalue()
    assert "\r" not in stream.getvalue()


@pytest.mark.parametrize("width", [100])
def test_live_picture_shows_both_families_and_the_best(live: LiveScreen, width: int) -> None:
    shown = picture(live, width)
    assert "done · best 0.864 (modern network)" in shown
    assert "XGBoost: epoch 1/2 · best so far 0.871" in shown
    assert "press Ctrl-C once to stop and keep the best so far" in shown
    assert shown.index("CatBoost") < shown.index("decision tree")


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_live_picture_never_exceeds_the_terminal(live: LiveScreen, width: int) -> None:
    assert max(cell_len(line) for line in picture(live, width).splitlines()) <= width


@pytest.mark.parametrize("width", [100])
def test_live_picture_says_that_it_is_stopping(live: LiveScreen, width: int) -> None:
    live._stop.set()
    assert "stopping, keeping the best so far" in picture(live, width)
