"""The sections for who repeats the run or uses the file: terms, programs, deployment."""

from __future__ import annotations

from collections.abc import Sequence

from fathometer.report import tables
from fathometer.report.content import ReportContent
from fathometer.report.markup import Markup, tag, together
from fathometer.report.pieces import bullets, choice, inline, paragraph, program
from fathometer.report.snippets import csharp_program, javascript_program, python_program
from fathometer.table.metric import METRICS
from fathometer.table.task import Task


def terms(content: ReportContent) -> Markup:
    """What both sides got, the split, the versions, and the command that repeats the run."""
    metric = METRICS[content.task.metric]
    facts = (
        ("question", _question(content.task)),
        ("classes", _class_words(content.task.classes)),
        ("metric", f"{metric.label}, {'more' if metric.greater_is_better else 'less'} is better"),
        ("split", content.split),
        ("terms", together(*[tag("div", {}, line) for line in content.terms])),
        ("seed", str(content.seed)),
        ("parity", content.parity),
        ("machine", content.machine),
        ("versions", ", ".join(f"{name} {number}" for name, number in content.versions.items())),
    )
    pairs = [together(tag("dt", {}, name), tag("dd", {}, said)) for name, said in facts if said]
    files = together(tag("h3", {}, "Files"), tables.files_table(content)) if content.files else ""
    return together(
        tag("dl", {"class": "facts"}, *pairs),
        tag("h3", {}, "Repeat"),
        program(content.command),
        files,
    )


def _question(task: Task) -> str:
    reason = f": {task.reason}" if task.reason else ""
    return f"{task.kind.value} “{task.target}”{reason}"


def _class_words(classes: Sequence[str]) -> str:
    if not classes:
        return ""
    shown = ", ".join(classes[:20])
    return f"{len(classes):,}: {shown}" + (", …" if len(classes) > 20 else "")


def use(content: ReportContent) -> Markup:
    """Programs that use the file, and what to know before it goes to work."""
    programs = (
        ("python", "Python", program(python_program(content))),
        ("csharp", "C#", program(csharp_program(content))),
        ("javascript", "JavaScript", program(javascript_program(content))),
    )
    return together(
        paragraph(
            inline(content.winner_file),
            " takes the raw columns, one input each, and does every step of the preparation "
            "inside. It runs wherever ONNX Runtime runs, with nothing of Fathometer installed.",
        ),
        *choice("language", "Language", programs),
        tag("h3", {}, "To deploy"),
        bullets(_deployment(content)),
    )


def _deployment(content: ReportContent) -> list[str]:
    names, shapes = content.outputs, ("(rows)", "(rows, classes)")
    outputs = " and ".join(map(" ".join, zip(names, shapes, strict=False)))
    sources = "more_photos/" if _takes_pictures_alone(content) else "new.csv"
    return [
        "Inputs are named like the columns, shape (rows, 1): double for numbers and booleans, "
        "string for everything else. Send many rows at once where you can.",
        *_of_pictures(content),
        "A missing number is NaN, a missing string is empty. A category never seen before is "
        "allowed; nothing needs to be recoded first.",
        f"Outputs: {outputs}.",
        *_arrived_whole(content),
        *_rows_held(content),
        "Pin the onnxruntime version of your service and load the file once: many threads may ask "
        "one session.",
        together(
            "From 1.29 on onnxruntime reports to Microsoft what it runs. ",
            inline("ORT_DISABLE_TELEMETRY=1"),
            ", set before the service starts, switches that off.",
        ),
        together(
            "From the command line: ",
            inline(f"fathom predict {content.winner_file} {sources} -o answers.csv"),
            "; what the file holds: ",
            inline(f"fathom inspect {content.winner_file}"),
            ".",
        ),
        "The qualities above hold for rows like those of the lockbox. When the data changes, "
        "repeat the comparison.",
    ]


def _takes_pictures_alone(content: ReportContent) -> bool:
    return all(each.picture is not None for each in content.inputs)


def _of_pictures(content: ReportContent) -> list[str]:
    """How pictures enter, one line for each such input."""
    return [
        f"Pictures enter “{each.name}” as uint8 of shape (rows, height, width, "
        f"{each.picture.channels}), {'gray' if each.picture.channels == 1 else 'red, green, blue'},"
        " upright, at any height and width that is the same for all rows of a call; the file "
        f"brings them to {each.picture.height} × {each.picture.width} itself. A missing picture is "
        "all zeros."
        for each in content.inputs
        if each.picture is not None
    ]


def _rows_held(content: ReportContent) -> list[str]:
    if not content.rows_held:
        return []
    return [
        f"The file holds {content.rows_held} in numbers, which it compares new rows with: hand it "
        "on only where you would hand on those."
    ]


def _arrived_whole(content: ReportContent) -> list[Markup]:
    return [
        together("Check that the file arrived whole: SHA-256 ", inline(one.sha256), ".")
        for one in content.files
        if one.name == content.winner_file and one.sha256
    ]
