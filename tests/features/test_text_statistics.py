"""What is told of a column of texts."""

import pytest

from fathometer.features import text_statistics
from fathometer.features.text_statistics import text_statistics as describe
from fathometer.table.kind import Kind
from fathometer.table.table import column_from


def column(values):
    return column_from("review", Kind.TEXT, values)


def test_lengths_and_empty_texts_are_counted():
    found = describe(column(["one two three", None, "four", "", "don't!"]))
    assert (found.texts, found.empty, found.looked_at) == (5, 2, 3)
    assert found.words[1] == 1
    assert found.longest == len("one two three")
    assert found.distinct_words == 5
    assert found.sentences()[0] == "5 texts, 2 of them empty."


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("plain English with café", "Latin"),
        ("обычный русский текст", "Cyrillic"),
        ("今天天气很好", "Han (Chinese characters)"),
        ("ひらがな カタカナ", "Hiragana and Katakana (Japanese)"),
        ("مرحبا بالعالم", "Arabic"),
        ("שלום עולם", "Hebrew"),
        ("สวัสดีครับ", "Thai"),
    ],
)
def test_the_script_of_most_letters_is_told_first(text, script):
    found = describe(column([text]))
    assert found.scripts[0] == (script, pytest.approx(1.0))


def test_the_languages_are_told_after_the_scripts():
    found = describe(
        column(["this is what it was like when we had it", "das ist nicht so gut"] * 3)
    )
    assert found.sentences()[3:6] == (
        "Scripts: Latin 100%.",
        "Languages, guessed: English 50%, German 50%.",
        "Mixed: English and German, each in 10% of the texts or more.",
    )


def test_shares_of_scripts_add_up_to_all_letters():
    found = describe(column(["ab вг 12 !?", "ab ᚠᚢ"]))
    assert dict(found.scripts) == pytest.approx(
        {"Latin": 0.5, "Cyrillic": 0.25, "other scripts": 0.25}
    )


def test_markup_addresses_and_emoji_are_found():
    found = describe(
        column(["a <br /> b", "see www.example.org", "so good 🙂", "2 < 3 and 5 > 4 & 1", "&amp;"])
    )
    assert (found.html, found.addresses, found.emoji) == pytest.approx((0.4, 0.2, 0.2))
    assert "HTML in 40.0% of the texts." in found.sentences()


def test_of_many_texts_every_so_many_are_looked_at(monkeypatch):
    monkeypatch.setattr(text_statistics, "MOST_TEXTS", 10)
    found = describe(column(["word"] * 95))
    assert found.looked_at == 10
    assert found.sentences()[-1] == "Measured on 10 of them."


def test_a_column_without_a_text_is_described():
    found = describe(column([None, ""]))
    assert found.sentences() == ("2 texts, 2 of them empty.",)
