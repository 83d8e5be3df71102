"""The contest: every entrant fitted, shipped as a file, and measured on that file, on equal terms.

One candidate's failure is recorded on its scorecard and ends nothing. What is finished is stored at
once, so that a killed run goes on where it was and ends with the same files."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np

from fathometer.errors import (
    FathometerError,
    MissingPackageError,
    NothingToMixError,
    OutOfTimeError,
    ParityError,
)
from fathometer.features.roads import feature_specs
from fathometer.learners.constant import Constant
from fathometer.learners.contract import (
    UNLIMITED,
    Budget,
    Family,
    Learner,
    LearnsFeatures,
    Model,
    Progress,
)
from fathometer.learners.ensemble import Candidate, Ensemble, combine
from fathometer.learners.network import open_torch
from fathometer.learners.student import Limits, Student
from fathometer.modelfile.load import ModelFile
from fathometer.modelfile.unlike import TrainingRanges, training_ranges
from fathometer.modelfile.write import Shipped, ShippedPart, ship
from fathometer.table.kind import ColumnSpec
from fathometer.table.metric import METRICS
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task
from fathometer.trial.best import best_trial
from fathometer.trial.bill import BATCH_ROWS, bill_of
from fathometer.trial.calibrate import Calibrated, calibrated
from fathometer.trial.distil import (
    STUDENT,
    announced,
    check_limits,
    footprint,
    graduated,
)
from fathometer.trial.encore import Longer, encores, names_of
from fathometer.trial.energy import EnergyMeter, Spent
from fathometer.trial.event import Event, Watch
from fathometer.trial.jury import Jury
from fathometer.trial.pace import Pace, Terms
from fathometer.trial.reliance import conformal, intervals_stated
from fathometer.trial.scorecard import Bill, Scorecard
from fathometer.trial.store import RunStore
from fathometer.trial.trial import Trial

TOGETHER = "both together"


@dataclass(frozen=True, eq=False)
class Contest:
    """The rows and the question that all contestants share."""

    table: Table
    task: Task
    split: Split
    store: RunStore
    watch: Watch
    terms: Terms = field(default_factory=Terms)
    groups: np.ndarray | None = None  # (rows,) which rows belong together, where asked for
    limits: Limits | None = None  # of a student, where one is asked for
    # Longer fits by the learners' names, and the split of the first ones where they get fewer rows.
    longer: Mapping[str, Sequence[Longer]] = field(default_factory=dict)
    first: Split | None = None
    models: dict[str, Model] = field(default_factory=dict)  # the best that tells its features

    @cached_property
    def _jury(self) -> Jury:
        return Jury(self.table, self.task, self.split, self.groups)

    @cached_property
    def _pace(self) -> Pace:
        return Pace(self.terms)

    @cached_property
    def _ranges(self) -> dict[tuple[tuple[str, ...], int], TrainingRanges]:
        """What the training rows held, by a model's columns and the number of its rows."""
        return {}

    def split_of(self, name: str) -> Split:
        """The split that a contestant learns from: all rows for longer fits, or the first ones."""
        is_longer = name in names_of(self.longer)
        return self.split if self.first is None or is_longer else self.first

    def run(self, learners: Sequence[Learner]) -> tuple[Trial, ...]:
        """Try every learner in turn, the leaders longer where time is left, all finished ones
        together, then a student."""
        for learner in learners:
            self.watch(Event("entered", learner.name, learner.family.value))
        self.watch(Event("entered", TOGETHER, "both"))
        if self.limits is not None:
            self.watch(Event("entered", STUDENT, Student.family.value))
        taught = int(self.limits is not None)
        trials = [
            self._try(learner, len(learners) - place + taught, is_first=True)
            for place, learner in enumerate(learners)
        ]
        trials += self._longer_fits(trials, taught)
        trials += self._together(trials)
        return (*trials, *self._distilled(trials))

    def _longer_fits(self, trials: Sequence[Trial], after: int) -> tuple[Trial, ...]:
        """The leaders again with more steps, while a wall-clock budget has time for them.

        A run that goes on keeps the ones it had, and its clock, which began anew, lengthens none of
        these. after: how many fits are to come behind them."""
        known = self.store.names()
        every = {fit.learner.name: fit.learner for fits in self.longer.values() for fit in fits}
        before = [self._try(every[name], 1 + after) for name in known if name in every]
        if TOGETHER in known or self.store.is_complete:
            return tuple(before)
        cards, metric = [trial.scorecard for trial in trials], METRICS[self.task.metric]

        def share(left: int) -> float:
            return self._pace.share(left + after) or 0.0

        turns = encores(cards, self.longer, metric, share, done=known)
        return (*before, *(self._try(learner, left + after) for learner, left in turns))

    def _known(self, name: str) -> Trial | None:
        """A trial that the store has finished."""
        stored = self.store.finished(name)
        if stored is None:
            return None
        trial = Trial.restored(stored)
        self.watch(_finished(trial))
        return trial

    def _try(
        self, learner: Learner, left: int, teacher: Trial | None = None, *, is_first: bool = False
    ) -> Trial:
        """The learner's trial, from the store where it is finished.

        left: how many fits share the time, this one counted. is_first: it is no longer fit."""
        known = self._known(learner.name)
        if known is not None:
            return known
        self.watch(Event("started", learner.name, learner.family.value))
        card = Scorecard(learner.name, learner.family.value)
        if learner.family is Family.DEEP:
            open_torch()
        if teacher is not None and self.limits is not None:
            card = announced(card, teacher.scorecard, self.limits)

        def report(progress: Progress) -> None:
            told = min(1.0, progress.done), progress.words, progress.losses
            self.watch(Event("progress", learner.name, learner.family.value, *told))

        budget = UNLIMITED  # the constant needs no time and always finishes
        if not isinstance(learner, Constant):
            checkpoint = self.store.checkpoint(learner.name)
            budget = self._pace.budget(left, report, checkpoint, is_first=is_first)

        def fit() -> Model:
            split = self.split_of(learner.name)
            return learner.fit(self.table, self.task, split, budget=budget)

        return self._judge(card, fit, teacher=teacher, budget=budget)

    def _judge(
        self,
        card: Scorecard,
        fit: Callable[[], Model],
        bills: Mapping[str, Bill] | None = None,
        teacher: Trial | None = None,
        budget: Budget = UNLIMITED,
    ) -> Trial:
        """Fit, ship and measure; whatever goes wrong is this candidate's alone.

        bills: what the members of a mixture cost, by name. teacher: whose student this is. budget:
        that the fit was given."""
        try:
            with EnergyMeter() as meter:
                plain = fit()
                was_cut = teacher is None and (budget.spent or plain.account.is_shortened)
                card = replace(card, is_shortened=was_cut)
                # A student was chosen by what its file takes, so nothing is added to it.
                model = plain if teacher else calibrated(plain, self._jury.learned, self.split)
            started = time.monotonic()
            spent = _with_members(meter.spent, plain, bills)
            try:
                trial = self._measure(card, model, spent)
            except ParityError:
                if model is plain:
                    raise
                # A correction that float32 cannot follow is left out; the card says of none.
                trial = self._measure(card, plain, spent)
            if teacher is not None:
                trial = _graduated(trial, teacher, self.limits)
            self._pace.measuring.append(time.monotonic() - started)
            self._keep(card.name, plain)
        except (MissingPackageError, NothingToMixError) as error:
            trial = Trial(replace(card, state="not entered", failure=error.message))
        except FathometerError as error:
            trial = Trial(_failed(card, error))
        except Exception as error:  # noqa: BLE001  one candidate's failure ends no contest
            words = f"{type(error).__name__}: {str(error).strip()[:300]}"
            trial = Trial(replace(card, state="failed", failure=words))
        # A trial that the user cut short is shown, not kept: the same command takes it up again. So
        # it does with a student that failed, for a latency may be another the next time.
        if not self.terms.stopped() and (teacher is None or trial.file is not None):
            self.store.finish(trial.stored)
        self.watch(_finished(trial))
        return trial

    def _keep(self, name: str, model: Model) -> None:
        """Keep the best model of those that tell their features; more would fill the memory."""
        if isinstance(model, LearnsFeatures):
            metric = METRICS[self.task.metric]
            both = {**self.models, name: model}
            best = min(both, key=lambda one: metric.loss(self._jury.learned, both[one].out_of_fold))
            self.models.clear()
            self.models[best] = both[best]

    def _measure(self, card: Scorecard, model: Model, spent: Spent) -> Trial:
        """Everything that stands on a scorecard, measured on the exported file."""
        from threadpoolctl import threadpool_limits

        # Products of resamples with rows take milliseconds: threads that share one wait for each
        # other (60 × 100,000 × 70 numbers on a busy machine of two cores: 1.1 s; on one: 0.03 s).
        with threadpool_limits(1, user_api="blas"):
            return self._measured(card, model, spent)

    def _measured(self, card: Scorecard, model: Model, spent: Spent) -> Trial:
        shipped = ship(model, card.name, self.table, self.split.lockbox)
        jury = self._jury
        quality = jury.quality(shipped.scores)
        stated = {
            "metric": quality.metric,
            "value": quality.value,
            "low": quality.low,
            "high": quality.high,
            "rows": len(jury.truth),
        }
        by = conformal(self.task, jury.learned, model.out_of_fold)
        coverage = jury.coverage(by, shipped.scores)
        more = {"intervals": intervals_stated(by, coverage)}
        taught = _teaching(self.split_of, card.name, model)
        file = self._file(shipped, model.columns, taught, stated, more)
        learned, learned_ends = jury.out_of_fold(model.out_of_fold)
        card = replace(
            card,
            quality=quality,
            others=jury.others(shipped.scores),
            out_of_fold=learned,
            calibration_error=jury.calibration_error(shipped.scores),
            parity=shipped.parity.deviation,
            bill=bill_of(file, self.table.rows(self.split.lockbox[:BATCH_ROWS]), spent),
            configurations=model.account.configurations,
            fits=model.account.fits,
            chosen=model.account.chosen,
            reads_as=model.account.reads_as,
            reading=model.account.reading,
            sha256=file.sha256,
            intervals={**jury.further_intervals(shipped.scores), "out_of_fold": learned_ends},
            corrected=model.correction.words if isinstance(model, Calibrated) else "",
            coverage=coverage if file.intervals is not None else None,
            learned_rows=len(taught),
        )
        file.release()  # a dozen files are kept to the end, and forests are large
        plain = model.plain.out_of_fold if isinstance(model, Calibrated) else None
        return Trial(card, file, shipped.scores, model.out_of_fold, plain)

    def _file(
        self,
        shipped: Shipped,
        columns: tuple[ColumnSpec, ...],
        taught: np.ndarray,
        quality: Mapping[str, object],
        more: Mapping[str, Mapping[str, object]],
    ) -> ModelFile:
        """The file with its intervals and what the training rows held; without them where they
        would take a student over its size."""
        key = (tuple(spec.name for spec in columns), len(taught))
        if key not in self._ranges:
            self._ranges[key] = training_ranges(self.table, columns, taught)
        file = shipped.file(quality, {**more, "training": self._ranges[key].as_json()})
        most = self.limits.size_bytes if self.limits is not None else None
        is_too_large = file.name == STUDENT and most is not None and file.size_bytes > most
        return shipped.file(quality) if is_too_large else file

    def _together(self, trials: Sequence[Trial]) -> tuple[Trial, ...]:
        """The greedy mixture of all finished contestants, if there are two beside the constant."""
        known = self._known(TOGETHER)
        if known is not None:
            return (known,)
        judged = self.table.rows(self.split.lockbox).content_hash
        candidates = [
            Candidate(
                t.scorecard.name,
                ShippedPart(t.file, self.task, {} if t.lockbox is None else {judged: t.lockbox}),
                t.out_of_fold,
            )
            for t in trials
            if t.file is not None and t.out_of_fold is not None
        ]
        if len(candidates) < 3:
            return ()
        self.watch(Event("started", TOGETHER, "both"))
        truth = self.task.encode(self.table[self.task.target])[self.split.train]
        columns = feature_specs(self.table, self.task)
        bills = {t.scorecard.name: t.scorecard.bill for t in trials if t.scorecard.bill}

        def fit() -> Model:
            if self.terms.deadline is not None and time.monotonic() > self.terms.deadline:
                raise OutOfTimeError("no time was left to mix the contestants.")
            mixed = combine(candidates, self.task, columns, truth, self.split)
            if len(mixed.names) == 1:
                raise NothingToMixError(f"the best mixture is {mixed.names[0]} alone.")
            return mixed

        return (self._judge(Scorecard(TOGETHER, "both"), fit, bills),)

    def _distilled(self, trials: Sequence[Trial]) -> tuple[Trial, ...]:
        """A student within the limits, taught by the best contestant, if limits were asked for."""
        if self.limits is None:
            return ()
        known = self._known(STUDENT)
        if known is not None:
            return (known,)
        teacher = best_trial(trials, METRICS[self.task.metric])
        if teacher is None or teacher.out_of_fold is None:
            return ()
        measure = partial(footprint, table=self.table, rows=self.split.train)
        student = Student(
            self.limits,
            teacher.scorecard.name,
            teacher.out_of_fold,
            measure,
            seed=self.split.seed,
            name=STUDENT,
        )
        return (self._try(student, 1, teacher),)


