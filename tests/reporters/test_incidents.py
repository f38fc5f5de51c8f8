"""The report on incidents, as a person sees it and as a program reads it."""

import json
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from math import inf
from typing import Any

import pytest

from gate.analysis.incidents import SearchedSlo, ServiceIncidents, SinceDeploy
from gate.analysis.incidents.words import output
from gate.errors import Mistake
from gate.history.before_after import BeforeAfter, Difference
from gate.history.burned import Burned, FailureLabels, Standout
from gate.history.explanations import AnnotatedIncident
from gate.history.incident_shares import Drain
from gate.history.incidents import IncidentEnding
from gate.history.records import UnreadableRecord
from gate.history.service_incidents import Reliability
from gate.measure import Cause, Unmeasured
from gate.measure.cohorts import EventCounts
from gate.policy.coverage import Reservation
from gate.policy.findings import Verdict
from gate.reporters import PAGES, render_page
from gate.reporters.ansi import Style
from gate.slo.objective import Span
from tests.reporters.builders import policy_of
from tests.reporters.incidents import (
    DEPLOY,
    GOING_ON,
    MONTH,
    RECORD,
    START,
    explained,
    impact,
    looked_at,
    report,
    service,
)

HOSTILE = "\x1b[2J<b>@acme|`x`"
WIDE = Style(width=150)


def terminal(*services: ServiceIncidents, style: Style = WIDE, **fields: Any) -> str:
    return render_page("terminal", output(report(*services, **fields)), style)


def joined(text: str) -> str:
    """Return a text without its line breaks."""
    return " ".join(text.split())


def head(one: ServiceIncidents) -> str:
    return terminal(one).splitlines()[0].split("  ")[0]


def test_an_incident_is_a_row_with_what_it_cost() -> None:
    lines = terminal(service(explained(records=(RECORD,)))).splitlines()[2:]

    assert lines[2].split() == [
        *("#", "Incident", "SLO", "Start,", "UTC", "End,", "UTC", "Lasted", "Bad"),
        *("Budget", "used", "Peak", "burn", "15m", "Explained", "by"),
    ]
    assert lines[4].split() == [
        *(
            "#1",
            "chat-20261031-1400",
            "availability",
            "2026-10-31",
            "14:00",
            "2026-10-31",
            "14:30",
            "30m",
            "68,378",
        ),
        *("30.0%", "1,000.00", "INC-42"),
    ]


def test_slos_that_felt_the_same_stand_together_under_one_id() -> None:
    rows = terminal(
        service(explained(impact("a"), impact("b")), explained(impact("c")))
    ).splitlines()[6:9]

    assert [row.split()[:3] for row in rows[::2]] == [
        ["#1", "chat-20261031-1400", "a"],
        ["#2", "chat-20261031-1400", "c"],
    ]
    assert rows[1].split()[0] == "b"
    assert [row.endswith("unexplained") for row in rows] == [True, True, True]


@pytest.mark.parametrize(
    ("ending", "lasted"),
    [
        (IncidentEnding.CALM, "30m"),
        (IncidentEnding.OPEN, "30m, open"),
        (IncidentEnding.LOST, "30m or more"),
    ],
)
def test_how_long_it_lasted_says_whether_it_ended(ending: IncidentEnding, lasted: str) -> None:
    row = terminal(service(explained(impact(ending=ending)))).splitlines()[6]

    assert f" {lasted}  68,378" in row
    assert (" open  " in row) is (ending is IncidentEnding.OPEN)


def test_unexplained_ones_stand_out() -> None:
    text = terminal(service(explained()), style=replace(WIDE, color=True))

    assert "\x1b[91munexplained" in text
    assert "\x1b[91mINC" not in terminal(
        service(explained(records=(RECORD,))), style=replace(WIDE, color=True)
    )


