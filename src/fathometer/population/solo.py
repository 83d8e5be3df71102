"""Train networks whose own work fills a core: one thread each, as many at once as there are cores.

A member equals the same network trained alone, whoever trains beside it; it draws from generators
of its own seed. Nothing is chosen on rows that it is scored on: a member of fold k keeps the
weights that it had when the *other* folds' validation losses were lowest. Knows tensors, never
tables.

The core that is free takes the member that is furthest behind, for one epoch: three members on two
cores take 1.5 times as long as two, not twice. On a GPU one thread feeds all members in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from fathometer.networks.raw.encoder import RawTraining
from fathometer.networks.raw.fusion import RawNet
from fathometer.population.pupil import Pupil, SoloLessons
from fathometer.population.solo_checkpoint import SoloCheckpoint
from fathometer.population.stopping import LeaveFoldOut, diverged
from fathometer.population.train import SAVE_SECONDS, one_thread_an_operator

# Of the time left, what validation, keeping and the other members' epochs may take beyond what was
# measured; a schedule that is cut short is cut to fit into the rest.
CLOCK_SHARE = 0.9


@dataclass(frozen=True)
class SoloMember:
    """One network to be trained: where it learns, and from which seed it starts."""

    fold: int
    seed: int


@dataclass(frozen=True)
class Began:
    """When this run began, and how many epochs all members together had taken before it."""

    seconds: float  # `time.monotonic`
    epochs: int


@dataclass(frozen=True)
class SoloStanding:
    """How far the members have come, after every epoch of any of them."""

    done: float  # share of all steps planned
    epochs: tuple[int, ...]  # of each member, whole ones
    planned: int  # epochs of each
    member: int  # the one that just finished an epoch
    loss: float  # its validation loss


@dataclass(frozen=True, eq=False)
class SoloGraduate:
    """One trained network, on the CPU and in evaluation mode."""

    member: SoloMember
    net: RawNet
    curve: np.ndarray  # (epochs,) mean validation losses
    kept: int  # the epoch, from 0, whose weights were kept
    outputs: Tensor  # (n, K) on its validation rows


def train_solo(
    lessons: SoloLessons,
    members: Sequence[SoloMember],
    build: Callable[[], RawNet],
    training: RawTraining,
    *,
    identity: str = "",
    deadline: float | None = None,
    goes_on: Callable[[], bool] = lambda: True,
    report: Callable[[SoloStanding], None] = lambda standing: None,
    checkpoint: Path | None = None,
) -> tuple[SoloGraduate, ...]:
    """Train all members to the end of their schedules, or until `goes_on` says no.

    Args:
        build: makes one network; torch's global generator is seeded for each member's.
        identity: what was asked, in words; a checkpoint of anything else is not read.
        deadline: `time.monotonic` seconds. Where the first epoch shows that the schedule would not
            end before it, the schedule is shortened once, so that the learning rate still falls
            to 0.
        goes_on: asked after every step of any member.
        report: told after every epoch, from the calling thread.
        checkpoint: a file that all members are saved to now and then, and read from if it is there;
            a resumed training ends with the same bytes.

    Returns:
        The members in their order; none if not all had a validation.

    Raises:
        LearnerError: if a member's loss is no number any more.
    """
    saved = None
    if checkpoint is not None:
        saved = SoloCheckpoint(checkpoint, (identity, repr(tuple(members)), repr(training)))
    with one_thread_an_operator() as cores:
        course = Course(lessons, members, build, training, deadline)
        if saved is not None:
            saved.restore(course)
        workers = 1 if lessons.is_cuda else cores
        course.run(workers, goes_on, report, saved)
        return course.graduates(workers)


class Course:
    """All members, what each has learned, and which weights each keeps."""

    def __init__(
        self,
        lessons: SoloLessons,
        members: Sequence[SoloMember],
        build: Callable[[], RawNet],
        training: RawTraining,
        deadline: float | None,
    ) -> None:
        self._lessons, self._deadline = lessons, deadline
        self.members = tuple(members)
        self.planned = training.epochs
        self.pupils = []
        for member in members:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(member.seed)
                net = build()
            self.pupils.append(Pupil(lessons, member.fold, member.seed, net, training))
        self.choice = LeaveFoldOut([m.fold for m in members], patience=training.epochs)
        # Of each member: the epochs that not all others have finished, with loss and weights.
        self.ahead: list[list[tuple[float, dict[str, np.ndarray]]]] = [[] for _ in members]
        self.kept: list[dict[str, np.ndarray]] = [{} for _ in members]
        # As each stood after its last whole epoch; what a checkpoint holds.
        self.standing = [pupil.arrays() for pupil in self.pupils]

    def run(
        self,
        cores: int,
        goes_on: Callable[[], bool],
        report: Callable[[SoloStanding], None],
        saved: SoloCheckpoint | None,
    ) -> None:
        """Train until all are through or `goes_on` says no."""
        told = [True]

        def asks() -> bool:
            told[0] = told[0] and goes_on()
            return told[0]

        running: dict[Future[float | None], int] = {}
        next_save = time.monotonic() + SAVE_SECONDS
        began = Began(time.monotonic(), sum(pupil.epoch for pupil in self.pupils))
        with ThreadPoolExecutor(cores) as pool:
            try:
                while told[0] and (running or self._waiting(running)):
                    while len(running) < cores and (waiting := self._waiting(running)):
                        place = min(waiting, key=lambda p: (self.pupils[p].epoch, p))
                        running[pool.submit(self.pupils[place].learn_epoch, asks)] = place
                    for done in wait(running, return_when=FIRST_COMPLETED).done:
                        self._take_in(running.pop(done), done.result(), report)
                    self._shorten(began)
                    if saved is not None and time.monotonic() >= next_save:
                        saved.save(self)
                        next_save = time.monotonic() + SAVE_SECONDS
            finally:  # also when the user interrupts: the others end after their step
                told[0] = False

    def _waiting(self, running: dict[Future[float | None], int]) -> list[int]:
        """Members that have epochs left and are not being trained."""
        busy = set(running.values())
        return [
            place
            for place, pupil in enumerate(self.pupils)
            if place not in busy and pupil.epoch < self.planned
        ]

    def _take_in(
        self, place: int, loss: float | None, report: Callable[[SoloStanding], None]
    ) -> None:
        """Note a member's epoch; None: it was broken off."""
        if loss is None:
            return
        pupil = self.pupils[place]
        self.standing[place] = pupil.arrays()
        self.ahead[place].append((loss, pupil.weights()))
        while all(self.ahead):
            firsts = [own.pop(0) for own in self.ahead]
            better = self.choice.observe(np.array([each for each, _ in firsts]))
            if self.choice.has_failed:
                raise diverged(len(self.choice.history))
            for member in np.flatnonzero(better):
                self.kept[member] = firsts[member][1]
        epochs = tuple(each.epoch for each in self.pupils)
        done = sum(epochs) / (self.planned * len(epochs))
        report(SoloStanding(min(1.0, done), epochs, self.planned, place, loss))

    def _shorten(self, began: Began) -> None:
        """After the first epoch of all, fit the schedule into the time left; once."""
        if self._deadline is None or min(pupil.epoch for pupil in self.pupils) != 1:
            return
        if any(pupil.is_shortened for pupil in self.pupils):
            return
        now = time.monotonic()
        taken = sum(pupil.epoch for pupil in self.pupils) - began.epochs
        if not taken:
            return
        an_epoch = (now - began.seconds) * len(self.pupils) / taken
        fitting = 1 + int(CLOCK_SHARE * max(0.0, self._deadline - now) / an_epoch)
        self.planned = max(2, min(self.planned, fitting))
        for pupil in self.pupils:
            pupil.shorten(self.planned)

    def graduates(self, cores: int) -> tuple[SoloGraduate, ...]:
        """All members with the weights they keep; none before the first validation of all."""
        if not self.choice.history:
            return ()
        with ThreadPoolExecutor(cores) as pool:
            taught = list(pool.map(Pupil.graduate, self.pupils, self.kept))
        found = []
        for place, (member, (net, outputs)) in enumerate(zip(self.members, taught, strict=True)):
            curve, kept = self.choice.curves[:, place], int(self.choice.kept[place])
            found.append(SoloGraduate(member, net, curve, kept, outputs))
        return tuple(found)
