"""A network as its owner describes it: layers by name, and what each of them reads.

A value alone: it knows neither tensors, nor the table, nor the file it may have been written in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from fathometer.errors import NetworkError

# What a layer may read of the table itself; "all" is every one of them.
INPUTS = ("numbers", "flags", "encoded", "categories")
ALL = "all"
OUTPUT = "output"
ACTIVATION_NAMES = ("relu", "silu", "gelu", "mish", "tanh", "identity")
MOST_UNITS = 16_384  # one layer between two of these takes a gigabyte for each network
MOST_BINS = 256
MOST_LAYERS = 200


@dataclass(frozen=True)
class Layer:
    """One layer: `dropout(activation(weights · what it reads + bias))`, and then what it adds.

    What it reads is concatenated. `density` draws that share of the inputs for each unit, from
    `pattern_seed`; `pattern` lists [from, to] pairs, both counted from 0. Neither: dense."""

    name: str
    units: int
    activation: str = "relu"
    reads: tuple[str, ...] = (ALL,)
    adds: tuple[str, ...] = ()
    dropout: bool = True
    density: float | None = None
    pattern: tuple[tuple[int, int], ...] | None = None
    pattern_seed: int = 0

    @property
    def is_sparse(self) -> bool:
        """Whether some connections are left out."""
        return self.density is not None or self.pattern is not None

    def __post_init__(self) -> None:
        where = f'layer "{self.name}"'
        if not self.name.strip() or not self.name.isprintable():
            raise NetworkError(f"{where} needs a name that can be printed.")
        if self.name in (*INPUTS, ALL, OUTPUT):
            raise NetworkError(
                f"{where} has a name that is taken.",
                details=f"taken: {', '.join((*INPUTS, ALL, OUTPUT))}",
            )
        if not 1 <= self.units <= MOST_UNITS:
            raise NetworkError(f"{where} has {self.units:,} units; it takes 1 to {MOST_UNITS:,}.")
        if self.activation not in ACTIVATION_NAMES:
            raise NetworkError(
                f'{where} has the activation "{self.activation}", which there is not.',
                details=f"activations: {', '.join(ACTIVATION_NAMES)}",
            )
        if self.density is not None and not 0.0 < self.density <= 1.0:
            raise NetworkError(
                f"{where} has density {self.density:g}; it takes more than 0, and 1 at most."
            )
        if self.density is not None and self.pattern is not None:
            raise NetworkError(f"{where} has both a density and a pattern; it takes one of them.")
        if self.pattern is not None:
            _check_pattern(where, self.pattern, self.units)
        if self.pattern_seed < 0:
            raise NetworkError(f"{where} has pattern_seed {self.pattern_seed}; it takes 0 or more.")
        if not self.reads:
            raise NetworkError(f"{where} reads nothing.", details=f"inputs: {_input_names()}")
        for names, verb in ((self.reads, "reads"), (self.adds, "adds")):
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise NetworkError(f'{where} {verb} "{twice}" twice.')


def _check_pattern(where: str, pattern: Sequence[tuple[int, int]], units: int) -> None:
    if len(set(pattern)) < len(pattern):
        raise NetworkError(f"{where} names a connection of its pattern twice.")
    wrong = next((pair for pair in pattern if pair[0] < 0 or not 0 <= pair[1] < units), None)
    if wrong is not None:
        raise NetworkError(
            f"{where} has the connection {list(wrong)} in its pattern, but units 0 to {units - 1}."
        )
    idle = sorted(set(range(units)) - {to for _, to in pattern})
    if idle:
        raise NetworkError(
            f"{where} has a pattern that leads to {units - len(idle)} of its {units} units.",
            details=f"without a connection: {', '.join(map(str, idle[:10]))}",
        )


def _input_names() -> str:
    return ", ".join((*INPUTS, ALL))


@dataclass(frozen=True)
class Declaration:
    """Layers by name in any order, and which of them the output reads; checked when made.

    Raises:
        NetworkError: if a name is unknown or doubled, layers read one another in a circle, what is
            added differs in width, or a layer is read by nobody.
    """

    layers: tuple[Layer, ...]
    output: tuple[str, ...]  # names of layers or inputs, concatenated
    bins: int = 16  # of each number's piecewise-linear encoding, input "encoded"

    def __post_init__(self) -> None:
        if not 1 <= self.bins <= MOST_BINS:
            raise NetworkError(f"bins is {self.bins}; it takes 1 to {MOST_BINS}.")
        if len(self.layers) > MOST_LAYERS:
            raise NetworkError(f"it has {len(self.layers):,} layers; at most {MOST_LAYERS}.")
        if not self.output:
            raise NetworkError("the output reads nothing.", details=f"inputs: {_input_names()}")
        by_name = self._by_name()
        for layer in self.layers:
            self._check_sources(f'layer "{layer.name}" reads', layer.reads)
            self._check_sources(f'layer "{layer.name}" adds', layer.adds, inputs=False)
        self._check_sources("the output reads", self.output)
        for layer in self.in_order:
            for name in layer.adds:
                if by_name[name].units != layer.units:
                    raise NetworkError(
                        f'layer "{layer.name}" has {layer.units} units and adds "{name}", '
                        f"which has {by_name[name].units}; they must be equally many.",
                        details=f'concatenated they may differ: from = ["{name}", …]',
                    )
        self._check_used()

    @cached_property
    def in_order(self) -> tuple[Layer, ...]:
        """The layers, each after all that it needs; else in the order in which they stand."""
        by_name, done = self._by_name(), dict[str, Layer]()

        def visit(layer: Layer, path: tuple[str, ...]) -> None:
            if layer.name in path:
                circle = (*path[path.index(layer.name) :], layer.name)
                raise NetworkError(
                    "layers read one another in a circle: " + " → ".join(circle[::-1]) + "."
                )
            if layer.name not in done:
                for name in (*layer.reads, *layer.adds):
                    if name in by_name:
                        visit(by_name[name], (*path, layer.name))
                done[layer.name] = layer

        for layer in self.layers:
            visit(layer, ())
        return tuple(done.values())

    @cached_property
    def inputs(self) -> frozenset[str]:
        """Which of `INPUTS` anybody reads."""
        reads = {*self.output, *(name for layer in self.layers for name in layer.reads)}
        return frozenset(INPUTS) if ALL in reads else frozenset(reads & set(INPUTS))

    def _by_name(self) -> dict[str, Layer]:
        found: dict[str, Layer] = {}
        for layer in self.layers:
            if layer.name in found:
                raise NetworkError(f'two layers are called "{layer.name}".')
            found[layer.name] = layer
        return found

    def _check_sources(self, who: str, names: Sequence[str], *, inputs: bool = True) -> None:
        known = [layer.name for layer in self.layers]
        known += [*INPUTS, ALL] if inputs else []
        for name in names:
            if name not in known:
                raise NetworkError(
                    f'{who} "{name}", which there is not.', details=f"known: {', '.join(known)}"
                )

    def _check_used(self) -> None:
        needed = set(self.output)
        for layer in reversed(self.in_order):
            if layer.name not in needed:
                raise NetworkError(
                    f'layer "{layer.name}" is unused: nothing that leads to the output reads it.',
                    details=f"the output reads: {', '.join(self.output)}",
                )
            needed.update(layer.reads, layer.adds)
