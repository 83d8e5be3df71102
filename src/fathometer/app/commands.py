"""The commands, `compare` first: they parse, call and print, no more."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from fathometer.errors import LearnerError, OptionError
from fathometer.table.sources.address import without_password

if TYPE_CHECKING:
    from fathometer.app.comparison import Comparison

# Heavy imports stand inside the commands: `fathom --help` has to answer at once. Rich would draw
# boxes around the help and take 0.1 s longer to do it.
application = typer.Typer(
    help="Measures how deep a model your data needs: traditional machine learning against deep "
    "learning, on equal terms, and the winner as one safe .onnx file.",
    epilog="Start with:  fathom compare TABLE --target COLUMN",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Source = Annotated[
    str,
    typer.Argument(
        help="CSV, TSV, JSON, JSON lines (gzip and zstd too), Parquet, Excel, a folder of "
        "pictures, or a database URL with --query.",
        show_default=False,
    ),
]
Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE...",
        help="A table as of compare, a folder of pictures, or pictures.",
        show_default=False,
    ),
]
ModelPath = Annotated[Path, typer.Argument(help="A model file, such as winner.onnx.")]
Query = Annotated[
    str | None, typer.Option(metavar="SQL", help="What to ask of the database SOURCE names.")
]
Encoding = Annotated[
    str | None, typer.Option(metavar="NAME", help="How the text is encoded; found out otherwise.")
]


def print_version(is_wanted: bool) -> None:
    """Print the version and end."""
    if is_wanted:
        from fathometer import __version__

        print(f"fathometer {__version__}")
        raise typer.Exit


@application.callback()
def fathom(
    version: Annotated[
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Hold the options that stand before a command."""


# One argument for each option of the command line: Typer reads the signature.
@application.command()
def compare(
    source: Source,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="The column to predict. [of a folder of pictures: its classes]"
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="roc_auc, log_loss, accuracy, rmse, mae, … [by task]"),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=KIND", help="Overrule what a column is taken for; repeat."),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Leave a column out; repeat.")
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Rows that share its value never straddle a split."),
    ] = None,
    time: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Learn from the past, test on the future.")
    ] = None,
    test: Annotated[
        str | None, typer.Option(metavar="FILE", help="Your own rows for the lockbox.")
    ] = None,
    effort: Annotated[
        str | None,
        typer.Option(metavar="EFFORT", help="quick, standard or thorough. [quick]"),
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(metavar="N", help="End within N minutes, report included.")
    ] = None,
    only: Annotated[
        str | None, typer.Option(metavar="NAME,…", help="Enter these contestants alone.")
    ] = None,
    network: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Enter a network of your own, in TOML; repeat."),
    ] = None,
    backbone: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH",
            help="Enter a network trained elsewhere: a local folder of safetensors, or the name "
            "of one in the hub's cache; repeat.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Same seed, same bytes.")] = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to write. [SOURCE.fathom]")
    ] = None,
    query: Query = None,
    encoding: Encoding = None,
    latency: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Also train a student that answers a row in 1ms, 250us…"),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Also train a student whose file has 500KB, 2MB…"),
    ] = None,
    prefer: Annotated[
        str | None,
        typer.Option(
            metavar="WISH[=LOSS]",
            help="fast, small, readable or cheap, and the largest loss you accept for it.",
        ),
    ] = None,
    prices: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your prices, in TOML: costs in money.")
    ] = None,
    challenger: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="ONNX[:TOML]",
            help="Judge a model from elsewhere on the same rows; repeat.",
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON document on standard output, nothing else.")
    ] = False,
) -> None:
    """Say which family a table needs, by training both.

    Trains traditional machine learning and deep learning side by side on equal terms, measures
    both on rows that neither has seen, and writes the verdict, the winner as one .onnx file and a
    report into a folder named after the table, where you are. Ctrl-C once stops and keeps the best
    so far."""
    from fathometer.app.comparison import compare as run_contest
    from fathometer.app.interrupt import stop_on_interrupt
    from fathometer.app.preparation import target_of
    from fathometer.app.terminal import open_screen

    try_next = f"fathom compare {shlex.quote(without_password(source))} --target COLUMN"
    target = target_of(source, target or None, try_next=try_next)
    stream: IO[str] = sys.stderr if json else sys.stdout
    with stop_on_interrupt() as stop, open_screen(stream, minutes=minutes, stop=stop) as screen:
        comparison = run_contest(
            source,
            target=target,
            metric=metric,
            kinds=kinds_from(kind or []),
            ignore=tuple(ignore or ()),
            group=group,
            time=time,
            test=test,
            effort=effort,
            minutes=minutes,
            only=names_from(only),
            seed=seed,
            out=out,
            query=query,
            encoding=encoding,
            networks=tuple(network or ()),
            backbone=tuple(backbone or ()),
            latency=latency,
            size=size,
            prefer=prefer,
            prices=prices,
            challengers=tuple(challenger or ()),
            watch=screen.watch,
            stop=stop,
        )
        screen.close(comparison)
    if json:
        from fathometer.app.document import as_json

        print(as_json(comparison.as_json()))
    require_student(comparison)


