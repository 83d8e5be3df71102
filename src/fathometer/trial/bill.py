"""What a contestant costs, measured on its exported file."""

from __future__ import annotations

import numpy as np

from fathometer.modelfile.feeds import feeds_from
from fathometer.modelfile.load import ModelFile
from fathometer.table.table import Table
from fathometer.trial.energy import Spent
from fathometer.trial.measure import measure_latency, rows_per_second
from fathometer.trial.scorecard import Bill

BATCH_ROWS = 10_000  # rows of the batch that throughput is measured on, at most
FEWEST_BATCH_ROWS = 256
BATCH_SECONDS = 2.0


def bill_of(file: ModelFile, rows: Table, spent: Spent) -> Bill:
    """What making it took, and what asking it takes: a row alone, and these rows at once."""
    feeds, _ = feeds_from(rows, file.columns)
    one = {name: values[:1] for name, values in feeds.items()}
    file.scores(one)  # opens the session, which is no part of an answer
    latency = measure_latency(lambda: file.scores(one))
    # As many rows as take about so long one at a time: the slowest models take minutes for all.
    quick = BATCH_SECONDS * 1000 / latency.p50_ms
    count = int(np.clip(quick, min(FEWEST_BATCH_ROWS, len(rows)), len(rows)))
    feeds = {name: values[:count] for name, values in feeds.items()}
    return Bill(
        train_seconds=spent.seconds,
        energy_joules=spent.joules,
        energy_source=spent.source,
        peak_bytes=spent.peak_bytes,
        file_bytes=file.size_bytes,
        latency_ms_p50=latency.p50_ms,
        latency_ms_p99=latency.p99_ms,
        rows_per_second=rows_per_second(lambda: file.scores(feeds), count),
    )
