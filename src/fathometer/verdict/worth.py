"""What the difference between the families is worth: time, joules and bytes.

Costs are those on the bills, measured on the exported files; nothing is assumed about a machine
that was not measured."""

from __future__ import annotations

from fathometer.trial.scorecard import Bill
from fathometer.verdict.verdict import Worth
from fathometer.verdict.words import Findings

MILLION = 1_000_000


def worth_of(found: Findings) -> Worth | None:
    """What the better family costs more than the other; None where one is absent or unmeasured."""
    gap = found.gap
    if gap is None:
        return None
    ahead = gap.value > 0
    better, other = (gap.deep, gap.traditional) if ahead else (gap.traditional, gap.deep)
    dear, cheap = found.card(better).bill, found.card(other).bill
    if dear is None or cheap is None:
        return None
    both_known = dear.peak_bytes > 0 and cheap.peak_bytes > 0  # 0 is what was not seen to grow
    return Worth(
        better=better,
        other=other,
        gain=abs(gap.value),
        low=gap.low if ahead else -gap.high,
        high=gap.high if ahead else -gap.low,
        train_seconds=dear.train_seconds - cheap.train_seconds,
        train_joules=dear.energy_joules - cheap.energy_joules,
        predict_seconds=million_seconds(dear) - million_seconds(cheap),
        predict_joules=million_joules(dear) - million_joules(cheap),
        file_bytes=dear.file_bytes - cheap.file_bytes,
        peak_bytes=dear.peak_bytes - cheap.peak_bytes if both_known else None,
        latency_ms=dear.latency_ms_p50 - cheap.latency_ms_p50,
    )


def million_seconds(bill: Bill) -> float:
    """Seconds for a million rows in batches."""
    return MILLION / bill.rows_per_second if bill.rows_per_second > 0 else 0.0


def million_joules(bill: Bill) -> float:
    """Joules for a million rows, at the watts that training drew: an estimate."""
    watts = bill.energy_joules / bill.train_seconds if bill.train_seconds > 0 else 0.0
    return watts * million_seconds(bill)
