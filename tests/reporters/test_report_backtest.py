"""The part of a report that tells what the policy would have said."""

import json
from datetime import timedelta
from fractions import Fraction

import pytest

from gate.analysis.backtest.run import by_default
from gate.analysis.incidents import IncidentOptions
from gate.analysis.report import Report
from gate.analysis.report.run import gather_report
from gate.analysis.report.words import render_report
from gate.check.options import Options
from gate.errors import ExitCode
from gate.history.records import Deployment
from gate.reporters.ansi import Style
from tests.analysis.memory import AT, Opening, file, slo
from tests.analysis.minutes import MINUTE, ByTheMinute, Ledger, Minute
from tests.reporters.reports import HOSTILE
from tests.reporters.test_report_html import Page

SERVICES = ("chat",)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OUTAGE = AT - 3 * DAY
"""For an hour half of all fail; a budget of two days is gone then."""
DEPLOYS = (
    Deployment(time=AT - 4 * DAY, revision="v1"),
    Deployment(time=OUTAGE + 2 * HOUR, revision=HOSTILE),
    Deployment(time=OUTAGE + 3 * HOUR, revision="v1", change="rollback"),
)


def made(*deploys: Deployment, backtest: bool = True, gap: bool = False) -> Report:
    minutes: list[Minute] = [(10, 0)] * (8 * DAY // MINUTE)
    first = (OUTAGE - (AT - 8 * DAY)) // MINUTE
    minutes[first : first + 60] = [(10, 5)] * 60
    if gap:
        minutes[-300:-240] = [None] * 60
    search = IncidentOptions(
        at=AT,
        last=5 * DAY,
        step=timedelta(minutes=5),
        threshold=Fraction(6),
        timeout=timedelta(seconds=3),
        deploys=deploys,
    )
    files = [
        file(name, slo("a", budget="objective: 99%").replace("30d", "2d")) for name in SERVICES
    ]
    backend = ByTheMinute({"a": Ledger(AT - 8 * DAY, minutes)})
    past = by_default(search, by_deploys=bool(deploys)) if backtest else None
    return gather_report(
        files,
        Options(at=AT),
        search,
        past=past,
        open_with=Opening(dict.fromkeys(SERVICES, backend)),
    )


@pytest.mark.slow
def test_without_the_question_there_is_no_answer() -> None:
    report = made(*DEPLOYS, backtest=False)

    assert report.backtest is None
    assert "Backtest" not in render_report("html", report, Style())
    assert "Backtest" not in render_report("markdown", report, Style())
    assert json.loads(render_report("json", report, Style()))["backtest"] is None


def test_the_page_draws_the_verdicts_over_the_worst_budget() -> None:
    html = render_report("html", made(*DEPLOYS), Style())
    page = Page(html)

    assert "Backtest" in page.said("h2")
    (title,) = [one for one in page.said("title") if one.startswith("Verdicts on")]
    assert title == "Verdicts on full-rollout over the worst budget of chat"
    assert "WOULD HAVE BLOCKED 1 OF 3" in html
    paths = [path["class"] for path in page.all("path")]
    assert paths.count("closed") == 1
    # One stroke path for what was allowed, one for what was blocked.
    assert {kind for kind in paths if kind and kind.startswith("deploy ")} == {
        "deploy allow",
        "deploy block",
    }
    assert (
        "Shaded stretches would have been closed to full-rollout. Red stretches with a number are"
        " incidents. Strokes below the picture are deploys; red ones would have been blocked."
    ) in html
    assert "what blocking would have changed" in html
    assert "<img" not in html
    assert {
        "What blocks",
        "Closed to full-rollout",
        "Budgets",
        "A single threshold instead",
    } <= set(page.said("h3"))


@pytest.mark.slow
def test_by_the_hour_there_are_no_strokes_and_what_is_undecided_is_grey() -> None:
    html = render_report("html", made(gap=True), Style())
    section = html[html.index("Verdicts on full-rollout") :]

    assert "Grey ones were undecided." in section
    assert "Strokes below" not in section
    assert 'class="lost"' in section


def test_a_service_without_a_deploy_has_no_picture() -> None:
    html = render_report(
        "html", made(Deployment(time=AT - DAY, revision="v", service="mail")), Style()
    )

    assert "NOTHING TO REPLAY" in html
    assert "Verdicts on" not in html


@pytest.mark.slow
def test_other_formats_and_the_exit_code_have_it_too() -> None:
    report = made(*DEPLOYS)
    nothing = made(Deployment(time=AT - DAY, revision="v", service="mail"))

    assert "Backtest of chat" in render_report("terminal", report, Style())
    document = json.loads(render_report("json", report, Style()))
    assert document["backtest"]["services"][0]["policy"]["count"] == 3
    assert report.exit_code is ExitCode.ALLOW
    assert nothing.exit_code is ExitCode.UNDECIDED
