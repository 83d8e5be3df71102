"""A network as its owner writes it down: what is refused, in which words, and what comes back."""

from __future__ import annotations

import pytest

from fathometer.errors import NetworkError
from fathometer.networks.declaration import ACTIVATION_NAMES, INPUTS, Declaration, Layer
from fathometer.networks.declared import ACTIVATIONS, DeclaredNetwork
from fathometer.networks.network import Shape
from fathometer.networks.notation import (
    Notation,
    Taught,
    parse_network,
    read_network,
)

# A wide sparse road and a narrow deep one that meet again.
TWO_ROADS = """
bins = 8

[[layer]]
name = "wide"
units = 24
activation = "silu"
density = 0.25

[[layer]]
name = "deep"
units = 12
from = ["encoded", "flags"]
dropout = false

[[layer]]
name = "deeper"
units = 24
activation = "gelu"
add = ["wide"]

[[layer]]
name = "picked"
units = 2
from = ["deeper"]
activation = "identity"
pattern = [[0, 0], [3, 1], [5, 1]]

[output]
from = ["deeper", "picked", "deep"]

[training]
learning_rate = 0.01
"""
H1 = '[[layer]]\nname = "h1"\nunits = 8\n'
H2 = '[[layer]]\nname = "h2"\nunits = 4\n'

