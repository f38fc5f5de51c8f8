"""The report for an issue or a wiki."""

from html import unescape

import pytest

from gate.analysis.report.words import render_report
from gate.reporters.ansi import Style
from tests.analysis.memory import file, slo
from tests.analysis.telling import DAY, slots
from tests.reporters.reports import BOTH, HOSTILE, HOSTILE_FIELDS, hostile, made


def test_a_chart_of_text_shows_how_it_came_down_and_why() -> None:
    text = unescape(render_report("markdown", made(file("chat", slo("outage"))), Style()))
    chart = text.split("<pre><code>")[1].split("</code></pre>")[0].splitlines()

    # 60 cells of half a day: the outage is 9 days before the end, the slow hours 3; both end before
    # the next cell. The deploys are just before the outage, and 5 days before the end.
    assert [line[:10].strip() for line in chart] == [
        "left",
        "burn rate",
        "incidents",
        "deploys",
        "",
    ]
    assert chart[0].endswith("  100% to 85%")
    assert chart[1].endswith("  at most 20.00")
    assert chart[0][11:71] == "█" * 54 + "▇" * 6
    assert [place for place, sign in enumerate(chart[1][11:71]) if sign != "▁"] == [20, 42, 54]
    assert [place for place, sign in enumerate(chart[2][11:71]) if sign == "^"] == [42, 54]
    assert [place for place, sign in enumerate(chart[3][11:71]) if sign == "^"] == [41, 50]
    assert chart[4].split() == ["2", "Oct", "1", "Nov"]


def test_what_was_not_measured_is_reported_in_place_of_the_chart() -> None:
    text = render_report("markdown", made(file("chat", slo("nobody"), BOTH)), Style())

    assert "The history could not be measured: no data, there is nothing." in text
    assert "No burn rate is drawn: it is a composite; its members are" in text
    assert "<pre>" not in text


@pytest.mark.slow
def test_what_was_is_drawn_where_the_budget_is_not_known_now() -> None:
    told = {"old": [*slots(60), *slots(30, bad={(30.0, 720.0): -1})]}
    text = render_report(
        "markdown", made(file("chat", slo("old")), told=told, last=60 * DAY), Style()
    )

    assert "The budget could not be measured: there is nothing." in text
    assert "left       ██" in text
    assert "100% to -" in text
    assert "burn rate  ▁" in text


def test_a_chart_has_what_there_is_of_a_budget_and_of_its_burn_rate() -> None:
    both = "  - {name: both, composite: [{slo: outage}, {slo: calm}]}\n"
    young = made(file("chat", slo("young")), told={"young": slots(20)}, last=DAY)
    charts = [
        unescape(render_report("markdown", one, Style()))
        .split("<pre><code>")[-1]
        .split("</code>")[0]
        for one in (made(file("chat", slo("outage"), slo("calm"), both)), young)
    ]

    assert [("left " in chart, "burn rate " in chart) for chart in charts] == [
        (True, False),
        (False, True),
    ]


def test_what_ate_a_budget_is_reported_in_a_sentence() -> None:
    text = unescape(render_report("markdown", made(file("chat", slo("outage"))), Style()))

    assert "**Budget used:** 15.0% of the budget: 8.4% in #\u200b2; 5.6% in" in text


def test_a_change_that_was_asked_about_is_reported_first() -> None:
    found = made(file("chat", slo("outage")), change="canary")

    assert "## ✅ ALLOW: canary of chat" in render_report("markdown", found, Style())


def test_hostile_texts_cannot_break_out() -> None:
    text = render_report("markdown", made(hostile(), **HOSTILE_FIELDS), Style())

    assert HOSTILE not in text
    assert "<img" not in text
    assert "](" not in text
    assert "@here" not in text


@pytest.mark.slow
def test_known_incidents_that_nothing_felt_are_reported() -> None:
    unfelt = made(file("chat", slo("calm")))
    felt = made(file("chat", slo("outage")))

    assert "**Not felt:**" in render_report("markdown", unfelt, Style())
    assert "**Not felt:**" not in render_report("markdown", felt, Style())


def test_what_other_commands_say_is_reported_too() -> None:
    text = render_report("markdown", made(file("chat", slo("outage")), by="template"), Style())

    assert "## ✅ LASTS: chat" in text
    assert "## ⚠️ WAS OUT OF CONTROL: chat" in text
    assert "## ⛔ 1 COHORT BURNS MORE: chat" in text
    assert text.count("Policy:") == 1
