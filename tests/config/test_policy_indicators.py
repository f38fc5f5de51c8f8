"""The counts of SLOs: indicators, timeslices, samples, allowances and composites."""

from datetime import timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from gate.slo.calendar import Period
from gate.slo.indicator import EmptySlice, Sli, Slices
from gate.slo.objective import Bound, CalendarWindow, CompositeSlo, Member, SpendSlo
from tests.config.texts import SLOS, assert_mistake, only_ratio, policy, slo, sound

OBJECTIVE = "objective: 99.9%"
WINDOW = "window: 30d"
SLI = "sli: {bad: a, total: b}"
LOGS = "backend: {type: logs, path: a, timestamp: ts}\n"
INDICATOR = (
    "the indicator does not say what to count; write {preset: vllm/errors}, {bad: ...,"
    " total: ...}, {histogram: ..., threshold: 2.5s}, {column: ..., threshold: 2500},"
    " {gauge: ...}, {metric: ...} or {spent: ...}"
)


@pytest.mark.parametrize(
    ("sli", "message"),
    [
        ("¦{}", INDICATOR),
        ("¦{labels: {a: b}}", INDICATOR),
        ("¦{total: a}", INDICATOR),
        (
            "¦{bad: a, gauge: b}",
            "'bad' and 'gauge' do not go together; an indicator has one of the two",
        ),
        ("{bad: a, threshold: ¦5}", "'threshold' does not go with 'bad'; remove it"),
        (
            "¦{column: a}",
            (
                "the key 'threshold' is missing; add the largest good value of the column: 2.5s"
                " or 2500ms"
            ),
        ),
        ("¦{threshold: 5}", INDICATOR),
        (
            "{column: a, threshold: ¦5s}",
            "the measured value is not a time; write a number without a unit",
        ),
        (
            "{column: a, threshold: ¦5, unit: s}",
            "5 has no unit; write a duration such as 5s or 5ms",
        ),
        (
            "{column: a, threshold: 5s, unit: ¦sec}",
            "'sec' is not a valid value; write ms, ns, s or us",
        ),
        (
            "{column: a, threshold: 5, bucket: ¦exact}",
            "'bucket' does not go with 'column'; remove it",
        ),
        (
            "{column: a, threshold: 5, options: ¦{a: b}}",
            "'options' does not go with 'column'; remove it",
        ),
        (
            "¦{histogram: a_seconds}",
            (
                "the key 'threshold' is missing; add the largest good value of the histogram:"
                " 2.5s or 2500ms"
            ),
        ),
        (
            "{histogram: ¦a, threshold: 5s}",
            "the name a does not show the unit of its values; add unit: s",
        ),
        (
            "{histogram: a_ms, threshold: ¦5}",
            "5 has no unit; write a duration such as 5s or 5ms",
        ),
        (
            "{column: a, threshold: ¦fast}",
            "'fast' is not a valid threshold; write a duration such as 2.5s, or a number",
        ),
        (
            "{column: a, threshold: ¦1e999}",
            "'1e999' is not a valid threshold; write a duration such as 2.5s, or a number",
        ),
        (
            "{column: a, threshold: ¦1/0}",
            "'1/0' is not a valid threshold; write a duration such as 2.5s, or a number",
        ),
        (
            "{column: a, threshold: ¦.inf}",
            "'.inf' is not a valid threshold; write a duration such as 2.5s, or a number",
        ),
    ],
)
def test_an_indicator_that_is_none_says_what_there_is(sli: str, message: str) -> None:
    assert_mistake(policy(backend=LOGS, slos=slo(OBJECTIVE, WINDOW, f"sli: {sli}")), message)


@pytest.mark.parametrize(
    ("sli", "expected"),
    [
        ("{bad: a, total: b}", Sli(bad="a", total="b")),
        ("{good: a, bad: b}", Sli(good="a", bad="b")),
        (
            "{good: a, total: b, labels: {code: 200}}",
            Sli(good="a", total="b", labels={"code": "200"}),
        ),
    ],
)
def test_prometheus_counts_ratios(sli: str, expected: Sli) -> None:
    one = only_ratio(OBJECTIVE, WINDOW, f"sli: {sli}")

    assert one.sli == expected


def test_logs_count_every_row_and_thresholds() -> None:
    plain = only_ratio(OBJECTIVE, WINDOW, "sli: {bad: a}", backend=LOGS)
    slow = only_ratio(OBJECTIVE, WINDOW, "sli: {column: ms, threshold: 2.5}", backend=LOGS)

    assert plain.sli == Sli(bad="a")
    assert slow.sli == Sli(column="ms", threshold=Fraction(5, 2))


