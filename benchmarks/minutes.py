"""What `--minutes` gives: whether the time is kept, export and report included, and how well both
families answer by then.

    python benchmarks/minutes.py ../shared/data --minutes 1,5 --only imdb,sms_spam --keep FILE
        [--write]

Uses the split that the data's own README gives, as the lockbox. Adds each run to FILE and takes
what it holds from there; with --write a table of all that it holds goes to
benchmarks/results/minutes.md."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from data_sets import by_name
from tables import RESULTS, run_one

from fathometer.trial.measure import machine, versions

HEAD = (
    "| set | metric | minutes | seconds taken | of the given | finished | out of time | "
    "best traditional | best deep | both together | call |"
)


def as_markdown(results: list[dict]) -> str:
    """One row a run; the contestants that the verdict compares, with their scores."""
    lines = [
        "# What `--minutes` gives",
        "",
        "`python benchmarks/minutes.py DATA --minutes …`, n = 1 run a row, seed 0, alone on: "
        f"{' · '.join(machine().values())}.",
        f"Versions: {', '.join(f'{name} {version}' for name, version in versions().items())}.",
        "Seconds are those of the whole command, export and report included. Each family's best "
        "is chosen out of fold and scored on the test rows that the data's README gives; ×N is a "
        "fit with about N times the steps and rows of the first.",
        "",
        HEAD,
        "|---" * (HEAD.count("|") - 1) + "|",
    ]
    for result in results:
        given = result["minutes"] * 60
        taken = f"{result['minutes']:g} | {result['seconds']:.0f} | {result['seconds'] / given:.2f}"
        if "failed" in result:
            lines.append(
                f"| {result['name']} | – | {taken} | failed: {result['failed'][-200:]!r} |"
            )
            continue
        gap = result["gap"] or {}  # none where a family did not finish
        best = [
            f"{gap[side]} {result['scores'][gap[side]]:.4g}" if side in gap else "–"
            for side in ("traditional", "deep")
        ]
        both = result["scores"].get("both together")
        cells = [
            result["name"],
            result["metric"],
            taken,
            str(result["finished"]),
            str(len(result["failures"])),
            *best,
            "–" if both is None else f"{both:.4g}",
            result["call"],
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", default="1,2")
    parser.add_argument("--only", default="titanic,adult,covertype_part")
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    known_sets = by_name(options.data)
    kept = options.keep.read_text().splitlines() if options.keep.exists() else []
    results = [json.loads(line) for line in kept]
    known = {(result["name"], result["minutes"]) for result in results}
    for name in options.only.split(","):
        for minutes in map(float, options.minutes.split(",")):
            if (name, minutes) in known:
                continue
            found = run_one(options.data, known_sets[name], "--minutes", f"{minutes:g}")
            results.append({**found, "minutes": minutes})
            print(json.dumps(results[-1]), flush=True)
            with options.keep.open("a") as file:
                file.write(json.dumps(results[-1]) + "\n")
    order = list(known_sets)
    results.sort(key=lambda result: (order.index(result["name"]), result["minutes"]))
    if options.write:
        (RESULTS / "minutes.md").write_text(as_markdown(results))
    print(as_markdown(results))


if __name__ == "__main__":
    main()
