"""Encoders of pictures: their twins, what was published of them, what training shows them."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch

from fathometer.graph import Element, Graph
from fathometer.modelfile.verify import OPERATORS
from fathometer.networks.raw.convolution import Pixels, axis_map, whitening_kernel
from fathometer.networks.raw.encoder import Encoder, PictureShape, SeededDropout, Visit
from fathometer.networks.raw.lenet import LeNet1998, LeNetModern
from fathometer.networks.raw.residual import ResidualConvolution
from fathometer.networks.raw.shown import mirrors_alike, shifted
from fathometer.networks.raw.speedy import FastConvolution
from networks.raw.pictures import digits, patches

ARCHITECTURES = [LeNet1998(), LeNetModern(), FastConvolution(), ResidualConvolution()]
SIZES = [(8, 8), (28, 28), (20, 33), (64, 48)]


def taught_a_little(encoder: Encoder, raw: torch.Tensor, target: torch.Tensor) -> Encoder:
    """Prepared, its batch norms and biases moved away from where they start."""
    with torch.no_grad():
        encoder.prepare(raw, target)
        encoder.train()
        encoder(raw.float())
        for weight in encoder.parameters():
            if weight.dim() == 1 and weight.requires_grad:
                weight.add_(torch.rand(weight.shape) * 0.2)
    return encoder.eval()


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda own: type(own).__name__)
def test_twin_answers_as_the_encoder_did(architecture, size):
    raw, target = patches(size)
    torch.manual_seed(0)
    encoder = taught_a_little(architecture.encoder(PictureShape(3, *size)), raw, target)
    graph = Graph()
    out = encoder.write(graph, graph.constant(raw.float().numpy()))
    proto = graph.finish({"out": (out, Element.FLOAT, encoder.width)})
    assert {node.op_type for node in proto.graph.node} <= OPERATORS[""]
    found = onnxruntime.InferenceSession(proto.SerializeToString()).run(None, {})[0]
    with torch.no_grad():
        expected = encoder(raw.float()).numpy()
    assert expected.std() > 0
    np.testing.assert_allclose(found, expected, atol=3e-6 * max(1.0, np.abs(expected).max()))


def test_lenet_has_as_many_weights_as_was_published():
    """Section II.B of the paper; C5 is 48,120 and F6 10,164."""
    encoder = LeNet1998().encoder(PictureShape(1, 32, 32))
    connections = int(encoder.connected.sum()) * 25 + 16
    counts = {
        name: sum(own.numel() for own in getattr(encoder, name).parameters())
        for name in ("c1", "s2", "s4", "c5", "f6")
    }
    assert counts | {"c3": connections} == {
        "c1": 156,
        "s2": 12,
        "c3": 1_516,
        "s4": 32,
        "c5": 48_120,
        "f6": 10_164,
    }


def test_connections_that_were_not_published_never_matter():
    encoder = LeNet1998().encoder(PictureShape(1, 28, 28)).eval()
    raw = digits()[0][:4].float().repeat(1, 1, 4, 4)[:, :, :28, :28]
    before = encoder(raw)
    with torch.no_grad():
        encoder.c3.weight += 100.0 * (1.0 - encoder.connected)
    assert torch.equal(before, encoder(raw))


def test_whitened_patches_are_uncorrelated_and_of_variance_one():
    raw, _ = patches((32, 32))
    pixels = Pixels(3)
    pixels.prepare(raw)
    pictures = pixels(raw)
    kernels = whitening_kernel(pictures, 2, 6)
    answers = torch.nn.functional.conv2d(pictures, kernels[:6]).transpose(0, 1).flatten(1).double()
    covariance = answers @ answers.T / answers.shape[1]
    torch.testing.assert_close(covariance, torch.eye(6, dtype=torch.float64), atol=0.1, rtol=0.0)
    assert torch.equal(kernels[:6], -kernels[6:])


def test_digits_are_not_mirrored_and_photographs_are():
    assert not mirrors_alike(*digits())
    assert mirrors_alike(*patches((32, 32), 400))


@pytest.mark.parametrize("architecture", [FastConvolution(), ResidualConvolution()], ids=repr)
def test_a_picture_and_its_mirror_image_get_one_answer_where_both_say_the_same(architecture):
    for (raw, target), alike in ((patches((32, 32), 400), True), (digits(), False)):
        shape = PictureShape(*raw.shape[1:])
        encoder = taught_a_little(architecture.encoder(shape), raw, target)
        with torch.no_grad():
            seen, turned = encoder(raw[:9].float()), encoder(raw[:9].flip(3).float())
        assert torch.allclose(seen, turned, atol=1e-5) == alike


def test_every_picture_is_seen_both_ways_in_two_epochs():
    raw, _ = patches((16, 16))
    rows = torch.arange(len(raw))
    one, other = (
        shifted(raw, Visit(rows, epoch, torch.Generator().manual_seed(0)), 0, mirror=True)
        for epoch in (4, 5)
    )
    assert torch.equal(one.flip(3), other)
    mirrored = (one != raw).flatten(1).any(dim=1)
    assert 0.3 < mirrored.float().mean() < 0.7


def test_a_shift_moves_by_at_most_so_many_pixels_and_reflects_the_rim():
    raw, _ = patches((9, 9), 40)
    visit = Visit(torch.arange(40), 0, torch.Generator().manual_seed(1))
    moved = shifted(raw, visit, 2, mirror=False)
    around = torch.nn.functional.pad(raw.float(), (2, 2, 2, 2), mode="reflect").to(torch.uint8)
    for own, found in zip(around, moved, strict=True):
        windows = own.unfold(1, 9, 1).unfold(2, 9, 1)  # (3, 5, 5, 9, 9)
        assert (windows == found[:, None, None]).all(dim=4).all(dim=3).all(dim=0).any()


def test_a_smaller_picture_is_brought_up_by_its_rim_and_a_larger_one_by_areas():
    row = torch.tensor([10.0, 20.0, 30.0, 40.0])
    assert (axis_map(4, 8) @ row).tolist() == [10, 10, 10, 20, 30, 40, 40, 40]
    assert (axis_map(4, 2) @ row).tolist() == [15, 35]
    torch.testing.assert_close(axis_map(50, 32).sum(dim=1), torch.ones(32))


def test_dropout_keeps_the_mean_and_its_share_and_is_idle_when_predicting():
    drop = SeededDropout(0.25)
    drop.generator = torch.Generator().manual_seed(0)
    ones = torch.ones(100, 333)
    found = drop(ones)
    assert abs(float((found == 0).float().mean()) - 0.25) < 0.01
    assert abs(float(found.mean()) - 1.0) < 0.02
    assert torch.equal(drop.eval()(ones), ones)