def test_the_head_says_what_was_found() -> None:
    lost = looked_at(unmeasured=Unmeasured(cause=Cause.NO_DATA, reason="nothing"))
    little = Reservation(cause=Cause.LOW_COVERAGE, reason="8d of 14d", verdict=Verdict.WARN)
    partly = looked_at(reservations=(little,))
    hardly = looked_at(reservations=(replace(little, verdict=Verdict.UNDECIDED),))

    assert (
        head(service(explained(), explained(records=(RECORD,)))) == "✖ 2 INCIDENTS, 1 UNEXPLAINED"
    )
    assert head(service(explained(records=(RECORD,)))) == "▲ 1 INCIDENT"
    assert head(service()) == "✔ NO INCIDENTS"
    assert head(service(slos=(partly,))) == "▲ NO INCIDENTS AS FAR AS MEASURED"
    assert head(service(slos=(partly, hardly))) == "? 1 OF 2 NOT MEASURED WELL ENOUGH"
    assert "low coverage: 8d of 14d" in " ".join(terminal(service(slos=(partly,))).split())
    assert head(service(slos=(lost,))) == "? NOT MEASURED"
    assert head(service(slos=(lost, looked_at()))) == "? NONE SEEN, 1 NOT MEASURED"
    assert head(service(slos=())) == "? NOT MEASURED"


def test_what_is_known_of_an_incident_is_reported() -> None:
    at_once = replace(DEPLOY, time=START, change=None)
    text = joined(
        terminal(service(explained(records=(RECORD, GOING_ON), deploys=(DEPLOY, at_once))))
    )

    assert (
        "INC-42 the database; resolved, 2026-10-31 14:00 to 2026-10-31 15:00 UTC; a failover;"
        " https://wiki.example/42" in text
    )
    assert "INC-43 a queue; open, 2026-10-31 14:00 UTC on deploy" in text
    assert "deploy of abc123 (model-update) 5m before, at 2026-10-31 13:55 UTC" in text
    assert "deploy of abc123 as it began, at 2026-10-31 14:00 UTC" in text


def test_a_hole_in_the_data_of_an_incident_is_reported() -> None:
    one = impact()
    holed = replace(one, incident=replace(one.incident, unknown=timedelta(minutes=5)))

    assert "availability: 5m of it has no data" in terminal(service(explained(holed)))
    assert "no data" not in terminal(service(explained(one)))


def test_how_often_and_how_long_is_reported_and_of_which() -> None:
    whole = joined(terminal(service(explained())))
    some = joined(terminal(service(explained(), explained(impact(ending=IncidentEnding.LOST)))))
    unknown = Reliability(count=1, mttr=None, longest=None, mtbf=timedelta(days=1))
    none = joined(terminal(service(explained(), reliability=unknown)))

    assert "MTTR 30m on average from start to recovery, 1h at most MTBF" in whole
    assert "MTBF 15d on average without an incident" in whole
    assert "1h at most, of the 1 that were seen to end" in some
    assert "MTTR unknown, since no incident was seen to end" in none
    assert "MTTR" not in terminal(service())


@pytest.mark.parametrize(
    ("count", "each", "told"),
    [
        (1, 0.3, "incidents are rare but costly: detect them sooner and roll back faster"
         " (1 incident in 60d used 30.0% of the a budget)"),
        (6, 0.05, "incidents are frequent but small: look for what they have in common"
         " (6 incidents in 60d used on average 5.0% of the a budget each; that is a rate of"
         " 3 per 30d, 15.0% together)"),
        (5, 0.5, "incidents are frequent and costly: fewer and shorter ones would both help"
         " (5 incidents in 60d used on average 50.0% of the a budget each; that is a rate of"
         " 2.5 per 30d, 125.0% together)"),
        (1, 0.1, "incidents use little of the budget"
         " (1 incident in 60d used 10.0% of the a budget)"),
    ],
)  # fmt: skip
def test_a_sentence_says_what_it_means_for_the_budget(count: int, each: float, told: str) -> None:
    drain = Drain(
        slo="a", window=MONTH, per_window=count / 2, each=each, count=count, observed=2 * MONTH
    )

    assert f"Advice {told}" in joined(terminal(service(explained(), drain=drain)))


def test_what_cost_little_is_summed_up() -> None:
    little = (impact(share=0.004), impact(share=0.0125))

    text = joined(terminal(service(slos=(looked_at(smaller=little),))))

    assert "availability: 2 smaller incidents, 1.7% of its budget together, are not listed" in text
    assert "NO INCIDENTS BUT SMALL ONES" in text


