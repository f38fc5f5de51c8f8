"""Which answers of a server raise a doubt about a count, and how much each leaves open."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from gate.backends.prometheus import batches
from gate.backends.prometheus.evidence import RoleEvidence, evidence_of_all, plan_evidence
from gate.backends.prometheus.evidence.roles import says_failure
from gate.backends.prometheus.probe import plan_probe
from gate.backends.prometheus.query import Query, Role
from gate.backends.prometheus.query_result import QueryResult, QueryValue, read_reply
from gate.backends.prometheus.replies import Reply
from gate.measure import Cause, CountRequest, Counts, Spent, Suspicion
from gate.promql.expression import read_expression
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import Span
from tests.backends.prometheus.played import AT, MONTH, RATIO, VALUES, FakePrometheus, ask, failure

Values = Mapping[str, str | tuple[str, ...] | Mapping[str, str] | None]
DAYS_AGO = str((AT - timedelta(days=2)).timestamp())
GONE: Values = {
    "max_over_time((0": DAYS_AGO,
    "count by (instance": "0",
    'x{code=""}[': "77",
    "count by (code)": {"": "3"},
}
"""The label code is on no series any more, and was on some until two days ago."""
STOPPED: Values = {
    "max_over_time((0": DAYS_AGO,
    "== 0": "0",
    " offset 30m))[": "0",
    "> 0)[": "700",
    "count by (code)": {"200": "3"},
    'count(x{code="500"}))[': "672",
    'count(x{code="500"})': None,
}
"""No series has the code 500, and one had until two days ago."""


SCRAPES = "max(count by (instance) (count"
"""In what asks whether targets are scraped by more jobs."""


def over(values: Values, more: Values) -> Values:
    """Return the values with more, which are looked at first."""
    return {**more, **values, **more}


def doubts(
    prometheus: FakePrometheus,
    values: Values,
    sli: Sli = RATIO,
    span: Span = MONTH,
    **request: object,
) -> tuple[Suspicion, ...]:
    """Return what is suspected where a server answers so."""
    scrapes: Values = {SCRAPES: values.get(SCRAPES)}
    # In this order, and with these values.
    prometheus.values = {**scrapes, **values, **VALUES, **values}
    answer = ask(sli, span, probe=True, **request)
    assert isinstance(answer, Counts | Spent), answer
    return answer.evidence.suspicions


def test_a_sound_count_is_not_doubted_in_one_round(prometheus: FakePrometheus) -> None:
    assert doubts(prometheus, {"count by (code)": {"200": "3", "500": "3"}}) == ()
    assert len(prometheus.queries) == 1


def test_nothing_is_looked_for_that_was_not_requested(prometheus: FakePrometheus) -> None:
    prometheus.values = {**GONE, **VALUES}
    answer = ask(RATIO)
    assert isinstance(answer, Counts)
    assert answer.evidence.suspicions == ()
    assert "delta(" not in prometheus.queries[0]


def test_a_label_that_is_gone_hides_what_was_counted_since(prometheus: FakePrometheus) -> None:
    (suspicion,) = doubts(prometheus, GONE)
    assert suspicion.hidden == 77
    assert suspicion.doubtful == 0
    assert suspicion.cause is Cause.UNMATCHED
    assert suspicion.reason == (
        "bad: no series of x has had the label code since 2025-12-30 00:00 UTC, and 77 events were"
        " counted without it"
    )
    assert len(prometheus.queries) == 2


def test_a_label_that_never_was_hides_everything(prometheus: FakePrometheus) -> None:
    (suspicion,) = doubts(prometheus, {**GONE, "max_over_time((0": None})
    assert suspicion.reason == (
        "bad: no series of x has had the label code in all of the window, and 77 events were"
        " counted without it"
    )


@pytest.mark.parametrize("table", [{"": "3", "200": "3"}, {"200": "3"}], ids=["now", "before"])
def test_a_label_that_some_lack_hides_what_those_count(
    prometheus: FakePrometheus, table: Mapping[str, str]
) -> None:
    (suspicion,) = doubts(prometheus, over(GONE, {"count by (code)": table}))
    assert suspicion.hidden == 77
    assert suspicion.reason == (
        "bad: there are series of x without the label code, and 77 events were counted without it"
    )


def test_a_label_that_a_metric_of_errors_lacks_hides_what_happened_since(
    prometheus: FakePrometheus,
) -> None:
    values: Values = {"increase(x[172800s])": "90", "delta(": None, "errors_total": "3"}
    sli = Sli(bad='errors_total{code="500"}', total="x")
    (suspicion,) = doubts(prometheus, {**GONE, **values}, sli)
    assert suspicion.hidden == 90
    table: Values = {"count by (code)": {"": "3", "200": "3"}}
    (suspicion,) = doubts(prometheus, {**GONE, **table, **values}, sli)
    assert suspicion.hidden == 1000


def test_a_label_that_targets_have_on_some_of_their_series_is_optional(
    prometheus: FakePrometheus,
) -> None:
    values: Values = {"count by (instance": "600", 'count(x{code!=""}': "672"}
    assert doubts(prometheus, over(GONE, values)) == ()


@pytest.mark.parametrize("selector", ['x{error_type="timeout"}', 'x{e!=""}', 'x{e=~".+"}'])
def test_a_label_that_only_failures_have_may_be_absent(
    prometheus: FakePrometheus, selector: str
) -> None:
    table = {"count by (e": {"": "3"}}
    assert doubts(prometheus, table, Sli(bad=selector, total="x")) == ()
    assert len(prometheus.queries) == 1


def test_a_label_with_a_dot_is_quoted(prometheus: FakePrometheus) -> None:
    table = {'count by ("http.code")': {"": "3"}, "max_over_time((0": None}
    sli = Sli(bad='{"x","http.code"="500"}', total="x")
    (suspicion,) = doubts(prometheus, table, sli)
    assert "http.code" in suspicion.reason


@pytest.mark.parametrize(
    ("sli", "hides"),
    [
        (Sli(bad='x{code="500"}', total="x"), True),
        (Sli(bad='x{code!="200"}', total="x"), False),
        (Sli(good='x{code="200"}', total="x"), False),
        (Sli(good='x{code!~"5.."}', total="x"), True),
    ],
)
def test_what_fits_no_more_hides_failures_or_invents_them(
    prometheus: FakePrometheus, sli: Sli, hides: bool
) -> None:
    (suspicion,) = doubts(prometheus, GONE, sli)
    assert (suspicion.hidden == 77, suspicion.doubtful == 77) == (hides, not hides)


def test_in_slices_it_hides_the_slices_since(prometheus: FakePrometheus) -> None:
    slices = Slices(length=timedelta(hours=1), target=Fraction(99, 100))
    counted = {"sum_over_time": "3", "count_over_time((sum": "700", "count_over_time(((": "700"}
    (suspicion,) = doubts(prometheus, {**counted, **GONE}, slices=slices)
    assert suspicion.hidden == 48


def test_what_is_older_than_a_week_hides_everything(prometheus: FakePrometheus) -> None:
    old = str((AT - timedelta(days=12)).timestamp())
    (suspicion,) = doubts(prometheus, over(STOPPED, {"max_over_time((0": old, "== 0": "5"}))
    assert suspicion.hidden == 1000


def test_a_short_window_is_no_longer_than_itself(prometheus: FakePrometheus) -> None:
    ago = str((AT - timedelta(hours=7)).timestamp())
    values: Values = {"max_over_time((0": ago, "== 0": "5"}
    (suspicion,) = doubts(prometheus, over(STOPPED, values), span=Span(AT - timedelta(hours=8), AT))
    assert suspicion.hidden == 1000
    assert not any("increase(x[86400s])" in query for query in prometheus.queries)


def test_failures_that_stop_by_chance_are_not_doubted(prometheus: FakePrometheus) -> None:
    few = {"> 0)[": "3", "increase(x[86400s])": "33", "increase(x[172800s])": "90"}
    assert doubts(prometheus, over(STOPPED, few)) == ()


@pytest.mark.parametrize(
    "values",
    [
        {"increase(x[86400s])": "33", "increase(x[172800s])": "90"},
        {"> 0)[": "3", "== 0": "5", "increase(x[172800s])": "90"},
        {"> 0)[": "3", "increase(x[172800s])": "90", "count by (code)": {"2xx": "3"}},
    ],
    ids=["failures went on and on", "it was exported at zero", "there are classes now"],
)
def test_failures_that_stop_otherwise_are_doubted(
    prometheus: FakePrometheus, values: Values
) -> None:
    (suspicion,) = doubts(prometheus, over(STOPPED, values))
    assert suspicion.hidden == 90
    assert suspicion.reason == (
        'bad: x{code="500"} has found nothing since 2025-12-30 00:00 UTC, though 90 events were'
        " counted since then"
    )


def test_failures_of_the_first_days_alone_say_nothing_of_the_rest(
    prometheus: FakePrometheus,
) -> None:
    early = str((MONTH.start + timedelta(days=2)).timestamp())
    values: Values = {"max_over_time((0": early, "> 0)[": "48", 'count(x{code="500"}))[': "48"}
    assert doubts(prometheus, over(STOPPED, values)) == ()


def test_in_slices_failures_are_compared_with_time(prometheus: FakePrometheus) -> None:
    slices = Slices(length=timedelta(hours=1), target=Fraction(99, 100))
    counted = {"sum_over_time": "3", "> 0)[2591999999ms:3600s]": "700", ") <= 1": "700"}
    (suspicion,) = doubts(prometheus, over(STOPPED, counted), slices=slices)
    assert suspicion.hidden == 48


def test_another_word_for_failures_that_takes_the_place_of_one_is_counted(
    prometheus: FakePrometheus,
) -> None:
    sli = Sli(bad='x{outcome="error"}', total="x")
    values: Values = {
        "max_over_time((0": DAYS_AGO,
        "== 0": "0",
        "> 0)[": "3",
        "count by (outcome)": {"ok": "3", "failure": "3"},
        'count(x{outcome=~"failure"})': "2",
        'outcome=~"failure"}[': "44",
        'count(x{outcome="error"}))[': "672",
        'count(x{outcome="error"})': None,
    }
    (suspicion,) = doubts(prometheus, over(STOPPED, values), sli)
    assert suspicion.hidden == 44
    beside: Values = {'count(x{outcome=~"failure"})': "300"}
    assert doubts(prometheus, over(over(STOPPED, values), beside), sli) == ()
    wanted = Sli(bad='x{outcome="error",outcome!="failure"}', total="x")
    seen: Values = {
        "max_over_time((0": DAYS_AGO,
        'outcome!="failure"}))[': "672",
        'count(x{outcome="error",': None,
    }
    assert doubts(prometheus, over(over(STOPPED, values), seen), wanted) == ()


@pytest.mark.parametrize(
    ("table", "suspect"),
    [({"500": "1", "404": "1"}, False), ({"2xx": "1"}, True), ({"fine": "1"}, True)],
)
def test_good_events_that_stop_are_doubted_unless_everything_may_have_failed(
    prometheus: FakePrometheus, table: Mapping[str, str], suspect: bool
) -> None:
    values: Values = {
        "max_over_time((0": DAYS_AGO,
        "count by (code)": table,
        'count(x{code="200"}))[': "672",
        'count(x{code="200"})': None,
        'x{code="200"}[': "700",
        "increase(x[172800s])": "90",
    }
    suspicions = doubts(prometheus, over(STOPPED, values), Sli(good='x{code="200"}', total="x"))
    assert [suspicion.doubtful for suspicion in suspicions] == [90] * suspect


def test_a_selector_that_can_find_nothing_and_never_did_is_doubted(
    prometheus: FakePrometheus,
) -> None:
    values = {'count(x{code="5xx"})': None, "count by (code)": {"200": "1", "500": "1"}}
    sli = Sli(bad='x{code="5xx"}', total="x")
    (suspicion,) = doubts(prometheus, values, sli)
    assert suspicion.hidden == 1000
    assert suspicion.reason == 'bad: x{code="5xx"} finds nothing, and code is 200, 500'
    healthy = {'count(x{code="500"})': None, "count by (code)": {"200": "1"}}
    assert doubts(prometheus, healthy) == ()


def test_another_name_of_a_metric_may_stand_in(prometheus: FakePrometheus) -> None:
    sli = Sli(bad="sum(increase(old_errors[$window]) or increase(errors[$window]))", total="x")
    values: Values = {"count(old_errors))[": "300", "count(old_errors)": None, "errors[": "3"}
    assert doubts(prometheus, {"delta(": None, **values}, sli) == ()


def test_without_data_about_all_events_there_is_only_their_age(
    prometheus: FakePrometheus,
) -> None:
    assert doubts(prometheus, {"max(timestamp(": None, **GONE}) == ()


GAUGE: Values = {
    "up == 0": None,
    "push_time_seconds": None,
    "changes(": None,
    "sum_over_time(": "1",
    "_over_time(": "9",
}
"""A gauge that changes, of a target that is up."""
MINUTES = Slices(length=timedelta(minutes=1), target=Fraction(1))


def test_a_gauge_that_changes_has_nothing_to_doubt(prometheus: FakePrometheus) -> None:
    assert doubts(prometheus, GAUGE, Sli(gauge="load"), slices=MINUTES) == ()
    assert len(prometheus.queries) == 1


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"up == 0": "2"}, "are above 0, though their targets are down (up is 0)"),
        ({"push_time_seconds": "2"}, "are of a push that is long overdue"),
        ({"max by (job)": "2"}, "are above 0 and have not changed for 1d, while others change"),
    ],
)
def test_a_gauge_that_says_nothing_new_may_hide_anything(
    prometheus: FakePrometheus, values: Values, why: str
) -> None:
    frozen = {**values, **GAUGE, **values}
    (suspicion,) = doubts(prometheus, frozen, Sli(gauge="load"), slices=MINUTES)
    assert suspicion.cause is Cause.STALE
    assert suspicion.reason.startswith(f"gauge: 2 series of load {why}")
    assert suspicion.hidden is None


def test_counters_that_began_above_zero_hide_failures(prometheus: FakePrometheus) -> None:
    (suspicion,) = doubts(prometheus, {"delta(": "30"})
    assert (suspicion.cause, suspicion.reason) == (
        Cause.BORN,
        'bad: series of x{code="500"} were above zero when they were first seen, so that 30'
        " failures before that are not counted",
    )
    assert suspicion.hidden == 30
    assert doubts(prometheus, {"delta(": "0.2"}) == ()


ALL: Values = {'delta(x{code="500"}': "300", "delta(x[": "1000"}
"""The values where 300 of 1,000 hidden events failed."""


@pytest.mark.parametrize(
    ("bad", "events", "hidden"),
    [
        # 3 of 1,000 failed, and 303 of 2,000 did in truth: 151.5 of 1,000.
        ("3", "1000", Fraction(297, 2)),
        ("3", "400", Fraction(300)),
        ("300", "1000", None),
        ("300", "500", Fraction(100)),
    ],
)
def test_where_all_counters_began_above_zero_the_ratio_shows_what_is_hidden(
    prometheus: FakePrometheus, bad: str, events: str, hidden: Fraction | None
) -> None:
    values = {**ALL, "delta(x[": events, 'increase(x{code="500"}[2592000s])': bad}
    suspicions = doubts(prometheus, values)
    assert [suspicion.hidden for suspicion in suspicions] == ([] if hidden is None else [hidden])
    assert len(prometheus.queries) == 2


def test_good_and_bad_events_are_all_that_began_above_zero(prometheus: FakePrometheus) -> None:
    values: Values = {'delta(x{code="500"}': "300", 'delta(x{code="200"}': "700", '"500"}[': "3"}
    sli = Sli(bad='x{code="500"}', good='x{code="200"}')
    (suspicion,) = doubts(prometheus, {**values, '"200"}[': "997"}, sli)
    assert suspicion.hidden == Fraction(297, 2)


def test_in_slices_each_failure_may_spoil_one(prometheus: FakePrometheus) -> None:
    slices = Slices(length=timedelta(hours=1), target=Fraction(99, 100))
    counted: Values = {"sum_over_time": "3", "> 0)[2591999999ms:3600s]": "700", ") <= 1": "700"}
    (suspicion,) = doubts(prometheus, {**ALL, **counted}, slices=slices)
    assert suspicion.hidden == 300


def test_counters_that_began_with_the_data_were_not_born(prometheus: FakePrometheus) -> None:
    values: Values = {"count(last_over_time(": None, "min_over_time((0": "0", "delta(": "30"}
    assert doubts(prometheus, values) == ()
    assert len(prometheus.queries) == 2
    later = {**values, "min_over_time((0": "20"}
    assert [suspicion.hidden for suspicion in doubts(prometheus, later)] == [20]


def test_what_was_created_before_the_window_was_not_born_in_it(
    prometheus: FakePrometheus,
) -> None:
    doubts(prometheus, {}, Sli(bad="errors_total", total="x"))
    assert "last_over_time(errors_created[2592000s]) < time() - 2592000" in prometheus.queries[0]


def test_spending_that_began_above_zero_is_doubted(prometheus: FakePrometheus) -> None:
    (suspicion,) = doubts(prometheus, {"delta(": "30"}, Sli(spent="x"), amount=True)
    assert (suspicion.cause, suspicion.hidden == 30) == (Cause.BORN, True)
    assert "30 spent before" in suspicion.reason


def test_a_window_that_is_too_long_to_look_for_births_is_cut(prometheus: FakePrometheus) -> None:
    def refuse(query: str) -> tuple[int, dict[str, str], str] | None:
        if "delta(" in query and ("gate_part" in query or "[2592000s]" in query):
            return 422, {}, failure("execution", "query processing would load too many samples")
        return None

    prometheus.refuse = refuse
    (suspicion,) = doubts(prometheus, {"delta(": "30"})
    pieces = {q for q in prometheus.queries if "delta(" in q and not refuse(q)}
    assert len(pieces) > 1
    assert suspicion.hidden is not None
    assert suspicion.hidden % 30 == 0
    assert suspicion.hidden > 30


def test_evidence_that_the_server_does_not_give_is_a_doubt(prometheus: FakePrometheus) -> None:
    (suspicion,) = doubts(prometheus, {"count by (code)": {"200": "NaN"}})
    assert (suspicion.cause, suspicion.hidden) == (Cause.INVALID, None)
    assert "not answered: the value is NaN" in suspicion.reason


def test_evidence_that_the_server_does_not_give_hides_no_other_doubt(
    prometheus: FakePrometheus,
) -> None:
    hour = "sum(increase(x[3600s]"
    silent: Values = {f"{hour})": "0", f"{hour} offset": "500", "count by (code)": {"200": "NaN"}}

    assert {doubt.cause for doubt in doubts(prometheus, silent)} == {
        Cause.INVALID,
        Cause.NO_TRAFFIC,
    }


def test_evidence_of_which_a_part_is_missing_makes_a_partial_answer(
    prometheus: FakePrometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One store is down while the labels are asked for, and not while events are counted."""

    def read(reply: Reply, parts: Sequence[Query]) -> list[QueryResult]:
        return [
            replace(result, warnings=("store a is down",))
            if part.label == "code" and isinstance(result, QueryValue)
            else result
            for part, result in zip(parts, read_reply(reply, parts), strict=True)
        ]

    monkeypatch.setattr(batches, "read_reply", read)
    prometheus.values = {"count by (code)": {"200": "3", "500": "3"}, **VALUES}
    answer = ask(RATIO, MONTH, probe=True)

    assert isinstance(answer, Counts)
    assert answer.evidence.warnings == ("store a is down",)


