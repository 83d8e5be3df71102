"""A student beside the verdict: what it loses against its teacher, and what is said of it.

It is no rival of the contestants, so it is judged after them, on the same lockbox rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fathometer.table.metric import METRICS
from fathometer.table.task import Task
from fathometer.trial.scorecard import Scorecard
from fathometer.trial.trial import Trial
from fathometer.verdict.bench import Rows, paired_gap
from fathometer.verdict.student_words import student_sentence, student_warning
from fathometer.verdict.verdict import Verdict


def graded(trials: Sequence[Trial], task: Task, lockbox: Rows, seed: int) -> tuple[Trial, ...]:
    """The trials, a finished student's card with its loss: by how much its teacher is better."""
    named = {trial.scorecard.name: trial for trial in trials}
    metric, found = METRICS[task.metric], []
    for trial in trials:
        lesson = trial.scorecard.distillation
        teacher = named.get(lesson.teacher) if lesson else None
        if lesson and teacher and teacher.lockbox is not None and trial.lockbox is not None:
            loss = paired_gap(metric, lockbox, teacher.lockbox, trial.lockbox, seed=seed)
            lesson = replace(lesson, loss=loss.value, low=loss.low, high=loss.high)
            trial = replace(trial, scorecard=replace(trial.scorecard, distillation=lesson))
        found.append(trial)
    return tuple(found)


def with_student(verdict: Verdict, cards: Sequence[Scorecard], rows: int) -> Verdict:
    """The verdict with what there is to say of a student, where one was asked for.

    rows: in the lockbox."""
    named = {card.name: card for card in cards}
    students = [(card, card.distillation) for card in cards if card.distillation is not None]
    said = [student_sentence(card, named[lesson.teacher], rows) for card, lesson in students]
    doubts = [student_warning(card) for card, _ in students]
    return replace(
        verdict,
        sentences=(*verdict.sentences, *filter(None, said)),
        warnings=(*verdict.warnings, *filter(None, doubts)),
    )
