"""Networks on raw pictures: how quickly they learn, and how well they answer after how long.

    python benchmarks/pictures_deep.py speed ../shared/data [--repeats 5] [--cache FOLDER] [--write]
    python benchmarks/pictures_deep.py mirror ../shared/data [--rows 8000] [--folds 2] [--repeats 3]
    python benchmarks/pictures_deep.py quality ../shared/data [--data fashion_mnist,cifar10_part]
        [--rows 20000] [--folds 3] [--epochs 8] [--minutes 5] [--only fast,lenet-1998,…]

speed: pictures a second of training, for each architecture. The plain loop is what most people
write: one network, float32, channels first, `torch.optim.AdamW`, two threads for each operator.
Ours trains two members side by side, one thread each, channels last, as `population.solo` does.
The two take turns for some steps each, so that both meet the same state of the machine; medians of
wall-clock, and processor seconds for 1,000 pictures, which other programs disturb less. Beside them
Keras's `fit` of the same layers on TensorFlow, with whatever threads it takes, from an environment
of its own under --cache. With --write also writes benchmarks/results/pictures-speed.md.

mirror: what it gives to ask `FastConvolution` about a picture and its mirror image, and about
views shifted by a pixel as well, on the part of CIFAR-10; and how long each takes for 1,000
pictures, one thread.

quality: each network is fitted on the first training rows of a data set, drawn once with seed 0,
shipped as a file and scored on all test rows. With --minutes the time decides about the epochs."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from peers import RESULTS, SCRIPTS, Peer, install
from pictures_engineered import read, split_of

from fathometer.learners.contract import UNLIMITED, Budget
from fathometer.learners.raw_model import tensors
from fathometer.learners.raw_network import RawNetwork
from fathometer.modelfile.write import ship
from fathometer.networks.raw.encoder import PictureArchitecture, PictureShape
from fathometer.networks.raw.fusion import RawNet
from fathometer.networks.raw.lenet import LeNet1998, LeNetModern
from fathometer.networks.raw.residual import ResidualConvolution
from fathometer.networks.raw.speedy import FastConvolution
from fathometer.population.pupil import Pupil, SoloLessons
from fathometer.population.train import one_thread_an_operator
from fathometer.table.ask import ask
from fathometer.trial.measure import machine

ARCHITECTURES: dict[str, PictureArchitecture] = {
    "lenet-1998": LeNet1998(),
    "lenet-modern": LeNetModern(),
    "fast": FastConvolution(),
    "residual": ResidualConvolution(),
}
BATCH, STEPS, THREADS = 256, 3, 2
KERAS = Peer(
    "Keras", "keras", ("keras==3.15.1", "tensorflow-cpu==2.21.0"), "train_keras.py", "", ""
)
IN_KERAS = ("lenet-modern", "fast")
Timed = tuple[float, float]  # wall-clock and processor seconds for 1,000 pictures


def some_pictures(data: Path, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """2,048 pictures (n, height, width, channels) uint8 and their classes."""
    table, _ = read(data, name)
    _, classes = np.unique(table["label"].strings, return_inverse=True)
    pixels = np.array(table["image"].pixels[:2048])
    return torch.from_numpy(pixels), torch.from_numpy(classes[:2048]).long()


def built(architecture: PictureArchitecture, pixels: torch.Tensor) -> RawNet:
    _, height, width, channels = pixels.shape
    encoder = architecture.encoder(PictureShape(channels, height, width))
    return RawNet([encoder], 10, dropout=0.0, rate=architecture.training.head)


def plain_loop(
    architecture: PictureArchitecture, pixels: torch.Tensor, target: torch.Tensor
) -> Callable[[], int]:
    """Some steps of one network, two threads to an operator; returns how many pictures."""
    net = built(architecture, pixels).train()
    raw = pixels.permute(0, 3, 1, 2).float().contiguous()
    net.prepare([raw], target)
    trained = [weight for weight in net.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-3)
    loss_of = torch.nn.CrossEntropyLoss()

    def steps() -> int:
        torch.set_num_threads(THREADS)
        for step in range(2 * STEPS):
            rows = slice(step * BATCH % len(raw), step * BATCH % len(raw) + BATCH)
            optimizer.zero_grad()
            loss_of(net([raw[rows]]), target[rows]).backward()
            optimizer.step()
        return 2 * STEPS * BATCH

    return steps


def side_by_side(
    architecture: PictureArchitecture, pixels: torch.Tensor, target: torch.Tensor
) -> Callable[[], int]:
    """Some steps of two members, one thread each."""
    rows = torch.arange(len(pixels))
    lessons = SoloLessons(
        ((pixels,),) * 2, target.expand(2, -1), (rows,) * 2, (rows[:10],) * 2, classify=True
    )
    training = replace(architecture.training, batch=BATCH, least_steps=0)
    torch.set_num_threads(1)
    pupils = [Pupil(lessons, f, f, built(architecture, pixels), training) for f in range(2)]
    pool = ThreadPoolExecutor(THREADS)

    def some(pupil: Pupil) -> None:
        pupil._net.train()
        for step in range(STEPS):
            first = step * BATCH % len(rows)
            pupil._learn(rows[first : first + BATCH], step)

    def steps() -> int:
        torch.set_num_threads(THREADS)
        with one_thread_an_operator():
            list(pool.map(some, pupils))
        return 2 * STEPS * BATCH

    return steps


def timed(steps: Callable[[], int]) -> Timed:
    wall, processor = time.perf_counter(), time.process_time()
    pictures = steps()
    return (
        (time.perf_counter() - wall) * 1000 / pictures,
        (time.process_time() - processor) * 1000 / pictures,
    )


def by_keras(
    label: str, pixels: torch.Tensor, target: torch.Tensor, repeats: int, python: Path
) -> list[Timed]:
    """Passes over the pictures by Keras's own loop."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "pixels.npy", pixels.numpy())
        np.save(folder / "target.npy", target.numpy())
        subprocess.run([python, SCRIPTS / KERAS.script, folder, label, str(repeats)], check=True)
        return [(wall, cpu) for wall, cpu in json.loads((folder / "found.json").read_text())]


