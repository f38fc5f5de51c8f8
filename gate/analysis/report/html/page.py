"""The page as a whole: head, where to go, the sections of every service, where it comes from."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from gate.analysis.incidents import words as incidents_words
from gate.analysis.report import words
from gate.analysis.report.html.sections import SECTIONS
from gate.analysis.report.html.tags import Html, element, facts
from gate.analysis.report.result import Report, ServiceReport

Section = tuple[str, str, list[Html]]
"""The name of the element, the heading, and what stands below."""


_STYLE: Final = Path(__file__).with_name("report.css")


_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""A browser fetches nothing and runs nothing, whatever else stands on the page."""


def page(report: Report) -> str:
    """Return the document."""
    sections = list(_sections(report))
    body = element(
        "body",
        element("a", "Skip to the report", href="#report", class_="skip"),
        element("header", element("h1", words.title(report)), element("p", words.about(report))),
        element("nav", element("ul", *_goals(sections)), aria_label="On this page"),
        element("main", *_written(sections), id="report"),
        element(
            "footer", facts([*incidents_words.unfelt(report.incidents), *words.closing(report)])
        ),
    )
    return f"<!DOCTYPE html>\n{element('html', _head(report), body, lang='en')}\n"


def _head(report: Report) -> Html:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", words.title(report)),
        element("style", Html(_STYLE.read_text(encoding="utf-8"))),
    )


def _written(sections: Sequence[Section]) -> Iterator[Html]:
    for name, heading, parts in sections:
        title = element("h2", heading, id=name)
        yield element("section", title, *parts, aria_labelledby=name)


def _goals(sections: Sequence[Section]) -> Iterator[Html]:
    for name, heading, _ in sections:
        yield element("li", element("a", heading, href=f"#{name}"))


def _sections(report: Report) -> Iterator[Section]:
    """Yield the name, the heading and the content of each section that has any."""
    for number, service in enumerate(report.services, start=1):
        for place, (heading, section) in enumerate(SECTIONS, start=1):
            name = f"part-{number}-{place}"
            if parts := list(section(service, report, name)):
                yield name, _heading(heading, service, report), parts


def _heading(heading: str, service: ServiceReport, report: Report) -> str:
    """Name a section, with its service where there are several."""
    return f"{service.policy.service}: {heading}" if len(report.services) > 1 else heading
