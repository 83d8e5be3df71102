"""A model file takes pictures as files, bytes and arrays of any size, and answers all alike."""

import base64
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from onnx import helper
from PIL import Image
from resealing import resealed

from fathometer.errors import FathometerError, Fault, KindError, ModelFileError, SourceError
from fathometer.learners.constant import Constant
from fathometer.learners.linear import Logistic
from fathometer.modelfile.load import from_bytes
from fathometer.modelfile.picture_list import pictures_from
from fathometer.modelfile.write import VECTORS, ship
from fathometer.table.ask import ask
from fathometer.table.divide import DivideOptions, divide
from fathometer.table.kind import ColumnSpec, Kind, PictureSize
from fathometer.table.read import read, read_as


@pytest.fixture(scope="module")
def table(striped_folder):
    return read(striped_folder).table


@pytest.fixture(scope="module")
def model(table):
    task = ask(table, "label")
    split = divide(table, task, DivideOptions(folds=3))
    fitted = Logistic((1e-2,)).fit(table, task, split)
    return ship(fitted, "logistic", table, split.lockbox).file()


@pytest.fixture(scope="module")
def paths(striped_folder):
    return sorted(str(path) for path in striped_folder.rglob("*.*"))


@pytest.fixture(scope="module")
def answers(model, table):
    return model.predict_proba(table)


def pixels_of(path):
    return np.asarray(Image.open(path).convert("RGB"))


def test_it_has_learned_what_the_pictures_show(model, table):
    assert (model.predict(table) == table["label"].strings).mean() > 0.9


def test_a_raw_picture_fed_to_onnxruntime_alone_is_answered_as_its_file(model, paths, answers):
    session = onnxruntime.InferenceSession(model.content)
    for row, path in enumerate(paths):
        _, probability = session.run(None, {"image": pixels_of(path)[None]})
        np.testing.assert_array_equal(probability[0], answers[row].astype(np.float32))


def test_files_bytes_arrays_and_folders_are_answered_alike(model, striped_folder, paths, answers):
    contents = [Path(path).read_bytes() for path in paths]
    pixels = [pixels_of(path) for path in paths]
    for source in (
        paths,
        contents,
        pixels,
        {"image": paths},
        {"image": [*pixels[:50], *contents[50:]]},
        striped_folder,
        pd.DataFrame({"image": paths}),
        pd.DataFrame({"image": contents}),
    ):
        found = np.asarray(model.predict_proba(source))
        np.testing.assert_allclose(found, answers, atol=1e-7)


def test_an_array_of_one_size_goes_straight_through(model, table, answers):
    pixels = table["image"].pixels
    np.testing.assert_allclose(model.predict_proba(pixels), answers, atol=1e-7)
    np.testing.assert_allclose(model.predict_proba({"image": pixels}), answers, atol=1e-7)


def test_one_picture_is_one_row(model, paths, answers):
    label = model.predict(table_row := {"image": paths[3]})
    assert label == model.predict(paths)[3]
    np.testing.assert_allclose(model.predict_proba(table_row), answers[3], atol=1e-7)
    assert model.predict(paths[3]).tolist() == [label]
    assert model.predict({"image": pixels_of(paths[3])}) == label


def test_a_missing_picture_is_all_black(model):
    black = np.zeros((1, 18, 24, 3), np.uint8)
    found = model.predict_proba({"image": [None, black[0]]})
    np.testing.assert_array_equal(found[0], found[1])


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (["nothing.png"], r"nothing\.png cannot be opened"),
        ({"image": [b"broken"]}, "picture 1 is no PNG"),
        ({"image": np.zeros((2, 5, 5, 3))}, "takes pictures as uint8"),
        ({"image": np.zeros((2, 5, 5, 1), np.uint8)}, "takes pictures as uint8"),
        ({"image": [np.zeros((5, 5, 3), np.uint8), np.zeros((5, 5))]}, "picture 2 is float64"),
        ({"image": 3}, "takes pictures as uint8"),
        ({"image": np.zeros((2, 0, 5, 3), np.uint8)}, "takes pictures as uint8"),
        ({"image": [np.zeros((0, 5, 3), np.uint8)]}, "takes pictures as uint8"),
        ({"photo": ["1.png"]}, 'no column "image"'),
    ],
)
def test_what_is_no_picture_is_refused_in_words(model, source, words):
    with pytest.raises(FathometerError, match=words):
        model.predict(source)


