"""The door of the `fathom` command: it runs the command and answers mistakes in words.

The commands themselves are in `commands`; they are fetched here, behind the edge, so that a machine
with a predict-only install is told what is missing instead of being shown a traceback."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import textwrap
from typing import IO

from fathometer.app.lines import printable
from fathometer.errors import ColumnError, FathometerError, MissingPackageError
from fathometer.table.sources.address import without_password

MISTAKE = 2  # exit code of a mistake that the user can mend
CLOSED_PIPE = 1  # exit code when the reader of our output went away
INDENT = " " * 7  # below "error  "

# What only the extra `compare` brings; any other absent module is a bug and shows its traceback.
COMPARE_PACKAGES = frozenset(
    (
        "typer",
        "rich",
        "pyarrow",
        "duckdb",
        "sklearn",
        "scipy",
        "torch",
        "onnx",
        "narwhals",
        "safetensors",
    )
)


def main() -> None:
    """Run the `fathom` command with the words it was called with."""
    # A terminal that cannot show "·" gets "?" instead of a traceback.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        run_command()
    except FathometerError as error:
        print_error(error, command=sys.argv[1:], stream=sys.stderr)
        raise SystemExit(MISTAKE) from None
    except BrokenPipeError:
        leave_closed_pipe()


def run_command() -> None:
    """Run the command line.

    Raises:
        FathometerError: if the user made a mistake; `MissingPackageError` if packages are absent.
    """
    try:
        from fathometer.app.commands import application

        application(prog_name="fathom")
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in COMPARE_PACKAGES:
            raise
        raise MissingPackageError(
            f'this command needs the package "{package}", which is not installed.',
            details="A bare install of Fathometer loads model files and predicts, in Python only. "
            "Type this in the clone that it was installed from.",
            try_next='pip install ".[compare]"',
        ) from error


def print_error(error: FathometerError, *, command: list[str], stream: IO[str]) -> None:
    """Print what was asked, what was found, and what to type next."""
    red, plain = ("\033[1;31m", "\033[0m") if is_coloured(stream) else ("", "")
    width = max(40, shutil.get_terminal_size((100, 24)).columns)
    lines = [wrapped(error.message, width)]
    lines += [INDENT + wrapped(part, width) for part in error.details.splitlines()]
    # Not wrapped: it is there to be copied. A log may keep it, so no password of a URL is in it.
    typed = [without_password(word) for word in command]
    lines.append(f"{INDENT}try  {next_command(error, typed)}")
    print(f"{red}error{plain}  " + printable("\n".join(lines)), file=stream)


def wrapped(text: str, width: int) -> str:
    """The text in lines below each other, all but the first indented."""
    lines = textwrap.wrap(text, width - len(INDENT), break_long_words=False, break_on_hyphens=False)
    return ("\n" + INDENT).join(lines)


def next_command(error: FathometerError, command: list[str]) -> str:
    """What to type next, as a whole command: only the door knows what was typed.

    An option alone is put into that command; a column that is nearly there is mended in it; an
    error without advice leads to the help."""
    if error.try_next.startswith("-"):
        return shlex.join(["fathom", *with_option(command, words_of(error.try_next))])
    if error.try_next:
        return error.try_next
    named = re.search(r'no column "(.+?)"; the nearest is "(.+?)"', error.message)
    if isinstance(error, ColumnError) and named:
        mended = [with_nearest(word, *named.groups()) for word in command]
        if mended != command:
            return shlex.join(["fathom", *mended])
    commands = ("compare", "predict", "network", "inspect", "verdict")
    known = command[:1] if command and command[0] in commands else []
    return shlex.join(["fathom", *known, "--help"])


def words_of(option: str) -> list[str]:
    """An option's words; a quote that nobody closed is a letter as any other."""
    try:
        return shlex.split(option)
    except ValueError:
        return option.split(" ", 1)


def with_option(command: list[str], option: list[str]) -> list[str]:
    """The command with an option of one value in place of the one that it had.

    `--kind age=…` takes the place of a `--kind` for the same column only."""
    name, value = option[0], option[-1]
    column = value.partition("=")[0] + "=" if "=" in value else ""
    kept: list[str] = []
    words = iter(command)
    for word in words:
        if word == name:
            old = next(words, "")
            if not old.startswith(column):
                kept += [word, old]
        elif not word.startswith(f"{name}={column}"):
            kept.append(word)
    return [*kept, *option]


def with_nearest(word: str, asked: str, nearest: str) -> str:
    """A word of the command with a column's name mended: alone, `--target=…` or `…=category`."""
    parts = word.split("=")
    return "=".join(nearest if part == asked else part for part in parts)


def is_coloured(stream: IO[str]) -> bool:
    """Whether to colour: a real terminal, and nobody asked for none."""
    return (
        stream.isatty()
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM", "dumb") != "dumb"
    )


def leave_closed_pipe() -> None:
    """End quietly when the reader of our output has gone, as `fathom … | head` does."""
    # Python flushes standard output once more on its way out; give it somewhere to go.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(CLOSED_PIPE)
