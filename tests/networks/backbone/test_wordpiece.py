"""Texts are cut into BERT's pieces of words, in a graph as in Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from fathometer.errors import BackboneError
from fathometer.graph import Element, Graph
from fathometer.networks.backbone.piece_trie import CONTINUED, START, grow_trie
from fathometer.networks.backbone.wordpiece import Folding, WordPiece
from fathometer.networks.backbone.wordpiece_files import read_wordpiece
from fathometer.networks.backbone.wordpiece_graph import WordPieceTwin
from shared_files import shared
from tiny_encoders import HOSTILE, SPECIAL, read_me, session_of, some_pieces, tokenizer

CASED = Folding(strips_accents=False, lowers=False)
BARE = Folding(False, False, False, False)
ALL = [Folding(), CASED, BARE]
Cut = Callable[[list[str]], list[list[int]]]


def cutter(pieces: list[str], folding: Folding = Folding()) -> WordPiece:
    places = {piece: place for place, piece in enumerate(pieces)}
    return WordPiece("", places, places["[UNK]"], (places["[CLS]"], places["[SEP]"]), folding)


@cache
def real(folding: Folding) -> WordPiece:
    """Pieces of real words, upper and lower case."""
    return cutter(some_pieces(read_me()), folding)


@cache
def in_graph(folding: Folding, most: int, drops_unknown: bool = False) -> Cut:
    """The twin; its answers without special tokens."""
    graph = Graph()
    raw = graph.input("text", Element.STRING)
    found = WordPieceTwin(real(folding)).write(graph, raw, most, drops_unknown=drops_unknown)
    outputs = {"ids": (found.ids, Element.INT64), "is_text": (found.is_text, Element.BOOL)}
    session = session_of(graph, outputs)

    def cut(texts: list[str]) -> list[list[int]]:
        fed = {"text": np.array(texts, dtype=object)[:, None]}
        ids, is_text = session.run(["ids", "is_text"], fed)
        rows = [row[own].tolist() for row, own in zip(ids, is_text, strict=True)]
        assert all(row[0] == 2 and row[-1] == 3 for row in rows)
        return [row[1:-1] for row in rows]

    return cut


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("unaffable", "un ##aff ##able"),
        ("Unaffable, UN!", "un ##aff ##able , un !"),
        ("únäffable un\u0301", "un ##aff ##able un"),
        ("un中able", "un 中 able"),
        ("unabled un", "[UNK] un"),
        ("un" + "able" * 24 + " " + "un" + "able" * 25, "un" + " ##able" * 24 + " [UNK]"),
        ("  un\t\nun\u3000un\u00a0un ", "un un un un"),
        ("un\0af\u200dfable", "un ##aff ##able"),
        ("", ""),
    ],
)
def test_words_are_cut_into_the_longest_pieces(text: str, expected: str) -> None:
    pieces = [*SPECIAL, "un", "##aff", "##able", "able", "##ab", ",", "!", "中"]
    found = cutter(pieces).cut([text], 126)[0]
    assert " ".join(pieces[each] for each in found) == expected


def test_case_and_accents_stay_where_the_vocabulary_has_them() -> None:
    pieces = [*SPECIAL, "Un", "un", "##é", "##e"]
    found = cutter(pieces, CASED).cut(["Uné une UN"], 126)[0]
    assert [pieces[each] for each in found] == ["Un", "##é", "un", "##e", "[UNK]"]


@pytest.mark.parametrize("folding", ALL, ids=["uncased", "cased", "bare"])
def test_the_graph_cuts_hostile_texts_alike(folding: Folding) -> None:
    expected = real(folding).cut(HOSTILE, 126)
    assert in_graph(folding, 126)(list(HOSTILE)) == expected
    assert [in_graph(folding, 126)([text])[0] for text in HOSTILE] == expected
    if folding is not BARE:
        assert max(map(len, expected)) == 126


@pytest.mark.parametrize("most", [1, 30, 510])
def test_the_graph_cuts_long_texts_off_alike(most: int) -> None:
    texts = [*HOSTILE, " ".join(read_me())]
    expected = real(Folding()).cut(texts, most)
    assert in_graph(Folding(), most)(texts) == expected
    assert len(expected[-1]) == most


@pytest.mark.parametrize("folding", ALL[:2], ids=["uncased", "cased"])
@pytest.mark.parametrize("name", ["sms_spam", "tweeteval_emotion", "banking77"])
def test_the_graph_cuts_real_texts_alike(name: str, folding: Folding) -> None:
    texts = pq.read_table(shared(f"text/{name}.parquet")).column("text").to_pylist()[:512]
    expected = real(folding).cut(texts, 126)
    found = []
    for first in range(0, len(texts), 64):
        found += in_graph(folding, 126)(texts[first : first + 64])
    assert found == expected
    assert len({each for ids in expected for each in ids}) > 200  # not unknown words alone


def test_every_character_is_read_alike() -> None:
    letters = [chr(each) for each in range(1, 0x3100) if not 0xD800 <= each < 0xE000]
    texts = ["".join(f"a{each}b " for each in letters[i : i + 99]) for i in range(0, 12_544, 99)]
    assert in_graph(Folding(), 510)(texts) == real(Folding()).cut(texts, 510)


def test_a_trie_finds_every_piece_and_nothing_else() -> None:
    generator = np.random.default_rng(0)
    spelled = {tuple(generator.integers(1, 30, generator.integers(1, 7))) for _ in range(3000)}
    pieces = [(START if sum(own) % 2 else CONTINUED, own, i) for i, own in enumerate(spelled)]
    trie = grow_trie(pieces, 30)
    known = {(root, own): place for root, own, place in pieces}
    asked = [*known, *((root, (*own, 1)) for root, own in known)]
    asked += [(START + CONTINUED - root, own) for root, own in known]
    for root, own in asked:
        state = root
        for code in own:
            slot = trie.base[state] + code
            state = slot if trie.owner[slot] == state else 0
        assert trie.piece[state] == known.get((root, own), -1)
        assert trie.length[state] == (len(own) if (root, own) in known else 0)
    assert len(trie.base) < 1.2 * (trie.owner >= 0).sum() + 60  # hardly a slot is wasted


@pytest.mark.parametrize("lowers", [True, False])
def test_both_kinds_of_files_say_the_same(lowers: bool, tmp_path: Path) -> None:
    pieces = some_pieces(read_me(), 50)
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    stated = json.dumps(tokenizer(pieces, lowers=lowers))
    (one / "tokenizer.json").write_text(stated, encoding="utf-8")
    (other / "vocab.txt").write_text("".join(f"{each}\n" for each in pieces), encoding="utf-8")
    (other / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": lowers}))
    found = [read_wordpiece(folder, has_ends=True) for folder in (one, other)]
    assert found[0] == found[1]
    assert found[0].cut(HOSTILE, 99) == found[1].cut(HOSTILE, 99)


def changed(part: str, **more: object) -> str:
    """A tokenizer.json in which a part says something else."""
    stated = tokenizer(some_pieces([], 0))
    own = stated[part]
    assert isinstance(own, dict)
    return json.dumps({**stated, part: {**own, **more}})


REFUSED = {
    "no files": ({}, "holds neither tokenizer.json nor vocab.txt"),
    "no JSON": ({"tokenizer.json": "{"}, "is not JSON"),
    "byte pairs": ({"tokenizer.json": changed("model", type="BPE")}, "by BPE, which is not read"),
    "no vocabulary": ({"tokenizer.json": changed("model", vocab=[])}, "no vocabulary"),
    "an id that is none": (
        {"tokenizer.json": changed("model", vocab={"[UNK]": "1"})},
        "the id '1'",
    ),
    "no unknown": ({"tokenizer.json": changed("model", unk_token="<unk>")}, "no piece '<unk>'"),
    "no mark": ({"tokenizer.json": changed("model", continuing_subword_prefix="")}, "marks no"),
    "endless words": (
        {"tokenizer.json": changed("model", max_input_chars_per_word=10**9)},
        "must be 1 to 100",
    ),
    "other folding": ({"tokenizer.json": changed("normalizer", type="NFKC")}, "by NFKC"),
    "other words": ({"tokenizer.json": changed("pre_tokenizer", type="Metaspace")}, "by Metaspace"),
    "no ends": ({"vocab.txt": "[UNK]\na\n"}, r"no piece '\[CLS\]'"),
    "an empty list": ({"vocab.txt": ""}, "has 0 pieces"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_vocabulary_that_cannot_be_used_is_refused_in_words(case: str, tmp_path: Path) -> None:
    files, words = REFUSED[case]
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(BackboneError, match=words):
        read_wordpiece(tmp_path, has_ends=True)


def test_a_vocabulary_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_bytes(b"[UNK]\n\xff\n")
    with pytest.raises(BackboneError, match="is not UTF-8"):
        read_wordpiece(tmp_path, has_ends=True)
