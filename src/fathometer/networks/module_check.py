"""Everything that is asked of a module in a contest, tried once before it: a dry run.

What fails is told with the submodule and the shapes; nothing is trained here."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from fathometer.errors import NetworkError
from fathometer.graph import Element, Graph
from fathometer.networks import layers
from fathometer.networks.drawing import grid, shape_words
from fathometer.networks.module import RESETS, ModuleNetwork, reset, tensors_of
from fathometer.networks.network import Inputs, InputTensors, Parameters, Shape
from fathometer.networks.trace import (
    FAULTS,
    PARAMETER,
    ROWS,
    Trace,
    dropout_shares,
    first_line,
    quiet,
    trace,
)
from fathometer.runtime import open_session

# A module, or what makes one for so many features and outputs: a function, or the class itself.
ModuleSource = nn.Module | Callable[[int, int], nn.Module]
AS_FUNCTION = "networks=[lambda features, outputs: nn.Sequential(…)]"
CLOSE = 1e-4  # two ways of the same sum; larger, and a row depends on the rows beside it


def check_module(source: ModuleSource, shape: Shape) -> ModuleNetwork:
    """A module for inputs of this shape, after a dry run of everything that will be asked of it.

    Raises:
        NetworkError: if it fails on such inputs (the message names the submodule and the shapes),
            answers in another shape, cannot be drawn anew, keeps a running state as BatchNorm does,
            or uses an operator that cannot be written.
    """
    features = layers.joined_width(shape)
    module = made(source, shape)
    x = torch.randn(ROWS, features, generator=torch.Generator().manual_seed(0))
    with watched(module) as (open_calls, seen):
        output = _dry_run(module.eval(), x, shape, open_calls)
    _check_output(output, shape)
    _check_tensors(module)
    _check_rows_stand_alone(module, x, output)
    _check_buffers_stay(module, x)
    _check_resets(module)
    learning = trace(module, features, learning=True)
    answering = trace(module, features, learning=False)
    shares = dropout_shares(learning.program)
    if len(shares) > 1:
        raise NetworkError(
            f"the module has dropout layers of several shares ({', '.join(map(str, shares))}); "
            "a population drops one share everywhere."
        )
    network = ModuleNetwork(
        shape,
        _digest(module, learning, answering),
        shares[0] if shares else 0.0,
        0,
        _draw(shape, module, seen),
        module,
        learning,
        answering,
        frozenset(),
        batched=True,
    )
    return _tried(network)


def made(source: ModuleSource, shape: Shape) -> nn.Module:
    """A copy of the module, or what its function makes for this shape."""
    features, outputs = layers.joined_width(shape), shape.outputs
    if isinstance(source, nn.Module):
        return copy.deepcopy(source).cpu()
    try:
        module = source(features, outputs)
    except FAULTS as error:
        raise NetworkError(
            f"the network could not be made for {features} features and {outputs} outputs.",
            details=first_line(error),
            try_next=AS_FUNCTION,
        ) from error
    if not isinstance(module, nn.Module):
        raise NetworkError(
            f"the network's function returned a {type(module).__name__}, no torch.nn.Module.",
            try_next=AS_FUNCTION,
        )
    return module


Seen = dict[str, tuple[int, ...]]


@contextmanager
def watched(module: nn.Module) -> Iterator[tuple[list[tuple[str, nn.Module, object]], Seen]]:
    """Follow the calls of submodules: those not yet returned, and the shapes of what returned."""
    open_calls: list[tuple[str, nn.Module, object]] = []
    seen: Seen = {}
    hooks = []
    for name, part in module.named_modules():

        def enter(called: nn.Module, inputs: object, name: str = name) -> None:
            open_calls.append((name, called, inputs))

        def leave(called: nn.Module, inputs: object, output: object, name: str = name) -> None:
            open_calls.pop()
            if isinstance(output, Tensor):
                seen[name] = tuple(output.shape)

        hooks += [part.register_forward_pre_hook(enter), part.register_forward_hook(leave)]
    try:
        yield open_calls, seen
    finally:
        for hook in hooks:
            hook.remove()


def _dry_run(
    module: nn.Module, x: Tensor, shape: Shape, open_calls: list[tuple[str, nn.Module, object]]
) -> object:
    try:
        with torch.no_grad(), quiet():
            return module(x)
    except FAULTS as error:
        name, part, inputs = open_calls[-1] if open_calls else ("", module, (x,))
        shapes = [str(tuple(e.shape)) for e in inputs if isinstance(e, Tensor)]  # type: ignore[attr-defined]
        where = f'submodule "{name}"' if name else "the module"
        described = str(part).splitlines()[0][:120]
        raise NetworkError(
            f"{where}, {described}, failed on an input of shape {', '.join(shapes)}: "
            f"{first_line(error)}",
            details=features_words(shape),
            try_next=AS_FUNCTION,
        ) from error


def features_words(shape: Shape) -> str:
    """What the columns of a module's input are."""
    parts = f"{shape.numbers} numbers, {shape.flags} flags, {len(shape.levels)} categories"
    return (
        f"this table gives (rows, {layers.joined_width(shape)}): {parts} of "
        f"{layers.EMBEDDING_WIDTH} embedded columns each; asked for is (rows, {shape.outputs})"
    )


