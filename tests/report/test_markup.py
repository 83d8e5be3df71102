from fathometer.report.markup import Markup, tag, text, together


def test_plain_strings_are_escaped_in_content_and_in_attributes():
    written = tag("td", {"title": 'a"><script>'}, "<script>alert(1)</script>")
    assert "<script" not in written
    assert written.count("&lt;script&gt;") == 2


def test_markup_is_not_escaped_again():
    assert tag("p", {}, tag("b", {}, "a & b")) == "<p><b>a &amp; b</b></p>"
    assert together(Markup("<br>"), "<") == "<br>&lt;"


def test_letters_that_no_html_may_hold_are_replaced():
    assert text("a\x00b\ud800c\td") == "a\ufffdb\ufffdc\td"
    text("a\x00b\ud800c").encode("utf-8")


def test_numbers_in_attributes_are_short():
    assert tag("line", {"x1": 1 / 3, "y1": 2.0}) == '<line x1="0.33" y1="2"></line>'