def test_what_is_not_known_is_reported() -> None:
    lost = Unmeasured(cause=Cause.BACKEND_ERROR, reason="it answered 503")
    text = joined(
        terminal(
            service(
                slos=(
                    looked_at(slo="a", unknown=Fraction(1, 3), notes=("by a rule",)),
                    looked_at(slo="b", unknown=Fraction(1), unmeasured=lost),
                ),
                left_out=(("spend", "it spends"),),
            ),
            without_impact=(RECORD,),
        )
    )

    assert "Unknown a: 33.4% of the time has no data, so incidents may be missing" in text
    assert "Note a: by a rule" in text
    assert "Not measured b: backend error: it answered 503" in text
    assert "Left out spend: it spends" in text
    assert "Not felt INC-42 the database" in text
    assert "2026-10-02 00:00 to 2026-11-01 00:00 UTC, in steps of 5m, for burn rates of 6" in text


@pytest.mark.parametrize("name", PAGES)
def test_foreign_text_cannot_break_out(name: str) -> None:
    record = replace(RECORD, id=HOSTILE, title=HOSTILE, cause=HOSTILE, link=HOSTILE)
    deploy = replace(DEPLOY, revision=HOSTILE, change=HOSTILE)
    one = service(
        explained(impact(HOSTILE), records=(record,), deploys=(deploy,)),
        slos=(looked_at(slo=HOSTILE, unknown=Fraction(1, 2), notes=(HOSTILE,)),),
        left_out=((HOSTILE, HOSTILE),),
        policy=policy_of((), service=HOSTILE),
        drain=Drain(slo=HOSTILE, window=MONTH, per_window=1, each=1, count=1, observed=MONTH),
    )

    text = render_page(name, output(report(one, without_impact=(record,))), WIDE)

    assert "\x1b" not in text
    if name == "markdown":
        assert "<b>" not in text
        assert "@acme" not in text
        assert "`" not in text


def test_a_narrow_terminal_loses_columns_and_no_line_is_too_wide() -> None:
    one = service(explained(impact("time-to-first-token"), records=(RECORD,), deploys=(DEPLOY,)))

    text = terminal(one, style=Style(width=60))

    assert max(map(len, text.splitlines())) <= 60
    assert "End, UTC" not in text
    assert "30m" in text


def test_where_there_is_only_ascii_the_report_is() -> None:
    assert terminal(service(explained()), style=Style(unicode=False)).isascii()


def test_markdown_has_a_table_and_the_known_ones_below() -> None:
    one = service(explained(records=(RECORD,)))
    text = render_page("markdown", output(report(one, without_impact=(GOING_ON,))), WIDE)

    assert text.startswith(
        "## ⚠️ 1 INCIDENT: chat\n\nThe costliest used 30.0% of the availability budget, from"
        " 2026-10-31 14:00 UTC.\n\n| # | Incident | SLO |"
    )
    assert "| 30.0% | 1,000.00 | INC-42 |\n" in text
    assert "- **chat-20261031-1400:** INC-42 the database; resolved" in text
    assert "- **Not felt:** INC-43 a queue" in text
    calm = render_page("markdown", output(report(service())), WIDE)
    assert "|" not in calm
    assert "Not felt" not in calm
    assert "Incident" not in calm
    assert calm.startswith("## ✅ NO INCIDENTS: chat\n\n<sub>Policy")


def test_what_the_members_of_a_composite_count_is_not_added_up() -> None:
    felt = impact("a")
    whole = replace(felt, slo="all", parts=(felt,))

    rows = terminal(service(explained(felt, whole))).splitlines()[6:8]
    document = json.loads(
        render_page("json", output(report(service(explained(felt, whole)))), Style())
    )

    assert [" 68,378 " in row for row in rows] == [True, False]
    slos = document["services"][0]["incidents"][0]["slos"]
    assert [slo["bad"] for slo in slos] == [felt.incident.bad, None]


