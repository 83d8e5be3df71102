"""Texts → a sparse TF-IDF matrix of n-grams: ours beside scikit-learn's TfidfVectorizer.

    python benchmarks/featurising.py ../shared/data [--rows 25000] [--repeats 1] [--write]

IMDB's training reviews, words of 1-2 and characters of 3-5, in one process on one thread, in turn.
Ours: `fit_ngrams` and `NgramBlock.weighted`; theirs: `fit_transform` with sublinear weights and the
same least number of texts. Prints, and with --write writes to benchmarks/results/featurising.md.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

RESULTS = Path(__file__).parent / "results"
LEAST_ROWS = {"words": 2, "characters": 4}
ORDERS = {"words": (1, 2), "characters": (3, 5)}


def ours(column, unit: str):
    from fathometer.features.ngram_weights import NgramBlock, Weighting
    from fathometer.features.ngrams import fit_ngrams
    from fathometer.features.text_tokens import Unit

    ngrams, counts = fit_ngrams(
        column, unit=Unit(unit), orders=ORDERS[unit], least_rows=LEAST_ROWS[unit]
    )
    texts = np.bincount(counts.indices, minlength=ngrams.width)
    rarity = 1 + np.log((1 + counts.shape[0]) / (1 + texts))
    return NgramBlock(ngrams, rarity.astype(np.float32), Weighting.TF_IDF).weighted(counts)


def theirs(texts: list[str], unit: str):
    from sklearn.feature_extraction.text import TfidfVectorizer

    analyser = {"words": "word", "characters": "char"}[unit]
    peer = TfidfVectorizer(
        analyzer=analyser,
        ngram_range=ORDERS[unit],
        min_df=LEAST_ROWS[unit],
        sublinear_tf=True,
        dtype=np.float32,
    )
    return peer.fit_transform(texts)


def timed(make: Callable[[], object]):
    wall, cpu = time.monotonic(), time.process_time()
    made = make()
    return made, time.monotonic() - wall, time.process_time() - cpu


def main() -> None:
    from fathometer.table.kind import Kind
    from fathometer.table.table import column_from
    from fathometer.trial.measure import machine, versions

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", type=int, default=25_000)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="to benchmarks/results/")
    options = parser.parse_args()
    rows = pq.read_table(options.data / "text" / "imdb.parquet")
    rows = rows.filter(pc.equal(rows["split"], "train"))["text"].combine_chunks()
    rows = rows.take(np.random.default_rng(0).permutation(len(rows))[: options.rows])
    column, texts = column_from("text", Kind.TEXT, rows), rows.to_pylist()
    first = column_from("text", Kind.TEXT, rows[:200])
    size = pc.sum(pc.binary_length(rows)).as_py() / 1e6
    lines = [
        "# Featurising texts",
        "",
        f"{len(texts):,} reviews of IMDB, {size:.1f} MB, best of {options.repeats}, one thread: "
        f"{' · '.join(machine().values())}.",
        f"Versions: {', '.join(f'{name} {version}' for name, version in versions().items())}.",
        f"`python benchmarks/featurising.py ../shared/data --rows {options.rows} "
        f"--repeats {options.repeats}`. The machine was busy with other work: CPU seconds compare.",
        "",
        "| n-grams | whose | columns | stored values | CPU s | wall s | MB/s (CPU) | ratio (CPU) |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for unit, orders in ORDERS.items():
        spent = {}
        ours(first, unit), theirs(texts[:200], unit)  # what is imported is imported now
        for whose, make in (
            ("fathometer", lambda unit=unit: ours(column, unit)),
            ("scikit-learn", lambda unit=unit: theirs(texts, unit)),
        ):
            found = [timed(make) for _ in range(options.repeats)]
            matrix = found[0][0]
            wall, cpu = min(w for _, w, _ in found), min(c for *_, c in found)
            spent[whose] = cpu
            ratio = cpu / spent["fathometer"]
            lines.append(
                f"| {unit} {orders[0]}-{orders[1]} | {whose} | {matrix.shape[1]:,} | "
                f"{matrix.nnz:,} | {cpu:.2f} | {wall:.1f} | {size / cpu:.1f} | {ratio:.1f} |"
            )
            print(lines[-1], flush=True)
            del matrix, found
    report = "\n".join(lines) + "\n"
    if options.write:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "featurising.md").write_text(report)
    print(report)


if __name__ == "__main__":
    main()
