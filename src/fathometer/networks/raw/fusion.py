"""Late fusion: each raw column's encoder, their features joined, one linear head."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fathometer.graph import Graph
from fathometer.networks.raw.convolution import write_linear
from fathometer.networks.raw.encoder import Encoder, Rate, SeededDropout, Visit
from fathometer.networks.raw.shown import ShownEncoder


class RawNet(nn.Module):
    """Encoders side by side and a head: logits of K classes, or one standardised value."""

    def __init__(
        self, encoders: Sequence[Encoder], outputs: int, *, dropout: float, rate: Rate
    ) -> None:
        """rate: how the head is moved."""
        super().__init__()
        self.encoders = nn.ModuleList(encoders)
        self.dropout = SeededDropout(dropout)
        self.head = nn.Linear(sum(encoder.width for encoder in encoders), outputs)
        self.rate = rate

    def prepare(self, raws: Sequence[Tensor], target: Tensor) -> None:
        """Compute what is fixed from a fold's learning rows."""
        with torch.no_grad():
            for encoder, raw in zip(self._own(), raws, strict=True):
                encoder.prepare(raw, target)

    def augment(self, raws: Sequence[Tensor], visit: Visit) -> list[Tensor]:
        """A training batch as this epoch shows it."""
        return [e.augment(raw, visit) for e, raw in zip(self._own(), raws, strict=True)]

    def features(self, raws: Sequence[Tensor]) -> Tensor:
        """What the head sees, (B, widths joined)."""
        parts = [e(as_read(raw)) for e, raw in zip(self._own(), raws, strict=True)]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)

    def forward(self, raws: Sequence[Tensor]) -> Tensor:
        """Logits or standardised values (B, K) of raw columns (B, ...) each."""
        found: Tensor = self.head(self.dropout(self.features(raws)))
        return found

    def write(self, graph: Graph, raws: Sequence[str]) -> str:
        """The twin of `forward` as it predicts; float (rows, K)."""
        parts = [e.write(graph, raw) for e, raw in zip(self._own(), raws, strict=True)]
        return write_linear(graph, graph.concat(parts), self.head)

    def groups(self) -> list[tuple[Rate, list[nn.Parameter]]]:
        """All trained parameters, each once, with how they are moved."""
        own = [group for encoder in self._own() for group in encoder.groups()]
        return [*own, (self.rate, list(self.head.parameters()))]

    def draw_from(self, generator: torch.Generator) -> None:
        """Let every dropout draw from this generator."""
        for module in self.modules():
            if isinstance(module, SeededDropout):
                module.generator = generator

    def look_once(self, *, once: bool) -> None:
        """Whether pictures are looked at as they are alone: half the work, where it is enough."""
        for module in self.modules():
            if isinstance(module, ShownEncoder):
                module.once = once

    def _own(self) -> list[Encoder]:
        return [encoder for encoder in self.encoders if isinstance(encoder, Encoder)]


def as_read(raw: Tensor) -> Tensor:
    """Stored values as encoders take them: bytes as float32, the others as they are."""
    return raw.float() if raw.dtype == torch.uint8 else raw