@pytest.mark.parametrize(
    ("good", "rest"),
    [
        ('x{code="200"}', 'x{service="s",code!="200"}'),
        ('x{code!~"5.."}', 'x{service="s",code=~"5.."}'),
    ],
)
def test_where_only_good_events_are_named_the_rest_is_examined(
    prometheus: FakePrometheus, good: str, rest: str
) -> None:
    sli = Sli(good=good, total='x{service="s"}')
    values: Values = {f"delta({rest}": "30", f"last_over_time({rest}": "30"}
    (suspicion,) = doubts(prometheus, values, sli)
    assert (suspicion.cause, rest in suspicion.reason) == (Cause.BORN, True)


@pytest.mark.parametrize("good", ['x{code="200",path="/"}', 'x_bucket{le="1"}', "fast_total"])
@pytest.mark.parametrize(("began", "hidden"), [("970", 30), ("1000", 0), ("1010", 0)])
def test_where_the_rest_is_no_one_selector_births_of_good_events_are_taken_off(
    prometheus: FakePrometheus, good: str, began: str, hidden: int
) -> None:
    values: Values = {
        f"delta({good}[": began,
        "delta(x[": "1000",
        f"sum(increase({good}[2592000s]": "999997",
        "sum(increase(x[2592000s]": "1000000",
        "_total": "3",
        "_bucket": "3",
    }
    suspicions = doubts(prometheus, values, Sli(good=good, total="x"))
    assert [(s.cause, s.hidden) for s in suspicions] == (
        [(Cause.BORN, Fraction(hidden))] if hidden else []
    )
    if hidden:
        reason = f"series of x had counted 30 events more than those of {good}, so that as many"
        assert reason in suspicions[0].reason


