"""Train P networks as batched programs: any mix of folds, seeds, rates, widths and lengths.

Every member equals the same network trained alone with the same seed and rows, whoever trains
beside it. Nothing is chosen on rows that it is scored on: a member of fold k keeps the weights that
it had when the *other* folds' validation losses were lowest, and what halving drops for a fold is
dropped by the others. Knows tensors, never tables.

Members of one setting form a cohort. Cohorts wait in a queue; those whose networks can share a
batched product train side by side in blocks, one on each core. Where a cohort is through, or comes
to a rung of the halving, it leaves, the blocks are packed anew, and the next cohorts enter."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import torch

from fathometer.networks.network import Network
from fathometer.population.block import (
    Block,
    rows_a_step,
    validation_outputs,
    with_memory,
)
from fathometer.population.checkpoint import Checkpoint
from fathometer.population.cohort import Cohort
from fathometer.population.cost import members_of_a_block
from fathometer.population.member import Graduate, Lessons, Member, Rung, Schedule
from fathometer.population.precision import tf32_products
from fathometer.population.state import padded_network, start
from fathometer.population.stopping import diverged, survivors

REFILL = 0.75  # cohorts enter when less than this share of the places is taken
SAVE_SECONDS = 15.0  # between two checkpoints


@dataclass(frozen=True)
class Standing:
    """How far a population has come, after every validation."""

    done: float  # share of the steps planned
    members: int  # in all
    training: int  # at this moment
    rung: int  # of the halving, from 1
    rungs: int
    losses: tuple[tuple[int, float], ...]  # (place among all members, validation loss), those live


def train(
    lessons: Lessons,
    members: Sequence[Member],
    schedule: Schedule,
    *,
    goes_on: Callable[[], bool] = lambda: True,
    report: Callable[[Standing], None] = lambda standing: None,
    checkpoint: Path | None = None,
) -> tuple[Graduate, ...]:
    """Train all members until their schedules end, halving drops them, or none improves.

    Args:
        members: those of one setting stand together.
        goes_on: asked after every step; when it answers False, what there is is returned.
        report: told after every validation.
        checkpoint: a file that the whole population is saved to now and then, and read from if it
            is there and of the same population; a resumed one ends with the same bytes.

    Returns:
        Those that were validated at least once, in the order of `members`; without settings of
        which a network's loss was no number any more.

    Raises:
        LearnerError: if that leaves none.
        ValueError: if a member's steps are no multiple of the steps between two validations.
    """
    if any(member.steps % schedule.every for member in members):
        raise ValueError("a member's steps must be a multiple of the steps between validations")
    population = Population(lessons, members, schedule)
    saved = Checkpoint(checkpoint, (repr(members), repr(schedule))) if checkpoint else None
    if saved is not None:
        saved.restore(population)
    device = lessons.target.device
    with one_thread_an_operator() as cores:
        with tf32_products(device, exact=schedule.exact):
            population.run(1 if device.type == "cuda" else cores, goes_on, report, saved)
        return population.graduates()


class Population:
    """All cohorts, and where each stands: waiting, training (live), or at the rung."""

    def __init__(self, lessons: Lessons, members: Sequence[Member], schedule: Schedule) -> None:
        self._lessons, self._schedule = lessons, schedule
        self._members = len(members)
        self.cohorts = [
            Cohort([start(member, lessons) for member in run], schedule.patience)
            for run in (list(own) for _, own in groupby(members, key=lambda m: m.setting))
        ]
        self._rungs = (*schedule.rungs, Rung(1.0, 1.0))
        self.rung = 0
        self.waiting = list(range(len(self.cohorts)))
        self.live: list[int] = []
        self.arrived: list[int] = []

    def run(
        self,
        cores: int,
        goes_on: Callable[[], bool],
        report: Callable[[Standing], None],
        saved: Checkpoint | None,
    ) -> None:
        """Train until all are through or `goes_on` says no."""
        told, next_save = True, time.monotonic() + SAVE_SECONDS
        with ThreadPoolExecutor(cores) as pool:
            while told and self._has_work():
                self._admit(cores)
                wave = Wave(self._lessons, self._live(), self._schedule, cores, pool)
                while told and not self._anyone_arrived():
                    told = wave.learn(goes_on)
                    report(self._standing())
                    if saved is not None and told and time.monotonic() >= next_save:
                        wave.settle()
                        saved.save(self)
                        next_save = time.monotonic() + SAVE_SECONDS
                wave.settle()
                self._leave()

    def _has_work(self) -> bool:
        """Whether anyone is left to train; moves the best on to the next rung where all arrived."""
        if not self.live and not self.waiting and self.rung < len(self._rungs) - 1:
            sound = [place for place in self.arrived if not self.cohorts[place].choice.has_failed]
            if sound:
                best = [self.cohorts[place].best_by_others for place in sound]
                through = survivors(np.array(best), self._rungs[self.rung].survive)
                self.waiting = [sound[place] for place in through]
                self.waiting = [p for p in self.waiting if not self.cohorts[p].is_through]
            self.arrived = []
            self.rung += 1
            return self._has_work()
        return bool(self.live or self.waiting)

    def _admit(self, cores: int) -> None:
        """Fill the places of this wave from the queue, with networks that fit together."""
        leader = self.cohorts[(self.live or self.waiting)[0]]
        rows = rows_a_step(self._runs_as(leader), self._schedule.batch, self._lessons)
        room = cores * members_of_a_block(
            leader.states[0].layout, rows, self._lessons.target.device
        )
        taken = sum(len(self.cohorts[place].states) for place in self.live)
        if taken > REFILL * room:
            return
        kind = self._runs_as(leader)
        for place in list(self.waiting):
            own = self.cohorts[place]
            fits = taken + len(own.states) <= room or not self.live
            if fits and self._runs_as(own) == kind:
                self.live.append(place)
                self.waiting.remove(place)
                taken += len(own.states)

    @staticmethod
    def _runs_as(cohort: Cohort) -> Network:
        return padded_network(cohort.states[0].member.network)

    def _live(self) -> list[Cohort]:
        return [self.cohorts[place] for place in self.live]

    def _end(self, cohort: Cohort) -> int:
        """The step at which a cohort comes to the present rung: a validation."""
        every, rung = self._schedule.every, self._rungs[self.rung]
        return max(1, round(cohort.steps * rung.done / every)) * every

    def _has_arrived(self, cohort: Cohort) -> bool:
        return cohort.taken >= self._end(cohort) or cohort.is_through

    def _anyone_arrived(self) -> bool:
        return any(self._has_arrived(cohort) for cohort in self._live())

    def _leave(self) -> None:
        for place in list(self.live):
            if self._has_arrived(self.cohorts[place]):
                self.live.remove(place)
                self.arrived.append(place)
        self.arrived.sort()

    def _standing(self) -> Standing:
        losses = [
            (place, loss)
            for cohort in self._live()
            for place, loss in zip(self._places(cohort), cohort.last_losses, strict=True)
        ]
        taken = sum(cohort.taken * len(cohort.states) for cohort in self.cohorts)
        return Standing(
            min(1.0, taken / self._planned()),
            self._members,
            len(losses),
            self.rung + 1,
            len(self._rungs),
            tuple(losses),
        )

    def _places(self, cohort: Cohort) -> range:
        first = 0
        for other in self.cohorts:
            if other is cohort:
                break
            first += len(other.states)
        return range(first, first + len(cohort.states))

    def _planned(self) -> float:
        """Steps of all members, as far as halving lets them come."""
        whole = sum(cohort.steps * len(cohort.states) for cohort in self.cohorts)
        share, done, going = 0.0, 0.0, 1.0
        for rung in self._rungs:
            share += going * (rung.done - done)
            done, going = rung.done, going * rung.survive
        return whole * share

    def graduates(self) -> tuple[Graduate, ...]:
        """All members that were validated, and did not diverge."""
        judged = [cohort for cohort in self.cohorts if cohort.choice.history]
        sound = [cohort for cohort in judged if not cohort.choice.has_failed]
        if judged and not sound:
            raise diverged(len(judged[0].choice.history))
        return tuple(graduate for cohort in sound for graduate in self._graduate(cohort))

    def _graduate(self, cohort: Cohort) -> list[Graduate]:
        states, choice = cohort.states, cohort.choice
        members = [state.member for state in states]
        device = self._lessons.target.device
        own = [state.parameters for state in states]
        stacked = {name: torch.stack([p[name] for p in own]).to(device) for name in own[0]}
        network = members[0].network
        complete = with_memory(network, stacked, self._lessons, members)
        outputs = validation_outputs(network, complete, self._lessons, members)
        remembered = {name: own.cpu() for name, own in complete.items() if name not in stacked}
        return [
            Graduate(
                state.member,
                own[place] | {name: each[place] for name, each in remembered.items()},
                choice.curves[:, place],
                int(choice.kept[place]),
                outputs[place].cpu(),
                state.taken,
                cohort.is_through,
            )
            for place, state in enumerate(states)
        ]


class Wave:
    """The live cohorts packed into blocks, one for each core, until someone leaves."""

    def __init__(
        self,
        lessons: Lessons,
        cohorts: Sequence[Cohort],
        schedule: Schedule,
        cores: int,
        pool: ThreadPoolExecutor,
    ) -> None:
        states = [state for cohort in cohorts for state in cohort.states]
        parts = np.array_split(np.arange(len(states)), min(cores, len(states)))
        self._cohorts, self._every, self._pool = cohorts, schedule.every, pool
        self._blocks = [
            Block(lessons, [states[p] for p in part], schedule.batch, exact=schedule.exact)
            for part in parts
        ]
        self._parts = parts
        self._taken = [0] * len(parts)
        self._settled = list(self._taken)

    def learn(self, goes_on: Callable[[], bool]) -> bool:
        """Take the steps up to the next validation, validate, and keep what is better.

        Returns whether to go on."""
        told = [True]

        def asks() -> bool:
            told[0] = told[0] and goes_on()
            return told[0]

        def looks() -> bool:  # one block asks; the others look at what it was told
            return told[0]

        asked = [asks, *[looks] * (len(self._blocks) - 1)]
        count = len(self._blocks)
        steps = list(
            self._pool.map(Block.teach, self._blocks, self._taken, [self._every] * count, asked)
        )
        self._taken = [before + more for before, more in zip(self._taken, steps, strict=True)]
        losses = np.concatenate(list(self._pool.map(Block.validate, self._blocks)))
        improved, first = [], 0
        for cohort in self._cohorts:
            own = losses[first : first + len(cohort.states)]
            improved.append(cohort.choice.observe(own))
            cohort.taken += max(steps)
            first += len(cohort.states)
        better = np.concatenate(improved)
        for block, part in zip(self._blocks, self._parts, strict=True):
            block.keep(better[part].tolist())
        return told[0]

    def settle(self) -> None:
        """Bring the states of all members up to date."""
        for place, block in enumerate(self._blocks):
            block.settle(self._taken[place] - self._settled[place])
        self._settled = list(self._taken)


@contextmanager
def one_thread_an_operator() -> Iterator[int]:
    """Let no operator spread over cores; yields how many there are for whole blocks of members.

    Operators this small are over before the cores have met, all the more on a busy machine:
    `benchmarks/threads.py` times both ways."""
    cores = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield cores
    finally:
        torch.set_num_threads(cores)
