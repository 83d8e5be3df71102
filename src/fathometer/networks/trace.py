"""A torch module as pure functions of its parameters: one for learning, one for answering.

`torch.export` follows the module once in each mode. What it finds is a graph of torch's operators
that has no state, so that several threads may run it, and any number of members at once."""

from __future__ import annotations

import copy
import hashlib
import math
import re
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from fathometer.errors import NetworkError
from fathometer.networks.network import Dropout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch.export import ExportedProgram
    from torch.fx import GraphModule, Node

ROWS = 5  # of a dry run; torch.export takes 0 and 1 for special
# What a module's own code may raise while it is followed.
FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    RuntimeError,
    TypeError,
    ValueError,
)
RECURRENT = re.compile(r"aten\.(rnn|lstm|gru)")
PARAMETER, CONSTANT = "module.", "constant."


ATTENTION = torch.ops.aten.scaled_dot_product_attention.default
DROPOUT = torch.ops.aten.dropout.default


def plain_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
    kept: Tensor | None = None,
) -> Tensor:
    """Attention (Vaswani et al. 2017, eq. 1) in plain operators, with torch's own arguments.

    Torch's fused kernels have no batched form on a CPU, and no twin. `kept` is multiplied to the
    weights in place of dropout."""
    if enable_gqa:
        raise NetworkError("attention with grouped queries (enable_gqa) is not supported.")
    factor = 1.0 / math.sqrt(query.shape[-1]) if scale is None else scale
    found = (query * factor) @ key.transpose(-2, -1)
    if is_causal:
        size = found.shape[-2:]
        mask = torch.ones(size, dtype=torch.bool, device=query.device).tril()
    if mask is not None:
        closed = mask.dtype == torch.bool
        found = torch.where(mask, found, -math.inf) if closed else found + mask
    weights = found.softmax(dim=-1)
    return (weights if kept is None else weights * kept) @ value


@contextmanager
def quiet() -> Iterator[None]:
    """Without torch's own deprecation warnings, which no user of ours can mend."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", UserWarning)
        yield


@dataclass(frozen=True)
class Sizes:
    """The sizes of an activation that is dropped from, each `factor · rows + constant`."""

    each: tuple[tuple[int, int], ...]

    def at(self, rows: int) -> tuple[int, ...]:
        """For so many rows."""
        return tuple(factor * rows + constant for factor, constant in self.each)


@dataclass(frozen=True, eq=False)
class Trace:
    """A module in one mode as a function of one member's tensors."""

    program: ExportedProgram
    module: GraphModule
    reads: tuple[str, ...]  # a member's tensors by name, as its first arguments; some repeat
    targets: tuple[str, ...]  # what the program calls each of them
    dropped: tuple[Sizes, ...]  # the activations that it drops from, as masks its last arguments

    def run(self, tensors: dict[str, Tensor], x: Tensor, drop: Dropout, *, batched: bool) -> Tensor:
        """All members' outputs, (P, B, K); tensors (P, ...) by name, x (P, B, D).

        batched: as one program (`torch.vmap`), else one member after the other."""
        masks = [_mask(drop, x, sizes.at(x.shape[1])) for sizes in self.dropped]
        # Constants are the same for all, and torch has no batched way to take them up.
        shared = [tensors[name][0] for name in self.reads if name.startswith(CONSTANT)]
        owned = [tensors[name] for name in self.reads if not name.startswith(CONSTANT)]

        def answer(x: Tensor, *own: Tensor) -> Tensor:
            rest, same = iter(own), iter(shared)
            read = [next(same if name.startswith(CONSTANT) else rest) for name in self.reads]
            output: Tensor = self.module.forward(*read, x, *rest)[0]
            return output

        if batched:
            outputs: Tensor = torch.vmap(answer)(x, *owned, *masks)
            return outputs
        return torch.stack([answer(*own) for own in zip(x, *owned, *masks, strict=True)])

    @cached_property
    def decomposed(self) -> ExportedProgram:
        """The program in torch's core operators."""
        with quiet():
            table = torch.export.default_decompositions()
            table[ATTENTION] = plain_attention
            program: ExportedProgram = self.program.run_decompositions(table)
        return program

    @cached_property
    def digest(self) -> str:
        """A hash over what it computes."""
        return hashlib.sha256(self.module.code.encode()).hexdigest()


def _mask(drop: Dropout, x: Tensor, sizes: Sequence[int]) -> Tensor:
    """What activations of this shape are multiplied with, drawn by each member for itself."""
    ones = torch.ones(len(x), sizes[0], *sizes[1:], device=x.device)
    return drop(ones.flatten(2) if ones.dim() > 2 else ones.unsqueeze(2)).view(ones.shape)


