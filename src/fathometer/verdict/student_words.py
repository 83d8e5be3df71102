"""What the verdict says of a student: what its file takes, what taught it, and what that costs."""

from __future__ import annotations

from fathometer.table.metric import METRICS
from fathometer.trial.scorecard import Bill, Distillation, Scorecard
from fathometer.verdict.quantities import file_size, fixed, latency, places_for
from fathometer.wording import counted


def student_sentence(card: Scorecard, teacher: Scorecard, rows: int) -> str:
    """What a finished student loses for what it saves; empty for a card of another kind."""
    lesson, bill, quality = card.distillation, card.bill, card.quality
    if lesson is None or bill is None or quality is None:
        return ""
    if lesson.loss is None or lesson.low is None or lesson.high is None:
        return ""
    label = METRICS[quality.metric].label
    places = places_for((lesson.high - lesson.low) / 2)
    low, high = (-lesson.high, -lesson.low) if lesson.loss < 0 else (lesson.low, lesson.high)
    changed = f"{'gains' if lesson.loss < 0 else 'loses'} {fixed(abs(lesson.loss), places)}"
    between = f"[{fixed(low, places)}, {fixed(high, places)}]"
    judged = "beyond noise" if lesson.low > 0 or lesson.high < 0 else "within noise"
    return (
        f"student.onnx takes {_taken(bill, lesson)} and {changed} {between} {label} "
        f"against its teacher, {lesson.teacher}, on {counted(rows, 'unseen row')}: {judged}"
        f"{_of_teacher(teacher.bill, lesson)}."
    )


def _taken(bill: Bill, lesson: Distillation) -> str:
    """ "84 KB (limit 100 KB) and 41 µs a row (limit 100 µs)"."""
    size, row = file_size(bill.file_bytes), latency(bill.latency_ms_p50)
    if lesson.size_limit_bytes is not None:
        size += f" (limit {file_size(lesson.size_limit_bytes, is_exact=True)})"
    row += " a row"
    if lesson.latency_limit_ms is not None:
        row += f" (limit {latency(lesson.latency_limit_ms, is_exact=True)})"
    return f"{size} and {row}"


def _of_teacher(bill: Bill | None, lesson: Distillation) -> str:
    """What the teacher takes, and whether that was within the limits already."""
    if bill is None:
        return ""
    takes = f"{file_size(bill.file_bytes)} and {latency(bill.latency_ms_p50)} a row"
    most_bytes, most_ms = lesson.size_limit_bytes, lesson.latency_limit_ms
    fits = (most_bytes is None or bill.file_bytes <= most_bytes) and (
        most_ms is None or bill.latency_ms_p50 <= most_ms
    )
    within = ", which is within the limits too" if fits else ""
    return f" (the teacher takes {takes}{within})"


def student_warning(card: Scorecard) -> str:
    """Why there is no student; empty for a card of another kind, and where there is one."""
    if card.distillation is None or card.state == "finished":
        return ""
    return f"there is no student.onnx: {card.failure}"
