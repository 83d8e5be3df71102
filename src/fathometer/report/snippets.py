"""Programs that use the model file without Fathometer: Python, C# and JavaScript, whole, with the
real inputs and an example row. Every string is written as a literal of its language."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from fathometer.graph import Element
from fathometer.report.content import InputLine, ReportContent
from fathometer.table.task import Task, TaskKind

# A program of more inputs than this shows so many and says how the rest go.
SHOWN = 200


def python_program(content: ReportContent) -> str:
    """A program with nothing but numpy and onnxruntime."""
    rows = [f"    {_text(i.name)}: {_python_value(i)}," for i in content.inputs[:SHOWN]]
    return "\n".join(
        [
            "# pip install onnxruntime numpy",
            "import numpy as np",
            "import onnxruntime",
            "",
            *_python_pictures(content.inputs),
            f"session = onnxruntime.InferenceSession({_text(content.winner_file)})",
            "row = {  # shape (rows, 1); a missing number is NaN, a missing string is empty",
            *rows,
            *_rest(content.inputs, "    #"),
            "}",
            *_python_answer(content),
            "",
        ]
    )


def _python_pictures(inputs: Sequence[InputLine]) -> list[str]:
    """The imports and functions that read pictures, where some are."""
    lines: list[str] = []
    for channels in _channels(inputs):
        mode, axes = ("L", "[None, ..., None]") if channels == 1 else ("RGB", "[None]")
        lines += [
            f"def {_reader(channels)}(path):  # of any size, (1, height, width, {channels}) uint8",
            "    found = ImageOps.exif_transpose(Image.open(path))",
            '    if found.mode.startswith("I"):  # 16 bits, as 8',
            "        gray = (np.asarray(found).astype(np.uint32) + 128) // 257",
            "        found = Image.fromarray(gray.astype(np.uint8))",
            "    if found.has_transparency_data:  # on white",
            '        white = Image.new("RGBA", found.size, "white")',
            '        found = Image.alpha_composite(white, found.convert("RGBA"))',
            f'    return np.asarray(found.convert("{mode}")){axes}',
            "",
        ]
    return ["from PIL import Image, ImageOps  # pip install pillow", "", *lines] if lines else []


def _channels(inputs: Sequence[InputLine]) -> list[int]:
    """The channels of the pictures among the inputs, each once."""
    return sorted({each.picture.channels for each in inputs if each.picture is not None})


def _reader(channels: int) -> str:
    """What the function is called that reads such a picture."""
    return "gray_picture" if channels == 1 else "picture"


def _python_value(line: InputLine) -> str:
    if line.picture is not None:
        return f'{_reader(line.picture.channels)}("photo.jpg")'
    if line.element is Element.STRING:
        return f"np.array([[{_text(str(line.example or ''))}]], dtype=object)"
    return f"np.array([[{_number(line, 'np.nan')}]], dtype=np.float64)"


def _python_answer(content: ReportContent) -> list[str]:
    task, asked = content.task, ", ".join(map(_text, content.outputs))
    if task.kind is TaskKind.REGRESS:
        return [
            f"(value,) = session.run([{asked}], row)",
            f"print(value[0])  # {_plain(task.target)}",
        ]
    return [
        f"label, probability = session.run([{asked}], row)",
        f"print(label[0], probability[0])  # probabilities of: {_classes(task)}",
    ]


def csharp_program(content: ReportContent) -> str:
    """A .NET 8 console program with Microsoft.ML.OnnxRuntime."""
    return "\n".join(
        [
            "// dotnet add package Microsoft.ML.OnnxRuntime",
            "using System;",
            "using System.Collections.Generic;",
            "using System.Linq;",
            "using Microsoft.ML.OnnxRuntime;",
            "using Microsoft.ML.OnnxRuntime.Tensors;",
            *_csharp_imports(content.inputs),
            "",
            "static NamedOnnxValue Column<T>(string name, T value) =>",
            "    NamedOnnxValue.CreateFromTensor(",
            "        name, new DenseTensor<T>(new[] { value }, new[] { 1, 1 }));",
            "",
            *_csharp_pictures(content.inputs),
            f"using var session = new InferenceSession({_text(content.winner_file)});",
            "var row = new List<NamedOnnxValue>",
            "{   // a missing number is NaN, a missing string is empty",
            *[f"    {_csharp_column(i)}," for i in content.inputs[:SHOWN]],
            *_rest(content.inputs, "    //"),
            "};",
            "using var answers = session.Run(row);",
            *_csharp_answer(content),
            "",
        ]
    )


def _csharp_imports(inputs: Sequence[InputLine]) -> list[str]:
    if not _channels(inputs):
        return []
    parts = ("", ".PixelFormats", ".Processing")
    return [
        "// dotnet add package SixLabors.ImageSharp",
        *[f"using SixLabors.ImageSharp{part};" for part in parts],
    ]


def _csharp_pictures(inputs: Sequence[InputLine]) -> list[str]:
    lines: list[str] = []
    for channels in _channels(inputs):
        name = "GrayPicture" if channels == 1 else "Picture"
        bytes_of = "each => new[] { each.R, each.G, each.B }"
        if channels == 1:  # as Pillow weighs them; ImageSharp's own weights are others
            bytes_of = (
                "each => new[] { (byte)((each.R * 19595 + each.G * 38470 + each.B * 7471 + 32768) "
                ">> 16) }"
            )
        lines += [
            f"static NamedOnnxValue {name}(string name, string path)",
            f"{{   // of any size, on white, (1, height, width, {channels}) bytes",
            "    using var picture = Image.Load<Rgba32>(path);",
            "    picture.Mutate(each => each.AutoOrient().BackgroundColor(Color.White));",
            "    var colours = new Rgba32[picture.Height * picture.Width];",
            "    picture.CopyPixelDataTo(colours);",
            f"    var pixels = colours.SelectMany({bytes_of}).ToArray();",
            f"    var shape = new[] {{ 1, picture.Height, picture.Width, {channels} }};",
            "    return NamedOnnxValue.CreateFromTensor(",
            "        name, new DenseTensor<byte>(pixels, shape));",
            "}",
            "",
        ]
    return lines


def _csharp_column(line: InputLine) -> str:
    if line.picture is not None:
        name = "GrayPicture" if line.picture.channels == 1 else "Picture"
        return f'{name}({_text(line.name)}, "photo.jpg")'
    return f"Column<{_csharp_type(line)}>({_text(line.name)}, {_csharp_value(line)})"


def _csharp_type(line: InputLine) -> str:
    return "string" if line.element is Element.STRING else "double"


def _csharp_value(line: InputLine) -> str:
    if line.element is Element.STRING:
        return _text(str(line.example or ""))
    return _number(line, "double.NaN")


def _csharp_answer(content: ReportContent) -> list[str]:
    task = content.task
    found = [f"answers.First(answer => answer.Name == {_text(n)})" for n in content.outputs]
    if task.kind is TaskKind.REGRESS:
        return [
            f"var value = {found[0]}.AsEnumerable<double>().First();",
            f"Console.WriteLine(value);  // {_plain(task.target)}",
        ]
    label = "long" if task.integer_labels else "string"
    return [
        f"var label = {found[0]}.AsEnumerable<{label}>().First();",
        f"var probability = {found[1]}.AsEnumerable<float>().ToArray();",
        f"// probabilities of: {_classes(task)}",
        'Console.WriteLine($"{label} {string.Join(", ", probability)}");',
    ]


def javascript_program(content: ReportContent) -> str:
    """A JavaScript module for Node.js or, with onnxruntime-web, for a browser."""
    return "\n".join(
        [
            "// npm install onnxruntime-node      in a browser: onnxruntime-web",
            'import * as ort from "onnxruntime-node";',
            *_javascript_imports(content.inputs),
            "",
            'const number = (value) => new ort.Tensor("float64", [value], [1, 1]);',
            'const string = (value) => new ort.Tensor("string", [value], [1, 1]);',
            *_javascript_pictures(content.inputs),
            "",
            f"const session = await ort.InferenceSession.create({_text(content.winner_file)});",
            "const row = {  // a missing number is NaN, a missing string is empty",
            *[f"  {_text(i.name)}: {_javascript_value(i)}," for i in content.inputs[:SHOWN]],
            *_rest(content.inputs, "  //"),
            "};",
            *_javascript_answer(content),
            "",
        ]
    )


def _javascript_imports(inputs: Sequence[InputLine]) -> list[str]:
    return ['import sharp from "sharp";  // npm install sharp'] if _channels(inputs) else []


def _javascript_pictures(inputs: Sequence[InputLine]) -> list[str]:
    lines: list[str] = []
    for channels in _channels(inputs):
        name, colours = ("grayPicture", "b-w") if channels == 1 else ("picture", "srgb")
        lines += [
            f"const {name} = async (path) => {{  // of any size, (1, height, width, {channels})",
            '  const upright = sharp(path).rotate().flatten({ background: "white" });',
            f'  const raw = upright.toColourspace("{colours}").raw();',
            "  const { data, info } = await raw.toBuffer({ resolveWithObject: true });",
            f"  const shape = [1, info.height, info.width, {channels}];",
            '  return new ort.Tensor("uint8", new Uint8Array(data), shape);',
            "};",
        ]
    return lines


def _javascript_value(line: InputLine) -> str:
    if line.picture is not None:
        name = "grayPicture" if line.picture.channels == 1 else "picture"
        return f'await {name}("photo.jpg")'
    if line.element is Element.STRING:
        return f"string({_text(str(line.example or ''))})"
    return f"number({_number(line, 'NaN')})"


def _javascript_answer(content: ReportContent) -> list[str]:
    task = content.task
    called = ("value",) if task.kind is TaskKind.REGRESS else ("label", "probability")
    pairs = zip(content.outputs, called, strict=True)
    taken = ", ".join(own if name == own else f"{_text(name)}: {own}" for name, own in pairs)
    ask = f"const {{ {taken} }} = await session.run(row);"
    if task.kind is TaskKind.REGRESS:
        return [ask, f"console.log(value.data[0]);  // {_plain(task.target)}"]
    label = "Number(label.data[0])" if task.integer_labels else "label.data[0]"
    return [
        ask,
        f"console.log({label}, probability.data);  // probabilities of: {_classes(task)}",
    ]


def _text(value: str) -> str:
    """The value as a string literal that Python, C# and JavaScript all read alike."""
    return "".join(
        letter if letter.isprintable() else json.dumps(letter)[1:-1]
        for letter in json.dumps(value, ensure_ascii=False)
    )


def _number(line: InputLine, missing: str) -> str:
    if line.example is None or isinstance(line.example, str) or not math.isfinite(line.example):
        return missing
    return repr(float(line.example))


def _plain(value: str) -> str:
    """The value fit for the end of a comment: on one line, and short."""
    shown = "".join(letter if letter.isprintable() else "�" for letter in value)
    return shown if len(shown) <= 80 else shown[:79] + "…"


def _classes(task: Task) -> str:
    return _plain(", ".join(task.classes))


def _rest(inputs: Sequence[InputLine], comment: str) -> list[str]:
    more = len(inputs) - SHOWN
    return [f"{comment} and {more:,} more inputs in the same way"] if more > 0 else []
