"""A history in longer steps out of one in shorter ones."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.measure import Cause, Unmeasured
from gate.measure.history import Measured, Series, SeriesRequest, coarser, covers
from gate.slo.indicator import Sli
from gate.slo.objective import Span

AT = datetime(2026, 11, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ASKED = SeriesRequest(
    sli=Sli(bad="b", total="t"), span=Span(AT - 70 * MINUTE, AT), step=5 * MINUTE, mean=True
)


def wanted(steps: int, step: int, **fields: object) -> SeriesRequest:
    length = steps * step * MINUTE
    known = replace(ASKED, span=Span(AT - length, AT), step=step * MINUTE)
    return replace(known, **fields)  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    ("request_", "covered"),
    [
        (ASKED, True),
        (wanted(7, 10), True),
        (wanted(1, 60, mean=False), True),
        (wanted(10, 7), False),
        (wanted(15, 5), False),
        (wanted(2, 10, sli=Sli(bad="other", total="t")), False),
        (wanted(2, 10, span=Span(AT - 25 * MINUTE, AT - 5 * MINUTE)), False),
    ],
)
def test_what_has_the_same_end_and_multiples_of_the_steps_is_covered(
    request_: SeriesRequest, covered: bool
) -> None:
    assert covers(ASKED, request_) is covered


def test_a_mean_is_not_covered_by_counts_alone() -> None:
    assert not covers(replace(ASKED, mean=False), wanted(1, 60))


@given(st.lists(st.none() | st.integers(0, 1000), min_size=14, max_size=14), st.integers(1, 7))
def test_no_event_is_lost_and_none_is_made_up(counts: list[int | None], parts: int) -> None:
    steps = 14 // parts
    total = tuple(None if one is None else float(one) for one in counts)
    told = Series(total=total, bad=total, query="asked", notes=("seen",))
    found = coarser(told, ASKED, wanted(steps, 5 * parts))
    assert isinstance(found, Series)

    newest = counts[14 - steps * parts :]
    assert sum(one or 0 for one in found.total) == sum(one or 0 for one in newest)
    assert found.bad == found.total
    assert (found.query, found.notes) == ("asked", ("seen",))
    for place, one in enumerate(found.total):
        part = newest[place * parts : (place + 1) * parts]
        assert (one is None) == (set(part) == {None})


def test_what_a_mean_is_made_of_is_summed_up_too() -> None:
    measured = Measured(sums=(None, *(2.0,) * 13), events=(None, *(4.0,) * 13))
    told = Series(total=(1.0,) * 14, bad=(0.0,) * 14, query="asked", measured=measured)
    found = coarser(told, ASKED, wanted(7, 10))
    assert isinstance(found, Series)

    assert found.measured == Measured(sums=(2.0, *(4.0,) * 6), events=(4.0, *(8.0,) * 6))


def test_what_is_not_known_in_short_steps_is_not_known_in_long_ones() -> None:
    lost = Unmeasured(cause=Cause.NO_DATA, reason="nothing")
    untimed = Series(total=(1.0,) * 14, bad=(0.0,) * 14, query="asked", measured=lost)
    found = coarser(untimed, ASKED, wanted(7, 10))

    assert coarser(lost, ASKED, wanted(7, 10)) is lost
    assert isinstance(found, Series)
    assert found.measured is lost
