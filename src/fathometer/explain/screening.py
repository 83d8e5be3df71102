"""Which columns of a wide table are worth measuring one by one.

Sequential bifurcation (Bettonville and Kleijnen 1997, European Journal of Operational Research
96:180): the values of a whole block of columns are exchanged at once; the block that moves the
answers most is halved and both halves are asked, until single columns are left. Among thousands of
columns the few that matter are so found in some hundred questions. Knows no truth: what counts is
how far the answers move."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush

Movement = Callable[[Sequence[str]], float]


def strongest(
    names: Sequence[str], movement: Movement, *, most: int, questions: int
) -> tuple[str, ...]:
    """At most so many columns that move the answers most, in the order in which they were given.

    Args:
        movement: how far the answers move with the values of these columns exchanged, 0 or more.
        questions: how often `movement` may be asked.
    """
    if len(names) <= most:
        return tuple(names)
    found: list[int] = []
    blocks = [(0.0, 0, len(names))]  # moves the answers by so much, negated; first, end
    while blocks and len(found) < most and (questions >= 2 or blocks[0][2] - blocks[0][1] == 1):
        _, first, end = heappop(blocks)
        if end - first == 1:
            found.append(first)
            continue
        middle = (first + end) // 2
        for part in ((first, middle), (middle, end)):
            heappush(blocks, (-movement(names[slice(*part)]), *part))
        questions -= 2
    singles = sorted(block for block in blocks if block[2] - block[1] == 1)
    found += [first for _, first, _ in singles[: most - len(found)]]
    return tuple(names[place] for place in sorted(found))
