"""Any torch module as a network of a population: drawn anew for each member, and written.

A module comes in through `module_check.check_module`, which tries all that is asked of it."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from fathometer.graph import Graph
from fathometer.networks import layers
from fathometer.networks.exported import write_exported
from fathometer.networks.network import (
    Dropout,
    Inputs,
    InputTensors,
    Parameters,
    Shape,
    keep_all,
)
from fathometer.networks.trace import PARAMETER, Trace

RESETS = ("reset_parameters", "_reset_parameters")  # the second is torch's own attention's


@dataclass(frozen=True)
class ModuleNetwork:
    """A torch module as a network; two are equal where they compute and start alike.

    The module takes one float tensor (rows, features): the scaled numbers, the flags, and 8
    embedded columns for each category, in this order; the embeddings are ours and learned with it.
    It returns (rows, outputs): logits for each class, or one standardised value."""

    shape: Shape
    digest: str
    share: float  # of its dropout layers
    parameter_count: int  # trained, embeddings included
    drawing: str = field(repr=False)
    module: nn.Module = field(repr=False, compare=False)
    learning: Trace = field(repr=False, compare=False)
    answering: Trace = field(repr=False, compare=False)
    fixed: frozenset[str] = field(repr=False, compare=False)
    batched: bool = field(repr=False, compare=False)

    def start(self, numbers: Tensor, generator: torch.Generator) -> Parameters:
        """Embeddings, and the module's parameters by its own `reset_parameters`; all from the
        generator."""
        parameters = layers.start_joined(self.shape, generator)
        fresh = reset(self.module, int(torch.randint(2**62, (), generator=generator)))
        return parameters | tensors_of(fresh, self.learning, self.answering)

    def forward(self, parameters: Parameters, inputs: Inputs, drop: Dropout = keep_all) -> Tensor:
        """Logits or standardised values, (P, B, K)."""
        x = layers.joined(inputs, parameters, self.shape.levels)
        followed = self.answering if drop is keep_all else self.learning
        return followed.run(parameters, x, drop, batched=self.batched)

    def write(self, graph: Graph, parameters: dict[str, np.ndarray], inputs: InputTensors) -> str:
        """The twin of `forward`, (P, rows, K): the module once for each member."""
        parts = layers.write_joined(graph, inputs, parameters, self.shape.levels)
        joined = graph.concat(parts, axis=2)
        reads = dict(zip(self.answering.targets, self.answering.reads, strict=True))
        first = graph.constant(np.array([0]))
        members = len(next(iter(parameters.values())))
        outputs = []
        for member in range(members):
            own = {
                target: torch.from_numpy(parameters[name][member]) for target, name in reads.items()
            }
            place = graph.constant(np.array([member]))
            rows = graph.add("Squeeze", graph.add("Gather", joined, place, axis=0), first)
            output = write_exported(graph, self.answering.decomposed, own, rows)
            outputs.append(graph.add("Unsqueeze", output, first))
        return graph.concat(outputs, axis=0)

    def draw(self) -> str:
        """The submodules as a table, with the shapes of what they return."""
        return self.drawing


def reset(module: nn.Module, seed: int) -> nn.Module:
    """A copy whose every parameter is drawn anew, inner submodules first, as torch's own
    constructors do; one at a time, since they draw from torch's global generator."""
    fresh = copy.deepcopy(module)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        for part in reversed(list(fresh.modules())):
            for name in RESETS:
                draw = getattr(part, name, None)
                if draw is not None:
                    draw()
                    break
    return fresh


def tensors_of(module: nn.Module, *traces: Trace) -> Parameters:
    """Everything that the traces read of a module, by name, apart from it."""
    held: dict[str, Tensor] = dict(module.named_parameters(remove_duplicate=False))
    held |= dict(module.named_buffers(remove_duplicate=False))
    found = Parameters()
    for each in traces:
        constants = each.program.constants
        for name, target in zip(each.reads, each.targets, strict=True):
            tensor = held[target] if name.startswith(PARAMETER) else constants[target]
            found[name] = tensor.detach().clone()
    return found
