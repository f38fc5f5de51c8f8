"""The page as a document: whole, in order, and with nothing foreign in it."""

import re
from fractions import Fraction
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from gate.analysis.report import Report, budget_history
from gate.analysis.report.html.tags import element, link, table, text
from gate.analysis.report.html.traces import _burned
from gate.analysis.report.words import render_report
from gate.history.past_budget import Trace
from gate.policy.findings import Verdict
from gate.reporters.ansi import Style
from gate.reporters.page import Cell, Column, DataTable
from tests.analysis.memory import AT, file, slo
from tests.analysis.telling import DAY, SLOT, slots
from tests.reporters.reports import (
    BOTH,
    HOSTILE,
    HOSTILE_FIELDS,
    QUARTER,
    STORY,
    hostile,
    made,
    whole,
)

VOID = {"meta", "link", "br"}


class Page(HTMLParser):
    """The elements of a page; every element is closed where it should be."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(re.sub('<span class="whole">([^<]*)</span>', r"\1", html))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), attrs
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.append((self.open[-1], data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def said(self, tag: str) -> list[str]:
        return [data for name, data in self.texts if name == tag]

    @property
    def whole_text(self) -> str:
        return " ".join(data for _, data in self.texts).replace("\xa0", " ")


def page(report: Report) -> Page:
    return Page(render_report("html", report, Style()))


@pytest.fixture(scope="module")
def every_kind() -> Page:
    return page(whole())


@pytest.mark.slow
def test_a_sign_stays_on_the_line_of_its_name() -> None:
    column: Column[str] = Column(title="SLO", cell=str, right=False, keep=0)
    rows = ((Cell(text="▶ answers that help", strong=True),),)

    written = table(DataTable(columns=(column,), rows=rows, tones=(Verdict.ALLOW,)), "Budgets")

    assert "▶\u00a0answers that help" in written


def test_of_an_overspent_budget_no_row_says_that_something_is_left(every_kind: Page) -> None:
    assert [cell for cell in every_kind.said("td") if cell.startswith("-") and "%" in cell] == []
    assert any(cell.startswith("overspent by") for cell in every_kind.said("td"))


def test_every_id_is_there_once_and_every_link_and_label_leads_to_one(every_kind: Page) -> None:
    ids = [one["id"] for _, one in every_kind.elements if "id" in one]
    goals = [str(one["href"]).removeprefix("#") for one in every_kind.all("a") if "href" in one]
    within = [goal for goal in goals if not goal.startswith("http")]
    labels = [
        name
        for _, one in every_kind.elements
        for name in (one.get("aria-labelledby") or "").split()
    ]

    assert len(ids) == len(set(ids))
    assert set(within) | set(labels) <= set(ids)


def test_headings_leave_out_no_level(every_kind: Page) -> None:
    levels = [int(tag[1]) for tag, _ in every_kind.elements if re.fullmatch("h[1-6]", tag)]

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


def test_a_browser_may_fetch_and_run_nothing(every_kind: Page) -> None:
    policy = next(one for one in every_kind.all("meta") if "http-equiv" in one)
    tags = {tag for tag, _ in every_kind.elements}

    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert tags & {"script", "img", "link", "iframe", "object", "use", "image"} == set()
    for _, attributes in every_kind.elements:
        assert not any(name.startswith("on") or name == "src" for name in attributes)
        assert "url(" not in (attributes.get("style") or "")
    assert "url(" not in " ".join(every_kind.said("style"))
    assert "@import" not in " ".join(every_kind.said("style"))


def test_every_picture_says_what_it_shows_and_has_its_numbers(every_kind: Page) -> None:
    pictures = [one for one in every_kind.all("svg") if "role" in one]
    titles, tables = every_kind.said("title"), every_kind.said("caption")

    # Four for each of outage, gap, quarter and the hostile outage; and control charts of the means
    # of both outages.
    assert len(pictures) == 4 * 4 + 2
    assert {one["role"] for one in pictures} == {"img"}
    assert len(titles) == 1 + len(pictures)
    for title in titles[1:]:
        of_forecast = title.replace("Forecast of", "What becomes of")
        assert {f"{title}, in numbers", of_forecast} & set(tables)


def test_hostile_texts_are_shown_as_they_are() -> None:
    html = render_report("html", made(hostile(), **HOSTILE_FIELDS), Style())
    found = Page(html)
    seen = HOSTILE.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e")

    assert f"evil{seen}" in found.whole_text
    assert found.whole_text.count(seen) > 15
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert all("javascript:" not in str(one.get("href")) for one in found.all("a"))


def test_what_was_not_measured_is_reported_in_place_of_the_picture() -> None:
    found = page(made(file("chat", slo("nobody"), BOTH)))

    assert found.all("svg") == []
    assert "The history could not be measured: no data, there is nothing." in found.whole_text
    assert "No burn rate is drawn: it is a composite; its members are" in found.whole_text
    assert "2 OF 2 NOT MEASURED" in found.whole_text


def test_what_is_known_good_proves_nothing_while_another_budget_is_not_known() -> None:
    found = page(made(file("chat", slo("calm"), slo("nobody"))))

    assert "1 OF 2 NOT MEASURED of what is known, calm: 100.0% of its budget is left" in (
        " ".join(found.whole_text.split())
    )
    assert "HEALTHY" not in found.whole_text


def test_what_is_known_bad_is_reported_although_another_is_not_known() -> None:
    told = {"spent": slots(30, bad={(3.0, 24.0): 0.1})}
    found = page(made(file("chat", slo("spent"), slo("nobody")), told=told))

    assert "EXHAUSTED, 1 OF 2 NOT MEASURED" in found.whole_text


def test_a_history_without_a_budget_is_drawn_as_far_as_it_goes() -> None:
    # Nothing is known of the last thirty days, but of the thirty before.
    told = {"old": [*slots(60), *slots(30, bad={(30.0, 720.0): -1})]}
    found = page(made(file("chat", slo("old")), told=told, last=60 * DAY))

    assert len([one for one in found.all("svg") if "role" in one]) == 2
    assert "The budget could not be measured: there is nothing." in found.whole_text


def test_a_change_that_was_asked_about_is_reported_first() -> None:
    found = page(made(file("chat", slo("outage")), change="canary"))

    assert "✔ ALLOW canary of chat" in " ".join(found.whole_text.split())
    assert "Allowed now" in found.said("dt")


def test_without_a_change_each_class_is_reported() -> None:
    told = {"spent": slots(30, bad={(3.0, 24.0): 0.035})}
    found = page(made(file("chat", slo("spent")), told=told))

    labels = found.said("dt")
    assert labels[:3] == ["May ship", "May not ship", "Because"]
    # 86,400 x 3.5% = 3,024 failed of the 2,592 that may.
    assert "EXHAUSTED spent: its budget is overspent by 16.7%" in " ".join(found.whole_text.split())
    assert "spent overspent by 16.7% (99.9%, 30d)" in " ".join(found.whole_text.split())
    assert "shadow: required first" in found.whole_text


def test_it_is_reported_when_a_class_may_ship_again() -> None:
    # 3,024 failed evenly on the first of the last three days, of 2,592 that may: 116.7%. Of these
    # days' hours 18 are 87.5% and 10 are 48.6%; the first leaves the window 27 days from now.
    spent = {"spent": slots(30, bad={(3.0, 24.0): 0.035})}
    text = page(made(file("chat", slo("spent")), told=spent)).whole_text

    assert "bug-fix, canary (again not before 2026-11-28 06:00 UTC; at the rate of" in text
    assert "reliability-fix (again not before 2026-11-28 14:00 UTC; at the rate of" in text


def test_it_is_reported_when_a_freeze_ends() -> None:
    frozen = "{from: 2026-10-31, to: 2026-11-02, time_zone: UTC, reason: fair, allow: [rollback]}"
    found = page(made(file("chat", slo("calm"), more=f"freezes: [{frozen}]\n")))

    assert "security-patch (again 2026-11-03 00:00 UTC)" in found.whole_text
    assert "frozen: fair (until 2026-11-03 00:00 UTC)" in found.whole_text


@pytest.mark.slow
def test_incidents_close_to_each_other_share_a_mark() -> None:
    close = {(9.0, 1.0): 0.05, (8.5, 1.0): 0.05, (2.0, 1.0): 0.05}
    found = page(made(file("chat", slo("often")), told={"often": slots(60, bad=close)}))

    marks = [text for text in found.said("text") if text.startswith("#")]
    # In the bars each has one of its own, the costliest first, where there is room.
    assert marks[:4] == ["#1-2", "#3"] * 2


@pytest.mark.slow
def test_marks_and_holes_are_explained_where_there_are_any() -> None:
    busy, calm = (
        page(made(file("chat", slo("gap")))),
        page(made(file("chat", slo("calm")), deploys=())),
    )
    sentences = (
        "Red stretches with a number are incidents.",
        "Strokes below a picture are deploys.",
        "Grey stretches have no data.",
    )

    for sentence in sentences:
        assert sentence in busy.whole_text
        assert sentence not in calm.whole_text


@pytest.mark.slow
def test_a_long_hole_is_named_in_the_picture() -> None:
    told = {"lost": slots(60, bad={(20.0, 240.0): -1})}

    assert page(made(file("chat", slo("lost")), told=told)).said("text").count("no data") == 2


def test_known_incidents_that_nothing_felt_stand_at_the_foot() -> None:
    found = page(made(file("chat", slo("calm"))))

    assert "Not felt" in found.said("dt")


def test_several_services_have_sections_of_their_own(every_kind: Page) -> None:
    headings = every_kind.said("h2")

    assert headings[0] == "chat: May it ship?"
    assert any(one.endswith("`@here`: Incidents") for one in headings)
    assert page(made(file("chat", slo("calm")))).said("h2")[0] == "May it ship?"


@pytest.mark.slow
def test_an_slo_of_ninety_days_takes_less_than_a_twentieth_of_two_megabytes() -> None:
    story = slots(90, bad={(day + 0.5, 3.0): 0.01 * (day % 5) for day in range(89)})
    told = {"a": story, "b": story}
    one, two = (
        len(
            render_report(
                "html",
                made(file("chat", *map(slo, names)), told=told, last=90 * DAY, step=SLOT),
                Style(),
            )
        )
        for names in ("a", "ab")
    )

    assert two - one < 100_000


def test_where_the_newest_day_is_not_known_no_line_leads_to_what_is_left_now() -> None:
    told = {"late": slots(60, bad={(1.0, 24.0): -1})}
    found = page(made(file("chat", slo("late")), told=told))

    assert "100.0% on 2 Oct, 100.0% on 1 Nov." in found.whole_text
    lines = [str(one["d"]) for one in found.all("path") if one.get("class") == "main"]
    # The day before begins at 966.7 of 1,000.
    assert re.search("L96[56][.0-9]* 0M1000 0$", lines[0])


@pytest.mark.slow
def test_the_key_beside_a_picture_names_every_tier() -> None:
    found = page(made(file("chat", slo("a")), told={"a": slots(60, bad={(20.0, 72.0): 0.1})}))
    samples = [str(one["class"]) for one in found.all("span") if "tier" in str(one.get("class"))]

    # The picture of what was left and that of the forecast; nothing is written over their lines.
    assert samples == ["sample tier allow", "sample tier warn", "sample tier block"] * 2
    for name in ("healthy > 50%", "caution > 10%", "exhausted"):
        assert found.said("li").count(name) == 2
        assert name not in found.said("text")


def test_all_pictures_of_an_slo_have_the_same_time_axis() -> None:
    found = page(made(file("chat", slo("outage")), last=40 * DAY))
    days = [text for text in found.said("text") if text.endswith((" Sep", " Oct"))]
    own = days[: days.index(days[0], 1)]

    # What was left, the burn rate and what used it up: the window is 30 days of the 40 looked at.
    assert days[: 3 * len(own)] == own * 3
    assert {"not known", "before the window"} <= set(found.said("text"))


def test_good_events_are_reported_down_to_none_and_not_below() -> None:
    lax = slo("lax", budget="objective: 50%")
    found = page(made(file("chat", lax), told={"lax": slots(60)}, threshold=Fraction(20)))
    ticks = [one.replace("\xa0", " ") for one in found.said("text") if "Oct" not in one]

    # Below 0%, 50% and 100% of the budget: at a burn rate of 1 half of the events are good; at 10
    # it would be less than none.
    assert ticks[3:8] == ["0", "100%", "1", "50%", "10"]


def test_what_ate_a_budget_is_drawn_by_the_day_and_told_by_its_causes() -> None:
    found = page(made(file("chat", slo("outage"))))
    text = " ".join(found.whole_text.split())

    # 144 and 216 of the 2,592 in incidents, 28.8 in two hours below the threshold (see STORY).
    assert "What used up the budget of outage of chat" in found.said("title")
    assert "15.0% of the budget: 8.4% in #2; 5.6% in #1; 1.2% outside incidents" in text
    assert "#2 2026-10-29 00:00 to 06:00 UTC (6h) 8.4%" in text
    assert "Other failures outside incidents 1.2%" in text
    assert "Total 15.0%" in text
    bars = [str(one.get("class")) for one in found.all("path")]
    assert (bars.count("eaten"), bars.count("chronic")) == (2, 1)
    assert found.said("text").count("#1") == 3
    assert {"What", "When", "Budget used"} <= set(found.said("th"))


def test_of_many_incidents_the_costliest_are_named_and_the_others_summed_up() -> None:
    often = {(2.0 * n + 1, 2.0): 0.02 + 0.001 * n for n in range(9)}
    found = page(made(file("chat", slo("often")), told={"often": slots(60, bad=often)}))
    text = " ".join(found.whole_text.split())

    # Each is 24 x 300 events, of which 2% and a tenth of a percent more each fail; nine in all.
    assert "3 more incidents" in text
    assert "in 5 more incidents" in text
    assert "% outside incidents" not in text


def test_what_happened_before_the_history_is_reported_as_such() -> None:
    # Slices do not need the whole window to be told of, so that less of it is asked for.
    told = {"spent": slots(60, bad={(20.0, 2.0): 0.02, (1.0, 2.0): 0.02})}
    slices = slo("spent", more="timeslices: {length: 5m, target: 99%}")
    found = page(made(file("chat", slices), told=told, last=3 * DAY))
    text = " ".join(found.whole_text.split())

    assert "before the examined time" in text
    assert "Earlier before the examined time" in text
    assert "Good slices" in text


def test_a_composite_of_which_a_member_has_no_history_has_none() -> None:
    both = "  - {name: both, composite: [{slo: calm}, {slo: nobody}]}\n"
    found = page(made(file("chat", slo("calm"), slo("nobody"), both)))

    assert "Burn-down of the budget of both of chat" not in found.said("title")


def test_where_nothing_is_consumed_there_is_no_such_picture() -> None:
    found = page(made(file("chat", slo("calm"))))

    assert "What used up the budget of calm of chat" not in found.said("title")


@pytest.mark.slow
def test_of_a_sampled_slo_the_bound_is_drawn_beside_what_was_left() -> None:
    sampled = slo("outage", more="sampled: true")
    found, plain = page(made(file("chat", sampled))), page(made(file("chat", slo("outage"))))
    sentence = "as measured. The thin line is the bound that is compared with the tiers: "

    assert sentence in found.whole_text
    assert sentence not in plain.whole_text
    thin = [one for one in found.all("path") if one.get("class") == "thin"]
    assert len(thin) == 1 + len([one for one in plain.all("path") if one.get("class") == "thin"])


def test_where_only_the_day_before_is_known_the_examined_time_is_not() -> None:
    told = {"late": slots(60, bad={(3.0, 72.0): -1})}
    found = page(made(file("chat", slo("late")), told=told, last=2 * DAY))

    assert (
        "could not be measured: no data, there is no data for any step of the examined time."
        in found.whole_text
    )


@pytest.mark.slow
def test_a_composite_has_a_burn_down_of_its_own() -> None:
    both = "  - {name: both, composite: [{slo: outage}, {slo: calm}]}\n"
    found = page(made(file("chat", slo("outage"), slo("calm"), both)))

    # The composite consumes what both do: 388.8 of 2,592 (see STORY).
    assert "Burn-down of the budget of both of chat" in found.said("title")
    assert "Budget left at each instant: 100.0% on 2 Oct, 85.0% on 1 Nov." in found.whole_text
    assert "No burn rate is drawn: it is a composite" in found.whole_text


def test_of_a_period_that_has_just_begun_there_is_no_burn_down() -> None:
    month = slo("calm").replace("30d", "{calendar: month}")
    service = made(file("chat", month)).services[0]

    assert budget_history.no_burn_down(service.assessments[0]) == (
        "The budget could not be measured: "
        "the period (calendar month (UTC)) has just begun, at 2026-11-01 00:00 UTC, and has no data"
        " yet; for the period before, give an instant just before that."
    )
    measured = made(file("chat", QUARTER)).services[0].assessments[0]
    assert budget_history.no_burn_down(measured) == (
        "No burn-down: only the present remaining budget of the period is known."
    )


def test_a_history_too_short_for_a_burn_down_is_reported_as_such() -> None:
    month = "{calendar: month}"
    found = page(
        made(
            file("chat", slo("young"), slo("old").replace("30d", month)),
            told={"young": slots(25), "old": slots(60)},
            last=DAY,
        )
    )

    assert (
        "No burn-down: the remaining budget at an instant needs a history of 30d before it, and"
        " there is"
        " less." in found.whole_text
    )


@pytest.mark.slow
def test_a_rolling_budget_is_predicted_as_its_failures_leave_the_window() -> None:
    found = page(made(file("chat", slo("outage"))))
    texts = found.said("li")

    assert "nothing more fails" in texts
    assert "as in the last 3d" in texts
    assert "LASTS" in found.whole_text
    assert "simulated months" not in found.whole_text


def test_a_calendar_budget_is_predicted_to_its_reset_with_an_interval() -> None:
    found = page(made(file("chat", QUARTER)))
    kinds = [one.get("class") for one in found.all("path")]

    assert kinds.count("expected") == 1
    assert "90 of 100 simulated months ended within such a shaded area." in found.whole_text
    assert "if the future is like the last" in found.whole_text


def test_a_line_that_falls_far_leaves_the_picture_at_its_foot() -> None:
    # All of the last three hours failed: at that rate the budget is gone in 43 minutes.
    told = {"down": slots(30, bad={(0.125, 3.0): 1.0})}
    found = page(made(file("chat", slo("down")), told=told))
    futures = [one["d"] for one in found.all("path") if "future" in str(one.get("class"))]

    assert len(futures) == 4
    # 170 pixels is the foot of the picture.
    depths = [float(y) for path in futures for y in re.findall(r"[ML][\d.]+ ([\d.]+)", str(path))]
    assert max(depths) == 170


@pytest.mark.slow
def test_charts_show_what_is_worse_than_usual_and_fold_what_is_not() -> None:
    even = {(0.25 * place, 6.0): 0.02 + 0.001 * (place * 7 % 5) for place in range(1, 121)}
    lax = slo("even", budget="objective: 90%")
    found = page(
        made(file("chat", slo("outage"), lax), told={**STORY, "even": slots(30, bad=even)})
    )

    assert "outage, mean" in found.whole_text
    assert "WAS OUT OF CONTROL" in found.whole_text
    assert "Red stretches are worse than usual." in found.whole_text
    assert any(text.startswith("Charts in control (1)") for text in found.said("summary"))


def test_a_chart_has_a_gap_where_points_are_missing() -> None:
    even = {(0.25 * place, 6.0): 0.02 + 0.001 * (place * 7 % 5) for place in range(1, 121)}
    lax, told = slo("even", budget="objective: 90%"), slots(30, bad=even | {(7.0, 48.0): -1})
    found = page(made(file("chat", lax), told={"even": told}))
    kinds = [one.get("class") for one in found.all("path")]

    assert [kinds.count(kind) for kind in ("seen", "usual", "centre")] == [2, 2, 2]


@pytest.mark.slow
def test_cohorts_are_reported_if_that_was_requested() -> None:
    found = page(made(file("chat", slo("outage"), slo("nobody")), by="template"))
    without = page(made(file("chat", slo("outage"))))

    assert "template v7 burns 12x as fast as v6" in found.whole_text
    assert "1 COHORT BURNS MORE" in found.whole_text
    assert "Cohorts" in found.said("h2")
    assert "Cohorts" not in without.said("h2")


def test_cohorts_of_what_has_no_data_are_reported_to_be_unknown() -> None:
    found = page(made(file("chat", slo("nobody")), by="template"))

    assert "nobody: no data: there is nothing" in found.whole_text


def test_elements_escape_what_is_not_html_yet() -> None:
    assert element("b", "<&>\x1b", title='"') == '<b title="&quot;">&lt;&amp;&gt;\\x1b</b>'
    assert element("td", element("b", "x"), class_="a", hidden=True, id=None, open=False) == (
        '<td class="a" hidden><b>x</b></td>'
    )
    assert text("99.9% left") == "99.9% left"


def test_only_web_addresses_become_links() -> None:
    assert link("https://a.example/?q=<1>") == (
        '<a href="https://a.example/?q=&lt;1&gt;">https://a.example/?q=&lt;1&gt;</a>'
    )
    assert link("javascript:alert(1)") == "javascript:alert(1)"


def test_the_page_is_dated() -> None:
    found = page(made(file("chat", slo("calm"))))

    assert f"{AT:%Y-%m-%dT%H:%M:%SZ}" in found.whole_text


def test_a_budget_without_traffic_has_no_burn_rate() -> None:
    nothing = ((AT - DAY, None), (AT, None))
    trace = Trace(left=(), fast=nothing, slow=nothing, unknown=(), stretches=())
    caption = str(_burned(trace))
    assert caption == "There was no traffic, and so no burn rate."


def test_neither_a_time_nor_the_id_of_an_incident_is_broken_in_a_table() -> None:
    columns = tuple(
        Column(title=title, cell=str, right=False, keep=1) for title in ("Incident", "Start, UTC")
    )
    cells = (Cell(text="chat-20261020-1355"), Cell(text="2026-10-20 13:55"))
    html = table(DataTable(columns=columns, rows=(cells,)), "Incidents")

    assert '<td class="whole" data-label="Incident">' in html
    assert '<td class="whole" data-label="Start, UTC">2026-10-20 13:55</td>' in html