def _check_output(output: object, shape: Shape) -> None:
    if not isinstance(output, Tensor):
        raise NetworkError(f"the module returned a {type(output).__name__}, no tensor.")
    if output.shape != (ROWS, shape.outputs) or output.dtype != torch.float32:
        raise NetworkError(
            f"the module returned {tuple(output.shape)} {output.dtype} for {ROWS} rows; "
            f"asked for is ({ROWS}, {shape.outputs}) torch.float32.",
            details=features_words(shape),
            try_next=AS_FUNCTION,
        )


def _check_tensors(module: nn.Module) -> None:
    for name, part in module.named_modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            raise NetworkError(
                f'submodule "{name}" is a {type(part).__name__}, whose answer for a row depends on '
                "the rows beside it; it is not supported.",
                try_next="nn.LayerNorm in its place",
            )
    if not any(True for _ in module.parameters()):
        raise NetworkError("the module has no parameter, so there is nothing to train.")
    for name, parameter in module.named_parameters():
        if parameter.dtype != torch.float32:
            raise NetworkError(f'the parameter "{name}" is {parameter.dtype}, not torch.float32.')
        if not parameter.requires_grad:
            raise NetworkError(
                f'the parameter "{name}" is frozen. Every network is trained from its own start; '
                "what never changes belongs in a buffer."
            )


def _check_rows_stand_alone(module: nn.Module, x: Tensor, output: object) -> None:
    assert isinstance(output, Tensor)
    with torch.no_grad():
        fewer = module(x[:2])
    if not torch.allclose(fewer, output[:2], atol=CLOSE, rtol=CLOSE):
        raise NetworkError(
            "the module's answer for a row depends on the rows beside it, or on chance.",
            details="each row has to be answered by itself, and the same way each time",
        )


def _check_buffers_stay(module: nn.Module, x: Tensor) -> None:
    tried = copy.deepcopy(module).train()
    before = {name: buffer.clone() for name, buffer in tried.named_buffers()}
    with torch.no_grad(), quiet():
        tried(x)
    for name, buffer in tried.named_buffers():
        if not torch.equal(buffer, before[name]):
            raise NetworkError(
                f'the buffer "{name}" changes while the module learns. A running state is not '
                "supported: buffers are constants.",
            )


def _check_resets(module: nn.Module) -> None:
    """Every submodule with parameters of its own can draw them anew, from torch's generator."""
    for name, part in module.named_modules():
        own = [each for each, _ in part.named_parameters(recurse=False)]
        if own and not any(hasattr(part, each) for each in RESETS):
            where = f'submodule "{name}"' if name else "the module"
            raise NetworkError(
                f"{where} ({type(part).__name__}) holds parameters ({', '.join(own[:5])}) and has "
                "no method reset_parameters, so that no network can start from its own seed.",
                try_next="def reset_parameters(self) in that class, with torch.nn.init",
            )
    drawn = [dict(reset(module, 1).named_parameters()) for _ in range(2)]
    for name, parameter in drawn[0].items():
        if not torch.equal(parameter, drawn[1][name]):
            raise NetworkError(
                f'the parameter "{name}" is drawn otherwise each time: its reset_parameters does '
                "not draw from torch's own generator."
            )