def test_json_has_everything_in_seconds_and_shares() -> None:
    lost = Unmeasured(cause=Cause.NO_DATA, reason="nothing")
    incidents = (
        explained(impact(ending=IncidentEnding.OPEN), records=(RECORD,), deploys=(DEPLOY,)),
        explained(impact()),
    )
    one = service(
        *incidents,
        slos=(looked_at(unmeasured=lost), looked_at()),
        left_out=(("spend", "it spends"),),
        drain=Drain(slo="a", window=MONTH, per_window=2, each=0.25, count=2, observed=MONTH),
    )
    found = json.loads(render_page("json", output(report(one, without_impact=(GOING_ON,))), WIDE))
    (told,) = found["services"]
    first, second = told["incidents"]

    assert (found["exit_code"], found["step_seconds"], found["burn_rate_threshold"]) == (3, 300, 6)
    assert told["slos"][0]["unmeasured"] == {"cause": "no_data", "reason": "nothing"}
    assert told["slos"][1]["unmeasured"] is None
    assert told["left_out"] == [{"slo": "spend", "reason": "it spends"}]
    assert (told["mttr_seconds"], told["mtbf_seconds"]) == (1800, 15 * 86_400)
    assert told["drain"]["budget_share_per_window"] == 0.5
    assert (first["end"], first["ending"], first["duration_seconds"]) == (None, "open", 1800)
    assert second["end"] == "2026-10-31T14:30:00Z"
    assert second["slos"][0]["budget_share"] == 0.3
    assert first["records"][0]["id"] == "INC-42"
    assert first["deploys"][0]["revision"] == "abc123"
    assert found["records_without_impact"][0]["end"] is None
    nothing = json.loads(render_page("json", output(report(service())), WIDE))["services"][0]
    assert (nothing["drain"], nothing["mttr_seconds"], nothing["count"]) == (None, None, 0)


def burned(**fields: float) -> Burned:
    known: dict[str, Any] = {
        "bad": 1000,
        "in_incidents": 530,
        "in_smaller": 60,
        "incidents": 1,
        "smaller": 2,
    }
    return Burned(**(known | fields))


def stands_out(label: str, value: str, share: float, traffic: float | None) -> Standout:
    return Standout(label=label, value=value, share=share, traffic=traffic)


def labelled(*chronic: Standout, **fields: Any) -> FailureLabels:
    known: dict[str, Any] = {
        "chronic": chronic,
        "incidents": {},
        "compared": ("status", "model"),
        "left_out": {},
    }
    return FailureLabels(**(known | fields))


def said_first(**fields: Any) -> str:
    return joined(terminal(service(slos=(looked_at(**fields),)))).partition(" Policy")[0]


def test_what_burned_is_reported_first() -> None:
    assert said_first(burned=burned()).endswith(
        "Failures availability: 53.0% in 1 incident, 6.0% in 2 smaller incidents, 41.0% outside"
        " incidents"
    )
    assert said_first(burned=burned(in_incidents=0, incidents=0, in_smaller=0, smaller=0)).endswith(
        "Failures availability: all outside incidents"
    )
    assert said_first(burned=burned(bad=0, in_incidents=0, in_smaller=0)).endswith(
        "Failures availability: nothing failed"
    )
    assert "Failures" not in said_first()


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (
            labelled(stands_out("status", "429", 0.92, 0.004), stands_out("model", "x", 0.8, None)),
            "outside incidents; 92.0% of those outside incidents have status 429 (as do 0.4% of all"
            " events), 80.0% model x Labels compared status, model",
        ),
        (labelled(stands_out("model", "", 0.92, 0.5)), "have no model (as do 50.0% of all events)"),
        (labelled(), "no label stands out there Labels compared status, model"),
        (
            labelled(compared=tuple("abcdefg")),
            "Labels compared a, b, c, d, e and 2 more",
        ),
        (labelled(compared=()), "no label has few enough values to compare"),
        (
            labelled(compared=(), left_out={"tenant": 1200, "user": 90, "path": 80}),
            "Labels not compared: 3 labels with too many values (tenant, user, ...)",
        ),
        (
            labelled(left_out={"tenant": 1200, "user": 90}),
            "status, model; not compared: 2 labels with too many values (tenant, user)",
        ),
        (
            Unmeasured(cause=Cause.BACKEND_ERROR, reason="503"),
            "their labels could not be compared: backend error: 503",
        ),
    ],
)
def test_what_the_chronic_failures_share_is_reported(
    labels: FailureLabels | Unmeasured, told: str
) -> None:
    assert told in said_first(burned=burned(), labels=labels)
    few = said_first(burned=burned(in_incidents=921), labels=labels)
    assert "those outside" not in few
    assert "Labels" not in few


