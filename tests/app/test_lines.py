import io

from fathometer.app.lines import LOG_WIDTH, console_for, print_hanging


def printed(words: str, width: int) -> list[str]:
    console = console_for(io.StringIO())
    console.width = width
    print_hanging(console, " note  ", words)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_long_text_continues_below_its_own_start() -> None:
    lines = printed("one two three four five six seven", 24)
    assert lines == [" note  one two three", "       four five six", "       seven"]


def test_square_brackets_are_printed_as_they_are() -> None:
    assert printed("price [red] :smile:", 60) == [" note  price [red] :smile:"]


def test_log_is_wide_and_without_colour(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.delenv("COLUMNS", raising=False)
    console = console_for(io.StringIO())
    assert console.width == LOG_WIDTH
    assert console.color_system is None


def test_no_name_can_move_the_cursor_or_clear_the_screen() -> None:
    assert printed("a\x1b[2Jb\x9b1mc", 60) == [" note  a\ufffd[2Jb\ufffd1mc"]


def test_our_own_colours_stay(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    console = console_for(io.StringIO())
    console.print("plain", style="bold")
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == "\x1b[1mplain\x1b[0m\n"