def _graduated(trial: Trial, teacher: Trial, limits: Limits | None) -> Trial:
    """The student's trial with its teacher's training on its bill.

    Raises:
        LearnerError: if its file is over a limit after all.
    """
    card = trial.scorecard
    if card.bill is not None and limits is not None:
        check_limits(card.bill, limits)
    return replace(trial, scorecard=graduated(card, teacher.scorecard))


def _failed(card: Scorecard, error: FathometerError) -> Scorecard:
    """The card of a contestant that gave up; a student's says what would have let it through."""
    lesson = card.distillation and replace(card.distillation, try_next=error.try_next)
    return replace(card, state="failed", failure=error.message, distillation=lesson)


def _with_members(spent: Spent, model: Model, bills: Mapping[str, Bill] | None) -> Spent:
    """A mixture costs what its members cost, and the mixing."""
    if not isinstance(model, Ensemble) or bills is None:
        return spent
    paid = [bills[name] for name in model.names]
    return replace(
        spent,
        seconds=spent.seconds + sum(bill.train_seconds for bill in paid),
        joules=spent.joules + sum(bill.energy_joules for bill in paid),
        peak_bytes=max(spent.peak_bytes, *(bill.peak_bytes for bill in paid)),
    )


def _teaching(split_of: Callable[[str], Split], name: str, model: Model) -> np.ndarray:
    """The rows that a contestant learned from; of a mixture those of its largest member."""
    plain = model.plain if isinstance(model, Calibrated) else model
    names = plain.names if isinstance(plain, Ensemble) else (name,)
    return max((split_of(one).teaching for one in names), key=len)


def _finished(trial: Trial) -> Event:
    card = trial.scorecard
    return Event("finished", card.name, card.family, 1.0, scorecard=card)
