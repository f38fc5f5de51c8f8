"""The consumption of a budget, compared with histories whose truth is known."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from gate.budget.assess import assess_ratio, assess_spend
from gate.history.consumption import Consumption, consumption
from gate.history.incidents import Incident, IncidentEnding
from gate.measure import Spent
from gate.measure.history import Series, SeriesRequest
from gate.slo.indicator import Sli
from gate.slo.objective import RollingWindow, Span, SpendSlo
from tests.budget.building import AT, DAY, GUARDS, HOUR, counts, evidence, lost, ratio_slo
from tests.history.telling import measured

WEEK = ratio_slo(window=RollingWindow(7 * DAY))
MIDNIGHT = AT.replace(hour=0)


def incident(start_hours_ago: int, end_hours_ago: int) -> Incident:
    return Incident(
        start=AT - start_hours_ago * HOUR,
        end=AT - end_hours_ago * HOUR,
        ending=IncidentEnding.CALM,
        bad=1,
        peak=10,
        unknown=timedelta(),
    )


def eaten(
    hours: int,
    bad: dict[int, float | None],
    incidents: Iterable[tuple[str, Incident]],
    total_bad: int,
) -> Consumption:
    """Return what ate a week's budget of 1,000 of 1,000,000, told by the hour.

    Args:
        hours: of history.
        bad: by how many hours ago the step ended.
        incidents: with their ids.
        total_bad: as it was counted.
    """
    request = SeriesRequest(sli=Sli(bad="b"), span=Span(AT - hours * HOUR, AT), step=HOUR)
    events = [bad.get(hours - 1 - place, 0.0) for place in range(hours)]
    series = Series(total=tuple(events), bad=tuple(events), query="asked")
    now = measured(bad=total_bad, total=1_000_000, slo=WEEK)
    found = consumption(now, series, request, incidents)
    assert found is not None
    return found


def test_bad_events_of_incidents_are_distinguished_from_all_others_by_the_day() -> None:
    # The outage lies over midnight: 100 before it, 300 after it. AT is 14:00.
    outage, slow = incident(40, 36), incident(90, 88)
    found = eaten(
        24 * 7,
        {38: 100.0, 37: 300.0, 89: 50.0, 10: 25.0, 100: 25.0, 11: None},
        [("slow", slow), ("outage", outage)],
        500,
    )

    assert found.consumed == 0.5
    assert found.incidents == {"outage": 0.4, "slow": pytest.approx(0.05)}
    assert found.chronic == pytest.approx(0.05)
    assert found.earlier == 0
    assert list(found.incidents) == ["outage", "slow"]
    assert len(found.stretches) == 8
    spans = [one.span for one in found.stretches]
    assert (spans[0], spans[-1]) == (
        Span(AT - 7 * DAY, MIDNIGHT - 6 * DAY),
        Span(MIDNIGHT, AT),
    )
    taken = {one.span.start.day: one.total for one in found.stretches if one.total}
    assert taken == pytest.approx({16: 0.075, 18: 0.1, 19: 0.3, 20: 0.025})


def test_what_one_incident_did_at_two_times_is_all_its_own() -> None:
    parts = [("outage", incident(40, 36)), ("outage", incident(30, 28))]
    found = eaten(24 * 7, {38: 100.0, 29: 300.0, 33: 50.0}, parts, 450)

    assert found.incidents == {"outage": pytest.approx(0.4)}
    assert found.chronic == pytest.approx(0.05)


def test_of_a_step_that_the_window_begins_in_only_what_the_window_has_of_it_counts() -> None:
    # A week of 168 hours and a history of 169: of the first 70 are not in the window any more.
    found = eaten(170, {169: 70.0, 20: 100.0}, (), 100)

    assert found.chronic == pytest.approx(0.1)

    request = SeriesRequest(
        sli=Sli(bad="b"), span=Span(AT - 7 * DAY - HOUR / 2, AT - HOUR / 2), step=HOUR
    )
    bad = (70.0, *[0.0] * 166, 50.0)
    now = replace(
        measured(bad=80, total=1_000_000, slo=WEEK), span=Span(AT - 7 * DAY, AT - HOUR / 2)
    )
    part = consumption(now, Series(total=bad, bad=bad, query="asked"), request, ())
    assert part is not None
    assert part.stretches[0].span.start == AT - 7 * DAY
    assert part.stretches[0].chronic == pytest.approx(0.03)
    assert part.earlier == 0


def test_what_happened_before_the_history_is_reported_as_such() -> None:
    found = eaten(48, {20: 100.0}, (), 300)

    assert found.earlier == pytest.approx(0.2)
    assert found.chronic == pytest.approx(0.1)
    assert len(found.stretches) == 3


def test_a_short_window_is_reported_by_the_hour() -> None:
    day = ratio_slo(window=RollingWindow(DAY))
    request = SeriesRequest(sli=Sli(bad="b"), span=Span(AT - DAY, AT), step=HOUR / 4)
    bad = (1.0,) * 96
    now = assess_ratio(day, counts(bad=96, total=96_000), {}, at=AT, guards=GUARDS)
    found = consumption(now, Series(total=bad, bad=bad, query="asked"), request, ())
    assert found is not None

    assert [one.span.length for one in found.stretches] == [HOUR] * 24
    assert {round(one.total, 9) for one in found.stretches} == {round(1 / 24, 9)}


def test_of_an_allowance_it_is_what_was_spent() -> None:
    money = SpendSlo(
        name="m", window=WEEK.window, sli=Sli(spent="s"), allowance=Fraction(100), unit="USD"
    )
    now = assess_spend(money, Spent(amount=Fraction(40), evidence=evidence()), at=AT, guards=GUARDS)
    request = SeriesRequest(sli=money.sli, span=Span(AT - 7 * DAY, AT), step=DAY, amount=True)
    spent = (5.0, 5.0, 5.0, 10.0, 5.0, 5.0, 5.0)
    found = consumption(now, Series(total=spent, bad=spent, query="asked"), request, ())
    assert found is not None

    assert found.consumed == 0.4
    assert found.chronic == pytest.approx(0.4)
    assert max(one.total for one in found.stretches) == pytest.approx(0.1)


def test_where_nothing_is_consumed_or_known_nothing_ate_it() -> None:
    request = SeriesRequest(sli=Sli(bad="b"), span=Span(AT - 7 * DAY, AT), step=DAY)
    series = Series(total=(1.0,) * 7, bad=(0.0,) * 7, query="asked")

    assert consumption(measured(bad=0, total=1000, slo=WEEK), series, request, ()) is None
    unknown = assess_ratio(WEEK, lost(), {}, at=AT, guards=GUARDS)
    assert consumption(unknown, series, request, ()) is None


def test_incidents_with_one_id_are_one_and_the_most_expensive_comes_first() -> None:
    # 10 and 60 of two incidents that are one for the service, and 50 of another.
    found = eaten(
        24 * 7,
        {35: 10.0, 32: 60.0, 89: 50.0, 10: 5.0},
        [("a", incident(36, 35)), ("b", incident(33, 32)), ("c", incident(90, 88))],
        125,
    )

    named = found.named({"a": "one", "b": "one", "c": "two"})

    assert list(named.incidents) == ["one", "two"]
    assert named.incidents == pytest.approx({"one": 0.07, "two": 0.05})
    days = [stretch.incidents for stretch in named.stretches if stretch.incidents]
    assert days == [{"two": pytest.approx(0.05)}, {"one": pytest.approx(0.07)}]
    assert [each.total for each in named.stretches] == [each.total for each in found.stretches]
