import ast
import json
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from fathometer.graph import Element, Graph
from fathometer.learners.constant import Constant
from fathometer.modelfile.write import ship
from fathometer.report.content import InputLine
from fathometer.report.snippets import csharp_program, javascript_program, python_program
from fathometer.table.kind import Kind, PictureSize
from fathometer.table.sources.decode import decode
from fathometer.table.split import Split
from fathometer.table.table import Table, column_from
from fathometer.table.task import Task, TaskKind

PROGRAMS = (python_program, csharp_program, javascript_program)
NASTY = 'a "b"\\ \n\u202e</script> ü'


def double_the_area(path):
    """Write a model file with the inputs of the houses: an area, and a date that may be absent."""
    graph = Graph()
    area = graph.input("area", Element.DOUBLE)
    missing = graph.add("Equal", graph.input("sold", Element.STRING), graph.constant([""]))
    value = graph.add("Add", graph.add("Add", area, area), graph.cast(missing, Element.DOUBLE))
    flat = graph.add("Squeeze", value, graph.constant(np.array([1])))
    path.write_bytes(graph.finish({"value": (flat, Element.DOUBLE, None)}).SerializeToString())


def test_the_python_program_answers_with_onnxruntime_and_numpy_alone(
    regression, tmp_path, monkeypatch, capsys
):
    double_the_area(tmp_path / "winner.onnx")
    monkeypatch.chdir(tmp_path)
    exec(compile(python_program(regression), "program", "exec"), {})
    assert capsys.readouterr().out == "225.0\n"


@pytest.mark.parametrize("kind", [TaskKind.CLASSIFY, TaskKind.REGRESS], ids=lambda kind: kind.value)
def test_the_programs_ask_for_what_the_file_gives_where_columns_have_its_names(
    regression, kind, tmp_path, monkeypatch, capsys
):
    names = ("label", "probability", "value")
    features = [column_from(name, Kind.NUMBER, range(20)) for name in names]
    if kind is TaskKind.CLASSIFY:
        target = column_from("y", Kind.CATEGORY, ["1", "2"] * 10)
        task = Task(kind, "y", "accuracy", ("1", "2"), integer_labels=True)
    else:
        target = column_from("y", Kind.NUMBER, [1.0, 2.0] * 10)
        task = Task(kind, "y", "rmse")
    table = Table((*features, target))
    rows = np.arange(20)
    split = Split(rows[:16], rows[16:], (rows[:8], rows[8:16]), seed=0)
    file = ship(Constant().fit(table, task, split), "constant", table, split.lockbox).file()
    (tmp_path / "winner.onnx").write_bytes(file.content)
    content = replace(
        regression,
        task=task,
        inputs=tuple(InputLine(name, Element.DOUBLE, 1.0) for name in names),
        outputs=tuple(port.name for port in file.contents.outputs),
    )
    monkeypatch.chdir(tmp_path)
    exec(compile(python_program(content), "program", "exec"), {})
    assert capsys.readouterr().out == ("1 [0.5 0.5]\n" if task.classes else "1.5\n")
    asked = {name: name.removesuffix("_") for name in content.outputs}
    assert all(f'answer.Name == "{name}"' in csharp_program(content) for name in asked)
    taken = ", ".join(f'"{name}": {own}' for name, own in asked.items())
    assert f"const {{ {taken} }} = await session.run(row);" in javascript_program(content)


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_input_is_named_with_its_example(binary, program):
    written = program(binary)
    assert all(json.dumps(line.name) in written for line in binary.inputs)
    assert '"Rice, Master. \\"Eugene\\""' in written


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_name_can_break_out_of_its_literal(binary, program):
    written = program(replace(binary, inputs=(InputLine(NASTY, Element.STRING, NASTY),)))
    assert written.count('"a \\"b\\"\\\\ \\n\\u202e</script> ü"') == 2


def test_python_reads_the_names_back(binary):
    lines = (InputLine(NASTY, Element.STRING, NASTY), InputLine("n", Element.DOUBLE, None))
    tree = ast.parse(python_program(replace(binary, inputs=lines)))
    names = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert NASTY in names


@pytest.mark.parametrize("fixture", ["binary", "multiclass", "regression"])
def test_javascript_is_well_formed(fixture, request, tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    path = tmp_path / "program.mjs"
    path.write_text(javascript_program(request.getfixturevalue(fixture)), encoding="utf-8")
    subprocess.run([node, "--check", str(path)], check=True, capture_output=True, timeout=60)


def test_missing_numbers_are_written_in_each_language(binary):
    missing = [program(binary) for program in PROGRAMS]
    assert "np.nan" in missing[0]
    assert "double.NaN" in missing[1]
    assert "number(NaN)" in missing[2]


def test_whole_number_labels_are_read_as_numbers(binary, multiclass):
    assert "AsEnumerable<long>" in csharp_program(binary)
    assert "AsEnumerable<string>" in csharp_program(multiclass)
    assert "Number(label.data[0])" in javascript_program(binary)


def test_a_table_of_a_thousand_columns_keeps_the_program_short(binary):
    lines = tuple(InputLine(f"c{n}", Element.DOUBLE, 1.0) for n in range(1000))
    assert "800 more inputs" in python_program(replace(binary, inputs=lines))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "I;16", "CMYK"])
def test_the_python_program_reads_pixels_as_the_product_does(binary, tmp_path, mode, channels):
    random = np.random.default_rng(0)
    bands = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "P": 3, "I;16": 1, "CMYK": 4}[mode]
    pixels = random.integers(0, 256, (9, 7, bands)).astype(np.uint8)
    if mode == "I;16":
        picture = Image.fromarray(random.integers(0, 65_536, (9, 7)).astype(np.uint16))
    else:
        written = {"P": "RGB"}.get(mode, mode)
        picture = Image.fromarray(pixels.squeeze(), written)
    options = {}
    if mode == "P":
        picture = picture.quantize(16)
        options["transparency"] = 3
    path = tmp_path / ("photo.tif" if mode == "CMYK" else "photo.png")
    picture.save(path, **options)
    size = PictureSize(9, 7, channels)
    photo = InputLine("image", Element.UINT8, None, size)
    program = python_program(replace(binary, inputs=(photo,))).split("session = ")[0]
    names: dict[str, object] = {}
    exec(compile(program, "program", "exec"), names)
    read = names["gray_picture" if channels == 1 else "picture"]
    np.testing.assert_array_equal(read(path)[0], decode(str(path), channels))
