from fathometer.report.markup import tag
from fathometer.report.pieces import bullets, paragraph


def test_no_line_ends_between_a_number_and_its_unit() -> None:
    assert paragraph("14 % took 1.0 s against 190 ms") == (
        "<p>14\N{NO-BREAK SPACE}% took 1.0\N{NO-BREAK SPACE}s against 190\N{NO-BREAK SPACE}ms</p>"
    )
    assert "1.58\N{NO-BREAK SPACE}MB" in bullets(["a file of 1.58 MB"])


def test_other_words_after_a_number_may_start_a_line() -> None:
    assert paragraph("3 sets, 2 Boosters") == "<p>3 sets, 2 Boosters</p>"


def test_what_is_markup_already_stays_as_it_is() -> None:
    assert paragraph(tag("code", {}, "100 % 7")) == "<p><code>100 % 7</code></p>"
