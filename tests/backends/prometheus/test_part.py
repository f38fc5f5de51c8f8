import re
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.backends.prometheus.query import Query
from gate.backends.prometheus.query_grid import QueryGrid
from gate.promql.moving import window_text
from tests.backends.prometheus.played import AT

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    "length, text", [(30 * DAY, "2592000s"), (SECOND / 4, "250ms"), (1.5 * SECOND, "1500ms")]
)
def test_window_is_whole_seconds_or_milliseconds(length: timedelta, text: str) -> None:
    assert window_text(length) == text


def test_halves_are_the_newer_and_the_older_half() -> None:
    part = Query(pieces=("sum(increase(x[", "]))"), length=30 * DAY, grain=SECOND)
    halves = part.halves()

    assert halves is not None
    assert halves[0].text == "sum(increase(x[1296000s]))"
    assert halves[1].text == "sum(increase(x[1296000s] offset 1296000s))"


def test_halves_of_slices_are_cut_between_two_slices() -> None:
    minutes = timedelta(minutes=5)
    pieces = ("count_over_time(x[", ":300s])")
    part = Query(pieces=pieces, length=3 * minutes, open_start=True, grain=minutes)
    halves = part.halves()

    assert halves is not None
    assert halves[0].text == "count_over_time(x[299999ms:300s])"
    assert halves[1].text == "count_over_time(x[599999ms:300s] offset 300s)"


@given(
    late=st.integers(0, 86_400),
    length=st.integers(300, 40 * 86_400),
    step=st.sampled_from([60, 300, 3600]),
)
def test_every_step_of_a_subquery_is_in_exactly_one_of_the_pieces(
    late: int, length: int, step: int
) -> None:
    whole = Query(
        pieces=("x[", f":{step}s]"), length=length * SECOND, open_start=True, grain=SECOND
    )
    end = 1_790_000_000 + late

    def steps(part: Query) -> list[int]:
        """Return the instants that the server evaluates: multiples of the step in the range."""
        found = re.fullmatch(r"x\[(\d+)ms:\d+s\](?: offset (\d+)s)?", part.text)
        assert found is not None
        last = (end - int(found[2] or 0)) * 1000
        first = last - int(found[1])
        return [*range(-(-first // (step * 1000)) * step, last // 1000 + 1, step)]

    pieces, done = [whole], list[int]()
    while pieces:
        part = pieces.pop()
        halves = part.halves()
        done += steps(part) if halves is None else ()
        pieces += halves or ()
    assert sorted(done) == steps(whole)
    assert abs(len(done) - length / step) < 1


def test_what_has_no_grain_or_is_too_short_is_not_cut() -> None:
    assert Query(pieces=("x[", "]"), length=DAY).halves() is None
    assert Query(pieces=("x[", "]"), length=SECOND, grain=SECOND).halves() is None


def test_cutting_ends_and_covers_the_window_without_gap_or_overlap() -> None:
    parts = [Query(pieces=("x[", "]"), length=7 * DAY + SECOND, grain=SECOND)]
    done = list[Query]()
    while parts:
        part = parts.pop()
        halves = part.halves()
        if halves is None:
            done.append(part)
        else:
            parts += halves
    done.sort(key=lambda part: part.offset)

    assert len(done) == 32
    assert sum((part.length for part in done), timedelta()) == 7 * DAY + SECOND
    assert all(a.offset + a.length == b.offset for a, b in pairwise(done))
    assert max(part.length for part in done) / min(part.length for part in done) < Fraction(11, 10)


def test_a_grid_is_halved_until_it_is_a_single_instant() -> None:
    minute = timedelta(minutes=1)
    newer, older = QueryGrid(AT, minute, 3).halves() or (None, None)

    assert (older, newer) == (QueryGrid(AT, minute, 1), QueryGrid(AT + minute, minute, 2))
    assert QueryGrid(AT, minute, 1).halves() is None
    single = Query(pieces=("x[", "]"), length=minute, grid=QueryGrid(AT, minute, 1))
    assert single.halves() is None


def test_pieces_are_no_longer_than_they_may_be_and_leave_nothing_out() -> None:
    part = Query(pieces=("x[", "]"), length=10 * DAY + SECOND, grain=SECOND)
    pieces = part.cut(3 * DAY)

    assert [piece.length for piece in pieces[:-1]] == [timedelta(days=2.5) + SECOND] * 3
    assert sum((piece.length for piece in pieces), timedelta()) == part.length
    assert [piece.offset + piece.length for piece in pieces[:-1]] == [p.offset for p in pieces[1:]]


def test_what_need_not_or_cannot_be_cut_stays_whole() -> None:
    part = Query(pieces=("x[", ":3600s]"), length=DAY, grain=timedelta(hours=1))

    assert part.cut(DAY) == (part,)
    assert part.cut(timedelta(minutes=59)) == (part,)
    assert replace(part, grain=None).cut(SECOND) == (replace(part, grain=None),)


def test_a_sum_of_samples_counts_a_sample_at_a_cut_once() -> None:
    part = Query(pieces=("sum_over_time(x[", "])"), length=2 * DAY, grain=SECOND)
    newer, older = part.cut(DAY)

    assert newer.text == "sum_over_time(x[86399999ms])"
    assert older.text == "sum_over_time(x[86400s] offset 86400s)"


def test_a_grid_is_cut_between_its_instants() -> None:
    hour = timedelta(hours=1)
    grid = QueryGrid(AT, hour, 10)
    part = Query(pieces=("x[", "]"), length=hour, grid=grid)
    pieces = [piece.grid for piece in part.cut(4 * hour)]

    assert part.extent == 10 * hour
    # The newest is as long as any: whether it is answered stands for all of them.
    assert pieces == [
        QueryGrid(AT + 6 * hour, hour, 4),
        QueryGrid(AT + 2 * hour, hour, 4),
        QueryGrid(AT, hour, 2),
    ]
    assert part.cut(hour / 2) == (part,)
    # Batches are made in this order, and the first batch is what is tried.
    oldest_first = reversed(part.cut(4 * hour))
    assert [piece.grid for piece in sorted(oldest_first, key=attrgetter("order"))] == pieces


@pytest.mark.parametrize("longest", [None, timedelta(days=365)])
def test_a_grid_has_no_more_instants_than_servers_answer(longest: timedelta | None) -> None:
    minute = timedelta(minutes=1)
    part = Query(pieces=("x[", "]"), length=DAY, grid=QueryGrid(AT, minute, 25_000))

    assert [piece.grid for piece in part.cut(longest)] == [
        QueryGrid(AT + 15_000 * minute, minute, 10_000),
        QueryGrid(AT + 5_000 * minute, minute, 10_000),
        QueryGrid(AT, minute, 5_000),
    ]
