"""A folder of pictures is compared, asked and inspected with nothing but its path."""

import base64
import csv
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

import fathometer as fm
from command import fathom
from fathometer.app.answers import answer
from fathometer.app.comparison import compare, learned_from
from fathometer.app.preparation import Options, prepare
from fathometer.errors import FathometerError

SEXES = ("female", "male")


@pytest.fixture(scope="module")
def run(striped_folder, tmp_path_factory):
    """A contest of the constant alone on the stripes, one picture of them broken."""
    root = tmp_path_factory.mktemp("run")
    photos = shutil.copytree(striped_folder, root / "photos")
    (photos / "across" / "broken.png").write_bytes(b"broken")
    return compare(photos, only=("constant",), out=root / "photos.fathom")


def test_the_classes_are_asked_for_by_themselves(run):
    assert run.task.target == "label"
    assert run.task.classes == ("across", "down")
    assert [(spec.name, spec.kind.value) for spec in run.winner.columns] == [("image", "image")]


def test_a_folder_of_pictures_is_called_so(striped_folder):
    found = prepare(striped_folder, Options("label"))
    assert learned_from(found.table, found.task) == "these pictures"


def test_a_refused_picture_is_written_down_with_its_path(run):
    written = (run.folder / "rejected.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(written.splitlines()))
    assert [(row["line"], row["text"]) for row in rows] == [("61", "across/broken.png")]
    report = (run.folder / "report.html").read_text(encoding="utf-8")
    assert "across/broken.png" in report
    assert "resized; traditional" in report


def test_the_command_says_what_it_read_and_what_to_type_next(striped_folder, tmp_path):
    shutil.copytree(striped_folder, tmp_path / "stripes")
    (tmp_path / "stripes" / "down" / "text.png").write_text("no picture")
    said = fathom("compare", "stripes", "--only", "constant", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    plain = " ".join(said.stdout.split())
    assert "120 rows · 3 columns" in plain
    assert "refused down/text.png: is no PNG" in plain
    assert "fathom predict stripes.fathom/winner.onnx more_photos/" in plain
    answers = fathom("predict", "stripes.fathom/winner.onnx", "stripes", cwd=tmp_path)
    lines = answers.stdout.splitlines()
    assert lines[0] == "path,label,probability_across,probability_down"
    assert len(lines) == 121
    assert lines[1].startswith('"across/000.jpg"') or lines[1].startswith("across/000.jpg")
    assert "1 picture cannot be read: no answer; the first is down/text.png: it is no" in (
        answers.stderr
    )
    inspected = fathom("inspect", "stripes.fathom/winner.onnx", cwd=tmp_path)
    assert "(rows, any height, any width, 3)" in inspected.stdout
    document = json.loads(
        fathom("inspect", "stripes.fathom/winner.onnx", "--json", cwd=tmp_path).stdout
    )
    assert document["columns"][0]["picture"] == {"height": 18, "width": 24, "channels": 3}


def test_pictures_are_asked_about_by_name(run, striped_folder, tmp_path):
    model = run.folder / "winner.onnx"
    names = [str(striped_folder / "across" / "002.png"), str(striped_folder / "down" / "001.png")]
    table = answer(model, [*names, str(tmp_path / "absent.png")]).table
    assert table["path"].to_pylist() == names
    assert answer(model, names[0]).table.num_rows == 1
    with pytest.raises(FathometerError, match="no file"):
        answer(model, str(tmp_path / "absent.csv"))


def test_a_part_to_judge_on_becomes_the_lockbox(striped_folder, tmp_path):
    for part, pick in (("train", lambda n: n % 4), ("test", lambda n: not n % 4)):
        for path in striped_folder.rglob("*.*"):
            if pick(int(path.stem) // 2):
                (tmp_path / part / path.parent.name).mkdir(parents=True, exist_ok=True)
                shutil.copy(path, tmp_path / part / path.parent.name)
    found = compare(tmp_path, only=("constant",), out=tmp_path / "out")
    judged = sum(1 for _ in (tmp_path / "test").rglob("*.*"))
    card = found.scorecards[0]
    assert found.winner.quality["rows"] == judged
    assert card.state == "finished"
    (tmp_path / "test" / "zebra").mkdir()
    Image.new("RGB", (5, 5)).save(tmp_path / "test" / "zebra" / "1.png")
    with pytest.raises(FathometerError, match="none of to learn from: zebra"):
        compare(tmp_path, only=("constant",), out=tmp_path / "out")


def test_the_same_folder_gives_the_same_bytes(striped_folder, tmp_path):
    made = [
        compare(striped_folder, only=("constant",), out=tmp_path / name).winner.content
        for name in ("one", "other")
    ]
    assert made[0] == made[1]


def test_a_source_without_classes_still_needs_a_target(passengers):
    with pytest.raises(FathometerError, match="not told which column"):
        fm.compare(str(passengers))


@pytest.mark.parametrize("language", ["Python", "JavaScript"])
def test_the_programs_of_the_report_read_pictures(run, language, striped_folder, tmp_path, capsys):
    import html

    report = html.unescape((run.folder / "report.html").read_text(encoding="utf-8"))
    assert language in report
    shutil.copy(run.folder / "winner.onnx", tmp_path)
    shutil.copy(striped_folder / "across" / "000.jpg", tmp_path / "photo.jpg")
    if language != "Python":
        assert 'image": await picture("photo.jpg")' in report
        return
    program = re.search(r"# pip install onnxruntime numpy.*?probability\[0\]\)[^\n]*", report, re.S)
    assert program is not None
    text = re.sub(r"<[^>]+>", "", program[0])
    where = Path.cwd()
    os.chdir(tmp_path)
    try:
        exec(compile(text, "program", "exec"), {})
    finally:
        os.chdir(where)
    assert capsys.readouterr().out.startswith("across")


def test_the_certificate_of_the_winner_can_be_repeated(run):
    stored = run.winner.parity["vectors"]["inputs"]["image"]
    content = base64.b64decode(stored["uint8"])
    pixels = np.frombuffer(content, np.uint8).reshape(stored["shape"])
    session = onnxruntime.InferenceSession(run.winner.content)
    _, probability = session.run(None, {"image": pixels})
    wanted = run.winner.parity["vectors"]["scores"]
    np.testing.assert_allclose(probability, wanted, atol=1e-6)


def test_rows_may_be_grouped_by_equal_pictures(striped_folder, tmp_path):
    folder = shutil.copytree(striped_folder, tmp_path / "photos")
    rows = [f"{path},{path.parent.name},{row}" for row, path in enumerate(folder.rglob("*.*"))]
    table = tmp_path / "t.csv"
    table.write_text("\n".join(["photo,kind,age", *rows, *rows]))
    found = compare(table, target="kind", only=("constant",), group="photo", out=tmp_path / "out")
    assert [spec.name for spec in found.winner.columns] == ["age"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"target": "image"}, "pictures are not predicted"),
        ({"target": "path"}, "names its rows"),
        ({"kinds": {"label": "image"}}, "no picture can be read"),
        ({"time": "image"}, "cannot be ordered in time"),
        ({"ignore": ("image",)}, "no column to predict"),
    ],
)
def test_a_question_that_pictures_cannot_answer_is_refused(
    striped_folder, tmp_path, options, words
):
    with pytest.raises(FathometerError, match=words):
        compare(striped_folder, only=("constant",), out=tmp_path / "out", **options)


