"""Promises of pictures for challengers: their axes, size, colours and numbers, as they are told."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from foreign_files import constant, written
from onnx import TensorProto, helper
from PIL import Image, ImageOps
from sklearn.metrics import roc_auc_score

import fathometer as fm
from fathometer.errors import ColumnError, ModelFileError, OptionError, PictureError
from fathometer.learners.constant import Constant
from fathometer.modelfile.write import ship
from fathometer.table.ask import ask
from fathometer.table.divide import DivideOptions, divide
from fathometer.table.kind import Kind
from fathometer.table.read import read
from fathometer.table.table import Table, column_from, picture_column
from fathometer.table.task import Task, TaskKind
from fathometer.trial import foreign
from fathometer.trial.challenger import challenger_from, judged_scores
from fathometer.trial.foreign import Port
from fathometer.trial.mapping import InputMapping, Mapped, foreign_feeds, mapping_from
from fathometer.trial.picture_feed import MOST_PICTURES, PictureFeed
from fathometer.trial.picture_mapping import PictureMapping

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MAPPING = """
[input.x]
range = [0, 1]
mean = [0.485, 0.456, 0.406]
std = [0.229, 0.224, 0.225]

[output]
kind = "logit"
"""
STRIPES = Task(TaskKind.CLASSIFY, "label", "roc_auc", ("across", "down"))
BYTES = Port("x", "uint8", (None, 18, 24, 3))


def network(path: Path, axes: list[int | str], element: int = TensorProto.FLOAT) -> Path:
    """A convolution with few, random weights, pooled: two margins a picture."""
    weight = np.random.default_rng(7).normal(size=(2, 3, 5, 5)).astype(np.float32)
    perm = [0, 1, 2, 3] if axes[1] == 3 else [0, 3, 1, 2]
    nodes = [
        helper.make_node("Cast", ["x"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["numbers"], ["upright"], perm=perm),
        helper.make_node("Conv", ["upright", "weight"], ["found"]),
        helper.make_node("Relu", ["found"], ["kept"]),
        helper.make_node("GlobalAveragePool", ["kept"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["margin"]),
    ]
    ports = [("x", element, axes)], [("margin", TensorProto.FLOAT, [axes[0], 2])]
    return written(path, nodes, *ports, [constant("weight", weight)])


def pillow(path: Path, height: int, width: int) -> np.ndarray:
    """(height, width, 3) uint8: a picture as training code reads it."""
    upright = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    return np.asarray(upright.resize((width, height), Image.Resampling.BILINEAR))


def answered(model: Path, paths: list[Path], height: int, width: int) -> np.ndarray:
    """(rows, 2) what onnxruntime answers to pictures that training code prepared."""
    pixels = np.stack([pillow(path, height, width) for path in paths]).astype(np.float32) / 255
    numbers = (pixels - np.float32(MEAN)) / np.float32(STD)
    fed = numbers.transpose(0, 3, 1, 2).astype(np.float32)
    margins = onnxruntime.InferenceSession(model).run(None, {"x": fed})[0].astype(np.float64)
    powers = np.exp(margins - margins.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.fixture(scope="module")
def stripes(striped_folder: Path) -> Table:
    return read(striped_folder, keep_origins=True).table


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mapping.toml"
    path.write_text(MAPPING, encoding="utf-8")
    return path


def paths_of(folder: Path, table: Table) -> list[Path]:
    return [folder / path for path in table["path"].strings]


def feed(table: Table, port: Port, said: PictureMapping | None = None) -> PictureFeed:
    """The input of a model whose mapping says this of pictures."""
    mapped = Mapped() if said is None else Mapped({port.name: InputMapping((), pictures=said)})
    found = foreign_feeds(table, [port], mapped)[port.name]
    assert isinstance(found, PictureFeed)
    return found


def test_its_quality_is_what_onnxruntime_gives_on_the_same_pixels(
    striped_folder: Path, mapping: Path, tmp_path: Path
) -> None:
    """Learned from in a folder, judged on the test folder beside it."""
    for path in striped_folder.rglob("*.*"):
        if int(path.stem) % 3 < 2:  # of 18 × 24 pixels, so that nothing is resized
            part = ("train", "test")[int(path.stem) // 2 % 2]
            to = tmp_path / "photos" / part / path.parent.name
            to.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, to)
    model = network(tmp_path / "network.onnx", ["batch", 3, 18, 24])
    found = fm.compare(
        tmp_path / "photos",
        only=["constant"],
        challengers=[f"{model}:{mapping}"],
        out=tmp_path / "out",
    )
    judged = sorted((tmp_path / "photos" / "test").rglob("*.*"))
    scores = answered(model, judged, 18, 24)[:, 1]
    wanted = roc_auc_score([path.parent.name == "down" for path in judged], scores)
    card = next(each for each in found.scorecards if each.name == "network.onnx")
    assert card.quality is not None
    assert card.quality.value == pytest.approx(wanted, abs=1e-9)
    assert 0.05 < abs(wanted - 0.5) < 0.49  # a number that tells


@pytest.mark.parametrize("rows", ["batch", 1, 7])
def test_a_model_of_another_size_is_shown_the_files_and_not_what_was_learned_from(
    stripes: Table, striped_folder: Path, mapping: Path, tmp_path: Path, rows: int | str
) -> None:
    model = network(tmp_path / "network.onnx", [rows, 3, 36, 28])
    found = judged_scores(challenger_from(f"{model}:{mapping}", STRIPES), stripes)
    free = network(tmp_path / "free.onnx", ["batch", 3, 36, 28])
    wanted = answered(free, paths_of(striped_folder, stripes), 36, 28)
    np.testing.assert_allclose(found, wanted, atol=2e-3)  # resized within 1 of 255
    assert np.ptp(wanted[:, 1]) > 0.1


def test_rows_of_a_second_table_are_shown_as_they_lie(
    striped_folder: Path, mapping: Path, tmp_path: Path
) -> None:
    paths = sorted(striped_folder.rglob("*.*"))
    for name, part in (("learn", paths[::2]), ("judge", paths[1::2])):
        rows = "\n".join(f"{path},{path.parent.name}" for path in part)
        (tmp_path / f"{name}.csv").write_text(f"photo,label\n{rows}\n", encoding="utf-8")
    model = network(tmp_path / "network.onnx", ["batch", 3, 20, 20])
    found = fm.compare(
        tmp_path / "learn.csv",
        target="label",
        test=tmp_path / "judge.csv",
        only=["constant"],
        challengers=[f"{model}:{mapping}"],
        out=tmp_path / "out",
    )
    scores = answered(model, paths[1::2], 20, 20)[:, 1]
    wanted = roc_auc_score([path.parent.name == "down" for path in paths[1::2]], scores)
    card = next(each for each in found.scorecards if each.name == "network.onnx")
    assert card.quality is not None
    assert card.quality.value == pytest.approx(wanted, abs=0.01)


def test_photos_enter_upright_on_white_and_in_eight_bits(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    colours = generator.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    (tmp_path / "kind").mkdir()
    turned = Image.Exif()
    turned[0x0112] = 6
    see_through = Image.fromarray(np.dstack([colours, colours[..., :1] // 128 * 255]))
    Image.fromarray(colours).save(tmp_path / "kind" / "turned.png", exif=turned)
    see_through.save(tmp_path / "kind" / "clear.png")
    Image.fromarray(colours).convert("CMYK").save(tmp_path / "kind" / "print.jpg", quality=95)
    deep = colours[..., 0].astype(np.uint16) * 257
    Image.fromarray(deep).save(tmp_path / "kind" / "deep.png")
    names = ["turned.png", "clear.png", "print.jpg", "deep.png"]
    table = read(
        {"photo": [str(tmp_path / "kind" / name) for name in names], "y": [1, 2, 3, 4]},
        keep_origins=True,
    ).table
    found = feed(table, Port("x", "uint8", (None, 60, 60, 3)))[:]
    white = Image.new("RGBA", see_through.size, "white")
    wanted = [
        ImageOps.exif_transpose(Image.open(tmp_path / "kind" / "turned.png")),
        Image.alpha_composite(white, see_through).convert("RGB"),
        Image.open(tmp_path / "kind" / "print.jpg").convert("RGB"),
        Image.fromarray(colours[..., 0]).convert("RGB"),
    ]
    for pixels, image in zip(found, wanted, strict=True):
        resized = np.asarray(image.resize((60, 60), Image.Resampling.BILINEAR)).astype(int)
        assert np.abs(pixels.astype(int) - resized).max() <= 1


def test_bytes_enter_as_they_are_in_either_layout(stripes: Table) -> None:
    pixels = stripes["image"].pixels
    np.testing.assert_array_equal(feed(stripes, BYTES)[:], pixels)
    first = feed(stripes, Port("x", "uint8", (None, 3, 18, 24)))[np.array([5, 3])]
    np.testing.assert_array_equal(first, pixels[[5, 3]].transpose(0, 3, 1, 2))
    free = Port("x", "uint8", (None, None, None, None))
    said = PictureMapping(layout="NHWC", size=(18, 24), colours="bgr")
    np.testing.assert_array_equal(feed(stripes, free, said)[:], pixels[..., ::-1])


def test_colours_become_gray_and_gray_fills_three_channels(stripes: Table) -> None:
    pixels = stripes["image"].pixels
    gray = np.stack([np.asarray(Image.fromarray(each).convert("L")) for each in pixels])
    same = [int(path.split("/")[-1][:3]) % 3 < 2 for path in stripes["path"].strings]
    one = feed(stripes, Port("x", "uint8", (None, 1, 18, 24)))[:]
    np.testing.assert_array_equal(one[same, 0], gray[same])
    three = feed(stripes, BYTES, PictureMapping(colours="gray"))[:]
    np.testing.assert_array_equal(three, np.repeat(one.transpose(0, 2, 3, 1), 3, axis=3))


@pytest.mark.parametrize("element", ["float16", "float32", "float64"])
@pytest.mark.parametrize("ends", [(0, 1), (-1, 1), (0, 255)])
def test_numbers_are_in_their_range_then_off_the_mean_by_the_deviation(
    stripes: Table, element: str, ends: tuple[float, float]
) -> None:
    port = Port("x", element, (None, 3, 18, 24))
    found = feed(stripes, port, PictureMapping(range=ends, mean=MEAN, std=(0.5,)))[:]
    pixels = stripes["image"].pixels.transpose(0, 3, 1, 2).astype(np.float64)
    scaled = ends[0] + pixels / 255 * (ends[1] - ends[0])
    wanted = (scaled - np.array(MEAN)[:, None, None]) / 0.5
    assert found.dtype == element
    np.testing.assert_allclose(found, wanted, rtol=1e-3 if element == "float16" else 1e-6)


def test_the_middle_is_cut_in_the_shape_of_the_input(tmp_path: Path) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (40, 90, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    rows = {"photo": [str(tmp_path / "wide.png")] * 2, "y": [1, 2]}
    table = read(rows, keep_origins=True).table
    found = feed(table, Port("x", "uint8", (None, 16, 16, 3)), PictureMapping(crop=0.8))[:]
    middle = Image.fromarray(pixels[4:36, 29:61])
    wanted = np.asarray(middle.resize((16, 16), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(found[0].astype(int) - wanted).max() <= 1


def test_a_missing_picture_is_black(tmp_path: Path, striped_folder: Path) -> None:
    paths = [str(next(striped_folder.rglob("001.png"))), None]
    table = read({"photo": paths, "y": [1, 2]}, keep_origins=True).table
    found = feed(table, Port("x", "uint8", (None, 9, 9, 3)))[:]
    assert found[0].any()
    assert not found[1].any()


def test_only_the_pictures_that_are_asked_for_are_decoded(
    striped_folder: Path, tmp_path: Path
) -> None:
    photos = shutil.copytree(striped_folder, tmp_path / "photos")
    table = read(photos, keep_origins=True).table
    gone = photos / table["path"].strings[9]
    gone.unlink()
    port = Port("x", "float32", (None, 3, 12, 12))
    fed = feed(table, port, PictureMapping(range=(0, 1)))
    assert fed[:9].shape == (9, 3, 12, 12)
    with pytest.raises(PictureError, match=gone.name):
        fed[9:10]
    assert fed.form.most_rows == MOST_PICTURES
    large = feed(table, Port("x", "uint8", (None, 1024, 1024, 3)))
    assert large.form.most_rows == 1


def test_without_files_the_pictures_of_the_table_are_shown() -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    table = Table((picture_column("photo", pixels),))
    np.testing.assert_array_equal(
        feed(table, Port("x", "uint8", (None, 8, 8, 3)))[1:3], pixels[1:3]
    )
    assert feed(table, Port("x", "uint8", (None, 3, 4, 4)))[:].shape == (4, 3, 4, 4)


ANY = (None, None, None, None)


@pytest.mark.parametrize(
    ("element", "axes", "said", "words", "line"),
    [
        ("float32", (None, 3, 8, 8), {}, "which numbers its pixels were", "range = [0, 1]"),
        ("uint8", ANY, {}, "where its channels stand", 'layout = "NCHW"'),
        ("uint8", (None, 3, 3, 3), {}, "where its channels stand", 'layout = "NCHW"'),
        ("uint8", ANY, {"layout": "NCHW"}, "how many channels", 'colours = "rgb"'),
        ("uint8", (None, 3, None, None), {}, "at which size", "size = [224, 224]"),
        ("uint8", (None, 3, 8, 6), {"layout": "NHWC"}, "in NHWC are 6 channels", '"NCHW"'),
        ("uint8", (None, 4, 8, 8), {"layout": "NCHW"}, "4 channels; pictures have 1", "NHWC"),
        ("uint8", (None, 1, 8, 8), {"colours": "bgr"}, 'puts "bgr" into x', ""),
        ("uint8", (None, 3, 8, 8), {"size": (9, 8)}, "says size = [9, 8]", ""),
        ("uint8", (None, 3, 8, 8), {"range": (0, 1)}, "bytes as they are", ""),
        ("uint8", (None, 3, 8, 2000), {}, "up to 1,024 pixels", ""),
        ("float32", (None, 3, 8, 8), {"range": (0, 1), "mean": (1, 2)}, "a mean of 2", ""),
        ("float32", (None, 192), {"range": (0, 1)}, "holds pictures", "Reshape"),
        ("int64", (None, 3, 8, 8), {}, "pictures enter uint8, float16", ""),
    ],
)
def test_what_the_model_does_not_tell_is_asked_for(
    stripes: Table, element: str, axes: tuple[int | None, ...], said: dict, words: str, line: str
) -> None:
    mapped = Mapped({"x": InputMapping(("image",), pictures=PictureMapping(**said))})
    with pytest.raises(ColumnError) as caught:
        foreign_feeds(stripes, [Port("x", element, axes)], mapped)
    assert words in caught.value.message
    assert line in caught.value.details


def test_pictures_and_numbers_do_not_share_an_input(stripes: Table) -> None:
    ages = column_from("age", Kind.NUMBER, np.arange(120.0))
    table = Table((*stripes.columns, ages))
    both = Mapped({"x": InputMapping(("image", "age"))})
    with pytest.raises(ColumnError, match="a picture enters alone"):
        foreign_feeds(table, [BYTES], both)
    with pytest.raises(ColumnError, match='"age" holds none') as caught:
        foreign_feeds(table, [BYTES], Mapped({"x": InputMapping(("age",))}))
    assert "columns of pictures: image" in caught.value.details
    said = InputMapping(("age",), pictures=PictureMapping(range=(0, 1)))
    with pytest.raises(ColumnError, match="holds none"):
        foreign_feeds(table, [Port("x", "float32", (None, 1))], Mapped({"x": said}))


def test_of_two_columns_of_pictures_one_is_named() -> None:
    pixels = np.zeros((2, 18, 24, 3), np.uint8)
    table = Table((picture_column("front", pixels), picture_column("back", pixels + 1)))
    with pytest.raises(ColumnError, match="no column of that name"):
        foreign_feeds(table, [BYTES], Mapped())
    said = PictureMapping(size=(18, 24))
    with pytest.raises(ColumnError, match="has 2 columns of them"):
        foreign_feeds(table, [BYTES], Mapped({"x": InputMapping((), pictures=said)}))
    found = foreign_feeds(table, [BYTES], Mapped({"x": InputMapping(("back",))}))["x"]
    assert found[:].all()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('layout = "HWC"', 'input.x.layout "HWC"; it is "NCHW" or "NHWC"'),
        ('colours = "cmyk"', '"rgb" or "bgr" or "gray"'),
        ("size = [224]", "a height and a width"),
        ("size = [224.5, 224]", "a height and a width"),
        ("size = [0, 5000]", "1 to 1,024 pixels"),
        ("range = [1, 1]", "what 0 and 255 become"),
        ('range = "0..1"', "no number"),
        ("mean = [1, 2, 3, 4]", "1 to 3 numbers"),
        ("mean = [nan]", "1 to 3 numbers"),
        ("std = [0.5, 0]", "divided by it"),
        ("crop = 1.2", "a share of the picture"),
        ("scale = 0.004", '"input.x.scale", which is not known'),
    ],
)
def test_a_mapping_that_says_it_otherwise_is_answered_in_words(
    tmp_path: Path, line: str, words: str
) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(f"[input.x]\n{line}\n", encoding="utf-8")
    with pytest.raises(OptionError) as caught:
        mapping_from(path)
    assert words in caught.value.message


def test_a_mapping_says_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(
        '[input.x]\ncolumns = ["photo"]\nlayout = "NHWC"\nsize = [12, 16]\ncolours = "bgr"\n'
        "range = [0, 255]\nmean = [103.9, 116.8, 123.7]\nstd = 1\ncrop = 0.875\n"
    )
    said = PictureMapping(
        "NHWC", (12, 16), "bgr", (0.0, 255.0), (103.9, 116.8, 123.7), (1.0,), 0.875
    )
    assert mapping_from(path).inputs["x"] == InputMapping(("photo",), pictures=said)


def test_each_picture_adds_to_the_time_that_a_model_may_take(
    stripes: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = network(tmp_path / "network.onnx", ["batch", 256, 256, 3], TensorProto.UINT8)
    few = stripes.rows(np.arange(40))
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('[output]\nkind = "logit"\n', encoding="utf-8")
    option = f"{model}:{mapping}"
    monkeypatch.setattr(foreign, "RUN_SECONDS", 0.0)
    assert judged_scores(challenger_from(option, STRIPES), few).shape == (40, 2)
    monkeypatch.setattr(foreign, "PICTURE_SECONDS", 0.0)
    with pytest.raises(ModelFileError, match="still answering"):
        judged_scores(challenger_from(option, STRIPES), few)


def test_too_many_pictures_in_one_call_are_refused(stripes: Table, tmp_path: Path) -> None:
    model = network(tmp_path / "network.onnx", [1_000_000, 18, 24, 3], TensorProto.UINT8)
    with pytest.raises(ModelFileError, match="exactly 1,000,000 rows at a time"):
        judged_scores(challenger_from(str(model), STRIPES), stripes)


def test_a_file_of_ours_of_another_size_answers_as_it_does_alone(
    striped_folder: Path, stripes: Table, tmp_path: Path
) -> None:
    from fathometer.learners.linear import Logistic

    small = read(striped_folder, kinds={"image": "image:12x16"}).table
    task = ask(small, "label")
    split = divide(small, task, DivideOptions(folds=3))
    made = ship(Logistic((1e-2,)).fit(small, task, split), "logistic", small, split.lockbox).file()
    (tmp_path / "small.onnx").write_bytes(made.content)
    challenger = challenger_from(str(tmp_path / "small.onnx"), STRIPES)
    paths = [str(path) for path in paths_of(striped_folder, stripes)]
    np.testing.assert_allclose(
        judged_scores(challenger, stripes), made.predict_proba(paths), atol=1e-6
    )
    assert challenger.bill(stripes).rows_per_second > 0


def test_a_file_of_ours_finds_the_only_column_of_pictures_or_the_one_that_is_named(
    stripes: Table, tmp_path: Path
) -> None:
    task = ask(stripes, "label")
    split = divide(stripes, task, DivideOptions(folds=3))
    made = ship(Constant().fit(stripes, task, split), "constant", stripes, split.lockbox).file()
    (tmp_path / "own.onnx").write_bytes(made.content)
    own = str(tmp_path / "own.onnx")
    pixels = stripes["image"].pixels
    photos = Table((stripes["label"], picture_column("photo", pixels)))
    assert judged_scores(challenger_from(own, STRIPES), photos).shape == (120, 2)
    two = Table((*photos.columns, picture_column("back", pixels)))
    with pytest.raises(ColumnError, match="has 2 columns of them"):
        judged_scores(challenger_from(own, STRIPES), two)
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('[input.image]\ncolumns = ["back"]\n', encoding="utf-8")
    assert judged_scores(challenger_from(f"{own}:{mapping}", STRIPES), two).shape == (120, 2)
    words = Table((stripes["label"], column_from("image", Kind.TEXT, ["a"] * 120)))
    with pytest.raises(ColumnError, match='"image" holds none'):
        judged_scores(challenger_from(own, STRIPES), words)