def test_what_a_histogram_and_its_data_began_with_at_once_was_not_born(
    prometheus: FakePrometheus,
) -> None:
    sli = Sli(good='x_bucket{le="1"}', total="x_count")
    values: Values = {
        "count(last_over_time(": None,
        "min_over_time((0": "0",
        "delta(x_count[": "1000",
        'delta(x_bucket{le="1"}[': "900",
        'increase(x_bucket{le="1"}[2592000s]': "999997",
        "increase(x_count[2592000s]": "1000000",
        "x_": "3",
    }
    assert doubts(prometheus, values, sli) == ()
    assert len(prometheus.queries) == 2
    created = "(le, gate_change) (last_over_time(x_created[2592000s]) < time() - 2592000"
    assert prometheus.queries[0].count(f"unless ignoring {created}") == 2  # once in each count


def test_of_a_total_of_two_metrics_only_one_has_the_rest(prometheus: FakePrometheus) -> None:
    total = "sum(increase(x[$window])) + sum(increase(y[$window]))"
    doubts(prometheus, {"y": "1000"}, Sli(good='x{code="200"}', total=total))
    assert 'delta(x{code!="200"}[' in prometheus.queries[0]
    assert "delta(y" not in prometheus.queries[0]


ERRORS = Sli(bad="errors_total", total="x")


