"""The page: sections from the verdict down to the model file, in one HTML file without a network.

The file states a content security policy that allows its own script by hash and nothing else, so
nothing in it can reach out or run, whatever the data was called."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources

from fathometer.report import (
    credit_section,
    curve_chart,
    evidence_section,
    fit_section,
    gallery_section,
    importance_section,
    opening,
    sections,
    use_section,
)
from fathometer.report.content import ReportContent
from fathometer.report.markup import Markup, tag, together


@dataclass(frozen=True)
class Section:
    """One part of the page: its anchor, its short name, its title, and how it is drawn."""

    key: str
    name: str
    title: str
    draw: Callable[[ReportContent], Markup]


# In reading order: a decision maker stops early, an engineer starts at the end.
SECTIONS = (
    Section("contest", "Contest", "The contest", sections.contest),
    Section("evidence", "Evidence", "How the verdict was found", evidence_section.evidence),
    Section("more", "More data", "What more data would change", curve_chart.outlook),
    Section("cost", "Cost", "Cost against quality", sections.costs),
    Section(
        "credit", "Credit", "Features or learner: who deserves the credit", credit_section.credit
    ),
    Section("looks", "Looks at", "What the winner looks at", importance_section.importance),
    Section("leaderboard", "Leaderboard", "Leaderboard", sections.board),
    Section("absent", "Absent", "Failed or not entered", sections.absent),
    Section("errors", "Errors", "Where they err", fit_section.errors),
    Section("mistakes", "Mistakes", "Mistakes to look at", gallery_section.mistakes),
    Section("samples", "Samples", "What the rows look like", gallery_section.samples),
    Section("readable", "Readable", "Models a person can read", sections.readable),
    Section("columns", "Columns", "Columns", sections.columns),
    Section("rejected", "Rejected", "Rejected rows", sections.rejected),
    Section("doubts", "Doubts", "Doubts and warnings", sections.doubts),
    Section("terms", "Terms", "Terms, and how to repeat", use_section.terms),
    Section("use", "Use", "Using the model file", use_section.use),
)


def render(content: ReportContent) -> str:
    """The report as one HTML document; the same content gives the same text."""
    drawn = [(section, section.draw(content)) for section in SECTIONS]
    present = [(section, body) for section, body in drawn if body]
    script = asset("report.js")
    return together(
        Markup("<!doctype html>\n"),
        tag(
            "html",
            {"lang": "en"},
            _head(content, script),
            tag(
                "body",
                {},
                opening.verdict(content),
                _contents([section for section, _ in present]),
                tag("main", {}, *[_titled(*part) for part in present]),
                tag("footer", {}, _signature(content)),
                tag("script", {}, Markup(script)),
            ),
        ),
        "\n",
    )


def asset(name: str) -> str:
    """A style sheet or script that ships in this package."""
    return resources.files("fathometer.report").joinpath(name).read_text(encoding="utf-8")


def _head(content: ReportContent, script: str) -> Markup:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    return tag(
        "head",
        {},
        tag("meta", {"charset": "utf-8"}),
        tag("meta", {"http-equiv": "Content-Security-Policy", "content": policy}),
        tag("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        tag("meta", {"name": "color-scheme", "content": "light dark"}),
        tag("meta", {"name": "generator", "content": "Fathometer"}),
        tag("title", {}, f"{content.source}: {content.verdict.headline}"),
        tag("style", {}, Markup(asset("report.css"))),
    )


def _contents(present: Sequence[Section]) -> Markup:
    links = [tag("a", {"href": f"#{section.key}"}, section.name) for section in present]
    return tag("nav", {"aria-label": "Sections"}, tag("div", {}, *links))


def _titled(section: Section, body: Markup) -> Markup:
    heading = tag("h2", {"id": f"{section.key}-title"}, section.title)
    looks = {"id": section.key, "aria-labelledby": f"{section.key}-title"}
    return tag("section", looks, heading, body)


def _signature(content: ReportContent) -> Markup:
    version = content.versions.get("fathometer", "")
    return together(f"Fathometer {version} · {content.source} · seed {content.seed}".strip())