def test_a_folder_with_a_broken_picture_gives_no_answers_that_could_be_mistaken(model, tmp_path):
    Image.new("RGB", (5, 5)).save(tmp_path / "1.png")
    (tmp_path / "0.png").write_bytes(b"broken")
    with pytest.raises(SourceError, match=r"1 of the pictures cannot be read.*0\.png"):
        model.predict(tmp_path)


def test_the_certificate_can_be_repeated_and_is_small(model):
    vectors = model.parity["vectors"]
    stored = vectors["inputs"]["image"]
    content = base64.b64decode(stored["uint8"])
    pixels = np.frombuffer(content, np.uint8).reshape(stored["shape"])
    assert len(pixels) == VECTORS
    session = onnxruntime.InferenceSession(model.content)
    _, probability = session.run(None, {"image": pixels})
    np.testing.assert_allclose(probability, vectors["scores"], atol=1e-6)


def test_the_certificate_of_large_pictures_stays_small(striped_folder):
    table = read(striped_folder, kinds={"image": "image:300x400"}).table.rows(np.arange(40, 80))
    task = ask(table, "label")
    split = divide(table, task, DivideOptions(folds=2))
    shipped = ship(Constant().fit(table, task, split), "constant", table, split.lockbox[:2])
    file = shipped.file()
    assert file.columns[0].size.height == 300
    assert len(file.parity["vectors"]["inputs"]["image"]["uint8"]) <= 300_000
    assert file.size_bytes < 330_000


def test_pictures_beside_other_columns(striped_folder, tmp_path):
    folder = read(striped_folder).table
    rows = {
        "photo": [str(striped_folder / each) for each in folder["path"].strings],
        "age": np.arange(120.0),
        "kind": folder["label"].strings.tolist(),
    }
    table = read(pd.DataFrame(rows)).table
    task = ask(table, "kind")
    split = divide(table, task, DivideOptions(folds=3))
    file = ship(Logistic((1e-2,)).fit(table, task, split), "l", table, split.lockbox).file()
    wanted = file.predict_proba(table)
    given = {"photo": rows["photo"], "age": rows["age"]}
    np.testing.assert_allclose(file.predict_proba(given), wanted, atol=1e-7)
    single = {"photo": rows["photo"][7], "age": 7.0}
    assert file.predict(single) == file.predict(given)[7]
    specs = [spec.kind for spec in file.columns]
    assert Kind.IMAGE in specs
    assert len(read_as(pd.DataFrame(rows), file.columns).table) == 120


def grow(proto, resize):
    sizes = onnx.numpy_helper.from_array(np.array([1 << 20, 24], np.int64), resize.input[3])
    (old,) = (each for each in proto.graph.initializer if each.name == resize.input[3])
    old.CopyFrom(sizes)


def ask_the_caller(proto, resize):
    (old,) = (each for each in proto.graph.initializer if each.name == resize.input[3])
    proto.graph.initializer.remove(old)


def work_sizes_out(proto, resize):
    proto.graph.node.insert(0, helper.make_node("Identity", [resize.input[3]], ["made"]))
    resize.input[3] = "made"


def scale(proto, resize):
    resize.input[2], resize.input[3] = resize.input[3], ""


def more_rows(proto, resize):
    (axes,) = (each for each in resize.attribute if each.name == "axes")
    axes.ints[:] = [0, 1]


@pytest.mark.parametrize("harm", [grow, ask_the_caller, work_sizes_out, scale, more_rows])
def test_a_file_that_makes_much_from_little_is_refused(model, harm):
    proto = onnx.ModelProto.FromString(model.content)
    (resize,) = (node for node in proto.graph.node if node.op_type == "Resize")
    harm(proto, resize)
    with pytest.raises(ModelFileError) as caught:
        from_bytes(resealed(proto))
    assert caught.value.fault is Fault.GRAPH


def test_padding_is_bounded(model):
    proto = onnx.ModelProto.FromString(model.content)
    proto.graph.node.append(helper.make_node("Relu", ["image"], ["y"], pads=[0, 0, 1 << 20, 0]))
    with pytest.raises(ModelFileError, match="adds more than"):
        from_bytes(resealed(proto))


def test_a_picture_in_colour_is_not_taken_for_many_gray_ones() -> None:
    spec = ColumnSpec("image", Kind.IMAGE, picture=PictureSize(28, 28, 1))
    with pytest.raises(KindError, match=r"uint8 of shape \(32, 40, 3\)"):
        pictures_from(np.zeros((32, 40, 3), np.uint8), spec)
    assert len(pictures_from(np.zeros((5, 32, 40), np.uint8), spec)) == 5
