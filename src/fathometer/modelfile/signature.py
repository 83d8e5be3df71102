"""What a model file says of itself: task, columns, and how raw values enter it. Plain values only.

Kept free of onnx and pyarrow: a predict-only install has neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import cast

from fathometer.errors import Fault, ModelFileError
from fathometer.table.kind import LARGEST_SIDE, ColumnSpec, Kind, PictureSize
from fathometer.table.layout import LAYOUTS

FORMAT = 1  # of the metadata; rises only when an older reader would misread it


@dataclass(frozen=True)
class Question:
    """The task as the file states it: `Task` without its reasons."""

    kind: str  # "classify" or "regress"
    target: str
    metric: str
    classes: tuple[str, ...]
    integer_labels: bool


def columns_as_json(columns: Sequence[ColumnSpec]) -> list[dict[str, object]]:
    """Column specs as plain values."""
    return [
        {
            "name": spec.name,
            "kind": spec.kind.value,
            "layout": asdict(spec.layout) if spec.layout else None,
            "missing": list(spec.missing),
            "decimal_comma": spec.decimal_comma,
            "picture": asdict(spec.picture) if spec.picture else None,
            "mark": spec.mark,
            "keeps_zeros": spec.keeps_zeros,
        }
        for spec in columns
    ]


def columns_from_json(values: object) -> tuple[ColumnSpec, ...]:
    """Column specs from metadata.

    Raises:
        ModelFileError: if they are not what `columns_as_json` writes.
    """
    kinds = {kind.value: kind for kind in Kind}
    layouts = {(layout.order, layout.separator): layout for layout in LAYOUTS}
    try:
        found = []
        for value in cast("list[Mapping[str, object]]", values):
            layout = cast("Mapping[str, str] | None", value["layout"])
            spec = ColumnSpec(
                str(value["name"]),
                kinds[str(value["kind"])],
                layouts[layout["order"], layout["separator"]] if layout else None,  # type: ignore[index]
                tuple(str(word) for word in cast("list[object]", value["missing"])),
                bool(value["decimal_comma"]),
                _picture_from_json(value.get("picture")),
                None if value.get("mark") is None else str(value["mark"]),
                bool(value.get("keeps_zeros", False)),
            )
            if (spec.kind is Kind.IMAGE) != (spec.picture is not None):
                raise ValueError(f"{spec.name} is {spec.kind.value}, its pictures {spec.picture}")
            if spec.kind is Kind.NUMBER:
                _ = spec.missing_numbers  # refused here rather than when rows are read
            found.append(spec)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(Fault.METADATA, f"its columns cannot be read: {error}") from error
    return tuple(found)


def _picture_from_json(value: object) -> PictureSize | None:
    if value is None:
        return None
    sizes = cast("Mapping[str, object]", value)
    height, width, channels = (sizes[name] for name in ("height", "width", "channels"))
    if not all(isinstance(size, int) for size in (height, width, channels)):
        raise TypeError(f"a picture of {height} × {width} × {channels}")
    found = PictureSize(cast("int", height), cast("int", width), cast("int", channels))
    if not (0 < found.height <= LARGEST_SIDE and 0 < found.width <= LARGEST_SIDE):
        raise ValueError(f"a picture of {height} × {width} pixels")
    if found.channels not in (1, 3):
        raise ValueError(f"a picture of {channels} channels")
    return found


def question_from_json(values: Mapping[str, object]) -> Question:
    """The task from metadata.

    Raises:
        ModelFileError: if it is not what the writer writes.
    """
    try:
        classes = tuple(str(name) for name in cast("list[object]", values["classes"]))
        kind = str(values["kind"])
        if kind not in ("classify", "regress"):
            raise KeyError(kind)
        integer_labels = bool(values["integer_labels"])
        if integer_labels:
            _ = [int(name) for name in classes]  # refused here rather than when rows are answered
        return Question(kind, str(values["target"]), str(values["metric"]), classes, integer_labels)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(Fault.METADATA, f"its task cannot be read: {error}") from error
