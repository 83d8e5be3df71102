"""A declared network as a TOML file: read, with errors that name the layer."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fathometer.errors import NetworkError
from fathometer.networks.declaration import ALL, Declaration, Layer

LARGEST_FILE = 1 << 20  # bytes; a pattern of 50,000 connections takes half of it

LONGEST_NAME = 40  # what a leaderboard has room for


@dataclass(frozen=True)
class Taught:
    """How a network is taught; by default as the modern network's first setting is."""

    learning_rate: float = 6e-3
    weight_decay: float = 2e-2
    dropout: float = 0.15  # share of each layer that drops


@dataclass(frozen=True)
class Notation:
    """All that a file says."""

    name: str
    declaration: Declaration
    taught: Taught = Taught()

    def __post_init__(self) -> None:
        check_name(self.name)


def check_name(name: str) -> None:
    """That a leaderboard can show a network's name.

    Raises:
        NetworkError: if it cannot.
    """
    if not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        raise NetworkError(
            f"a network's name has to be 1 to {LONGEST_NAME} letters that can be printed."
        )


@dataclass(frozen=True)
class Key:
    """What one key of a table takes: a name for it in errors, a test, and a conversion."""

    takes: str
    fits: Callable[[Any], bool]
    convert: Callable[[Any], Any] = lambda value: value


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_pairs(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(map(_is_whole, pair)) for pair in value
    )


TEXT = Key("a string", lambda value: isinstance(value, str))
WHOLE = Key("a whole number", _is_whole)
NUMBER = Key("a number", _is_number, float)
SHARE = Key(
    "a number from 0 to less than 1", lambda value: _is_number(value) and 0 <= value < 1, float
)
POSITIVE = Key("a number above 0", lambda v: _is_number(v) and 0 < v < math.inf, float)
NOT_NEGATIVE = Key("a number of 0 or more", lambda v: _is_number(v) and 0 <= v < math.inf, float)
SWITCH = Key("true or false", lambda value: isinstance(value, bool))
NAMES = Key('a list of names, such as ["h1", "all"]', _is_names, tuple)
PAIRS = Key(
    "a list of [from, to] pairs, such as [[0, 0], [3, 1]]",
    _is_pairs,
    lambda pairs: tuple((start, to) for start, to in pairs),
)
TABLES = Key("tables, each headed [[layer]]", lambda value: isinstance(value, list))
TABLE = Key("a table", lambda value: isinstance(value, dict))

# Every key of the file: what it takes, and the field that it becomes.
FILE_KEYS = {"name": TEXT, "bins": WHOLE, "layer": TABLES, "output": TABLE, "training": TABLE}
LAYER_KEYS: Mapping[str, tuple[Key, str]] = {
    "name": (TEXT, "name"),
    "units": (WHOLE, "units"),
    "activation": (TEXT, "activation"),
    "from": (NAMES, "reads"),
    "add": (NAMES, "adds"),
    "dropout": (SWITCH, "dropout"),
    "density": (NUMBER, "density"),
    "pattern": (PAIRS, "pattern"),
    "pattern_seed": (WHOLE, "pattern_seed"),
}
OUTPUT_KEYS = {"from": NAMES}
TRAINING_KEYS = {"learning_rate": POSITIVE, "weight_decay": NOT_NEGATIVE, "dropout": SHARE}


def read_network(path: str | Path) -> Notation:
    """Read a network from its TOML file; its name is the file's stem unless the file says another.

    Raises:
        NetworkError: if there is no such file, it is not TOML, or what it describes is no network;
            the message names the layer and what is wrong with it.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise NetworkError(
            f"the network {path} cannot be read: {(error.strerror or 'it fails').lower()}.",
            try_next="--network NETWORK.toml",
        ) from error
    if len(content) > LARGEST_FILE:
        raise NetworkError(f"the network {path} is larger than {LARGEST_FILE:,} bytes.")
    try:
        return parse_network(content.decode(), path.stem)
    except UnicodeDecodeError as error:
        raise NetworkError(f"the network {path} is not UTF-8 text: {error.reason}.") from error
    except NetworkError as error:
        raise NetworkError(
            f"{path}: {error.message}", details=error.details, try_next=error.try_next
        ) from error


def parse_network(text: str, name: str) -> Notation:
    """A network from TOML text; `name` is what it is called if the text does not say.

    Raises:
        NetworkError: as `read_network` does.
    """
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, or a number beyond all bounds
        raise NetworkError(f"it is not TOML: {error}.") from error
    found = _checked("the file", content, FILE_KEYS)
    tables = found.get("layer", [])
    if not tables:
        raise NetworkError("it has no layer.", details='a layer: [[layer]] name = "h1" units = 64')
    layers: list[Layer] = []
    for place, table in enumerate(tables):
        before = layers[-1].name if layers else ALL
        layers.append(_layer(table, place, before))
    output = _checked("[output]", found.get("output", {}), OUTPUT_KEYS)
    taught = Taught(**_checked("[training]", found.get("training", {}), TRAINING_KEYS))
    bins = {"bins": found["bins"]} if "bins" in found else {}
    last = layers[-1].name
    declaration = Declaration(tuple(layers), output.get("from", (last,)), **bins)
    return Notation(found.get("name", name), declaration, taught)


def _layer(table: object, place: int, before: str) -> Layer:
    """One [[layer]]; it reads the layer before it unless it says otherwise."""
    named = isinstance(table, dict) and isinstance(table.get("name"), str)
    where = f'layer "{table["name"]}"' if named else f"layer {place + 1}"  # type: ignore[index]
    keys = {key: takes for key, (takes, _) in LAYER_KEYS.items()}
    found = _checked(where, table, keys)
    for needed in ("name", "units"):
        if needed not in found:
            raise NetworkError(
                f"{where} has no {needed}.", details=f"it says: {', '.join(found) or 'nothing'}"
            )
    fields = {LAYER_KEYS[key][1]: value for key, value in found.items()}
    return Layer(**{"reads": (before,), **fields})


def _checked(where: str, table: object, keys: Mapping[str, Key]) -> dict[str, Any]:
    """The values of a table, converted, after checking that every key is known and fits."""
    if not isinstance(table, dict):
        raise NetworkError(f"{where} is no table of keys and values.")
    found = {}
    for key, value in table.items():
        if key not in keys:
            raise NetworkError(
                f'{where} has the key "{key}", which there is not.',
                details=f"keys: {', '.join(keys)}",
            )
        if not keys[key].fits(value):
            said = json.dumps(value, default=str)[:60]
            raise NetworkError(f"{where} has {key} = {said}; it takes {keys[key].takes}.")
        found[key] = keys[key].convert(value)
    return found
