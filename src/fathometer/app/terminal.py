"""The contest on a terminal: live bars where one can redraw, plain lines where one cannot.

Both take the same objects as they come (`watch`) and close with the same words (`close`)."""

from __future__ import annotations

import threading
import time
from typing import IO, TYPE_CHECKING, Protocol, Self

from fathometer.app.closing import print_closing
from fathometer.app.leaderboard import FAMILY_STYLES, live_grid
from fathometer.app.lines import console_for
from fathometer.app.overview import print_understanding
from fathometer.app.standing import FAMILIES, Standing, preview_words
from fathometer.table.metric import METRICS
from fathometer.trial.event import Event
from fathometer.verdict.quantities import duration

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

    from fathometer.app.comparison import Comparison
    from fathometer.app.preparation import Understanding

REDRAWS_PER_SECOND = 5


class Screen(Protocol):
    """Where a contest is shown; a context, so that the terminal is always given back tidy."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *raised: object) -> None: ...

    def watch(self, news: Understanding | Event) -> None:
        """Show what was understood, or one event of one contestant."""
        ...

    def close(self, comparison: Comparison) -> None:
        """Show the verdict and where everything is."""
        ...


def open_screen(
    stream: IO[str], *, minutes: float | None = None, stop: threading.Event | None = None
) -> Screen:
    """Live bars on a terminal that can move its cursor, plain lines elsewhere.

    Args:
        stream: standard output, or standard error where output is for another program.
        minutes: the wall-clock budget, shown beside the time that has passed.
        stop: set once the user has asked to stop.
    """
    console = console_for(stream)
    if stream.isatty() and not console.is_dumb_terminal:
        return LiveScreen(console, minutes=minutes, stop=stop or threading.Event())
    return PlainScreen(console, minutes=minutes)


class PlainScreen:
    """One line for each contestant that is through; nothing is drawn twice."""

    def __init__(self, console: Console, *, minutes: float | None = None) -> None:
        self._console = console
        self._minutes = minutes
        self._started = time.monotonic()
        self._standing: Standing | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        return None

    def watch(self, news: Understanding | Event) -> None:
        """Print what was understood, or the line of a contestant that is through."""
        if not isinstance(news, Event):
            print_understanding(self._console, news)
            metric = METRICS[news.task.metric]
            self._standing = Standing(metric, minutes=self._minutes, started=self._started)
        elif self._standing is not None:
            self._standing.note(news)
            if news.what == "finished":
                self._console.print(finished_line(self._standing, news), soft_wrap=True)

    def close(self, comparison: Comparison) -> None:
        """Print the verdict and where everything is."""
        self._console.print()
        print_closing(self._console, comparison)


def finished_line(standing: Standing, event: Event) -> str:
    """ "3 of 12  CatBoost (traditional)  ROC AUC 0.868 out of fold, 3.1 s"."""
    place = f" {standing.counted()}"
    name = f"{event.name} ({event.family})"
    card = event.scorecard
    if card is None or card.state != "finished":
        return f"{place}  {name}  {card.state if card else ''}: {card.failure if card else ''}"
    said = f"{standing.metric.label} {preview_words(card)}"
    if card.out_of_fold is not None:
        said += " out of fold"
    fit = f", {duration(card.bill.train_seconds)}" if card.bill else ""
    return f"{place}  {name}  {said}{fit}"


class LiveScreen:
    """Two families' bars, the clock and the best so far, redrawn in place.

    Terms: `watch` may be called from any thread; the picture is drawn from the `Standing` alone."""

    def __init__(
        self, console: Console, *, stop: threading.Event, minutes: float | None = None
    ) -> None:
        self._console = console
        self._minutes = minutes
        self._started = time.monotonic()
        self._stop = stop
        self._standing: Standing | None = None
        self._live: Live | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._end_live()

    def watch(self, news: Understanding | Event) -> None:
        """Print what was understood and begin to draw, or take in an event."""
        if isinstance(news, Event):
            if self._standing is not None:
                self._standing.note(news)
            return
        from rich.live import Live

        print_understanding(self._console, news)
        metric = METRICS[news.task.metric]
        self._standing = Standing(metric, minutes=self._minutes, started=self._started)
        self._live = Live(
            console=self._console,
            get_renderable=self.picture,
            refresh_per_second=REDRAWS_PER_SECOND,
            transient=True,  # the closing table says it all again, with more
        )
        self._live.start()

    def close(self, comparison: Comparison) -> None:
        """Take the bars away and print the verdict and where everything is."""
        self._end_live()
        print_closing(self._console, comparison)

    def picture(self) -> RenderableType:
        """The bars, the clock and the leaderboard, as they are now."""
        from rich.console import Group
        from rich.text import Text

        standing = self._standing
        if standing is None:
            return Text("")
        parts: list[RenderableType] = [family_bars(standing, width=self._console.width)]
        parts.append(Text(" " + self._clock_line(standing), style="dim"))
        room = self._console.height - 8  # bars, clock, heading, and a line to breathe
        if standing.best_first() and room > 0:
            parts += [Text(""), live_grid(standing, width=self._console.width, rows=room)]
        return Group(*parts)

    def _clock_line(self, standing: Standing) -> str:
        if self._stop.is_set():
            return f"{standing.clock()} · stopping, keeping the best so far · Ctrl-C again quits"
        return f"{standing.clock()} · press Ctrl-C once to stop and keep the best so far"

    def _end_live(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def family_bars(standing: Standing, *, width: int) -> RenderableType:
    """A bar for each family that has entered, and what it is at."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table as Grid

    length = 25 if width >= 80 else 8
    grid = Grid.grid(padding=(0, 1, 0, 0), expand=True)
    grid.add_column(width=12, min_width=12, no_wrap=True)
    grid.add_column(width=length, min_width=length)
    grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for family in FAMILIES:
        if standing.entered(family):
            style = FAMILY_STYLES[family]
            done = standing.done(family)
            bar = ProgressBar(1.0, done, complete_style=style, finished_style=style)
            grid.add_row(" " + family, bar, family_words(standing, family))
    return grid


def family_words(standing: Standing, family: str) -> str:
    """ "RealMLP: epoch 31/48 · best so far 0.861", or "done · best 0.868 (CatBoost)"."""
    best = next(iter(standing.best_first(family)), None)
    running = standing.running(family)
    is_done = standing.is_through(family)
    parts = ["done"] if is_done else []
    if running is not None:
        parts.append(f"{running.name}: {running.words}" if running.words else running.name)
    elif not is_done:
        parts.append(f"{standing.counted(family)} done")
    if best is not None:
        said = "best" if is_done else "best so far"
        parts.append(f"{said} {preview_words(best)}" + (f" ({best.name})" if is_done else ""))
    return " · ".join(parts)