# What is written, and every fragment that the answer has to hold.
MISTAKES = {
    "no TOML": ("[[layer]", ["not TOML", "line 1"]),
    "a number beyond all bounds": (f"bins = 1{'0' * 5000}", ["not TOML"]),
    "no layer": ("bins = 8", ["no layer"]),
    "unknown key": (H1 + "width = 3", ['layer "h1"', '"width"', "units"]),
    "unknown table": (H1 + "[optimizer]\nname = 1", ['"optimizer"']),
    "units missing": ('[[layer]]\nname = "h1"', ['layer "h1"', "no units"]),
    "name missing": ("[[layer]]\nunits = 3", ["layer 1", "no name"]),
    "units of another type": ('[[layer]]\nname = "h1"\nunits = "8"', ['"h1"', "whole number"]),
    "units that are true": ('[[layer]]\nname = "h1"\nunits = true', ["whole number"]),
    "no units at all": ('[[layer]]\nname = "h1"\nunits = 0', ['"h1"', "0 units", "1 to"]),
    "too many units": ('[[layer]]\nname = "h1"\nunits = 99999999', ['"h1"', "16,384"]),
    "unknown source": (H1 + 'from = ["h7"]', ['"h1"', '"h7"', "numbers", "all"]),
    "unknown addition": (H1 + 'add = ["numbers"]', ['"h1"', 'adds "numbers"']),
    "circle of two": (
        H1 + 'from = ["h2"]\n' + H2 + 'from = ["h1"]',
        ["circle", "h1 → h2 → h1"],
    ),
    "circle of one": (H1 + 'from = ["h1"]', ["circle", "h1 → h1"]),
    "addition of another width": (
        H1 + H2 + 'add = ["h1"]',
        ['"h2" has 4 units', '"h1", which has 8'],
    ),
    "unused layer": (H1 + H2 + '[output]\nfrom = ["h1"]', ['"h2" is unused']),
    "density of 0": (H1 + "density = 0.0", ['"h1"', "density 0"]),
    "density above 1": (H1 + "density = 1.5", ['"h1"', "density 1.5"]),
    "density that is no number": (H1 + "density = nan", ['"h1"', "density nan"]),
    "density and pattern": (H1 + "density = 0.5\npattern = [[0, 0]]", ["both"]),
    "pattern beyond the units": (H1 + "pattern = [[0, 8]]", ['"h1"', "[0, 8]", "0 to 7"]),
    "pattern of triples": (H1 + "pattern = [[0, 1, 2]]", ['"h1"', "[from, to] pairs"]),
    "unit without a connection": (H1 + "pattern = [[0, 0]]", ["1 of its 8 units"]),
    "unknown activation": (H1 + 'activation = "step"', ['"h1"', '"step"', "relu"]),
    "name that is taken": ('[[layer]]\nname = "all"\nunits = 3', ['"all"', "taken"]),
    "name that is doubled": (H1 + H1, ['two layers are called "h1"']),
    "source that is doubled": (H1 + 'from = ["all", "all"]', ['"h1" reads "all" twice']),
    "reads nothing": (H1 + "from = []", ['"h1" reads nothing']),
    "dropout of a layer as a share": (H1 + "dropout = 0.1", ['"h1"', "true or false"]),
    "training that cannot be": (
        H1 + "[training]\nlearning_rate = 0",
        ["[training]", "learning_rate = 0"],
    ),
    "name that cannot be shown": ('name = "a\\nb"\n' + H1, ["printed"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_answered_in_words(mistake: str) -> None:
    text, fragments = MISTAKES[mistake]
    with pytest.raises(NetworkError) as caught:
        parse_network(text, "mine")
    said = f"{caught.value.message} {caught.value.details}"
    assert [fragment for fragment in fragments if fragment not in said] == []


def test_a_file_is_named_in_what_is_wrong_with_it(tmp_path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[[layer]]\nname = "h1"')
    with pytest.raises(NetworkError, match=r'mine\.toml: layer "h1" has no units'):
        read_network(path)
    with pytest.raises(NetworkError, match="no such file"):
        read_network(tmp_path / "other.toml")


EVERY_KEY = """
name = "mine"
bins = 3

[[layer]]
name = "ünïcode"
units = 3
activation = "mish"
from = ["numbers", "all"]
density = 0.125
dropout = false
pattern_seed = 7

[[layer]]
name = "quoted \\"\\\\"
units = 3
activation = "tanh"
from = ["ünïcode"]
add = ["ünïcode"]
dropout = true
pattern = [[0, 2], [1, 1], [2, 0]]

[output]
from = ["ünïcode", "quoted \\"\\\\", "flags"]

[training]
learning_rate = 0.001
weight_decay = 0.0
dropout = 0.5
"""


def test_every_key_is_read() -> None:
    layers = (
        Layer("ünïcode", 3, "mish", ("numbers", "all"), (), False, 0.125, None, 7),
        Layer(
            'quoted "\\',
            3,
            "tanh",
            ("ünïcode",),
            ("ünïcode",),
            True,
            None,
            ((0, 2), (1, 1), (2, 0)),
        ),
    )
    declaration = Declaration(layers, ("ünïcode", 'quoted "\\', "flags"), bins=3)
    assert parse_network(EVERY_KEY, "other") == Notation(
        "mine", declaration, Taught(1e-3, 0.0, 0.5)
    )


def test_a_layer_reads_the_one_before_it_and_the_output_the_last() -> None:
    declaration = parse_network(H1 + H2, "mine").declaration
    assert [layer.reads for layer in declaration.layers] == [("all",), ("h1",)]
    assert declaration.output == ("h2",)


def test_layers_may_stand_in_any_order() -> None:
    text = H1 + 'from = ["h2"]\n' + H2 + 'from = ["all"]\n[output]\nfrom = ["h1"]'
    declaration = parse_network(text, "mine").declaration
    assert [layer.name for layer in declaration.in_order] == ["h2", "h1"]


def test_every_activation_has_its_function_and_twin() -> None:
    assert set(ACTIVATIONS) == set(ACTIVATION_NAMES)


@pytest.mark.parametrize(
    ("shape", "fragments"),
    [
        (Shape(0, 2, (3,), 2), ['"deep" reads "encoded"', "this table has none"]),
        (Shape(2, 0, (), 2), ['"late" has a connection from 9', "0 to 1"]),
    ],
    ids=["no such input", "a pattern beyond the inputs"],
)
def test_a_table_that_does_not_fit_is_named(shape: Shape, fragments: list[str]) -> None:
    late = Layer("late", 1, reads=("numbers",), pattern=((9, 0),))
    deep = Layer("deep", 4, reads=("encoded",))
    first = (deep,) if shape.levels else (late,)
    with pytest.raises(NetworkError) as caught:
        DeclaredNetwork(shape, Declaration(first, (first[0].name,)))
    assert [fragment for fragment in fragments if fragment not in caught.value.message] == []


def test_the_drawing_shows_shapes_and_counts_what_is_trained() -> None:
    declaration = parse_network(TWO_ROADS, "mine").declaration
    network = DeclaredNetwork(Shape(4, 2, (3, 5), 3), declaration)
    drawing = network.draw()
    lines = [line.split("  ") for line in drawing.splitlines()]
    cells = {line[0].strip(): [cell.strip() for cell in line if cell.strip()] for line in lines}
    # 4 numbers, 4 × 8 bins, 2 flags and 2 × 8 embedded columns are 54; a quarter of them is 14.
    assert cells["wide"][2:] == ["54 → 24", "336 of 1,296, drawn", "silu, dropout", "360"]
    assert cells["deeper"][1:3] == ["deep · adds wide", "12 → 24"]
    assert cells["picked"][2:] == ["24 → 2", "3 of 48, given", "identity, dropout", "5"]
    assert cells["output"][1:3] == ["deeper + picked + deep", "38 → 3"]
    assert drawing.splitlines()[-1].strip() == f"{network.parameter_count:,}"
    assert set(INPUTS) <= set(cells)
