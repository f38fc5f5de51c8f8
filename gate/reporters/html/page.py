"""The page as a whole: head, where to go, the sections of every service, where it comes from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gate.decision.report import Report, ServiceReport
from gate.reporters import incidents_words
from gate.reporters import report_words as words
from gate.reporters.html.sections import SECTIONS
from gate.reporters.html.tables import facts
from gate.reporters.html.tags import Html, element

_STYLE: Final = Path(__file__).with_name("report.css")
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""A browser fetches nothing and runs nothing, whatever else stands on the page."""


def page(report: Report) -> str:
    """Return the document."""
    body = element(
        "body",
        element("a", "Skip to the report", href="#report", class_="skip"),
        element("header", element("h1", words.title(report)), element("p", words.about(report))),
        element("nav", element("ul", *_goals(report)), aria_label="On this page"),
        element("main", *_services(report), id="report"),
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


def _services(report: Report) -> Iterator[Html]:
    for number, service in enumerate(report.services, start=1):
        for place, (heading, section) in enumerate(SECTIONS, start=1):
            name = _name(number, place)
            yield element(
                "section",
                element("h2", _heading(heading, service, report), id=name),
                *section(service, report, name),
                aria_labelledby=name,
            )


def _goals(report: Report) -> Iterator[Html]:
    for number, service in enumerate(report.services, start=1):
        for place, (heading, _) in enumerate(SECTIONS, start=1):
            text = _heading(heading, service, report)
            yield element("li", element("a", text, href=f"#{_name(number, place)}"))


def _heading(heading: str, service: ServiceReport, report: Report) -> str:
    """Name a section, with its service where there are several."""
    return f"{service.policy.service}: {heading}" if len(report.services) > 1 else heading


def _name(number: int, place: int) -> str:
    return f"part-{number}-{place}"