def test_errors_that_stopped_are_not_doubted_where_the_total_shows_none_since(
    prometheus: FakePrometheus,
) -> None:
    stopped: Values = {
        "max_over_time((0": DAYS_AGO,
        "> 0)[": "700",
        "count(errors_total))[": "672",
        "count(errors_total)": None,
        "unless on (gate_status)": "35",
        "delta(": None,
        "errors_total": "30",
    }
    assert doubts(prometheus, stopped, ERRORS) == ()
    (suspicion,) = doubts(prometheus, {**stopped, "unless on (gate_status)": None}, ERRORS)
    assert suspicion.cause is Cause.UNMATCHED


def test_failures_that_the_total_shows_itself_contradict_a_lower_count(
    prometheus: FakePrometheus,
) -> None:
    values: Values = {
        "unless on (gate_status)": "70",
        "count by (gate_status)": {"": "1", "500": "2"},
    }
    (suspicion,) = doubts(prometheus, {"delta(": None, **values, "errors_total": "30"}, ERRORS)
    assert (suspicion.cause, suspicion.reason) == (
        Cause.CONTRADICTED,
        "bad: 30 are counted, though x itself shows 70 failures (500)",
    )
    assert suspicion.hidden == 40
    assert len(prometheus.queries) == 2
    unlisted = {**values, "count by (gate_status)": None}
    (suspicion,) = doubts(prometheus, {"delta(": None, **unlisted, "errors_total": "30"}, ERRORS)
    assert suspicion.reason.endswith("itself shows 70 failures")


