"""A fit that is killed, wherever it stands, when it asks once more whether it is to stop."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count


class Killed(Exception):
    pass


def killed_after(times: int) -> Callable[[], bool]:
    """What a budget asks whether the user stopped the run: no, so many times."""
    asked = count()

    def stopped() -> bool:
        if next(asked) > times:
            raise Killed
        return False

    return stopped