def test_what_the_failures_of_an_incident_share_is_reported() -> None:
    labels = labelled(incidents={START: (stands_out("model", "x", 0.98, 0.31),)})
    text = joined(terminal(service(explained(), slos=(looked_at(labels=labels),))))

    assert "availability: 98.0% of its failures have model x (as do 31.0% of all events)" in text


def at_hours(*hours: float, slo: str = "availability") -> list[AnnotatedIncident]:
    """Return incidents of half an hour that begin so many hours after the first."""
    felt = impact(slo, share=0.1)
    return [
        explained(
            replace(
                felt,
                incident=replace(
                    felt.incident,
                    start=START + timedelta(hours=hour),
                    end=START + timedelta(hours=hour + 0.5),
                ),
            )
        )
        for hour in hours
    ]


def caused(by: dict[float, str], slo: str = "availability") -> SearchedSlo:
    """Return an SLO whose incidents, by their hour, have failures of one prompt each."""
    return looked_at(
        slo=slo,
        labels=labelled(
            incidents={
                START + timedelta(hours=hour): (stands_out("prompt", prompt, 0.9, 0.2),)
                for hour, prompt in by.items()
            }
        ),
    )


def test_incidents_of_one_lasting_cause_are_one_row_and_stay_countable() -> None:
    parts = at_hours(0, 3, 6)
    one = service(*parts, slos=(caused({0: "v8", 3: "v8", 6: "v8"}),))
    text = terminal(one, style=Style(width=180))
    _, row = [line for line in text.splitlines() if line.startswith("  #")]

    assert head(one) == "✖ 3 INCIDENTS OF 1 CAUSE, 3 UNEXPLAINED"
    assert "The costliest used 30.0% of the availability budget" in text
    assert row.split()[:5] == ["#1-3", "chat-20261031-1400", "and", "2", "more"]
    # Three times 68,378 events and a tenth of the budget, over six hours and a half.
    assert "6h30m in 3 parts  205,134" in row
    assert " 30.0% " in row


def test_an_slo_that_one_incident_affects_twice_has_one_row() -> None:
    felt = (part.incident.impacts[0] for part in at_hours(0, 3, slo="ttft"))
    long = replace(impact(), incident=replace(impact().incident, end=START + timedelta(hours=4)))
    one = explained(long, *felt)
    lines = terminal(service(one), style=Style(width=180)).splitlines()
    rows = [line.split("2026-10-31")[1:] for line in lines if "ttft" in line]

    # Twice 68,378 events and a tenth of the budget, from the first start to the last end.
    assert len(rows) == 1
    assert "3h30m in 2 parts  136,756" in rows[0][-1]
    assert " 20.0% " in rows[0][-1]


@pytest.mark.parametrize(
    ("hours", "prompts"),
    [
        ((0, 3), {0: "v8", 3: "v7"}),
        ((0, 3), {0: "v8"}),
        ((0, 3), {}),
        ((0, 7), {0: "v8", 7: "v8"}),
    ],
    ids=["another cause", "no known cause", "nothing known", "long after"],
)
def test_incidents_of_other_causes_or_long_after_stay_apart(
    hours: tuple[float, ...], prompts: dict[float, str]
) -> None:
    apart = service(*at_hours(*hours), slos=(caused(prompts),))

    assert head(apart) == "✖ 2 INCIDENTS, 2 UNEXPLAINED"
    assert "parts" not in terminal(apart)


def test_an_incident_of_another_slo_between_parts_keeps_its_row() -> None:
    first, last = at_hours(0, 4)
    (other,) = at_hours(2, slo="ttft")
    both = (caused({0: "v8", 4: "v8"}), caused({2: "v8"}, slo="ttft"))
    text = terminal(service(first, other, last, slos=both), style=Style(width=180))

    assert [line.split()[:2] for line in text.splitlines() if line.startswith("  #")][1:] == [
        ["#1,", "#3"],
        ["#2", "chat-20261031-1600"],
    ]


def test_of_smaller_incidents_one_is_reported_as_one() -> None:
    text = joined(terminal(service(slos=(looked_at(smaller=(impact(share=0.004),)),))))

    assert "availability: 1 smaller incident, 0.4% of its budget, is not listed" in text


def test_little_traffic_is_reported_first() -> None:
    text = joined(terminal(service(explained(), slos=(looked_at(low_traffic="one is enough"),))))

    assert text.index("Low traffic availability: one is enough") < text.index("Incident SLO")