def test_failures_that_the_total_shows_as_they_are_counted_need_no_second_round(
    prometheus: FakePrometheus,
) -> None:
    values: Values = {"delta(": None, "unless on (gate_status)": "70", "errors_total": "61"}
    assert doubts(prometheus, values, ERRORS) == ()
    assert len(prometheus.queries) == 1


def test_targets_whose_failures_only_the_total_shows_are_named(prometheus: FakePrometheus) -> None:
    values: Values = {
        "gate_counter": {"d": "35"},
        "delta(": None,
        "unless on (gate_status)": "140",
        "errors_total": "105",
    }
    (suspicion,) = doubts(prometheus, values, ERRORS)
    assert suspicion.cause is Cause.CONTRADICTED
    assert suspicion.hidden == 35
    assert suspicion.reason == (
        "bad: of 1 target (d) 35 failures are not counted that x itself shows, though those of"
        " others are"
    )
    assert len(prometheus.queries) == 2
    several = {**values, "gate_counter": {"d": "10", "a": "10", "c": "10", "b": "5"}}
    (suspicion,) = doubts(prometheus, several, ERRORS)
    assert "of 4 targets (a, b, c, ...) 35 failures" in suspicion.reason
    assert suspicion.hidden == 35


def test_more_failures_in_the_total_are_not_a_doubt_where_every_target_has_its_own_counted(
    prometheus: FakePrometheus,
) -> None:
    shown: Values = {"delta(": None, "unless on (gate_status)": "140", "errors_total": "105"}
    assert doubts(prometheus, {"gate_counter": None, **shown}, ERRORS) == ()
    added = Sli(bad="sum(sum_over_time(errors_total[$window]))", total="x")
    assert doubts(prometheus, {"gate_counter": {"d": "35"}, **shown}, added) == ()
    assert not any("gate_counter" in query for query in prometheus.queries[2:])