def _tried(network: ModuleNetwork) -> ModuleNetwork:
    """The network, knowing which parameters are trained and whether members run as one program."""
    shape, generator = network.shape, torch.Generator().manual_seed(0)
    inputs = Inputs(
        torch.randn(2, ROWS, shape.numbers, generator=generator),
        torch.zeros(2, ROWS, shape.flags),
        torch.zeros(2, ROWS, len(shape.levels), dtype=torch.int64),
    )
    starts = [network.start(inputs.numbers[0], generator) for _ in range(2)]
    stacked = {name: torch.stack([start[name] for start in starts]) for name in starts[0]}
    held = {PARAMETER + name for name, _ in network.module.named_parameters()} | {layers.EMBEDDING}
    leaves = {name: stacked[name].requires_grad_() for name in stacked.keys() & held}

    def learned(tried: ModuleNetwork) -> Tensor:
        # Not the dropout of a prediction, so that the module runs as it learns.
        return tried.forward(stacked | leaves, inputs, lambda activations: activations)

    try:
        outputs = learned(network)
    except FAULTS:  # some operators have no batched form
        network = replace(network, batched=False)
        outputs = learned(network)
    found = torch.autograd.grad(outputs.sum(), list(leaves.values()), allow_unused=True)
    trained = {name for name, each in zip(leaves, found, strict=True) if each is not None}
    count = sum(starts[0][name].numel() for name in trained)
    network = replace(network, fixed=frozenset(stacked.keys() - trained), parameter_count=count)
    _write_once(network, stacked, inputs)
    return network


def _write_once(network: ModuleNetwork, stacked: Parameters, inputs: Inputs) -> None:
    """That every operator has its twin, and the twins answer as the module does."""
    graph, outputs = Graph(), network.shape.outputs
    weights = {name: tensor.detach().numpy() for name, tensor in stacked.items()}
    tensors = (inputs.numbers, inputs.flags, inputs.codes)
    ports = [graph.constant(each.numpy()) if each.shape[2] else None for each in tensors]
    out = network.write(graph, weights, InputTensors(*ports))
    flat = graph.add("Reshape", out, graph.constant(np.array([-1, outputs])))
    proto = graph.finish({"out": (flat, Element.FLOAT, outputs)})
    found = open_session(proto.SerializeToString()).run(None, {})[0]
    with torch.no_grad():
        gap = network.forward(stacked, inputs).flatten(0, 1).numpy() - found
    if not np.abs(gap).max() <= CLOSE:  # NaN compares false
        raise NetworkError(
            f"the module's file would deviate from it by {np.abs(gap).max():.2g}.",
            details="its answers have to be finite, and to depend on one row alone",
        )


def _digest(module: nn.Module, *traces: Trace) -> str:
    """A hash over what the module computes and how it starts."""
    digest = hashlib.sha256()
    for each in traces:
        digest.update(each.digest.encode())
    for name, tensor in sorted(tensors_of(reset(module, 0), *traces).items()):
        digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _draw(shape: Shape, module: nn.Module, seen: Seen) -> str:
    rows: list[tuple[str | int, ...]] = []
    if shape.levels:
        size = layers.EMBEDDING_WIDTH * sum(shape.levels)
        width = layers.EMBEDDING_WIDTH * len(shape.levels)
        rows.append(("categories", "embedded", f"(rows, {width})", size))
    for name, part in module.named_modules():
        own = sum(each.numel() for each in part.parameters(recurse=False))
        if own or not any(True for _ in part.children()):
            sizes = ", ".join(map(str, seen[name][1:])) if name in seen else ""
            returned = f"(rows, {sizes})" if sizes else ""
            rows.append((name or "module", type(part).__name__, returned, own))
    total = sum(row[-1] for row in rows if isinstance(row[-1], int))
    headings = ("submodule", "kind", "returns", "parameters")
    return f"{shape_words(shape)}\n{grid(headings, rows, total)}"
