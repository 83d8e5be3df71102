"""Which script a character belongs to."""

import pytest

from fathometer.features.scripts import NAMES, NO_LETTER, OTHER, SCRIPTS, scripts_of

LETTERS = {
    "Latin": "aéßł",
    "Cyrillic": "жіў",
    "Greek": "Ωλ",
    "Arabic": "بپے",
    "Hebrew": "ש",
    "Devanagari": "क",
    "Bengali": "ক",
    "Gurmukhi": "ਕ",
    "Gujarati": "ક",
    "Odia": "କ",
    "Tamil": "க",
    "Telugu": "క",
    "Kannada": "ಕ",
    "Malayalam": "ക",
    "Sinhala": "ක",
    "Thai": "ก",
    "Lao": "ກ",
    "Khmer": "ក",
    "Burmese": "က",
    "Han (Chinese characters)": "好東",
    "Hiragana and Katakana (Japanese)": "のカ",
    "Hangul (Korean)": "한",
    "Georgian": "ქ",
    "Armenian": "հ",
    OTHER: "ᚠ",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_letter_belongs_to_its_script(name):
    assert [NAMES[place] for place in scripts_of(LETTERS[name])] == [name] * len(LETTERS[name])


def test_signs_digits_and_emoji_belong_to_none():
    assert set(scripts_of(" 1!🙂_₽")) == {NO_LETTER}
    assert len(scripts_of("")) == 0


def test_every_script_is_a_class_of_its_own():
    assert len(set(SCRIPTS.values())) == len(SCRIPTS)