@pytest.mark.parametrize(
    ("sli", "hidden", "doubtful"),
    [(ERRORS, 30, 0), (Sli(good="fast_total", total="x"), 0, 30)],
    ids=["bad", "good"],
)
def test_targets_of_which_only_some_jobs_keep_what_is_counted_are_doubted(
    prometheus: FakePrometheus, sli: Sli, hidden: int, doubtful: int
) -> None:
    asked: Values = {"delta(": None, "sum by (instance) (increase(": "30", SCRAPES: "600"}
    (suspicion,) = doubts(prometheus, {**asked, "_total": "50"}, sli)
    assert suspicion.cause is Cause.UNMATCHED
    assert suspicion.hidden == hidden
    assert suspicion.doubtful == doubtful
    assert "30 bad events" in suspicion.reason or "30 good events" in suspicion.reason
    few: Values = {**asked, "sum by (instance) (increase(": "3", "_total": "50"}
    assert doubts(prometheus, {**few}, sli) == ()


def test_a_target_that_two_jobs_have_for_a_moment_is_one_whose_job_was_renamed(
    prometheus: FakePrometheus,
) -> None:
    values: Values = {"delta(": None, "sum by (instance) (increase(": "30", SCRAPES: "2"}
    assert doubts(prometheus, {**values, "_total": "50"}, ERRORS) == ()
    assert len(prometheus.queries) == 1


