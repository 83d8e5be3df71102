"""Rows that can be looked at: which are chosen, and that nothing in them can become markup."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
from PIL import Image

from fathometer.report import gallery
from fathometer.report.gallery import Gallery
from fathometer.report.gallery_section import mistakes, samples
from fathometer.table.kind import Kind
from fathometer.table.table import column_from, picture_column

CLASSES = ("coat", "shirt", "shoe")
TRUTH = np.array([0, 0, 1, 1, 2, 2])
# Row 0 right, row 1 a shirt and sure, row 2 right, row 3 a coat and unsure, rows 4 and 5 right.
SCORES = np.array(
    [[0.9, 0.1, 0], [0.05, 0.95, 0], [0.1, 0.9, 0], [0.6, 0.4, 0], [0, 0, 1.0], [0, 0, 1.0]]
)


def pictures():
    pixels = np.random.default_rng(0).integers(0, 256, (12, 8, 6, 3), dtype=np.uint8)
    return picture_column("photo", pixels), pixels


def test_surest_mistakes_come_first_and_show_their_own_pixels():
    column, pixels = pictures()
    rows = np.arange(6, 12)
    pairs, worst = gallery.mistakes_in_classes(column, CLASSES, TRUTH, SCORES, rows)
    assert [(one.truth, one.answered, one.sureness) for one in worst] == [
        ("coat", "shirt", 0.95),
        ("shirt", "coat", 0.6),
    ]
    assert [(pair.truth, pair.answered, pair.count) for pair in pairs] == [
        ("coat", "shirt", 1),
        ("shirt", "coat", 1),
    ]
    shown = np.asarray(Image.open(io.BytesIO(worst[0].picture)))
    assert np.array_equal(shown, pixels[7])


def test_a_faultless_contestant_has_no_mistakes():
    column, _ = pictures()
    faultless = np.eye(3)[TRUTH]
    found = gallery.mistakes_in_classes(column, CLASSES, TRUTH, faultless, np.arange(6))
    assert found == ((), ())


def test_values_are_shown_by_their_distance():
    column = column_from("review", Kind.TEXT, [f"a text that is long enough {n}" for n in range(3)])
    worst = gallery.mistakes_in_values(
        column, np.array([1.0, 5.0, 2.0]), np.array([1.5, 1.0, 2.0]), np.arange(3)
    )
    assert [(one.truth, one.answered) for one in worst[:2]] == [("5", "1"), ("1", "1.5")]


def test_names_and_codes_are_not_shown_but_sentences_are():
    names = column_from("name", Kind.TEXT, ["Allen, Miss. Elisabeth"] * 3)
    said = column_from("said", Kind.TEXT, ["It did not fit at all and I sent it back."] * 3)
    assert not gallery.shows(names)
    assert gallery.shows(said)


def test_texts_cannot_become_markup(multiclass):
    column = column_from("said", Kind.TEXT, ["<script>alert(1)</script> and so on"] * 6)
    pairs, worst = gallery.mistakes_in_classes(column, CLASSES, TRUTH, SCORES, np.arange(6))
    rows = gallery.samples_of(column, CLASSES, TRUTH, np.arange(6))
    one = Gallery("said", "logistic", rows, ("Texts of 8 words.",), pairs, worst)
    content = replace(multiclass, galleries=(one,))
    drawn = samples(content) + mistakes(content)
    assert "<script>" not in drawn
    assert "&lt;script&gt;" in drawn
    assert "coat taken for shirt, 1 row" in drawn
    assert "Texts of 8 words." in drawn
