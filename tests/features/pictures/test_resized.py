"""Pictures of any size enter a model file and are brought to the size of their column."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, checker, helper
from PIL import Image

from fathometer.features.pictures.resized import write_pixels
from fathometer.graph import Element, Graph
from fathometer.table.kind import ColumnSpec, Kind, PictureSize
from fathometer.table.resizing import resized

FED = [(28, 20), (1, 1), (64, 48), (31, 77), (7, 5), (300, 2), (60, 20)]  # height, width


def runner(size, *, with_convolution=False, optimise=True):
    graph = Graph()
    tensor = write_pixels(graph, ColumnSpec("photo", Kind.IMAGE, picture=size))
    if with_convolution:
        weights = np.full((4, size.channels, 3, 3), 0.01, np.float32)
        tensor = graph.add("Conv", tensor, graph.constant(weights), pads=[1, 1, 1, 1])
    model = graph.finish({"pixels": (tensor, Element.FLOAT, None)})
    shape = ["rows", "maps", "height", "width"]
    stated = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, shape)
    model.graph.output[0].CopyFrom(stated)
    checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    if not optimise:
        level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.graph_optimization_level = level
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return lambda pictures: session.run(None, {"photo": pictures})[0]


def noise(rows, height, width, channels):
    shape = (rows, height, width, channels)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("rows", [1, 5])
def test_pictures_of_their_columns_size_come_out_as_they_went_in(channels, rows):
    fed = noise(rows, 28, 20, channels)
    found = runner(PictureSize(28, 20, channels))(fed)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, fed.transpose(0, 3, 1, 2))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("sides", FED)
def test_the_reader_and_the_graph_resize_alike_to_the_bit(channels, sides):
    size = PictureSize(28, 20, channels)
    fed = noise(3, *sides, channels)
    found = runner(size)(fed)
    read = np.stack([resized(picture, size) for picture in fed])
    np.testing.assert_array_equal(found, read.transpose(0, 3, 1, 2))


@pytest.mark.parametrize("sides", FED)
def test_resizing_is_what_pillow_calls_bilinear(sides):
    (fed,) = noise(1, *sides, 3)
    wanted = np.asarray(Image.fromarray(fed).resize((20, 28), Image.Resampling.BILINEAR))
    found = resized(fed, PictureSize(28, 20, 3))
    assert np.abs(found.astype(int) - wanted.astype(int)).max() <= 1


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("sides", FED)
def test_a_convolution_behind_it_is_not_misled_by_the_runtimes_optimiser(channels, sides):
    size, fed = PictureSize(28, 20, channels), noise(2, *sides, channels)
    plain = runner(size, with_convolution=True, optimise=False)(fed)
    np.testing.assert_allclose(runner(size, with_convolution=True)(fed), plain, atol=1e-3)


def test_a_row_is_resized_as_it_is_alone():
    run, fed = runner(PictureSize(28, 20, 3)), noise(4, 50, 70, 3)
    singly = np.concatenate([run(fed[row : row + 1]) for row in range(4)])
    np.testing.assert_array_equal(run(fed), singly)
