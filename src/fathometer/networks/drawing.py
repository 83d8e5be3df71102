"""A network as text: an aligned table of its layers with shapes and parameter counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fathometer.networks.declaration import ALL, INPUTS, OUTPUT, Layer

if TYPE_CHECKING:
    from fathometer.networks.declared import DeclaredNetwork
    from fathometer.networks.network import Shape

LONGEST_CELL = 44  # a layer that reads more than this many letters of names is cut short
HEADINGS = ("layer", "reads", "shape", "connections", "activation", "parameters")


def draw_declared(network: DeclaredNetwork) -> str:
    """Each layer in the order of computing: what it reads, its shape, how it is connected, what it
    applies, and how many parameters are trained; the last line is their sum."""
    declaration = network.declaration
    rows = [*_input_rows(network), *(_layer_row(network, each) for each in declaration.in_order)]
    output = declaration.output
    width, outputs = network.width_read(output), network.shape.outputs
    count = (width + 1) * outputs
    rows.append((OUTPUT, _reads(network, output), f"{width} → {outputs}", "all", "", count))
    total = sum(row[-1] for row in rows)
    return f"{shape_words(network.shape)}\n{grid(HEADINGS, rows, total)}"


def shape_words(shape: Shape) -> str:
    """ "7 numbers · 2 flags · 3 categories → 2 outputs"."""
    counts = ((shape.numbers, "number"), (shape.flags, "flag"))
    parts = [f"{count} {noun}{'s' * (count != 1)}" for count, noun in counts if count]
    if shape.levels:
        parts.append(
            f"{len(shape.levels)} {'category' if len(shape.levels) == 1 else 'categories'}"
        )
    return f"{' · '.join(parts)} → {shape.outputs} output{'s' * (shape.outputs != 1)}"


def grid(headings: Sequence[str], rows: Sequence[tuple[str | int, ...]], total: int) -> str:
    """Cells in columns of their own width, whole numbers to the right; a last line with the sum."""
    cells = [tuple(headings), *(tuple(map(_cell, row)) for row in rows)]
    cells.append(("", *[""] * (len(headings) - 2), f"{total:,}"))
    widths = [max(len(row[place]) for row in cells) for place in range(len(headings))]

    def line(row: tuple[str, ...]) -> str:
        last = len(row) - 1
        parts = [
            text.rjust(width) if place == last else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(parts).rstrip()

    return "\n".join(line(row) for row in cells)


def _cell(value: str | int) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return value if len(value) <= LONGEST_CELL else value[: LONGEST_CELL - 1] + "…"


def _input_rows(network: DeclaredNetwork) -> Iterator[tuple[str, str, str, str, str, int]]:
    """The inputs that anybody reads and this table has."""
    bins, levels = network.declaration.bins, network.shape.levels
    made = {
        "numbers": "scaled",
        "flags": "0 or 1",
        "encoded": f"numbers in {bins} bins each",
        "categories": f"embedded, {sum(levels):,} levels",
    }
    for name in INPUTS:
        width = network.widths[name]
        if name in network.declaration.inputs and width:
            embedded = network.embedding_size if name == "categories" else 0
            yield (name, made[name], f"{width}", "", "", embedded)


def _layer_row(network: DeclaredNetwork, layer: Layer) -> tuple[str, str, str, str, str, int]:
    width, connections = network.width_read(layer.reads), network.connections(layer)
    words = "all"
    if layer.pattern is not None:
        words = f"{connections:,} of {width * layer.units:,}, given"
    elif layer.density is not None:
        words = f"{connections:,} of {width * layer.units:,}, drawn"
    reads = _reads(network, layer.reads)
    reads += "".join(f" · adds {name}" for name in layer.adds)
    activation = layer.activation + (", dropout" if layer.dropout else "")
    count = connections + layer.units
    return (layer.name, reads, f"{width} → {layer.units}", words, activation, count)


def _reads(network: DeclaredNetwork, reads: Sequence[str]) -> str:
    return ALL if tuple(reads) == (ALL,) else " + ".join(network.sources(reads))
