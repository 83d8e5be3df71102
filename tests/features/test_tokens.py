"""Texts become the same codes here as in a graph, whatever is written in them."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fathometer.features.text import write_lowered
from fathometer.features.token_spelling import PIECES, READ, fit_spelling
from fathometer.features.tokens import (
    FIRST,
    PADDING,
    SPELLED,
    TOKEN,
    UNKNOWN,
    TextCodes,
    fit_tokens,
    split_texts,
)
from fathometer.graph import Element, Graph, write_split
from fathometer.table.kind import Kind
from fathometer.table.table import Table, column_from

LEARNED = [
    "The card was not accepted at the shop!",
    "My card was not accepted, and the shop is closed",
    "where is my new card? the new card is late",
    "L'été à la plage 😀 and it's late",
    "東京の天気は良い 東京 天気",
    "Привет мир, привет мир",
    "مرحبا بالعالم مرحبا",
    "costs £5 or €5, the shops accept cards",
    "",
    "cards cards shopping accepted acceptance late later lately",
]
HARD = [
    "",
    " ",
    "...",
    "😀👍🏽🇩🇪 ok",
    "x" * 100_000,
    "word " * 20_000,
    "<the> <b>card</b> a<b>c",
    "e\u0301te\u0301 I\u0307 \u00df \ufb03 DZ\u01c5",
    "สวัสดีครับ ភាសាខ្មែរ မြန်မာ",
    "don't 'quoted' '' rock'n'roll",
    "שלום \u202eעולם\u202c card",
    "tab\tnew\nline\r\0null card",
    "𝒳𝒴 cardings unshopped " + "zq" * 40,
    *("ที่นี่ดี ไม่", "๑๒ 5่x ม.๓ A abc๑๒ def", "ខ្ញុំ", "ເປັນຫຍັງ", "二〇〇五 20〇5 ok", "မြန်မာ ၂၀ a၂"),
    *("நான் மொழி", "मैं नमस्ते ५", "it's a2b ²³ 😀x"),
]


def learned(unit: str = "word pair", length: int = 12) -> TextCodes:
    return fit_tokens(
        column_from("text", Kind.TEXT, LEARNED), unit=unit, length=length, vocabulary=200
    )


def session_of(codes: TextCodes) -> onnxruntime.InferenceSession:
    graph = Graph()
    proto = graph.finish({"out": (codes.write(graph), Element.INT64, None)})
    proto.graph.output[0].type.tensor_type.ClearField("shape")
    return onnxruntime.InferenceSession(proto.SerializeToString())


def table_of(texts: list[str | None]) -> Table:
    return Table((column_from("text", Kind.TEXT, texts),))


def assert_same(codes: TextCodes, session: onnxruntime.InferenceSession, texts: list[str]) -> None:
    """Of each block the graph gives the beginning, and what it leaves out is padding."""
    expected = codes.codes(table_of(texts))
    feed = np.array([text.strip() for text in texts], dtype=object)[:, None]
    found = session.run(None, {"text": feed})[0]
    first = SPELLED * PIECES
    assert found.shape[0] == len(texts)
    np.testing.assert_array_equal(found[:, :first], expected[:, :first])
    tokens = found[:, first:]
    if len(codes.pairs):
        width = (tokens.shape[1] + 1) // 2
        assert_begins(tokens[:, width:], expected[:, first + codes.length :])
        tokens = tokens[:, :width]
        expected = expected[:, : first + codes.length]
    assert_begins(tokens, expected[:, first:])


def assert_begins(found: np.ndarray, expected: np.ndarray) -> None:
    width = min(found.shape[1], expected.shape[1])
    np.testing.assert_array_equal(found[:, :width], expected[:, :width])
    assert not found[:, width:].any()
    assert not expected[:, width:].any()


@pytest.mark.parametrize("length", [1, 3, 12])
@pytest.mark.parametrize("unit", ["word", "word pair"])
def test_codes_and_graph_agree_on_hard_texts(unit, length):
    codes = learned(unit, length)
    session = session_of(codes)
    assert_same(codes, session, HARD + LEARNED)
    for text in HARD:
        assert_same(codes, session, [text])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.text(max_size=40)
        | st.lists(st.sampled_from([*LEARNED, *HARD[5:], "card", "!", "京"]), max_size=3).map(
            " ".join
        ),
        min_size=1,
        max_size=5,
    )
)
def test_codes_and_graph_agree_on_any_texts(texts):
    # A model file's caller strips texts (`feeds.as_text`), as reading a table does.
    assert_same(CODES, SESSION, [text.strip() for text in texts])


CODES = learned()
SESSION = session_of(CODES)


def test_tokens_are_words_symbols_and_letters_of_scripts_without_blanks():
    def tokens(text: str) -> list[str]:
        return split_texts(pa.array([text]), 99).words.to_pylist()

    assert tokens("It's £5, WOW!") == ["it's", "£", "5", "wow", "!"]
    assert tokens("東京 is 😀👍") == ["東", "京", "is", "😀", "👍"]
    assert tokens("…") == []


def test_the_graph_cuts_where_the_table_does():
    """Compared as tokens, since most words of other scripts have no code of their own."""
    graph = Graph()
    raw = graph.input("text", Element.STRING)
    proto = graph.finish(
        {"out": (write_split(graph, write_lowered(graph, raw), TOKEN), Element.STRING, 1)}
    )
    proto.graph.output[0].type.tensor_type.ClearField("shape")
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    for text in ["ok", *HARD[4:], *LEARNED]:
        found = session.run(None, {"text": np.array([[text.strip()]], dtype=object)})[0].ravel()
        cut = split_texts(pa.array([text]), 10**6)
        assert [word for word in found if word] == cut.words.to_pylist(), text


def test_long_texts_are_cut_before_anything_is_looked_up():
    codes = learned(length=3)
    found = codes.codes(table_of(["card " * 9, "card card card", "card card card late"]))
    assert (found == found[0]).all()


def test_tokens_of_one_text_alone_have_no_code():
    assert "card" in CODES.tokens
    assert "closed" not in CODES.tokens
    first = SPELLED * PIECES
    assert CODES.codes(table_of(["closed"]))[0, first] == UNKNOWN


def test_pairs_of_neighbours_have_codes_after_the_tokens():
    base = FIRST + len(CODES.tokens)
    one, other = CODES.codes(table_of(["not accepted", "accepted not"]))
    at = SPELLED * PIECES + CODES.length
    assert base <= one[at] < base + len(CODES.pairs)
    assert other[at] == PADDING


def test_an_unknown_word_shares_pieces_with_words_like_it():
    one, other, none = CODES.codes(table_of(["carding", "cards", "zzqqy"]))
    unknown = set(one[: SPELLED * PIECES]) - {PADDING}
    own = CODES.pieces[FIRST + CODES.tokens.index("card")]
    assert len(unknown & set(own)) >= 3  # "<ca", "car", "<car", "ard", "card"
    assert not none[: SPELLED * PIECES].any()
    assert other[SPELLED * PIECES] != none[SPELLED * PIECES] == UNKNOWN


def test_missing_texts_count_as_empty():
    found = CODES.codes(table_of([None, ""]))
    assert not found.any()


def test_what_stands_for_missing_is_empty_in_the_graph():
    codes = TextCodes("text", ("card",), np.zeros(0, np.int64), CODES.spelling, 4, ("n/a", "?"))
    feed = np.array([["n/a"], ["?"], ["card"]], dtype=object)
    found = session_of(codes).run(None, {"text": feed})[0]
    assert found.any(axis=1).tolist() == [False, False, True]


def test_codes_are_as_many_as_asked_for_at_most():
    few = fit_tokens(
        column_from("text", Kind.TEXT, LEARNED), unit="word pair", length=9, vocabulary=20
    )
    columns, vocabulary, pairs, spelled = few.shape
    assert vocabulary <= 20
    found = few.codes(table_of(LEARNED))
    assert found.shape == (len(LEARNED), columns)
    assert found.max() < vocabulary
    assert few.pieces.max() < vocabulary
    assert spelled == SPELLED
    assert pairs == len(few.pairs)


def test_texts_without_any_word_can_be_learned_from():
    codes = fit_tokens(
        column_from("text", Kind.TEXT, ["...", "-"]), unit="word pair", length=9, vocabulary=50
    )
    session = session_of(codes)
    assert_same(codes, session, ["", "...", "card"])


def test_a_word_is_read_up_to_its_twentieth_letter():
    spelling = fit_spelling(["abcabcabc", "abcabc"], most=50, first=7)
    long = "abc" * 20
    one, other = spelling.codes([long, long + "abc"])
    assert (one == other).all()
    assert one[: READ - 2].all()
    assert not spelling.codes(["abc" * 30]).any()  # longer than `LONGEST_WORD`