def test_records_that_do_not_explain_it_are_named_with_why() -> None:
    mistake = Mistake(file="incidents/7.yaml", line=3, column=8, message="unknown key 'causes'")
    one = explained(
        records=(RECORD,),
        share=Fraction(1, 4),
        unreadable=(UnreadableRecord(mistakes=(mistake,)),),
    )
    text = joined(terminal(service(one)))

    assert "unexplained" in text
    assert (
        "INC-42 the database; covers 25.0% of the bad events of availability; a record must"
        " cover half of them to explain the incident; correct its start and end" in text
    )
    assert (
        "a record that may explain it cannot be read: incidents/7.yaml:3:8: unknown key 'causes';"
        " correct it" in text
    )


def both_sides(**fields: Any) -> BeforeAfter:
    span = Span(START, START + timedelta(hours=1))
    known: dict[str, Any] = {
        "slo": "a",
        "before": EventCounts(10_000, 20),
        "since": EventCounts(10_000, 46),
        "before_span": span,
        "since_span": span,
        "difference": Difference.WORSE,
        "ratio": 2.3,
        "interval": (1.3, 4.04),
    }
    return BeforeAfter(**(known | fields))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            {},
            "a: 46 of 10,000 (0.5%) failed since, 20 of 10,000 (0.2%) before; worse: 2.3 times as"
            " often, 95% interval 1.3 to 4 times",
        ),
        (
            {"difference": Difference.ALIKE, "interval": (0.8, 4.0)},
            "the difference may be chance (95% interval 0.8 to 4 times as often)",
        ),
        (
            {"ratio": inf, "interval": (3.1, inf), "before": EventCounts(10_000, 0)},
            "0 of 10,000 (0.0%) before; worse: 95% interval 3.1 to any number times",
        ),
        (
            {"difference": Difference.UNKNOWN, "since": EventCounts(0, 0)},
            "0 of 0 (0.0%) failed since, 20 of 10,000 (0.2%) before; too few steps or failures yet"
            " to say whether that differs",
        ),
    ],
)
def test_what_changed_with_a_deploy_is_reported(fields: dict[str, Any], told: str) -> None:
    since = SinceDeploy(deploy=DEPLOY, until=START, slos=(both_sides(**fields),))
    text = joined(terminal(service(since=since)))

    assert "Since deploy of abc123 at 2026-10-31 13:55 UTC, compared up to 2026-10-31" in text
    assert told in text


def test_what_was_deployed_at_the_same_instant_is_named() -> None:
    other = replace(DEPLOY, revision="def456")
    since = SinceDeploy(deploy=DEPLOY, until=START, slos=(both_sides(),), together=(other,))
    text = joined(terminal(service(since=since)))
    document = json.loads(render_page("json", output(report(service(since=since))), WIDE))
    found = document["services"][0]["since_deploy"]["together_with"]

    assert [deploy["revision"] for deploy in found] == ["def456"]

    assert "Since deploy of abc123 together with def456 at 2026-10-31 13:55 UTC" in text


def test_that_too_little_time_has_passed_since_a_deploy_is_reported() -> None:
    text = joined(terminal(service(since=SinceDeploy(deploy=DEPLOY, until=START, slos=()))))

    assert "too early: no whole step has passed" in text


def test_incidents_without_a_record_are_named_with_what_to_do() -> None:
    one, several = explained(), [explained() for _ in range(7)]
    name = "chat-20261031-1400"

    assert (
        f"Unexplained {name}: no record explains it; write one, or extend one that covers too"
        " little of it" in joined(terminal(service(one)))
    )
    assert f"{name} and 2 more: no record explains them" in joined(terminal(service(*several)))
    assert "Unexplained" not in terminal(service(explained(records=(RECORD,))))


def test_the_document_says_why_the_labels_are_not_known() -> None:
    lost = Unmeasured(cause=Cause.NO_DATA, reason="no labels here")
    page = render_page("json", output(report(service(slos=(looked_at(labels=lost),)))), Style())
    (slo,) = json.loads(page)["services"][0]["slos"]

    assert slo["chronic_labels"] == {"unmeasured": {"cause": "no_data", "reason": "no labels here"}}
    assert slo["burned"] is None