def trace(module: nn.Module, features: int, *, learning: bool) -> Trace:
    """Follow a module once.

    Raises:
        NetworkError: if it cannot be followed, or draws random numbers other than by `nn.Dropout`.
    """
    rows = torch.export.Dim("rows", min=2)
    module.train(learning)
    try:
        with quiet():
            program = torch.export.export(
                module, (torch.zeros(ROWS, features),), dynamic_shapes=({0: rows},)
            )
    except FAULTS as error:
        raise NetworkError(
            "the module cannot be followed from its input to its output (torch.export).",
            details=first_line(error) + "\nno branch of it may depend on values, and the number "
            "of rows has to stay open: x.shape[0], not len(x)",
        ) from error
    specs = program.graph_signature.input_specs
    # Constants are numbered by torch, from 0 in either mode.
    constant = CONSTANT + ("learning." if learning else "answering.")
    first = names_of(module)
    targets = tuple(str(spec.target) for spec in specs if spec.target is not None)
    reads = tuple(
        constant + target if target in program.constants else PARAMETER + first[target]
        for target in targets
    )
    graph_module, dropped = _pure(program)
    return Trace(program, graph_module, reads, targets, dropped)


def names_of(module: nn.Module) -> dict[str, str]:
    """The first name of each parameter and buffer, by every name that it has: some are tied."""
    every = [
        *module.named_parameters(remove_duplicate=False),
        *module.named_buffers(remove_duplicate=False),
    ]
    first: dict[int, str] = {}
    return {name: first.setdefault(id(tensor), name) for name, tensor in every}


def first_line(error: BaseException) -> str:
    """What an error says, in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:300] if lines else 'it says nothing'}"


def _pure(program: ExportedProgram) -> tuple[GraphModule, tuple[Sizes, ...]]:
    """The program as a function that takes its dropout masks as further arguments."""
    from torch.fx import GraphModule

    graph = copy.deepcopy(program.graph)
    inputs = [node for node in graph.nodes if node.op == "placeholder"]
    last, sizes = inputs[-1], list[Sizes]()
    symbol = next(s for node in inputs for s in _sizes(node) if not isinstance(s, int))
    with graph.inserting_after(last):
        device = graph.call_function(getattr, (last, "device"))
    for node in list(graph.nodes):
        if str(node.target).startswith(("aten._assert", "aten.sym_constrain")):
            graph.erase_node(node)
            continue
        if "device" in node.kwargs:  # where it was followed, which need not be where it runs
            node.kwargs = {**node.kwargs, "device": device}
        share, dropped = _dropout(node)
        if share:
            with graph.inserting_after(last):
                last = graph.placeholder(f"mask{len(sizes)}")
            sizes.append(_linear(dropped, symbol))
        with graph.inserting_before(node):
            if node.target is ATTENTION:
                named = {**node.kwargs, "kept": last} if share else node.kwargs
                new = graph.call_function(plain_attention, node.args, named)
            elif node.target is DROPOUT:
                args = (node.args[0], last)
                new = graph.call_function(torch.ops.aten.mul.Tensor, args) if share else args[0]
            elif str(node.target) == "aten.sym_size.int":
                new = graph.call_method("size", node.args)
            elif RECURRENT.match(str(node.target)):
                raise NetworkError(f'recurrent layers ("{node.target}") are not supported.')
            elif torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ()):
                raise NetworkError(
                    f'the module draws random numbers ("{node.target}"); only dropout may, so '
                    "that each network of a population has its own."
                )
            else:
                continue
        node.replace_all_uses_with(new)
        graph.erase_node(node)
    return GraphModule(nn.Module(), graph), tuple(sizes)


def _dropout(node: Node) -> tuple[float, tuple[Any, ...]]:
    """The share that a node drops when it learns, and the sizes of what it drops from."""
    if node.target is DROPOUT:
        return (float(node.args[1]) if node.args[2] else 0.0), _sizes(node)  # type: ignore[arg-type]
    if node.target is ATTENTION:
        given = node.args[4] if len(node.args) > 4 else node.kwargs.get("dropout_p", 0.0)
        query, key = node.args[:2]
        return float(given), (*_sizes(query)[:-1], _sizes(key)[-2])  # type: ignore[arg-type]
    return 0.0, ()


def dropout_shares(program: ExportedProgram) -> tuple[float, ...]:
    """The shares that the module drops when it learns, each once."""
    return tuple(sorted({_dropout(node)[0] for node in program.graph.nodes} - {0.0}))


def _sizes(node: Any) -> tuple[Any, ...]:
    value = node.meta.get("val")
    return tuple(value.shape) if isinstance(value, Tensor) else ()


def _linear(sizes: Sequence[Any], symbol: Any) -> Sizes:
    """Sizes as factors and constants of the number of rows."""

    def at(size: Any, rows: int) -> int:
        return size if isinstance(size, int) else int(size.node.expr.subs(symbol.node.expr, rows))

    few, more = ([at(size, rows) for size in sizes] for rows in (2, 3))
    factors = [last - first for first, last in zip(few, more, strict=True)]
    return Sizes(tuple((last, first - 2 * last) for last, first in zip(factors, few, strict=True)))
