"""Encoders of texts: their twins, what a fold does not know, what padding and order change."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch

from fathometer.features.tokens import FIRST, PADDING, UNKNOWN, fit_tokens
from fathometer.graph import Element, Graph
from fathometer.modelfile.verify import OPERATORS
from fathometer.networks.raw.encoder import Encoder, TextShape, Tokens
from fathometer.networks.raw.text_bag import WordBag
from fathometer.networks.raw.text_convolution import WordConvolution
from fathometer.networks.raw.text_transformer import WordTransformer
from fathometer.table.kind import Kind
from fathometer.table.table import Table, column_from

TEXTS = [
    "The card was not accepted at the shop!",
    "my card was not accepted and the shop was closed",
    "where is the new card? a new card is late",
    "it's late, the new shop is late",
    "東京の天気は良い 東京 天気",
    "cards, cards and shopping; accepted later, acceptances",
    "",
    "where was the shop",
] * 3
ASKED = [*TEXTS, "", "...", "cardigan shopkeeper unaccepted", "late " * 40, "zzqq " * 40, "京 😀"]
ARCHITECTURES = [
    WordBag(width=8),
    WordConvolution(width=8, kernels=(2, 3, 5), filters=6),
    WordTransformer(width=8, heads=2, depth=2),
]
each = pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda own: type(own).__name__)


def table_of(texts: list[str]) -> Table:
    return Table((column_from("text", Kind.TEXT, texts),))


def made(architecture, *, rows: int | None = None, length: int = 12):
    """Its codes, and its encoder: of weights far from where they start, for a fold that has seen
    the first `rows` texts."""
    own: Tokens = architecture.tokens
    codes = fit_tokens(table_of(TEXTS)["text"], unit=own.unit, length=length, vocabulary=200)
    torch.manual_seed(0)
    encoder = architecture.encoder(TextShape(*codes.shape, codes.pieces))
    encoder.prepare(torch.from_numpy(codes.codes(table_of(TEXTS[:rows]))), torch.zeros(0))
    with torch.no_grad():
        for weight in encoder.parameters():
            weight.add_(torch.randn(weight.shape) * 0.3)
    return codes, encoder.eval()


def answered(codes, encoder: Encoder, texts: list[str]) -> np.ndarray:
    with torch.no_grad():
        return encoder(torch.from_numpy(codes.codes(table_of(texts)))).numpy()


@each
@pytest.mark.parametrize("rows", [None, 2])
def test_twin_answers_as_the_encoder_did(architecture, rows):
    codes, encoder = made(architecture, rows=rows)
    graph = Graph()
    out = encoder.write(graph, codes.write(graph))
    proto = graph.finish({"out": (out, Element.FLOAT, encoder.width)})
    assert {node.op_type for node in proto.graph.node if not node.domain} <= OPERATORS[""]
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    feed = np.array(ASKED, dtype=object)[:, None]
    found = session.run(None, {"text": feed})[0]
    singly = np.concatenate([session.run(None, {"text": own[None]})[0] for own in feed])
    expected = answered(codes, encoder, ASKED)
    assert expected.std() > 0
    np.testing.assert_allclose(found, expected, atol=3e-6 * max(1.0, np.abs(expected).max()))
    np.testing.assert_allclose(singly, expected, atol=3e-6 * max(1.0, np.abs(expected).max()))


@each
def test_longer_texts_beside_it_change_nothing(architecture):
    codes, encoder = made(architecture)
    alone = np.concatenate([answered(codes, encoder, [text]) for text in ASKED])
    np.testing.assert_allclose(answered(codes, encoder, ASKED), alone, atol=1e-5)


@each
def test_a_word_its_fold_has_not_seen_is_one_nobody_has_seen(architecture):
    """Spelled the same: "where" is known to other folds, its twin of the same pieces to none."""
    codes, encoder = made(architecture, rows=2)
    where = FIRST + codes.tokens.index("where")
    vectors = next(own for name, own in encoder.named_modules() if name.endswith("vectors"))
    assert vectors.own[where] == UNKNOWN
    table = vectors.table()
    pieces = vectors.pieces[where]
    expected = vectors.weight[UNKNOWN] + vectors.weight[pieces[pieces > PADDING]].sum(0) / 8
    np.testing.assert_allclose(table[where], expected.detach().numpy(), atol=1e-6)


@each
def test_what_its_fold_has_not_seen_does_not_teach_nor_answer(architecture):
    codes, encoder = made(architecture, rows=2)
    seen = set(codes.codes(table_of(TEXTS[:2])).flatten().tolist())
    seen |= set(codes.pieces[[c for c in seen if c < len(codes.pieces)]].flatten().tolist())
    before = answered(codes, encoder, ASKED)
    vectors = next(own for name, own in encoder.named_modules() if name.endswith("vectors"))
    unseen = [code for code in range(FIRST, codes.shape[1]) if code not in seen]
    assert len(unseen) > 20
    with torch.no_grad():
        vectors.weight[unseen] += 100.0
    np.testing.assert_array_equal(answered(codes, encoder, ASKED), before)


@pytest.mark.parametrize("architecture", ARCHITECTURES[1:], ids=lambda own: type(own).__name__)
def test_order_matters_to_networks_that_read_in_order(architecture):
    codes, encoder = made(architecture)
    one, other = answered(
        codes, encoder, ["the card was late not accepted", "not the card was accepted late"]
    )
    assert np.abs(one - other).max() > 1e-3


def test_a_bag_knows_order_by_its_pairs_alone():
    codes, encoder = made(WordBag(width=8))
    one, other, same = answered(codes, encoder, ["not accepted", "accepted not", "Not, accepted."])
    assert np.abs(one - other).max() > 1e-3
    np.testing.assert_array_equal(one, same)


@each
def test_dropout_draws_from_the_members_generator_alone(architecture):
    codes, encoder = made(architecture)
    encoder.train()
    raw = torch.from_numpy(codes.codes(table_of(TEXTS)))
    found = []
    for seed in (0, 0, 1):
        for module in encoder.modules():
            if hasattr(module, "generator"):
                module.generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            found.append(encoder(raw))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


@each
def test_every_weight_is_taught_once(architecture):
    _, encoder = made(architecture)
    taught = [id(weight) for _, own in encoder.groups() for weight in own]
    assert sorted(taught) == sorted(id(weight) for weight in encoder.parameters())


def test_learning_moves_only_codes_that_stand_in_the_batch():
    codes, encoder = made(WordBag(width=8))
    encoder(torch.from_numpy(codes.codes(table_of(["the card"])))).sum().backward()
    moved = set(encoder.vectors.weight.grad.abs().sum(1).nonzero().flatten().tolist())
    the, card = (FIRST + codes.tokens.index(word) for word in ("the", "card"))
    spelled = set(codes.pieces[[the, card]].flatten().tolist()) - {PADDING}
    assert {the, card} | spelled <= moved
    assert moved - {the, card} - spelled <= set(
        range(len(codes.pieces), len(codes.pieces) + len(codes.pairs))
    )
