"""The files beside a checkpoint that say how it cuts texts → `WordPiece`.

`tokenizer.json` where there is one, else `vocab.txt` with `tokenizer_config.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fathometer.errors import BackboneError
from fathometer.networks.backbone.checkpoint import MOST_JSON_BYTES, Checkpoint, read_json
from fathometer.networks.backbone.wordpiece import Folding, WordPiece, digest_of

TOKENIZER, VOCABULARY, SETTINGS = "tokenizer.json", "vocab.txt", "tokenizer_config.json"
LONGEST_WORD = 100  # characters, as in BERT's own code
MOST_PIECES = 1_000_000
WANTED = "texts are cut by WordPiece, as BERT, DistilBERT, MiniLM, BGE and E5 models do"


def read_wordpiece(folder: Path, *, has_ends: bool) -> WordPiece:
    """The vocabulary in a folder and its rules.

    has_ends: whether every text is put between two special tokens.

    Raises:
        BackboneError: if the files are absent, damaged, or of another way to cut texts.
    """
    settings = read_json(folder / SETTINGS) or {}
    stated = read_json(folder / TOKENIZER)
    if stated is not None:
        return _from_tokenizer(folder / TOKENIZER, stated, settings, has_ends)
    path = folder / VOCABULARY
    if not path.is_file():
        raise BackboneError(
            f"{folder} holds neither {TOKENIZER} nor {VOCABULARY}: a checkpoint that reads texts "
            "needs its vocabulary.",
            details=WANTED,
        )
    lowers = settings.get("do_lower_case", True) is not False
    strips = settings.get("strip_accents")
    spaces = settings.get("tokenize_chinese_chars", True) is not False
    folding = Folding(True, spaces, lowers if strips is None else strips is True, lowers)
    rules = _Rules(folding, "##", LONGEST_WORD, _special(settings, "unk", "[UNK]"))
    return _assembled(path, _read_vocabulary(path), rules, settings, has_ends)


def check_rows(checkpoint: Checkpoint, cutter: WordPiece, rows: int) -> None:
    """Every piece needs a vector.

    Raises:
        BackboneError: if one has none.
    """
    largest = max(cutter.pieces.items(), key=lambda item: item[1])
    if largest[1] >= rows:
        raise checkpoint.refused(
            f"its vocabulary gives {largest[0]!r} the id {largest[1]:,}, but there are vectors for "
            f"{rows:,} pieces"
        )


@dataclass(frozen=True)
class _Rules:
    """What a tokenizer says beside its vocabulary."""

    folding: Folding
    prefix: str
    longest_word: int
    unknown: str


def _assembled(
    path: Path,
    pieces: Mapping[str, int],
    rules: _Rules,
    settings: Mapping[str, object],
    has_ends: bool,
) -> WordPiece:
    names = [rules.unknown]
    if has_ends:
        names += [_special(settings, "cls", "[CLS]"), _special(settings, "sep", "[SEP]")]
    absent = [name for name in names if name not in pieces]
    if absent:
        raise BackboneError(
            f"{path} has no piece {absent[0]!r} among its {len(pieces):,}; every text needs it."
        )
    unknown, *ends = (pieces[name] for name in names)
    return WordPiece(
        digest_of(pieces, [unknown, ends, rules.folding, rules.prefix, rules.longest_word]),
        pieces,
        unknown,
        (ends[0], ends[1]) if has_ends else None,
        rules.folding,
        rules.prefix,
        rules.longest_word,
    )


def _from_tokenizer(
    path: Path, stated: Mapping[str, object], settings: Mapping[str, object], has_ends: bool
) -> WordPiece:
    model = _part(stated, "model")
    kind = model.get("type", "WordPiece" if "continuing_subword_prefix" in model else "no kind")
    if kind != "WordPiece":
        raise BackboneError(f"{path} cuts texts by {kind}, which is not read.", details=WANTED)
    pieces = model.get("vocab")
    if not isinstance(pieces, dict) or not pieces or len(pieces) > MOST_PIECES:
        raise BackboneError(f"{path} has no vocabulary of 1 to {MOST_PIECES:,} pieces.")
    wrong = [name for name, place in pieces.items() if type(place) is not int or place < 0]
    if wrong:
        raise BackboneError(f"{path} gives the piece {wrong[0]!r} the id {pieces[wrong[0]]!r}.")
    longest = model.get("max_input_chars_per_word", LONGEST_WORD)
    if type(longest) is not int or not 1 <= longest <= LONGEST_WORD:
        raise BackboneError(
            f'{path} says "max_input_chars_per_word": {longest!r}; it must be 1 to {LONGEST_WORD}.'
        )
    prefix = model.get("continuing_subword_prefix", "##")
    unknown = model.get("unk_token", "[UNK]")
    rules = _Rules(_folding(path, stated), str(prefix), longest, str(unknown))
    if not rules.prefix:
        raise BackboneError(f"{path} marks no pieces that go on; that is not read.", details=WANTED)
    return _assembled(path, pieces, rules, settings, has_ends)


def _folding(path: Path, stated: Mapping[str, object]) -> Folding:
    """What the tokenizer does to characters."""
    normaliser, splitter = _part(stated, "normalizer"), _part(stated, "pre_tokenizer")
    if splitter.get("type") != "BertPreTokenizer":
        raise BackboneError(
            f"{path} splits words by {splitter.get('type', 'nothing')}; only BertPreTokenizer is "
            "read.",
            details=WANTED,
        )
    if not normaliser:
        return Folding(False, False, False, False)
    if normaliser.get("type") != "BertNormalizer":
        raise BackboneError(
            f"{path} folds characters by {normaliser.get('type', 'nothing')}; only BertNormalizer "
            "is read.",
            details=WANTED,
        )
    lowers = normaliser.get("lowercase", True) is not False
    strips = normaliser.get("strip_accents")
    return Folding(
        normaliser.get("clean_text", True) is not False,
        normaliser.get("handle_chinese_chars", True) is not False,
        lowers if strips is None else strips is True,
        lowers,
    )


def _part(stated: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = stated.get(key)
    return found if isinstance(found, dict) else {}


def _special(settings: Mapping[str, object], name: str, default: str) -> str:
    """How a special token is written: as text, or as an object that holds it."""
    found = settings.get(f"{name}_token", default)
    if isinstance(found, dict):
        found = found.get("content", default)
    return found if isinstance(found, str) else default


def _read_vocabulary(path: Path) -> dict[str, int]:
    """A piece a line; its place is its id."""
    if path.stat().st_size > MOST_JSON_BYTES:
        raise BackboneError(f"{path} has more than {MOST_JSON_BYTES:,} bytes.")
    try:
        lines = path.read_bytes().decode().split("\n")
    except UnicodeDecodeError as error:
        raise BackboneError(f"{path} is not UTF-8: {error}.") from error
    if not lines[-1]:
        lines.pop()
    pieces = {line.removesuffix("\r"): place for place, line in enumerate(lines)}
    if not pieces or len(pieces) > MOST_PIECES:
        raise BackboneError(f"{path} has {len(pieces):,} pieces; 1 to {MOST_PIECES:,} are read.")
    return pieces