def test_targets_without_the_bucket_count_all_their_events_as_bad(
    prometheus: FakePrometheus,
) -> None:
    histogram = Sli(good='h_bucket{le="1"}', total="h_count")
    lacking: Values = {
        '{le="+Inf"}[2592000s]) unless on (instance, pod)': "40",
        '{le="+Inf"} unless on (instance, pod)': "100",
        "delta(": None,
        'h_bucket{le="1"}': "900",
        "h_count": "1000",
    }
    (suspicion,) = doubts(prometheus, lacking, histogram)
    assert suspicion.cause is Cause.UNMATCHED
    assert suspicion.hidden == 0
    assert suspicion.doubtful == 40
    assert suspicion.reason == (
        'good: 40 events are of targets that have h_bucket, and not h_bucket{le="1"}; they count'
        " as bad"
    )
    assert len(prometheus.queries) == 2
    few: Values = {**lacking, '{le="+Inf"}[2592000s]) unless on (instance, pod)': "4"}
    assert doubts(prometheus, few, histogram) == ()
    none: Values = {**lacking, '{le="+Inf"} unless on (instance, pod)': None}
    assert doubts(prometheus, none, histogram) == ()


@pytest.mark.parametrize(
    "sli",
    [
        RATIO,
        Sli(bad="hallucinations_total", total="x"),
        Sli(good="fast_total", total="x"),
        Sli(bad="engine_errors_total", total="x", some_failures=True),
    ],
    ids=["chosen by its status", "no failures", "no bad events", "some of the failures"],
)
def test_a_total_speaks_only_of_failures_that_nothing_else_chose(
    prometheus: FakePrometheus, sli: Sli
) -> None:
    doubts(prometheus, {"unless on (gate_status)": "70", "_total": "3"}, sli)
    assert "gate_status" not in prometheus.queries[0]


DAILY = dict.fromkeys(range(1, 15), "50")


