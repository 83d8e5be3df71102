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