def test_a_gauge_is_judged_minute_by_minute_unless_it_says_otherwise() -> None:
    default = only_ratio(OBJECTIVE, WINDOW, "sli: {gauge: up}")
    own = only_ratio(OBJECTIVE, WINDOW, "sli: {gauge: up}", "timeslices: {length: 5m, target: 90%}")

    assert default.slices == Slices(length=timedelta(minutes=1), target=Fraction(1))
    assert own.slices == Slices(length=timedelta(minutes=5), target=Fraction(9, 10))


def test_timeslices_say_what_an_empty_slice_is() -> None:
    one = only_ratio(OBJECTIVE, WINDOW, SLI, "timeslices: {length: 5m, target: 95%, empty: bad}")

    assert one.slices == Slices(
        length=timedelta(minutes=5), target=Fraction(95, 100), empty=EmptySlice.BAD
    )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (("timeslices: {length: 5m, target: ¦0%}",), "0% must be above 0%"),
        (("timeslices: {length: 5m, target: ¦101%}",), "101% is not between 0% and 100%"),
        (
            ("timeslices: ¦{length: 31d, target: 95%}",),
            "a slice must not be longer than the window",
        ),
        (
            ("sampled: ¦true", "timeslices: {length: 5m, target: 95%}"),
            "'sampled' does not go with timeslices; remove one",
        ),
        (("min_events: ¦-1",), "'-1' is not a valid count; write a whole number, 0 or more"),
        (("min_events: ¦1.5",), "'1.5' is not a valid count; write a whole number, 0 or more"),
        (
            ("min_events: ¦9999999999999999999",),
            "'9999999999999999999' is not a valid count; write a whole number, 0 or more",
        ),
    ],
)
def test_timeslices_and_samples_are_checked(keys: tuple[str, ...], message: str) -> None:
    assert_mistake(policy(slos=slo(OBJECTIVE, WINDOW, SLI, *keys)), message)


def test_a_slice_must_fit_the_shortest_day_of_a_calendar() -> None:
    window = "window: {calendar: day, time_zone: Europe/Berlin}"
    slices = "timeslices: ¦{length: 24h, target: 95%}"

    fitting = only_ratio(OBJECTIVE, window, SLI, slices.replace("¦", "").replace("24h", "23h"))

    assert fitting.slices is not None
    assert_mistake(
        policy(slos=slo(OBJECTIVE, window, SLI, slices)),
        "a slice must not be longer than the window",
    )


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("true", Bound.PESSIMISTIC),
        ("false", None),
        ("{bound: point}", Bound.POINT),
        ("{bound: optimistic}", Bound.OPTIMISTIC),
    ],
)
def test_a_sample_says_which_bound_decides(text: str, bound: Bound | None) -> None:
    one = only_ratio(
        OBJECTIVE, WINDOW, SLI, f"sampled: {text}", "min_events: 50", "advisory: false"
    )

    assert (one.sampled, one.min_events, one.design_effect) == (bound, 50, Fraction(1))


@pytest.mark.parametrize(
    ("text", "bound", "effect"),
    [
        ("{design_effect: 3}", Bound.PESSIMISTIC, "3"),
        ("{design_effect: 1}", Bound.PESSIMISTIC, "1"),
        ("{bound: point, design_effect: 2.5}", Bound.POINT, "2.5"),
        ("{}", Bound.PESSIMISTIC, "1"),
    ],
)
def test_a_sample_says_how_much_its_events_resemble_each_other(
    text: str, bound: Bound, effect: str
) -> None:
    one = only_ratio(OBJECTIVE, WINDOW, SLI, f"sampled: {text}")

    assert (one.sampled, one.design_effect) == (bound, Fraction(effect))


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("0.9", "'0.9' is not a valid design effect; write 1 (independent events) or more"),
        ("0", "0 is not above zero; write a positive number"),
    ],
)
def test_events_are_worth_no_more_than_independent_ones(number: str, message: str) -> None:
    text = f"sampled: {{design_effect: ¦{number}}}"

    assert_mistake(policy(slos=slo(OBJECTIVE, WINDOW, SLI, text)), message)