def speed(data: Path, names: list[str], repeats: int, cache: Path) -> str:
    """The table of pictures a second, as Markdown."""
    version = install(KERAS, cache)
    python = cache.absolute() / "venvs" / KERAS.venv / "bin" / "python"
    lines = [
        "# Pictures a second of training",
        "",
        f"On: {' · '.join(machine().values())}; torch {torch.__version__}, {version}; float32, "
        f"batches of {BATCH}; median of {repeats} (least to most). The plain loop and Keras train "
        "one network with all cores; ours two side by side, a core each.",
        "",
        "| data | network | plain loop | Keras | ours | ours / plain | ours / Keras | CPU s for "
        "1,000: plain | Keras | ours |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name in names:
        pixels, target = some_pictures(data, name)
        for label, architecture in ARCHITECTURES.items():
            ways = [make(architecture, pixels, target) for make in (plain_loop, side_by_side)]
            for way in ways:
                way()  # kernels are chosen and buffers made in the first steps
            plain, ours = zip(*([timed(way) for way in ways] for _ in range(repeats)), strict=True)
            kerases = by_keras(label, pixels, target, repeats, python) if label in IN_KERAS else []
            ratios = [
                ratio([other[0] for other in others], [own[0] for own in ours])
                for others in (plain, kerases)
            ]
            cells = [*(rate(runs) for runs in (plain, kerases, ours)), *ratios]
            cells += [processor(runs) for runs in (plain, kerases, ours)]
            lines.append(f"| {name} | {label} | {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def rate(runs: Sequence[Timed]) -> str:
    """Pictures a second."""
    if not runs:
        return "–"
    found = [1000 / wall for wall, _ in runs]
    return f"{statistics.median(found):,.0f} ({min(found):,.0f} to {max(found):,.0f})"


def ratio(others: Sequence[float], own: Sequence[float]) -> str:
    """How many times as many pictures a second as the others, by the medians."""
    return f"{statistics.median(others) / statistics.median(own):.1f}×" if others else "–"


def processor(runs: Sequence[Timed]) -> str:
    """Processor seconds for 1,000 pictures."""
    return f"{statistics.median(cpu for _, cpu in runs):.2f}" if runs else "–"


def shifted(pictures: torch.Tensor, move: int) -> torch.Tensor:
    """Pictures moved down and right by so many pixels, reflected at the rim."""
    wide = torch.nn.functional.pad(pictures, (1, 1, 1, 1), mode="reflect")
    height, width = pictures.shape[2:]
    return wide[:, :, 1 - move : 1 - move + height, 1 - move : 1 - move + width]


def mirror(data: Path, asked: argparse.Namespace) -> None:
    table, is_test = read(data, "cifar10_part")
    task = ask(table, "label")
    architecture = FastConvolution()
    training = replace(architecture.training, epochs=asked.epochs)
    learner = RawNetwork("fast", architecture, training=training)
    model = learner.fit(table, task, split_of(is_test, asked.rows, asked.folds))
    test = np.flatnonzero(is_test)
    truth = task.encode(table["label"])[test]
    raw = tensors(model.steps, table.rows(test), 0)[0].float()
    print(
        f"{asked.rows:,} pictures in {asked.folds} folds, {asked.epochs} epochs; {len(test):,} test"
    )
    print("| asked about | one network: accuracy | their mean: accuracy | log loss | s a 1,000 |")
    print("|---|---|---|---|---|")
    for called, once, moves in (
        ("the picture", True, (0,)),
        ("and its mirror image", False, (0,)),
        ("and both shifted", False, (0, 0, -1, 1)),  # as published: the plain view counts double
    ):
        each, spent = [], []
        for net in model.nets:
            net.look_once(once=once)
            with torch.inference_mode(), one_thread_an_operator():
                parts = [
                    sum(net([shifted(part, move)]) for move in moves) / len(moves)
                    for part in raw.split(256)
                ]
                for _ in range(asked.repeats):
                    began = time.perf_counter()
                    for move in dict.fromkeys(moves):
                        net([shifted(raw[:1000], move)])
                    spent.append(time.perf_counter() - began)
            each.append(torch.softmax(torch.cat(parts) * model.factor, dim=1).numpy())
        alone = statistics.mean(float((one.argmax(axis=1) == truth).mean()) for one in each)
        mean = np.mean(each, axis=0)
        loss = -float(np.log(mean[np.arange(len(truth)), truth].clip(1e-9)).mean())
        right = float((mean.argmax(axis=1) == truth).mean())
        took = statistics.median(spent)
        print(f"| {called} | {alone:.4f} | {right:.4f} | {loss:.3f} | {took:.2f} |")


def quality(data: Path, names: list[str], asked: argparse.Namespace) -> None:
    print("| data | rows | network | accuracy | log loss | fit s | CPU s | file MB | parity | |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name in names:
        table, is_test = read(data, name)
        task = ask(table, "label")
        truth = task.encode(table["label"])
        split = split_of(is_test, asked.rows, asked.folds)
        for label in asked.only.split(","):
            architecture = ARCHITECTURES[label]
            training = replace(architecture.training, epochs=asked.epochs)
            learner = RawNetwork(label, architecture, training=training)
            began, processor = time.monotonic(), time.process_time()
            budget = Budget(began + 60 * asked.minutes) if asked.minutes else UNLIMITED
            model = learner.fit(table, task, split, budget=budget)
            seconds, used = time.monotonic() - began, time.process_time() - processor
            shipped = ship(model, label, table, split.lockbox)
            own = truth[split.lockbox]
            right = float((shipped.scores.argmax(axis=1) == own).mean())
            loss = -float(np.log(shipped.scores[np.arange(len(own)), own].clip(1e-9)).mean())
            megabytes = len(shipped.file().content) / 1e6
            print(
                f"| {name} | {len(split.train):,} | {label} | {right:.4f} | {loss:.3f} | "
                f"{seconds:.0f} | {used:.0f} | {megabytes:.1f} | {shipped.parity.deviation:.1g} | "
                f"{model.account.chosen} |",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("speed", "mirror", "quality"))
    parser.add_argument("data", type=Path)
    parser.add_argument("--data", dest="names", default="fashion_mnist,cifar10_part")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--only", default="lenet-1998,lenet-modern,fast")
    parser.add_argument("--cache", type=Path, default=Path("peers-cache"))
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(THREADS)
    print("On:", " · ".join(machine().values()), f"· torch {torch.__version__}\n")
    if asked.part == "speed":
        found = speed(asked.data, asked.names.split(","), asked.repeats, asked.cache)
        print(found)
        if asked.write:
            (RESULTS / "pictures-speed.md").write_text(found)
    elif asked.part == "mirror":
        mirror(asked.data, asked)
    else:
        quality(asked.data, asked.names.split(","), asked)


if __name__ == "__main__":
    main()
