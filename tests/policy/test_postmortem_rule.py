"""The rule ``postmortems``: a costly incident needs a reviewed record before features ship."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.budget.assess import assess_undefined
from gate.budget.composite import assess_composite
from gate.errors import Mistake
from gate.history.records import RecordStatus, UnreadableRecord
from gate.measure import Cause, Unmeasured
from gate.policy.case import Case, Past
from gate.policy.findings import Rule, Verdict
from gate.policy.judge import judge
from gate.policy.policy import DEFAULT_ACTIONS, Action
from gate.slo.calendar import Period
from gate.slo.indicator import Sli
from gate.slo.objective import CalendarWindow, CompositeSlo, Member, PlatformSlo, Span
from tests.budget.building import AT, DAY, HOUR, MONTH, lost, ratio, ratio_slo, spend
from tests.policy.building import found, judged, policy_of, said
from tests.policy.past import NOON, RULE, STEP, WINDOW, Bad, day, looked_back, record

ALLOW, WARN, UNDECIDED, BLOCK = Verdict
HUNDRED: Bad = {NOON: 100}
"""34.7% of the budget."""
WITH = replace(RULE, records=(record(NOON),))
OPEN_BAD: Bad = {AT - STEP: 100}


@pytest.mark.parametrize("bad, verdict", [(57, ALLOW), (58, BLOCK)])
def test_an_incident_counts_from_more_than_the_share_on(bad: int, verdict: Verdict) -> None:
    # 20% of 288 are 57.6.
    judgement = looked_back("full-rollout", day({NOON: bad}))
    assert said(judgement, Rule.POSTMORTEM)[0] is judgement.verdict is verdict


@pytest.mark.parametrize("bad, verdict", [(144, ALLOW), (145, BLOCK)])
def test_exactly_the_share_is_not_more(bad: int, verdict: Verdict) -> None:
    half = replace(RULE, share=Fraction(1, 2))
    judgement = looked_back("canary", day({NOON: bad}), rule=half)
    assert said(judgement, Rule.POSTMORTEM)[0] is verdict


def test_it_says_when_it_was_what_it_took_and_what_to_write_where() -> None:
    judgement = looked_back("full-rollout", day(HUNDRED))
    (finding,) = found(judgement, Rule.POSTMORTEM)
    assert finding.slo == "availability"
    assert finding.reason == (
        "the incident chat-20261120-1200 of 2026-11-20 12:00 to 12:05 UTC (5m) took 34.8% of the"
        " budget, more than 20%: no record in incidents/*.yaml explains it; write one with id,"
        " title, service: chat, start, end, cause, remediation and status: reviewed"
    )


def test_a_reviewed_record_that_overlaps_it_is_what_it_takes() -> None:
    judgement = looked_back("full-rollout", day(HUNDRED), rule=WITH)
    verdict, reason = said(judgement, Rule.POSTMORTEM)
    assert judgement.verdict is verdict is ALLOW
    assert reason.endswith("more than 20%: INC-42 explains it, reviewed")


@pytest.mark.parametrize(
    "flaws, lacks",
    [
        ({"cause": None}, "cause"),
        ({"remediation": None}, "remediation"),
        ({"status": RecordStatus.RESOLVED}, "status: reviewed"),
        ({"remediation": None, "status": RecordStatus.OPEN}, "remediation and status: reviewed"),
    ],
)
def test_a_record_that_is_not_complete_is_named_with_what_it_lacks(
    flaws: dict[str, object], lacks: str
) -> None:
    rule = replace(RULE, records=(record(NOON, **flaws),))
    verdict, reason = said(looked_back("canary", day(HUNDRED), rule=rule), Rule.POSTMORTEM)
    assert verdict is BLOCK
    assert reason.endswith(f"20%: its record INC-42 (incidents/42.yaml:1) lacks {lacks}")


@pytest.mark.parametrize(
    "end, verdict", [(AT - STEP, ALLOW), (AT, ALLOW), (AT + STEP, BLOCK), (AT + 900 * DAY, BLOCK)]
)
def test_a_record_does_not_explain_what_is_still_to_come(end: datetime, verdict: Verdict) -> None:
    rule = replace(RULE, records=(record(NOON, end=end),))
    stated, reason = said(looked_back("canary", day(HUNDRED), rule=rule), Rule.POSTMORTEM)
    assert stated is verdict
    if verdict is BLOCK:
        assert f"INC-42 (incidents/42.yaml:1) ends at {end:%Y-%m-%d %H:%M} UTC, which is" in reason
        assert reason.endswith("in the future; write when the incident ended")


def test_of_several_records_one_that_is_complete_is_enough_and_else_the_nearest_is_named() -> None:
    bare = record(NOON, id="INC-1", cause=None, remediation=None)
    nearly = record(NOON, id="INC-2", cause=None)
    rule = replace(RULE, records=(bare, nearly))
    assert "INC-2" in said(looked_back("canary", day(HUNDRED), rule=rule), Rule.POSTMORTEM)[1]
    rule = replace(RULE, records=(bare, nearly, record(NOON)))
    assert looked_back("canary", day(HUNDRED), rule=rule).verdict is ALLOW


@pytest.mark.parametrize("start", [NOON + STEP, NOON - HOUR])
def test_a_record_that_only_touches_it_explains_nothing(start: datetime) -> None:
    rule = replace(RULE, records=(record(start),))
    assert looked_back("canary", day(HUNDRED), rule=rule).verdict is BLOCK


def test_while_it_goes_on_no_record_counts() -> None:
    rule = replace(RULE, records=(record(AT - HOUR),))
    judgement = looked_back("canary", day(OPEN_BAD), rule=rule)
    (finding,) = found(judgement, Rule.POSTMORTEM)
    assert finding.verdict is BLOCK
    assert finding.reason == (
        "the incident chat-20261120-1355 of 2026-11-20 13:55 UTC (5m so far) took 34.8% of the"
        " budget, more than 20%: it goes on, and no record counts before it has ended"
    )
    assert (finding.until, judgement.allowed_again_at) == (None, None)


@pytest.mark.parametrize("bad", [HUNDRED, OPEN_BAD])
@pytest.mark.parametrize("change", ["bug-fix", "reliability-fix", "security-patch", "rollback"])
def test_repairs_ship_all_the_same_unless_the_rule_says_otherwise(change: str, bad: Bad) -> None:
    judgement = looked_back(change, day(bad))
    verdict, reason = said(judgement, Rule.POSTMORTEM)
    assert judgement.verdict is verdict is ALLOW
    assert reason.endswith(f"; {change} may ship")
    strict = replace(RULE, allow=frozenset())
    assert looked_back(change, day(bad), rule=strict).verdict is BLOCK


def test_an_advisory_slo_only_warns_unless_another_felt_it_too() -> None:
    advisory = day(HUNDRED, "quality", advisory=True)
    calm = day({}, "b")
    assert looked_back("canary", advisory, calm).verdict is WARN
    assert looked_back("canary", advisory, day(HUNDRED, "b")).verdict is BLOCK


def test_what_several_slos_felt_at_once_is_one_incident_with_one_record() -> None:
    days = day(HUNDRED, "a"), day({NOON: 200, NOON + STEP: 10}, "b")
    (finding,) = found(looked_back("canary", *days), Rule.POSTMORTEM)
    assert finding.slo == "b"
    assert "12:00 to 12:10 UTC (10m) took 73.0% of the budget and 34.8% of a's" in finding.reason
    assert looked_back("canary", *days, rule=WITH).verdict is ALLOW


def test_each_incident_needs_a_record_of_its_own() -> None:
    twice = day({NOON: 100, NOON - 6 * HOUR: 90})
    verdicts = [
        one.verdict for one in found(looked_back("canary", twice, rule=WITH), Rule.POSTMORTEM)
    ]
    assert verdicts == [BLOCK, ALLOW]


def test_a_long_smaller_incident_does_not_tie_two_costly_ones_together() -> None:
    # b burns at 7 for hours, with 2.4% in five minutes; a fails at both ends of that.
    slow: Bad = {NOON - 4 * HOUR + place * STEP: 7 for place in range(8)}
    a, b = day({NOON - 4 * HOUR: 100, NOON - 3 * HOUR: 100}, "a"), day(slow, "b")
    rule = replace(RULE, records=(record(NOON - 4 * HOUR, end=NOON - 4 * HOUR + STEP),))
    verdicts = [
        one.verdict for one in found(looked_back("canary", a, b, rule=rule), Rule.POSTMORTEM)
    ]
    assert verdicts == [BLOCK, ALLOW]


def test_it_is_forgotten_when_it_has_left_the_window() -> None:
    judgement = looked_back("canary", day(HUNDRED))
    (finding,) = found(judgement, Rule.POSTMORTEM)
    assert finding.until == judgement.allowed_again_at == NOON + STEP + DAY
    assert finding.if_calm
    assert found(looked_back("canary", day(HUNDRED), rule=WITH), Rule.POSTMORTEM)[0].until is None


def test_how_far_back_is_the_slos_own_window_unless_the_rule_says_so() -> None:
    end = datetime(2026, 11, 12, tzinfo=UTC)
    rolling, calendar = ratio_slo(window=WINDOW), ratio_slo(window=MONTH)
    assert RULE.counted_span(rolling, AT) == Span(AT - DAY, AT)
    assert RULE.counted_span(calendar, AT) == Span(datetime(2026, 11, 1, tzinfo=UTC), AT)
    assert RULE.forgotten_at(calendar, end, AT) == datetime(2026, 12, 1, tzinfo=UTC)
    four_weeks = replace(RULE, last=28 * DAY)
    for slo in (rolling, calendar):
        assert (
            four_weeks.counted_span(slo, AT) == four_weeks.span(slo, AT) == Span(AT - 28 * DAY, AT)
        )
        assert four_weeks.forgotten_at(slo, end, AT) == end + 28 * DAY


@pytest.mark.parametrize("last, days", [(timedelta(days=7), 30), (timedelta(days=90), 90)])
def test_what_releases_must_see_all_that_the_budget_remembers(last: timedelta, days: int) -> None:
    rule = replace(RULE, last=last, excuse_reviewed=True)
    assert rule.span(ratio_slo(), AT) == Span(AT - days * DAY, AT)


def test_an_incident_before_the_time_that_counts_needs_no_record() -> None:
    rule = replace(RULE, last=HOUR, excuse_reviewed=True)
    judgement = looked_back("canary", day(HUNDRED), rule=rule)
    assert said(judgement, Rule.POSTMORTEM)[0] is ALLOW
    just = replace(rule, last=2 * HOUR)
    assert looked_back("canary", day(HUNDRED), rule=just).verdict is BLOCK


def test_that_nothing_was_costly_is_reported_once_with_whose_past_was_examined() -> None:
    days = day({NOON: 50}, "a"), day({}, "b")
    assert said(looked_back("canary", *days), Rule.POSTMORTEM) == (
        ALLOW,
        "no incident took more than 20% of the budget of a, b",
    )


@pytest.mark.parametrize(
    "action, verdict", [("block", UNDECIDED), ("warn", WARN), ("allow", ALLOW)]
)
def test_a_past_that_is_not_known_is_what_the_policy_says_of_its_cause(
    action: str, verdict: Verdict
) -> None:
    known, _ = day({})
    on = DEFAULT_ACTIONS | {Cause.BACKEND_ERROR: Action(action)}
    judgement = looked_back("canary", (known, lost()), on=on)
    assert judgement.verdict is said(judgement, Rule.MEASUREMENT)[0] is verdict
    assert "incidents of the past: http://prom answered 503" in said(judgement, Rule.MEASUREMENT)[1]
    assert found(judgement, Rule.POSTMORTEM) == []


def test_a_past_that_nobody_examined_is_not_a_calm_past() -> None:
    known, _ = day({})
    judgement = judged("canary", known, postmortems=RULE)
    assert judgement.verdict is UNDECIDED
    assert said(judgement, Rule.MEASUREMENT)[1].endswith("the history was not checked")


def test_what_ships_anyway_does_not_wait_for_the_past_to_be_known() -> None:
    known, _ = day({})
    judgement = looked_back("rollback", (known, lost()))
    assert judgement.verdict is ALLOW
    assert said(judgement, Rule.POSTMORTEM) == (
        ALLOW,
        "incidents of the past: http://prom answered 503; rollback may ship",
    )


def test_a_past_of_which_too_little_is_known_is_in_doubt_and_what_is_known_still_counts() -> None:
    # 29 of 288 steps are 10.1%.
    unknown: Bad = {AT - DAY + place * STEP: None for place in range(29)}
    judgement = looked_back("canary", day({**unknown, NOON: 100}))
    assert [one.rule for one in judgement.findings][:2] == [Rule.POSTMORTEM, Rule.MEASUREMENT]
    verdict, reason = said(judgement, Rule.MEASUREMENT)
    assert verdict is WARN
    assert "only 89.9% of the examined time has data; min_coverage is 90%" in reason
    enough: Bad = {AT - DAY + place * STEP: None for place in range(28)}
    assert found(looked_back("canary", day(enough)), Rule.MEASUREMENT) == []


def test_what_the_budget_has_said_already_is_not_said_again() -> None:
    judgement = looked_back("canary", (ratio(lost()), lost()))
    assert said(judgement, Rule.MEASUREMENT) == (UNDECIDED, "http://prom answered 503")
    assert found(judgement, Rule.POSTMORTEM) == []


def test_an_slo_that_nobody_examined_is_in_doubt_whatever_it_counts() -> None:
    judgement = judged("canary", spend(1), postmortems=RULE)
    assert found(judgement, Rule.POSTMORTEM) == []
    assert said(judgement, Rule.MEASUREMENT) == (
        UNDECIDED,
        "incidents of the past: the history was not checked",
    )


def test_what_members_lost_together_is_what_their_composite_lost() -> None:
    # 16% and 18% are less than 20%, and half of each is 17.4%; at full weight it is 34.7%.
    days = day({NOON: 40, NOON + STEP: 5}, "a"), day({NOON + STEP: 50}, "b")
    judgements = []
    for weight in (Fraction(1, 2), Fraction(1)):
        members = tuple(Member(slo=name, weight=weight) for name in "ab")
        composite = CompositeSlo(name="all", members=members)
        whole = assess_composite(composite, {one.slo.name: one for one, _ in days})
        known = (*(one for one, _ in days), whole)
        past = Past(incidents={one.slo.name: told for one, told in days})
        policy = policy_of(known, postmortems=RULE)
        case = Case(policy=policy, assessments=known, change="canary", at=AT, past=past)
        judgements.append(judge(case))
    half, whole_weight = judgements
    assert said(half, Rule.POSTMORTEM)[0] is ALLOW
    (finding,) = found(whole_weight, Rule.POSTMORTEM)
    assert finding.verdict is BLOCK
    assert (finding.slo, finding.until) == ("all", NOON + 2 * STEP + DAY)
    assert "12:00 to 12:10 UTC (10m) took 33.0% of the budget" in finding.reason


def test_a_composite_is_not_said_to_be_calm_where_a_member_was_not_examined() -> None:
    a, told = day({}, "a")
    b, _ = day({}, "b")
    composite = CompositeSlo(name="all", members=(Member(slo="b", weight=Fraction(1)),))
    known = (a, b, assess_composite(composite, {"b": b}))
    policy = policy_of(known, postmortems=RULE)
    past = Past(incidents={"a": told, "b": lost()})
    judgement = judge(Case(policy=policy, assessments=known, change="canary", at=AT, past=past))
    assert judgement.verdict is UNDECIDED
    assert found(judgement, Rule.POSTMORTEM) == []


def test_without_the_rule_nothing_is_reported_about_the_past() -> None:
    known, told = day(HUNDRED)
    judgement = looked_back("canary", (known, told), postmortems=None)
    assert found(judgement, Rule.POSTMORTEM) == []


@given(st.integers(0, 288), st.integers(0, 288))
def test_more_failures_are_never_judged_milder(some: int, more: int) -> None:
    order = list(Verdict)
    few, many = (
        order.index(said(looked_back("canary", day({NOON: bad})), Rule.POSTMORTEM)[0])
        for bad in sorted((some, more))
    )
    assert few <= many


def test_a_calendar_window_of_a_day_forgets_at_midnight() -> None:
    window = CalendarWindow(Period.DAY, UTC)
    judgement = looked_back("canary", day(HUNDRED, window=window))
    assert found(judgement, Rule.POSTMORTEM)[0].until == datetime(2026, 11, 21, tzinfo=UTC)


HALF_AN_HOUR: Bad = {NOON + place * STEP: 20 for place in range(6)}
"""120 of 288, in even parts."""


@pytest.mark.parametrize(
    ("start", "length", "verdict"),
    [
        (NOON, 15, ALLOW),
        (NOON, 10, BLOCK),
        (NOON + 3 * STEP, 60, ALLOW),
        (NOON + 4 * STEP, 60, BLOCK),
        (NOON - HOUR, 180, ALLOW),
    ],
)
def test_a_record_explains_an_incident_of_whose_bad_events_it_covers_half(
    start: datetime, length: int, verdict: Verdict
) -> None:
    rule = replace(RULE, records=(record(start, end=start + timedelta(minutes=length)),))
    assert looked_back("canary", day(HALF_AN_HOUR), rule=rule).verdict is verdict


def test_a_record_that_covers_too_little_is_named_with_its_share() -> None:
    rule = replace(RULE, records=(record(NOON, end=NOON + 2 * STEP),))
    reason = said(looked_back("canary", day(HALF_AN_HOUR), rule=rule), Rule.POSTMORTEM)[1]
    assert reason.endswith(
        "more than 20%: INC-42 (incidents/42.yaml:1) covers 33.3% of its bad events, and a record"
        " must cover at least half of them to explain it; correct start and end, or write a record"
        " of its own"
    )


def test_reviewed_records_that_follow_each_other_count_together() -> None:
    parts = [
        record(NOON + place * 2 * STEP, end=NOON + (place + 1) * 2 * STEP, id=f"INC-{place}")
        for place in range(2)
    ]
    told = day(HALF_AN_HOUR)
    for part in parts:
        alone = replace(RULE, records=(part,))
        assert looked_back("canary", told, rule=alone).verdict is BLOCK
    judgement = looked_back("canary", told, rule=replace(RULE, records=tuple(parts)))
    assert said(judgement, Rule.POSTMORTEM)[1].endswith("INC-0 and INC-1 explain it, reviewed")
    unreviewed = [parts[0], replace(parts[1], cause=None)]
    judgement = looked_back("canary", told, rule=replace(RULE, records=tuple(unreviewed)))
    assert judgement.verdict is BLOCK
    assert said(judgement, Rule.POSTMORTEM)[1].endswith(
        "its record INC-1 (incidents/42.yaml:1) lacks cause"
    )


def test_a_record_of_another_service_opens_nothing() -> None:
    rule = replace(RULE, records=(record(NOON, services=("rag",)),))
    verdict, reason = said(looked_back("canary", day(HUNDRED), rule=rule), Rule.POSTMORTEM)
    assert verdict is BLOCK
    assert reason.endswith(
        "no record in incidents/*.yaml explains it (INC-42 (incidents/42.yaml:1) is about rag);"
        " write one with id, title, service: chat, start, end, cause, remediation and status:"
        " reviewed"
    )
    both = replace(RULE, records=(record(NOON, services=("rag", "chat")),))
    assert looked_back("canary", day(HUNDRED), rule=both).verdict is ALLOW


def test_a_record_of_other_slos_opens_nothing_and_says_which_to_add() -> None:
    rule = replace(RULE, records=(record(NOON, slos=("ttft", "latency")),))
    verdict, reason = said(looked_back("canary", day(HUNDRED), rule=rule), Rule.POSTMORTEM)
    assert verdict is BLOCK
    assert reason.endswith(
        "the slos of INC-42 (incidents/42.yaml:1) are ttft, latency only; add availability to"
        " them, if the record is about this incident"
    )
    named = replace(RULE, records=(record(NOON, slos=("ttft", "availability")),))
    assert looked_back("canary", day(HUNDRED), rule=named).verdict is ALLOW


def test_each_slo_that_it_cost_too_much_needs_a_record() -> None:
    days = day(HUNDRED, "a"), day({NOON: 200, NOON + STEP: 10}, "b")
    of_a = replace(RULE, records=(record(NOON, slos=("a",)),))
    (finding,) = found(looked_back("canary", *days, rule=of_a), Rule.POSTMORTEM)
    assert (finding.verdict, finding.slo) == (BLOCK, "b")
    of_both = replace(of_a, records=(*of_a.records, record(NOON, id="INC-43", slos=("b",))))
    judgement = looked_back("canary", *days, rule=of_both)
    assert judgement.verdict is ALLOW
    assert said(judgement, Rule.POSTMORTEM)[1].endswith("INC-43 and INC-42 explain it, reviewed")


def test_an_advisory_slo_whose_part_nobody_explained_only_warns() -> None:
    days = day(HUNDRED, "a"), day({NOON: 200}, "b", advisory=True)
    rule = replace(RULE, records=(record(NOON, slos=("a",)),))
    assert looked_back("canary", *days, rule=rule).verdict is WARN


def test_a_draft_as_it_was_written_opens_nothing() -> None:
    draft = record(NOON, cause="TODO: why", unfilled=("title", "cause"))
    rule = replace(RULE, records=(draft,))
    verdict, reason = said(looked_back("canary", day(HUNDRED), rule=rule), Rule.POSTMORTEM)
    assert verdict is BLOCK
    assert reason.endswith("its record INC-42 (incidents/42.yaml:1) lacks title and cause")


def broken(**fields: object) -> UnreadableRecord:
    mistake = Mistake(
        file="incidents/7.yaml", line=4, column=8, message="'soon' is not a valid time"
    )
    return UnreadableRecord(mistakes=(mistake,), **fields)  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({}, UNDECIDED),
        ({"start": NOON, "end": NOON + STEP}, UNDECIDED),
        ({"start": NOON - DAY}, UNDECIDED),
        ({"services": ("chat",), "slos": ("availability",)}, UNDECIDED),
        ({"start": NOON + STEP}, BLOCK),
        ({"start": NOON - HOUR, "end": NOON}, BLOCK),
        ({"services": ("rag",)}, BLOCK),
        ({"slos": ("ttft",)}, BLOCK),
    ],
)
def test_a_record_with_a_mistake_puts_in_doubt_what_it_may_be_about(
    fields: dict[str, object], verdict: Verdict
) -> None:
    rule = replace(RULE, unreadable=(broken(**fields),))
    judgement = looked_back("canary", day(HUNDRED), rule=rule)
    assert judgement.verdict is verdict
    if verdict is UNDECIDED:
        assert said(judgement, Rule.MEASUREMENT)[1] == (
            "incidents of the past: the incident chat-20261120-1200 of 2026-11-20 12:00 to 12:05"
            " UTC (5m) took 34.8% of the budget, more than 20%; a record that may explain it"
            " cannot be read: incidents/7.yaml:4:8: 'soon' is not a valid time; correct that"
            " file"
        )


@pytest.mark.parametrize(
    ("action", "verdict"), [("block", UNDECIDED), ("warn", WARN), ("allow", ALLOW)]
)
def test_what_such_a_doubt_does_is_what_the_policy_says_of_it(
    action: str, verdict: Verdict
) -> None:
    rule = replace(RULE, unreadable=(broken(),))
    on = DEFAULT_ACTIONS | {Cause.INVALID: Action(action)}
    assert looked_back("canary", day(HUNDRED), rule=rule, on=on).verdict is verdict
    assert looked_back("rollback", day(HUNDRED), rule=rule, on=on).verdict is ALLOW


def test_a_record_with_a_mistake_matters_only_where_no_other_record_explains() -> None:
    rule = replace(WITH, unreadable=(broken(),))
    assert looked_back("canary", day(HUNDRED), rule=rule).verdict is ALLOW
    assert looked_back("canary", day({}), rule=rule).verdict is ALLOW
    assert looked_back("canary", day(OPEN_BAD), rule=rule).verdict is BLOCK, "it goes on"


@pytest.mark.parametrize("of_advisory", [True, False])
def test_a_doubt_about_an_advisory_slo_alone_only_warns(of_advisory: bool) -> None:
    days = day({NOON: 200}, "a", advisory=True), day(HUNDRED, "b", advisory=of_advisory)
    rule = replace(RULE, unreadable=(broken(),))
    judgement = looked_back("canary", *days, rule=rule)
    assert judgement.verdict is (WARN if of_advisory else UNDECIDED)


def test_of_what_a_platform_has_not_defined_the_history_is_not_missed_as_well() -> None:
    why = Unmeasured(cause=Cause.BACKEND_ERROR, reason="http://toy answered 503")
    undefined = assess_undefined(PlatformSlo(name="chat", sli=Sli(slo="Chat")), why)
    known, _ = day({})

    judgement = judged("canary", known, undefined, postmortems=RULE)

    assert [f.reason for f in judgement.findings if f.slo == "chat"] == [why.reason]
    assert judgement.verdict is UNDECIDED
