"""Promises of the section for who checks the verdict, and of a challenger in the charts."""

import re

from fathometer.report.page import render


def test_the_verdict_is_said_again_in_the_terms_of_the_field(binary):
    page = render(binary)
    start = page.index('id="evidence"')
    section = page[start : page.index("</section>", start)]
    assert all(line.split(" = ")[0] in section for line in binary.verdict.expert)
    assert "5 folds, corrected resampled t" in section
    assert "Every two contestants (66 pairs)" in section
    assert "−0.00011 EUR" in section  # to train
    assert "−260 MB" in section
    assert "−26 µs" in section
    assert section.count("<tr>") == 1 + 2 + 1 + 8 + 1 + 66


def test_every_number_has_its_interval(binary):
    page = render(binary)
    assert "0.830 [0.740, 0.880]" in page  # accuracy
    assert re.search(r"0\.030 \[0\.000, 0\.060\]", page)  # calibration error
    assert "91 % [85, 95] of 90 %" in page  # how often intervals held


def test_a_challenger_has_its_own_mark_and_no_price_of_training(binary):
    page = render(binary)
    assert "challenger: not trained here, may have seen these rows" in page
    assert 'class="mark challenger"' in page
    row = next(each for each in re.findall(r"<tr>.*?</tr>", page) if "theirs.onnx" in each)
    assert "nan" not in row
    assert row.count("–") >= 3


def test_a_verdict_without_evidence_has_no_such_section(regression):
    from dataclasses import replace

    bare = replace(regression, verdict=replace(regression.verdict, gap=None))
    assert 'id="evidence"' not in render(bare)
