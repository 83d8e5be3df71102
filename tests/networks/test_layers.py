"""Layers of P networks at once, and their twins in a graph."""

import numpy as np
import onnxruntime
import pytest
import torch

from fathometer.graph import Element, Graph
from fathometer.networks import layers


def answered(graph: Graph, tensor: str, feeds: dict[str, np.ndarray]) -> np.ndarray:
    """What the runtime answers for a tensor of three axes."""
    proto = graph.finish({"out": (tensor, Element.FLOAT, None)})
    for port, array in zip(proto.graph.input, feeds.values(), strict=True):
        del port.type.tensor_type.shape.dim[:]
        for _ in array.shape:
            port.type.tensor_type.shape.dim.add()
    del proto.graph.output[0].type.tensor_type.shape.dim[:]
    for _ in range(3):
        proto.graph.output[0].type.tensor_type.shape.dim.add()
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    return np.asarray(session.run(None, feeds)[0])


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_dense_lets_each_network_see_its_own_rows_alone() -> None:
    x, weight, bias = drawn(3, 7, 4), drawn(3, 4, 5), drawn(3, 5)
    together = layers.dense(x, weight, bias)
    for member in range(3):
        alone = x[member] @ weight[member] + bias[member]
        torch.testing.assert_close(together[member], alone)


@pytest.mark.parametrize("rows", [0, 1, 6])
def test_dense_twin_answers_the_same(rows: int) -> None:
    x, weight, bias = drawn(3, rows, 4), drawn(3, 4, 5), drawn(3, 5)
    graph = Graph()
    out = layers.write_dense(graph, graph.input("x", Element.FLOAT), weight.numpy(), bias.numpy())
    want = layers.dense(x, weight, bias).numpy()
    np.testing.assert_allclose(answered(graph, out, {"x": x.numpy()}), want, atol=1e-5)


@pytest.mark.parametrize("rows", [0, 1, 6])
def test_embedding_twin_answers_the_same(rows: int) -> None:
    levels = (3, 1, 4)
    table = drawn(2, 8, layers.EMBEDDING_WIDTH)
    codes = torch.zeros(2, rows, 3, dtype=torch.int64)
    codes[..., 0], codes[..., 2] = 2, 3
    graph = Graph()
    out = layers.write_embed(graph, graph.input("codes", Element.INT64), table.numpy(), levels)
    want = layers.embed(codes, table, levels).numpy()
    np.testing.assert_array_equal(answered(graph, out, {"codes": codes.numpy()}), want)


def test_embedding_starts_unknown_at_nothing() -> None:
    table = layers.start_embedding((3, 2), torch.Generator().manual_seed(0))
    assert not table[[0, 3]].any()
    assert table[[1, 2, 4]].all()


def test_edges_divide_rows_equally() -> None:
    numbers = torch.randperm(1000, generator=torch.Generator().manual_seed(0)).float()
    edges = layers.quantile_edges(numbers.unsqueeze(1), 4)[0]
    torch.testing.assert_close(edges, torch.tensor([0.0, 250, 500, 749, 999]), atol=2, rtol=0)


def test_edges_resolve_what_is_beside_a_value_that_repeats() -> None:
    numbers = torch.cat([torch.zeros(950), torch.linspace(1, 2, 50)])
    edges = layers.quantile_edges(numbers.unsqueeze(1), 8)[0]
    assert int((edges.diff() > 0).sum()) == 8


def test_edges_of_a_constant_column_are_that_value() -> None:
    edges = layers.quantile_edges(torch.full((9, 1), 2.5), 4)
    assert edges.tolist() == [[2.5] * 5]


def test_piecewise_fills_one_bin_after_the_other() -> None:
    left, slope = layers.bins_between(torch.tensor([[0.0, 1.0, 3.0, 3.0]]))
    numbers = torch.tensor([-1.0, 0.5, 2.0, 9.0]).view(1, 4, 1)
    encoded = layers.piecewise(numbers, left.unsqueeze(0), slope.unsqueeze(0))
    want = [[0, 0, 0], [0.5, 0, 0], [1, 0.5, 0], [1, 1, 0]]
    torch.testing.assert_close(encoded[0], torch.tensor(want, dtype=torch.float32))


@pytest.mark.parametrize("rows", [0, 1, 6])
def test_piecewise_twin_answers_the_same(rows: int) -> None:
    numbers, left, slope = drawn(2, rows, 3), drawn(2, 3, 4), drawn(2, 3, 4).abs()
    graph = Graph()
    x = graph.input("x", Element.FLOAT)
    out = layers.write_piecewise(graph, x, left.numpy(), slope.numpy())
    want = layers.piecewise(numbers, left, slope).numpy()
    np.testing.assert_allclose(answered(graph, out, {"x": numbers.numpy()}), want, atol=1e-6)


@pytest.mark.parametrize("rows", [0, 1, 6])
def test_periodic_twin_answers_the_same(rows: int) -> None:
    # Scaled numbers stay within 3; frequencies of 5 turns a unit are 50 times those at the start.
    numbers = 3 * torch.tanh(drawn(2, rows, 3))
    starts = [layers.start_periodic(3, torch.Generator().manual_seed(seed)) for seed in (0, 1)]
    parameters = {name: torch.stack([start[name] for start in starts]) for name in starts[0]}
    parameters["frequency"] *= 50
    graph = Graph()
    x = graph.input("x", Element.FLOAT)
    arrays = {name: tensor.numpy() for name, tensor in parameters.items()}
    out = layers.write_periodic(graph, x, arrays)
    want = layers.periodic(numbers, parameters).numpy()
    assert want.shape == (2, rows, 9)
    np.testing.assert_allclose(answered(graph, out, {"x": numbers.numpy()}), want, atol=1e-5)


def test_periodic_repeats_after_a_whole_turn() -> None:
    parameters = layers.start_periodic(1, torch.Generator().manual_seed(0))
    parameters = {name: tensor.unsqueeze(0) for name, tensor in parameters.items()}
    parameters["frequency"].fill_(0.5)
    waves = layers.periodic(torch.tensor([0.3, 2.3, 1.3]).view(1, 3, 1), parameters)[0]
    torch.testing.assert_close(waves[0], waves[1])
    assert not torch.allclose(waves[0], waves[2], atol=1e-2)


def test_root_mean_square_of_every_row_is_one() -> None:
    x = torch.tensor([[[3.0, 4.0], [30.0, 40.0], [0.0, 0.0]]])
    scaled = layers.root_mean_square(x, torch.ones(1, 2))[0]
    torch.testing.assert_close(scaled[0], torch.tensor([3.0, 4.0]) / 12.5**0.5)
    torch.testing.assert_close(scaled[0], scaled[1])
    assert not scaled[2].any()
