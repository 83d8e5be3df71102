"""`verdict.json` as it is documented: its JSON Schema, the check against it, and reading it back.

The schema (draft 2020-12) follows from the dataclasses of a `Verdict`, so the two cannot part; the
copy that ships beside this file is for readers in other languages. Written anew, after a change, by
`python -m fathometer.verdict.schema`."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, cast

from fathometer.errors import StoreError
from fathometer.verdict.verdict import SCHEMA, Verdict

FILE = Path(__file__).with_name("verdict.schema.json")
PLAIN: dict[object, str] = {
    str: "string",
    float: "number",
    int: "integer",
    bool: "boolean",
    type(None): "null",
}
FITTING: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
ABOUT = (
    "verdict.json of a run of fathom compare. Differences of quality are in the unit of the "
    "metric, turned so that a positive one favours what is named first; every low and high is the "
    "end of a 95 % interval unless it says otherwise. docs/verdict-json.md says what each field "
    "means. Fields may be added within a version; readers pass over those they do not know."
)


def verdict_schema() -> dict[str, Any]:
    """The JSON Schema of `verdict.json`."""
    definitions: dict[str, Any] = {}
    whole = _of_class(Verdict, definitions)
    whole["properties"]["schema"] = {"const": SCHEMA}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Fathometer verdict",
        **whole,
        "description": ABOUT,
        "$defs": dict(sorted(definitions.items())),
    }


def _of_class(kind: type, definitions: dict[str, Any]) -> dict[str, Any]:
    """A dataclass as an object; what has a default was added later and may be absent."""
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(kind)
    always = [
        each.name
        for each in fields
        if each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
    ]
    return {
        "type": "object",
        "description": " ".join((kind.__doc__ or "").split("\n\n")[0].split()),
        "properties": {each.name: _of(hints[each.name], definitions) for each in fields},
        "required": always,
    }


def _of(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """One type as a schema."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint in PLAIN:
        return {"type": PLAIN[hint]}
    if origin is Literal:
        return {"enum": list(inner)}
    if origin is tuple:
        return {"type": "array", "items": _of(inner[0], definitions)}
    if origin in (types.UnionType, typing.Union):
        return {"anyOf": [_of(each, definitions) for each in inner]}
    if dataclasses.is_dataclass(hint):
        name = cast("type", hint).__name__
        if name not in definitions:
            definitions[name] = {}  # so that a class within itself ends
            definitions[name] = _of_class(cast("type", hint), definitions)
        return {"$ref": f"#/$defs/{name}"}
    return {}


Schema = Mapping[str, Any]


def faults(value: object, schema: Schema, root: Schema, place: str = "verdict") -> Iterator[str]:
    """Everything in which a value is not as its schema says, in words; nothing where it is.

    Knows the words of JSON Schema that ours uses, so that reading needs no further package."""
    if "$ref" in schema:
        yield from faults(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, place)
    elif "anyOf" in schema:
        found = [list(faults(value, each, root, place)) for each in schema["anyOf"]]
        if all(found):
            yield min(found, key=len)[0]
    elif "const" in schema:
        if value != schema["const"]:
            yield f"{place} is {value!r} instead of {schema['const']!r}"
    elif "enum" in schema:
        if value not in schema["enum"]:
            yield f"{place} is {value!r}, none of {', '.join(map(str, schema['enum']))}"
    elif "type" in schema:
        yield from _type_faults(value, schema, root, place)


def _type_faults(value: object, schema: Schema, root: Schema, place: str) -> Iterator[str]:
    wanted = schema["type"]
    is_fitting = isinstance(value, FITTING[wanted])
    if isinstance(value, bool):
        is_fitting = wanted == "boolean"
    if not is_fitting:
        yield f"{place} is {type(value).__name__}, not {wanted}"
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from faults(each, schema["items"], root, f"{place}[{number}]")
    elif isinstance(value, dict):
        known = schema["properties"]
        yield from (f"{place} lacks {name}" for name in schema["required"] if name not in value)
        for name, inner in value.items():
            if name in known:
                yield from faults(inner, known[name], root, f"{place}.{name}")


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
    return cast("Verdict", _read(values, Verdict))


def _read(value: Any, hint: Any) -> Any:
    """A checked value as its type: objects as dataclasses, lists as tuples."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return tuple(_read(each, inner[0]) for each in value)
    if origin in (types.UnionType, typing.Union):
        if value is None:
            return None
        return _read(value, next(each for each in inner if each is not type(None)))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = typing.get_type_hints(hint)
        known = {each.name for each in dataclasses.fields(hint)}
        return hint(
            **{name: _read(each, hints[name]) for name, each in value.items() if name in known}
        )
    return value


def stored_schema() -> str:
    """What the file beside this module holds, or has to."""
    return json.dumps(verdict_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(stored_schema(), encoding="utf-8")