@pytest.mark.parametrize(
    ("backend", "sli", "message"),
    [
        (
            "prometheus",
            "{column: a, threshold: 1}",
            (
                "the prometheus backend does not support 'threshold' indicators; it"
                " supports: gauge, histogram, ratio, spent"
            ),
        ),
        (
            "prometheus",
            "{bad: a}",
            "the key 'total' is missing; add the expression for all events, or both good and bad",
        ),
        (
            "prometheus",
            "{good: a}",
            "the key 'total' is missing; add the expression for all events, or both good and bad",
        ),
        (
            "logs",
            "{gauge: up}",
            "the logs backend does not support 'gauge' indicators; it supports: ratio, spent,"
            " threshold",
        ),
        ("logs", "{bad: a, labels: {x: y}}", "the logs backend does not use labels; remove them"),
    ],
)
@pytest.mark.parametrize("address", ["http://x", "${NOT_SET_HERE}"])
def test_an_indicator_must_be_one_that_the_backend_counts(
    backend: str, sli: str, message: str, address: str
) -> None:
    keys = f"type: {backend}, {'url' if backend == 'prometheus' else 'timestamp: ts, path'}"
    text = policy(
        backend=f'backend: {{{keys}: "{address}"}}\n',
        slos=f"slos:\n  - ¦{{name: x, {OBJECTIVE}, {WINDOW}, sli: {sli}}}\n",
    )

    assert_mistake(text, f"x: {message}", offline=True)


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("50000 USD", Fraction(50000), "USD"),
        ("50,000.50 USD", Fraction("50000.5"), "USD"),
        ("2_000_000 tokens", Fraction(2_000_000), "tokens"),
        ("0.5", Fraction(1, 2), ""),
    ],
)
def test_an_allowance_is_an_amount_with_or_without_a_unit(
    text: str, amount: Fraction, unit: str
) -> None:
    rest = "  - {name: other, objective: 99%, window: 1d, sli: {bad: a, total: b}}\n"
    text = slo(f"allowance: {text}", "window: {calendar: month}", "sli: {spent: a}") + rest

    assert sound(policy(slos=text)).slos[0] == SpendSlo(
        name="availability",
        window=CalendarWindow(Period.MONTH, ZoneInfo("UTC")),
        sli=Sli(spent="a"),
        allowance=amount,
        unit=unit,
    )


@pytest.mark.parametrize("text", ["0 USD", "USD 5", "-5 USD", "$5", "a lot", "5 US dollars"])
def test_an_allowance_that_is_none_says_so(text: str) -> None:
    assert_mistake(
        policy(slos=slo(f"allowance: ¦{text}", WINDOW, "sli: {spent: a}")),
        f"{text!r} is not a valid amount above zero; write for example 50000 USD",
    )


def test_a_composite_names_slos_above_it_with_weights() -> None:
    composite = "  - {name: all, composite: [{slo: availability, weight: 1/3}], advisory: true}\n"

    assert sound(policy(slos=SLOS + composite)).slos[1] == CompositeSlo(
        name="all",
        members=(Member(slo="availability", weight=Fraction(1, 3)),),
        advisory=True,
    )


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            "  - ¦{name: all, composite: [{slo: availabilty}]}\n",
            "all: 'availabilty' is not an SLO with an objective above this one;"
            " did you mean 'availability'?",
        ),
        (
            "  - ¦{name: all, composite: [{slo: all}]}\n",
            "all: 'all' is not an SLO with an objective above this one; known: availability",
        ),
        (
            "  - {name: one, composite: [{slo: availability}]}\n"
            "  - ¦{name: two, composite: [{slo: one}]}\n",
            "two: 'one' is not an SLO with an objective above this one; known: availability",
        ),
        (
            "  - ¦{name: all, composite: [{slo: later}]}\n"
            "  - {name: later, objective: 99%, window: 1d, sli: {bad: a, total: b}}\n",
            "all: 'later' is not an SLO with an objective above this one; known: availability",
        ),
        (
            "  - {name: all, composite: ¦[]}\n",
            "the list needs at least 1 entry; write composite: [{slo: availability}, {slo: latency,"
            " weight: 0.5}]",
        ),
        (
            "  - {name: all, composite: [{slo: availability, weight: ¦0}]}\n",
            "0 is not above zero; write a positive number",
        ),
        (
            "  - ¦{name: availability, objective: 99%, window: 1d, sli: {bad: a, total: b}}\n",
            "availability: duplicate SLO name; names must differ",
        ),
    ],
)
def test_a_composite_of_what_is_not_there_and_a_name_given_twice_are_reported(
    more: str, message: str
) -> None:
    assert_mistake(policy(slos=SLOS + more), message)
