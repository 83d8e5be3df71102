"""`verdict.json` as it is documented: its JSON Schema, the check against it, and reading it back.

The check knows the few words of JSON Schema (draft 2020-12) that our schema uses, so that reading a
verdict needs no further package."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, cast

from fathometer.errors import StoreError
from fathometer.verdict.verdict import (
    SCHEMA,
    ChallengerGap,
    FoldGap,
    Gap,
    Pair,
    Preferred,
    Verdict,
    Worth,
)

Schema = Mapping[str, Any]
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "null": (type(None),),
}
UNDERSTOOD = {
    "$ref", "anyOf", "const", "enum", "type", "minimum", "maximum", "properties", "required",
    "additionalProperties", "items",
}  # fmt: skip
SILENT = {"$schema", "$defs", "title", "description"}


def verdict_schema() -> dict[str, Any]:
    """The JSON Schema of `verdict.json`."""
    text = resources.files("fathometer.verdict").joinpath("verdict.schema.json").read_text("utf-8")
    return cast("dict[str, Any]", json.loads(text))


def faults(value: object, schema: Schema, root: Schema, place: str = "verdict") -> Iterator[str]:
    """Everything in which a value is not as its schema says, in words; nothing where it is."""
    if "$ref" in schema:
        yield from faults(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, place)
        return
    if "anyOf" in schema:
        found = [list(faults(value, each, root, place)) for each in schema["anyOf"]]
        if all(found):
            yield found[0][0]
        return
    if "const" in schema and value != schema["const"]:
        yield f"{place} is {value!r} instead of {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place} is {value!r}, none of {', '.join(schema['enum'])}"
    yield from _type_faults(value, schema, root, place)


def _type_faults(value: object, schema: Schema, root: Schema, place: str) -> Iterator[str]:
    stated = schema.get("type", [])
    kinds = [stated] if isinstance(stated, str) else stated
    fitting = tuple(kind for name in kinds for kind in TYPES[name])
    if kinds and (not isinstance(value, fitting) or isinstance(value, bool)):
        yield f"{place} is {type(value).__name__}, not {' or '.join(kinds)}"
        return
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = schema.get("minimum", value), schema.get("maximum", value)
        if not low <= value <= high:
            yield f"{place} is {value}, out of range"
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from faults(each, schema["items"], root, f"{place}[{number}]")
    if isinstance(value, dict):
        yield from _object_faults(value, schema, root, place)


def _object_faults(
    value: Mapping[str, object], schema: Schema, root: Schema, place: str
) -> Iterator[str]:
    known = schema.get("properties", {})
    yield from (f"{place} lacks {name}" for name in schema.get("required", ()) if name not in value)
    for name, inner in value.items():
        if name in known:
            yield from faults(inner, known[name], root, f"{place}.{name}")
        elif schema.get("additionalProperties") is False:
            yield f"{place} has a field {name} that is not known"


def verdict_from(values: object, *, source: str) -> Verdict:
    """The verdict whose `as_json` this was.

    Raises:
        StoreError: if it is of another schema version, or not as the schema says.
    """
    found = values.get("schema") if isinstance(values, dict) else None
    if found != SCHEMA:
        raise StoreError(
            f"{source} has verdict schema {found}; this version reads {SCHEMA}.",
            details="repeat the comparison with this version, or read it with the one that made it",
        )
    schema = verdict_schema()
    wrong = next(faults(values, schema, schema), None)
    if wrong is not None:
        raise StoreError(f"{source} is not a verdict as Fathometer writes it: {wrong}.")
    known = cast("dict[str, Any]", values)

    def one(kind: Any, name: str) -> Any:
        return None if known[name] is None else kind(**known[name])

    def many(kind: Any, name: str) -> Any:
        return tuple(kind(**each) for each in known[name])

    texts = {
        name: tuple(known[name])
        for name in ("sentences", "expert", "rivals", "ranking", "warnings")
    }
    parts = {
        "gap": one(Gap, "gap"),
        "fold_gap": one(FoldGap, "fold_gap"),
        "pairs": many(Pair, "pairs"),
        "worth": one(Worth, "worth"),
        "preferred": one(Preferred, "preferred"),
        "challengers": many(ChallengerGap, "challengers"),
    }
    return Verdict(**{**known, **texts, **parts})
