"""A console for our output, and text that hangs below its own start."""

from __future__ import annotations

import os
import re
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

# Names of columns and classes come from files: none of them may move the cursor, clear the screen
# or colour what follows. Line ends and tabs are left to those who lay text out.
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")

# A log has no width; 110 characters hold the closing table with every column but two.
LOG_WIDTH = 110
NARROWEST = 16


def console_for(stream: IO[str]) -> Console:
    """A Rich console that prints column names as they are; NO_COLOR is honoured by Rich itself."""
    from rich.console import Console

    from fathometer.app.printable import PrintableOnly

    width = None if stream.isatty() or "COLUMNS" in os.environ else LOG_WIDTH
    console = Console(file=stream, width=width, markup=False, highlight=False, emoji=False)
    console.push_render_hook(PrintableOnly())
    return console


def printable(text: str) -> str:
    """The text with every control character shown as �."""
    return CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def print_hanging(
    console: Console, lead: str, words: str, *, style: str = "", lead_style: str = ""
) -> None:
    """Print `lead`, then the words wrapped to the width, all lines starting below the first."""
    from rich.cells import cell_len
    from rich.text import Text

    indent = cell_len(lead)
    room = max(NARROWEST, console.width - indent)
    for place, line in enumerate(Text(words, style=style).wrap(console, room)):
        line.rstrip()
        start = (lead, lead_style) if place == 0 else " " * indent
        console.print(Text.assemble(start, line), soft_wrap=True)