@pytest.mark.parametrize(
    ("days", "unusual"),
    [
        (dict.fromkeys(range(1, 15), "10"), True),
        (dict.fromkeys(range(1, 15), "9"), False),
        (dict.fromkeys(range(1, 6), "50"), False),
        (DAILY | {1: "0"}, True),
        (dict.fromkeys(range(2, 8), "50") | {1: "0"}, True),
        (DAILY | {3: "0", 4: "0", 10: "0", 11: "0"}, True),
        (DAILY | {1: "0", 2: "0", 8: "0", 9: "0"}, False),
        (DAILY | {2: "0"}, False),
        ({1: "50", 3: "50", 7: "50", 9: "50"}, False),
        (DAILY | {1: "0", 2: "0", 3: "0"}, False),
    ],
    ids=[
        "busy every day",
        "nearly none",
        "young",
        "since yesterday",
        "eight days of data",
        "rest at weekends, and today is none of them",
        "a Monday off after a weekend",
        "it happens now and then",
        "batch jobs",
        "long gone",
    ],
)
def test_silence_at_an_hour_that_is_usually_busy_is_doubted(
    prometheus: FakePrometheus, days: Mapping[int, str], unusual: bool
) -> None:
    hours: Values = {f"3600s] offset {day * 86400}s": days.get(day) for day in range(1, 15)}
    suspicions = doubts(prometheus, {**hours, "x[3600s]": "0"})
    expected = (Cause.NO_TRAFFIC, None)
    assert [(s.cause, s.hidden) for s in suspicions] == [expected] * unusual


def test_a_window_of_less_than_a_day_is_not_requested_silence(prometheus: FakePrometheus) -> None:
    doubts(prometheus, {}, span=Span(AT - timedelta(hours=12), AT))
    assert "offset 86400s" not in prometheus.queries[0]


@pytest.mark.parametrize(
    ("value", "failure"),
    [
        *((value, True) for value in ("500", "5xx", "error", "Server_Error", "timed out")),
        *((value, False) for value in ("404", "ok", "client_error", "no_error", "stop", "None")),
    ],
)
def test_a_value_says_that_the_server_failed(value: str, failure: bool) -> None:
    assert says_failure(value) is failure


def test_a_process_that_loses_its_failures_while_it_runs_needs_no_statistics(
    prometheus: FakePrometheus,
) -> None:
    few: Values = {**STOPPED, "> 0)[": "1"}
    assert doubts(prometheus, {"resets(": "1", **few}) == ()
    (suspicion,) = doubts(prometheus, over(few, {"resets(": "1", " offset 30m))[": "300"}))
    assert suspicion.cause is Cause.UNMATCHED

    assert doubts(prometheus, few) == ()


def test_silence_is_that_of_all_names_together() -> None:
    """The newer name has no events of the days before, and the older one none of today."""
    span, evidence = Span(AT - timedelta(days=7), AT), []
    for name in ("new", "old"):
        sli = Sli(bad=f'{name}{{code="500"}}', total=name)
        expressions = {
            role: read_expression(text or "", None)
            for role, text in ((Role.TOTAL, sli.total), (Role.BAD, sli.bad))
        }
        parts = {Role.BAD: Query(pieces=expressions[Role.BAD].pieces, length=span.length)}
        request = CountRequest(sli=sli, span=span, probe=True)
        evidence.append(plan_evidence(expressions, parts, request))
    either = read_expression("sum(increase(new[$window]) or increase(old[$window]))", None)
    both = evidence_of_all(evidence, either, plan_probe([either], span))
    assert both is not None
    assert evidence_of_all([None], either, None) is None

    def answer(part: Query) -> QueryResult:
        hour = "sum(increase(new[3600s])) + sum(increase(old[3600s]))"
        if part.length != timedelta(hours=1) or not part.terms:
            return QueryValue(number=None)
        return QueryValue(number=Fraction(0 if part.text == hour else 50))

    causes = [s.cause for s in both.suspicions(answer, Fraction(1000), Fraction(3))]
    assert causes == [Cause.NO_TRAFFIC]
    alone = RoleEvidence(witnesses=tuple(w for e in evidence for w in e.witnesses))
    assert not list(alone.suspicions(answer, Fraction(1000), Fraction(3)))