@pytest.fixture(scope="module")
def manifest(striped_folder, passengers_path, tmp_path_factory):
    """A table of photos and sentences: their stripes and whose name it is make the class."""
    root = tmp_path_factory.mktemp("manifest")
    shutil.copytree(striped_folder, root / "photos")
    with open(passengers_path, encoding="utf-8", newline="") as file:
        passengers = list(csv.DictReader(file))
    people = {sex: [each["name"] for each in passengers if each["sex"] == sex] for sex in SEXES}
    with open(root / "manifest.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["photo", "said", "kind"])
        for number, path in enumerate(sorted((root / "photos").rglob("*.*"))):
            sex = SEXES[number % 2]
            said = f"{people[sex][number]} came on board"
            writer.writerow([path.relative_to(root), said, f"{path.parent.name} {sex}"])
    return root / "manifest.csv"


def named(comparison, name):
    (card,) = [card for card in comparison.scorecards if card.name == name]
    return card


@pytest.fixture(scope="module")
def lightness(tmp_path_factory):
    """A model of another program: how light a picture of 32 × 32 pixels is, as a margin."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["pixels"], ["mean"]),
        helper.make_node("ReduceSum", ["mean", "axes"], ["margin"], keepdims=0),
        helper.make_node("Unsqueeze", ["margin", "last"], ["margins"]),
    ]
    axes = {"axes": np.array([1, 2, 3]), "last": np.array([1])}
    graph = helper.make_graph(
        nodes,
        "lightness",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["batch", 3, 32, 32])],
        [helper.make_tensor_value_info("margins", TensorProto.FLOAT, ["batch", 1])],
        [numpy_helper.from_array(values, name) for name, values in axes.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path = tmp_path_factory.mktemp("elsewhere") / "lightness.onnx"
    path.write_bytes(made.SerializeToString())
    said = '[input.pixels]\nrange = [-1, 1]\n[output]\nkind = "logit"\n'
    path.with_suffix(".toml").write_text(said, encoding="utf-8")
    return path


def judged(folder, name):
    cards = json.loads((folder / "scorecards.json").read_text(encoding="utf-8"))
    return next(card for card in cards if card["name"] == name)


def test_challengers_are_shown_the_pictures_of_a_folder(run, lightness, striped_folder, tmp_path):
    own, mapped = run.folder / "winner.onnx", f"{lightness}:{lightness.with_suffix('.toml')}"
    asked = ("compare", striped_folder, "--only", "constant", "--out", tmp_path / "out")
    said = fathom(*map(str, asked), "--with", str(own), "--with", mapped)
    assert said.returncode == 0, said.stderr
    assert "The challenger lightness.onnx is" in said.stdout
    assert judged(tmp_path / "out", "winner.onnx")["quality"]["value"] == 0.5
    assert judged(tmp_path / "out", "lightness.onnx")["bill"]["latency_ms_p50"] > 0
    unsaid = fathom(*map(str, asked), "--with", str(lightness))
    assert unsaid.returncode == 2
    assert "nothing says which numbers its pixels were" in " ".join(unsaid.stderr.split())
    assert "range = [0, 1]" in unsaid.stderr


def test_challengers_are_shown_the_pictures_of_a_table(manifest, lightness, tmp_path):
    table = manifest.with_name("two.csv")
    with manifest.open(encoding="utf-8") as four, table.open("w", encoding="utf-8") as two:
        two.writelines(re.sub(" (fe)?male$", "", line) for line in four)
    first = compare(table, target="kind", only=("constant",), out=tmp_path / "first")
    asked = ("compare", table, "--target", "kind", "--only", "constant", "--out", tmp_path / "out")
    own, mapped = first.folder / "winner.onnx", f"{lightness}:{lightness.with_suffix('.toml')}"
    said = fathom(*map(str, asked), "--with", str(own), "--with", mapped)
    assert said.returncode == 0, said.stderr
    assert judged(tmp_path / "out", "winner.onnx")["quality"]["value"] == 0.5
    assert judged(tmp_path / "out", "lightness.onnx")["quality"]["value"] != 0.5


@pytest.mark.slow
def test_a_network_reads_the_pictures_and_the_texts_beside_them(manifest, tmp_path):
    """Each of the two columns tells two of the four classes apart, and not the others."""
    asked = {"target": "kind", "metric": "accuracy"}
    name, linear = "convolutional network", "n-gram logistic"
    both = compare(manifest, only=(name, linear), out=tmp_path / "both", **asked)
    seen = compare(manifest, only=(name,), ignore=("said",), out=tmp_path / "seen", **asked)
    read = compare(
        manifest, only=("word vectors",), ignore=("photo",), out=tmp_path / "read", **asked
    )
    for of_both in (named(both, name), named(both, linear)):
        assert of_both.quality.value >= 0.8
        assert of_both.parity <= 1e-5
    assert named(seen, name).quality.value <= 0.65
    assert named(read, "word vectors").quality.value <= 0.65
    answered = answer(both.folder / "deep.onnx", str(manifest)).table["label"].to_pylist()
    with open(manifest, encoding="utf-8", newline="") as file:
        kinds = [row["kind"] for row in csv.DictReader(file)]
    assert np.mean([one == other for one, other in zip(answered, kinds, strict=True)]) > 0.9
