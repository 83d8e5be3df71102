import base64
import hashlib
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest

from fathometer.graph import Element
from fathometer.report.content import ColumnLine, FileLine, InputLine
from fathometer.report.page import SECTIONS, asset, render
from fathometer.table.sources.raw import RejectedLine
from fathometer.table.task import Task, TaskKind
from fathometer.verdict.verdict import Verdict

EVIL = "<script>alert('x')</script><img src=x onerror=alert(1)>"
VOID = {"meta", "input", "br"}


class Outline(HTMLParser):
    """Collects the elements of a page and checks that they nest."""

    def __init__(self, page):
        super().__init__()
        self.open, self.seen, self.ids = [], [], []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, name, attributes):
        self.seen.append((name, dict(attributes)))
        self.ids += [value for key, value in attributes if key == "id"]
        if name not in VOID:
            self.open.append(name)

    def handle_endtag(self, name):
        assert self.open.pop() == name


@pytest.fixture(params=["binary", "multiclass", "regression"])
def content(request):
    return request.getfixturevalue(request.param)


def test_the_page_is_well_formed_and_its_links_lead_somewhere(content):
    outline = Outline(render(content))
    targets = {a["href"][1:] for name, a in outline.seen if name == "a"}
    assert targets <= set(outline.ids)
    assert len(outline.ids) == len(set(outline.ids))


def test_the_outputs_are_named_as_in_the_file_with_their_shapes(binary, regression):
    renamed = replace(regression, outputs=("value_",))
    assert "Outputs: label (rows) and probability (rows, classes)." in render(binary)
    assert "Outputs: value_ (rows)." in render(renamed)


def test_who_is_handed_a_file_with_training_rows_in_it_is_said(binary):
    assert "training rows in numbers" not in render(binary)
    page = render(replace(binary, rows_held="2,500 training rows"))
    assert "The file holds 2,500 training rows in numbers" in page


def test_no_more_refused_lines_are_promised_than_are_listed(binary):
    assert "1 line could not be read; rejected.csv holds all that were refused." in render(binary)
    many = replace(binary, rejected_count=12_345, rejected_listed=10_000)
    assert "12,345 lines could not be read; rejected.csv holds the first 10,000" in render(many)


def test_the_verdict_is_the_first_heading(content):
    page = render(content)
    assert page.index(content.verdict.headline, page.index("<body>")) < page.index("<h2")
    assert all(sentence in page for sentence in content.verdict.sentences)


def test_a_decision_maker_reads_what_more_data_brings_before_what_it_costs(binary):
    keys = [section.key for section in SECTIONS]
    assert keys[:5] == ["contest", "evidence", "more", "cost", "credit"]
    drawn = re.findall(r'<section id="(\w+)"', render(binary))
    assert drawn == [key for key in keys if key in drawn]
    assert {"contest", "cost", "leaderboard", "use"} <= set(drawn)


def test_the_page_is_under_two_megabytes_and_the_same_each_time(content):
    page = render(content)
    assert len(page.encode()) < 2_000_000
    assert page == render(content)


def test_nothing_is_fetched_from_anywhere(content):
    page = unescape(render(content))
    assert not re.search(r"https?:|src=|@import|url\(", page)
    assert "default-src 'none'" in page


def test_only_our_own_script_may_run(content):
    page = unescape(render(content))
    digest = base64.b64encode(hashlib.sha256(asset("report.js").encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert page.count("<script") == 1


def test_every_chart_has_a_text_alternative(content):
    svgs = [a for name, a in Outline(render(content)).seen if name == "svg"]
    assert all(a.get("aria-label") or a.get("aria-hidden") for a in svgs)


def test_names_full_of_markup_are_harmless(binary):
    evil = (EVIL, "b")
    cards = (replace(binary.scorecards[0], name=EVIL, reading=EVIL, chosen=EVIL, reads_as=EVIL),)
    page = render(
        replace(
            binary,
            source=EVIL,
            columns=(ColumnLine(EVIL, "number", EVIL, 1, EVIL),),
            task=Task(TaskKind.CLASSIFY, EVIL, "roc_auc", evil, reason=EVIL),
            scorecards=(*cards, replace(cards[0], quality=None, state="failed", failure=EVIL)),
            verdict=Verdict("undecided", EVIL, (EVIL,), EVIL, None, (EVIL, EVIL), (EVIL,), (EVIL,)),
            inputs=(InputLine(EVIL, Element.STRING, EVIL),),
            versions={EVIL: EVIL},
            files=(FileLine(EVIL, 1, EVIL),),
            rejected=(RejectedLine(1, EVIL, EVIL),),
            reliability=tuple(replace(r, model=EVIL, of=EVIL) for r in binary.reliability),
            confusions=tuple(replace(c, model=EVIL, classes=evil) for c in binary.confusions),
            command=EVIL, split=EVIL, terms=(EVIL,), machine=EVIL, parity=EVIL, notes=(EVIL,),
            suspicions=(EVIL,), winner_file=EVIL,
        )
    )  # fmt: skip
    outline = Outline(page)
    assert page.count("<script") == 1
    assert not any(name == "img" for name, _ in outline.seen)
    assert not any(key.startswith("on") for _, a in outline.seen for key in a)


def test_a_run_in_which_nobody_finished_still_has_a_report(binary):
    lost = Verdict("undecided", "No contestant finished.", (), "", None, (), ())
    page = render(replace(binary, scorecards=binary.unfinished, verdict=lost, reliability=(),
                          confusions=()))  # fmt: skip
    assert "ran out of memory" in page


def test_a_run_with_one_family_says_that_there_is_no_comparison(binary):
    alone = replace(binary, verdict=replace(binary.verdict, gap=None))
    assert "no comparison to make" in render(alone)


def test_a_run_with_one_contestant_without_a_bill_is_drawn(binary):
    card = replace(binary.scorecards[0], bill=None)
    assert "CatBoost" in render(replace(binary, scorecards=(card,)))


def test_the_tone_is_calm(content):
    page = render(content)
    words = re.sub(r"<(style|script|pre).*?</\1>|<[^>]*>", " ", page, flags=re.S)
    assert "!" not in words