@application.command()
def predict(
    model: ModelPath,
    source: Sources,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where the answers go, by suffix: .csv, .tsv, .json, .jsonl or .parquet. "
            "[CSV on standard output]",
        ),
    ] = None,
    query: Query = None,
    encoding: Encoding = None,
    interval: Annotated[
        float | None,
        typer.Option(
            metavar="COVERAGE",
            help="Add what holds the truth in this share of rows: low and high, or a set.",
        ),
    ] = None,
    flag_unlike: Annotated[
        bool,
        typer.Option(
            "--flag-unlike", help="Add the columns for which a row is unlike what was learned."
        ),
    ] = False,
) -> None:
    """Answer for every row of a table."""
    from fathometer.app.answers import answer, write_answers, writer_for
    from fathometer.app.lines import printable
    from fathometer.app.reservations import Beside

    if output is not None:
        writer_for(output)  # before all rows are answered

    beside = Beside(interval, flag_unlike)
    answers = answer(model, source, query=query, encoding=encoding, beside=beside)
    write_answers(answers.table, output)
    for note in answers.notes:
        print(f"note  {printable(note)}", file=sys.stderr)
    where = "standard output" if output is None else str(output)
    print(f"{answers.table.num_rows:,} rows answered to {where}", file=sys.stderr)


@application.command()
def network(
    file: Annotated[Path, typer.Argument(help="A network of your own, in TOML.")],
    source: Annotated[
        str | None, typer.Option("--data", metavar="SOURCE", help="The table that it is for.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column to predict.")
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=KIND", help="Overrule what a column is taken for; repeat."),
    ] = None,
) -> None:
    """Check a network of your own against a table and draw it; nothing is trained."""
    if source is None or target is None:
        raise OptionError(
            "a network's shapes depend on the table that it reads and on what it predicts.",
            try_next=f"fathom network {file} --data TABLE --target COLUMN",
        )
    from fathometer.app.own_networks import draw_network

    print(draw_network(file, source, target, kinds_from(kind or [])))


@application.command()
def inspect(
    model: ModelPath,
    json: Annotated[bool, typer.Option("--json", help="As one JSON document.")] = False,
) -> None:
    """Print what a model file says of itself.

    Its task, columns, quality, parity certificate, versions and hash; nothing is run."""
    from fathometer.app.inspect import inspection, print_inspection
    from fathometer.modelfile.load import load

    opened = load(model)
    if json:
        from fathometer.app.document import as_json

        print(as_json(inspection(opened)))
    else:
        print_inspection(opened, model, stream=sys.stdout)


@application.command()
def verdict(
    folder: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run's folder, such as TABLE.fathom.")
    ],
    prices: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your prices, in TOML: costs in money.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As one JSON document.")] = False,
) -> None:
    """Print the verdict of a run again, from its folder; nothing is trained or asked."""
    from fathometer.app.verdicts import print_run, run_document

    if json:
        print(run_document(folder, prices=prices))
    else:
        print_run(folder, prices=prices)


def require_student(comparison: Comparison) -> None:
    """End as a mistake where a student was asked for and none keeps to the limits.

    Raises:
        LearnerError: if so; everything else has been written and said by then.
    """
    for card in comparison.scorecards:
        if card.distillation is not None and card.state != "finished":
            raise LearnerError(card.failure, try_next=card.distillation.try_next)


def kinds_from(options: list[str]) -> dict[str, str]:
    """`["age=number"]` as a mapping from column to kind; whoever reads the table checks the kinds.

    Raises:
        OptionError: if one is not COLUMN=KIND.
    """
    kinds = {}
    for option in options:
        column, equals, kind = option.rpartition("=")
        if not (equals and column and kind):
            raise OptionError(
                f'--kind was given "{option}"; it takes COLUMN=KIND, such as age=number.',
                try_next=shlex.join(["--kind", f"{(column or option).rstrip('=')}=category"]),
            )
        kinds[column] = kind
    return kinds


def names_from(option: str | None) -> tuple[str, ...]:
    """`"ridge, CatBoost"` as names."""
    return tuple(name.strip() for name in (option or "").split(",") if name.strip())
