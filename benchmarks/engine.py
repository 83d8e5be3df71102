"""The population engine against a loop of the same networks.

    python benchmarks/engine.py [--repeats 9]

K = 32 multilayer perceptrons 32-D-D-2 learn two classes from a table of 20,000 rows, batch B each.
The loop trains them one after the other with PyTorch's fused AdamW, one step of each in turn; the
engine trains them as blocks (`population.block`). Both take the same rows in the same order, so
both end with the same weights in float32, which is checked. Where the processor multiplies bf16
sooner, a second engine does so as it does in a contest (`population.precision`). Milliseconds for
one step of all 32 networks, medians; all are timed in turn, so that they meet the same states of
the machine. Prints, and writes to benchmarks/results/engine.md."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor

from fathometer.networks.network import Inputs, Shape
from fathometer.networks.perceptron import Perceptron
from fathometer.population.block import BETAS, Block, pace
from fathometer.population.cost import members_of_a_block
from fathometer.population.member import Lessons, Member
from fathometer.population.precision import has_quick_bf16
from fathometer.population.state import start
from fathometer.trial.measure import machine, versions

RESULTS = Path(__file__).parent / "results" / "engine.md"
NETWORKS, ROWS, COLUMNS, CLASSES = 32, 20_000, 32, 2
CASES = ((32, 64), (256, 64), (256, 256))  # batch, width
LEARNING_RATE, WEIGHT_DECAY, SCHEDULE = 1e-3, 1e-2, 400


def make_lessons(learning: Tensor, validation: Tensor) -> Lessons:
    """Two classes by the sign of a product, for networks that learn from these of `ROWS` rows."""
    generator = torch.Generator().manual_seed(0)
    numbers = torch.randn(ROWS, COLUMNS, generator=generator)
    target = (numbers[:, 0] * numbers[:, 1] > 0).long()
    inputs = Inputs(
        numbers[None], torch.zeros(1, ROWS, 0), torch.zeros(1, ROWS, 0, dtype=torch.int64)
    )
    return Lessons(inputs, target[None], (learning,), (validation,), classify=True)


def make_members(width: int) -> list[Member]:
    network = Perceptron(Shape(COLUMNS, 0, (), CLASSES), width, 2)
    return [
        Member(network, 0, seed, LEARNING_RATE, WEIGHT_DECAY, 0.0, SCHEDULE)
        for seed in range(NETWORKS)
    ]


class Loop:
    """The same networks one after the other."""

    def __init__(self, lessons: Lessons, members: list[Member], batch: int) -> None:
        self._numbers, self._target = lessons.inputs.numbers[0], lessons.target[0]
        self._batch = batch
        self._states = [start(member, lessons) for member in members]
        self._networks = [network_like(state.parameters) for state in self._states]
        self._optimizers = [
            torch.optim.AdamW(
                network.parameters(),
                lr=0.0,
                betas=BETAS,
                weight_decay=WEIGHT_DECAY,
                fused=True,
            )
            for network in self._networks
        ]
        self._taken = 0

    def take(self, steps: int) -> None:
        loss_of = torch.nn.CrossEntropyLoss()
        for step in range(self._taken, self._taken + steps):
            rate = LEARNING_RATE * pace(step / SCHEDULE)
            for state, network, optimizer in zip(
                self._states, self._networks, self._optimizers, strict=True
            ):
                rows = state.stream.take(self._batch)
                optimizer.zero_grad()
                loss_of(network(self._numbers[rows]), self._target[rows]).backward()
                optimizer.param_groups[0]["lr"] = rate
                optimizer.step()
        self._taken += steps

    def weights(self) -> Tensor:
        first = [next(network.parameters()) for network in self._networks]
        return torch.stack([weight.detach().T for weight in first])


def network_like(parameters: dict[str, Tensor]) -> torch.nn.Sequential:
    layers: list[torch.nn.Module] = []
    depth = len(parameters) // 2
    for place in range(depth):
        weight, bias = parameters[f"weight{place}"], parameters[f"bias{place}"]
        layer = torch.nn.Linear(*weight.shape)
        with torch.no_grad():
            layer.weight.copy_(weight.T)
            layer.bias.copy_(bias)
        layers += [layer, torch.nn.ReLU()] if place < depth - 1 else [layer]
    return torch.nn.Sequential(*layers)


class Engine:
    """The same networks in blocks, `threads` of them at a time."""

    def __init__(
        self,
        lessons: Lessons,
        members: list[Member],
        batch: int,
        threads: int,
        size: int,
        *,
        exact: bool,
    ) -> None:
        states = [start(member, lessons) for member in members]
        parts = [states[first : first + size] for first in range(0, len(states), size)]
        self._blocks = [Block(lessons, part, batch, exact=exact) for part in parts]
        self._states, self._pool, self._taken = states, ThreadPoolExecutor(threads), 0

    def take(self, steps: int) -> None:
        first = self._taken
        list(self._pool.map(lambda block: block.teach(first, steps, lambda: True), self._blocks))
        self._taken += steps

    def weights(self) -> Tensor:
        for block in self._blocks:
            block.settle(self._taken)
        return torch.stack([s.layout.views(s.weights)["weight0"] for s in self._states])


def milliseconds(take: Callable[[int], None], steps: int) -> float:
    started = time.perf_counter()
    take(steps)
    return (time.perf_counter() - started) / steps * 1e3


def gemm_gflops(kind: torch.dtype) -> float:
    """What one core reaches in a product of 1024 × 1024, GFLOP/s, the median of 9."""
    torch.set_num_threads(1)
    one, other = torch.randn(1024, 1024).to(kind), torch.randn(1024, 1024).to(kind)
    reached = []
    for _ in range(9):
        started = time.perf_counter()
        for _ in range(5):
            torch.mm(one, other)
        reached.append(5 * 2 * 1024**3 / (time.perf_counter() - started) / 1e9)
    return statistics.median(reached)


def step_gflop(batch: int, width: int) -> float:
    """Products of one step of all networks; the first layer needs no gradient of its input."""
    inner = width * width + width * CLASSES
    return 2 * batch * NETWORKS * (2 * COLUMNS * width + 3 * inner) / 1e9


def spread(times: list[float]) -> str:
    return f"{statistics.median(times):.2f} ({min(times):.2f} to {max(times):.2f})"


def one_case(
    lessons: Lessons, batch: int, width: int, threads: int, repeats: int, roofs: list[float]
) -> str:
    """A line of the table; an engine for each roofline, the first in float32."""
    members = make_members(width)
    block = Block(lessons, [start(members[0], lessons)], batch)
    size = members_of_a_block(block.layout, batch, torch.device("cpu"))
    size = min(size, -(-NETWORKS // threads))
    loop = Loop(lessons, members, batch)
    engines = [
        Engine(lessons, members, batch, threads, size, exact=place == 0)
        for place in range(len(roofs))
    ]
    steps = max(4, int(2000 / (batch * width) ** 0.5 / 4))
    torch.set_num_threads(threads)
    loop.take(2)
    torch.set_num_threads(1)
    for engine in engines:
        engine.take(2)
    theirs, ours = [], [list[float]() for _ in engines]
    for _ in range(repeats):
        torch.set_num_threads(threads)
        theirs.append(milliseconds(loop.take, steps))
        torch.set_num_threads(1)
        for engine, taken in zip(engines, ours, strict=True):
            taken.append(milliseconds(engine.take, steps))
    cells = [str(batch), str(width), str(threads), str(size), spread(theirs)]
    for taken, roof in zip(ours, roofs, strict=True):
        ratio = statistics.median(t / o for t, o in zip(theirs, taken, strict=True))
        share = step_gflop(batch, width) / (statistics.median(taken) / 1e3) / (roof * threads)
        cells += [spread(taken), f"{ratio:.1f}×", f"{share:.0%}"]
    apart = float((loop.weights() - engines[0].weights()).abs().max())
    return f"| {' | '.join(cells)} | {apart:.0e} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    lessons = make_lessons(torch.arange(ROWS), torch.arange(100))
    kinds = [torch.float32]
    if has_quick_bf16(torch.device("cpu")):
        kinds.append(torch.bfloat16)
    roofs = [gemm_gflops(kind) for kind in kinds]
    reached = " and ".join(f"{roof:.0f} GFLOP/s" for roof in roofs)
    names = ["float32", "bf16 where worth it"][: len(kinds)]
    head = ["batch", "D", "threads", "members a block", "loop ms"]
    for name in names:
        head += [f"{name}: ms", "ratio", "of roofline"]
    lines = [
        "# Engine against a loop of the same networks",
        "",
        f"On: {' · '.join(machine().values())}; torch {versions()['torch']}.",
        f"K = {NETWORKS} networks {COLUMNS}-D-D-{CLASSES}; milliseconds for one step of all, "
        f"median of {repeats} (least to most), timed in turn. Roofline: what one core reaches in "
        f"a product of 1024 × 1024, {reached} in this run. Apart: the largest difference of a "
        "first-layer weight between the loop and the engine in float32, in the end.",
        "",
        f"| {' | '.join(head)} | apart |",
        "|" + "---|" * (len(head) + 1),
    ]
    print("\n".join(lines))
    for batch, width in CASES:
        for threads in (1, 2):
            lines.append(one_case(lessons, batch, width, threads, repeats, roofs))
            print(lines[-1], flush=True)
    RESULTS.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
