"""The page in a real browser: no errors, no overflow on a phone, something to see."""

import os
import re
import shutil
import subprocess
from dataclasses import replace
from html import escape

import pytest

from fathometer.report.page import render

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--enable-logging=stderr", "--virtual-time-budget=3000",
)  # fmt: skip
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
# A page within a page, since a window cannot be made as narrow as a phone.
PHONE = """<!doctype html><body><iframe id="phone" width="{width}" height="800"
 srcdoc="{page}"></iframe><script>onload = () => {{
  const page = document.getElementById("phone").contentDocument.documentElement;
  document.title = `width ${{page.scrollWidth}} height ${{page.scrollHeight}} `
    + `hidden ${{page.querySelector("#theme").hidden}}`;
}}</script>"""


@pytest.fixture(params=["binary", "multiclass", "regression"])
def page(request):
    return render(request.getfixturevalue(request.param))


def browse(tmp_path, page, *options):
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    command = [CHROMIUM, *OPTIONS, f"--user-data-dir={tmp_path / 'profile'}", *options, str(path)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=True,
        env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip


def phone_width(page, width, tmp_path):
    """How wide the page is that a phone of this width shows; it must have run and be long."""
    # The policy of the page within binds the script within alone, so it is left in place.
    outside = PHONE.format(width=width, page=escape(page))
    seen = browse(tmp_path, outside, "--dump-dom").stdout
    found = re.search(r"<title>width (\d+) height (\d+) hidden (\w+)</title>", seen)
    assert found, seen[:500]
    assert 2_000 < int(found[2]) < 20_000
    assert found[3] == "false"  # the page's own script has run
    return int(found[1])


@pytest.mark.parametrize("width", [390, 360])
def test_nothing_overflows_on_a_phone(page, width, tmp_path):
    assert phone_width(page, width, tmp_path) <= width


def test_a_name_without_a_blank_does_not_overflow_either(binary, tmp_path):
    long = "x" * 300
    card = replace(binary.scorecards[1], name=long, reads_as=long)
    page = render(
        replace(
            binary, source=long, command=long, machine=long, notes=(long,),
            scorecards=(card, *binary.scorecards),
            verdict=replace(binary.verdict, headline=long, winner=long, rivals=(long, long)),
            reliability=tuple(replace(one, model=long) for one in binary.reliability),
        )
    )  # fmt: skip
    assert phone_width(page, 390, tmp_path) <= 390


@pytest.mark.parametrize("scheme", [0, 1], ids=["dark", "light"])
def test_the_page_is_drawn_without_a_word_in_the_console(page, scheme, tmp_path):
    picture = tmp_path / "page.png"
    said = browse(
        tmp_path, page, f"--screenshot={picture}", "--window-size=1200,2000",
        f"--blink-settings=preferredColorScheme={scheme}",
    )  # fmt: skip
    assert "CONSOLE" not in said.stderr
    assert picture.stat().st_size > 40_000  # an empty page of this size takes 7 KB


def test_a_click_on_a_heading_sorts_the_table(binary, tmp_path):
    # Stands in for a person: the page's policy would not let a foreign script in.
    page = re.sub(r"<meta http-equiv[^>]*>", "", render(binary))
    click = """<script>onload = () => {
      const table = document.querySelector("#leaderboard table");
      table.querySelectorAll("th button")[3].click();
      document.title = "first: " + table.tBodies[0].rows[0].cells[0].textContent;
    }</script></body>"""
    seen = browse(tmp_path, page.replace("</body>", click), "--dump-dom").stdout
    assert "<title>first: constant</title>" in seen
