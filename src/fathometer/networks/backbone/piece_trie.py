"""Pieces of words as a trie in three arrays, which a graph can walk by looking places up.

A double array (Aoki, J., An efficient digital search algorithm by using a double-array structure,
IEEE TSE 15(9), 1989): from state s the code c leads to the slot base[s] + c, if that slot's owner
is s. A state is its slot's number. Knows codes, no characters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

DEAD, START, CONTINUED = 0, 1, 2  # states: no piece goes on; before a word; within one
RESERVED = 3
NOBODY = -1
PATIENCE = 64  # slots tried for a node before those up to there are passed over


@dataclass(frozen=True, eq=False)
class Trie:
    """All (slots,) int64."""

    base: np.ndarray
    owner: np.ndarray
    piece: np.ndarray  # the id of the piece that ends there, -1 for none
    length: np.ndarray  # its codes

    @property
    def depth(self) -> int:
        """Codes of the longest piece, at least 1."""
        return max(1, int(self.length.max()))


def grow_trie(pieces: Iterable[tuple[int, Sequence[int], int]], codes: int) -> Trie:
    """A trie of pieces.

    Args:
        pieces: of each its root (`START` or `CONTINUED`), its codes and its id.
        codes: all codes are below.
    """
    children: list[dict[int, int]] = [{} for _ in range(RESERVED)]
    ending: dict[int, tuple[int, int]] = {}
    for root, spelled, own in pieces:
        node = root
        for code in spelled:
            if code not in children[node]:
                children[node][code] = len(children)
                children.append({})
            node = children[node][code]
        ending[node] = (own, len(spelled))
    bases = _place(children)
    slots = list(range(RESERVED)) + [0] * (len(children) - RESERVED)
    size = max(bases) + codes
    base, owner = np.zeros(size, np.int64), np.full(size, NOBODY)
    piece, length = np.full(size, NOBODY), np.zeros(size, np.int64)
    # A child is younger than its parent, whose slot is therefore known.
    for node, leading in enumerate(children):
        base[slots[node]] = bases[node]
        for code, child in leading.items():
            slots[child] = bases[node] + code
            owner[slots[child]] = slots[node]
    for node, (own_id, count) in ending.items():
        piece[slots[node]], length[slots[node]] = own_id, count
    return Trie(base, owner, piece, length)


def _place(children: Sequence[dict[int, int]]) -> list[int]:
    """Each node's base, such that all children of all nodes have slots of their own.

    Nodes with many children first, while there is room; only children, most of all, fill the gaps
    that are left."""
    taken = bytearray(b"\1" * RESERVED)
    bases = [0] * len(children)
    order = sorted(
        (node for node, own in enumerate(children) if own), key=lambda node: -len(children[node])
    )
    cursor, is_alone = RESERVED, False
    for node in order:
        codes = sorted(children[node])
        if len(codes) == 1 and not is_alone:
            cursor, is_alone = RESERVED, True
        slot, tries = max(cursor, codes[0]), 0
        while not _is_room(taken, slot - codes[0], codes):
            slot, tries = slot + 1, tries + 1
        # What was too crowded for this node is left to those with fewer children.
        cursor = slot if tries > PATIENCE or (is_alone and slot > codes[0]) else cursor
        bases[node] = slot - codes[0]
        for code in codes:
            taken[bases[node] + code] = 1
    return bases


def _is_room(taken: bytearray, base: int, codes: Sequence[int]) -> bool:
    """Whether no slot that this base needs is taken; makes room at the end."""
    needed = base + codes[-1] + 1
    if needed > len(taken):
        taken.extend(bytes(needed - len(taken)))
    return not any(taken[base + code] for code in codes)
