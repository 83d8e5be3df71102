"""A TOML file that a user wrote: read with a bound, refused in one style."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fathometer.errors import OptionError


@dataclass(frozen=True)
class TomlFile:
    """Where it lies, and what an error says of it."""

    path: Path
    what: str  # "the price file"
    takes: str  # what it may say
    option: str  # under which it was given, "--prices"

    def read(self, *, most_bytes: int) -> dict[str, Any]:
        """What it says.

        Raises:
            OptionError: if it cannot be read, is larger or is not TOML.
        """
        try:
            content = self.path.read_bytes()
            if len(content) > most_bytes:
                raise self.refused(f"has {len(content):,} bytes")
            return tomllib.loads(content.decode())
        except OSError as error:
            raise self.refused(f"cannot be read: {error.strerror}") from error
        except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, or beyond all bounds
            raise self.refused(f"is not TOML: {error}") from error

    def only(self, said: Mapping[str, Any], known: set[str], place: str = "") -> None:
        """Refuse what is not known.

        place: of what is said, with its dot: "output.".

        Raises:
            OptionError: if something else is said.
        """
        unknown = sorted(set(said) - known)
        if unknown:
            raise self.refused(f'has "{place}{unknown[0]}", which is not known')

    def number(self, said: object, what: str) -> float:
        """A number of the file. what: it is, for the error.

        Raises:
            OptionError: if it is none that a double can hold.
        """
        if isinstance(said, int | float) and not isinstance(said, bool):
            try:
                return float(said)
            except OverflowError:
                pass
        raise self.refused(
            f"has {what} {str(said)[:40]}, which is no number that a double can hold"
        )

    def refused(self, found: str) -> OptionError:
        """The error for what was found in it."""
        return OptionError(
            f"{self.what} {self.path} {found}.",
            details=f"it takes {self.takes}",
            try_next=f"{self.option}{self.path}",
        )
