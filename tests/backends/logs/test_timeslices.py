"""Timeslices: bad ones are those whose good ratio is under the target, empty ones as it says."""

from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.backends import open_backend
from gate.measure import Cause, CountRequest, Counts, Limits
from gate.slo.indicator import EmptySlice, Sli, Slices
from gate.slo.objective import Span
from tests.backends.logs.written import (
    AT,
    FAILED,
    ask,
    ask_all,
    before,
    counts,
    refused,
    request,
    write,
)
from tests.backends.logs.written import (
    settings as log_settings,
)

MINUTE = timedelta(minutes=1)


def minutes(target: str = "90%", empty: EmptySlice = EmptySlice.LEFT_OUT) -> Slices:
    return Slices(length=MINUTE, target=Fraction(target.rstrip("%")) / 100, empty=empty)


def in_minute(number: int, good: int, bad: int) -> list[dict[str, Any]]:
    """Write so many requests into the n-th minute before the end."""
    return [
        {"ts": before(60 * number - 30 - n / 100), "status": 200 if n < good else 500}
        for n in range(good + bad)
    ]


# Minute 1: 90% good; minute 2: 89.9%; minute 4: all bad; minute 5: all good; minute 3: nothing.
ROWS = in_minute(1, 9, 1) + in_minute(2, 98, 11) + in_minute(4, 0, 1) + in_minute(5, 3, 0)


@pytest.fixture(params=["jsonl", "csv", "parquet"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    write(tmp_path / f"a.{request.param}", ROWS[::2])
    write(tmp_path / f"b.{request.param}", ROWS[1::2])
    return tmp_path / f"*.{request.param}"


@pytest.mark.variants(8)
@pytest.mark.parametrize(
    ("empty", "expected"),
    [(EmptySlice.LEFT_OUT, (4, 2)), (EmptySlice.GOOD, (5, 2)), (EmptySlice.BAD, (5, 3))],
)
def test_slices_are_counted_and_the_empty_ones_as_the_policy_says(
    log: Path, empty: EmptySlice, expected: tuple[int, int]
) -> None:
    assert counts(ask(log, window=5 * MINUTE, slices=minutes(empty=empty))) == expected


@pytest.mark.variants(10)
@pytest.mark.parametrize(
    ("target", "bad"), [("89%", 1), ("89.9%", 1), ("90%", 2), ("90.01%", 3), ("100%", 3)]
)
def test_a_slice_that_just_reaches_the_target_is_good(log: Path, target: str, bad: int) -> None:
    assert counts(ask(log, window=5 * MINUTE, slices=minutes(target))) == (4, bad)


def test_windows_with_and_without_slices_are_counted_together(log: Path) -> None:
    two = Slices(length=2 * MINUTE, target=Fraction(9, 10))

    answers = ask_all(
        log,
        [
            request(window=5 * MINUTE, slices=minutes()),
            request(window=3 * MINUTE, slices=minutes()),
            request(window=4 * MINUTE, slices=two),
            request(window=5 * MINUTE),
        ],
    )

    assert [counts(answer) for answer in answers] == [(4, 2), (2, 1), (2, 2), (123, 13)]


def test_a_window_has_the_slices_that_end_in_it(tmp_path: Path) -> None:
    # Slices of seven minutes since 1970: the newest that has ended is that from 11:51 to 11:58.
    slices = Slices(length=timedelta(minutes=7), target=Fraction(1, 2))
    rows = in_minute(1, 0, 1) + in_minute(7, 5, 0) + in_minute(13, 0, 1)
    assert (AT - timedelta(minutes=2)).timestamp() % 420 == 0

    log = write(tmp_path / "a.jsonl", rows)

    # That from 11:44 has the row of 11:47:30, though the shorter windows begin after that.
    assert counts(ask(log, window=timedelta(minutes=14), slices=slices)) == (2, 1)
    assert counts(ask(log, window=timedelta(minutes=10), slices=slices)) == (2, 1)
    assert counts(ask(log, window=timedelta(minutes=9), slices=slices)) == (1, 0)
    assert counts(ask(log, window=timedelta(minutes=3), slices=slices)) == (1, 0)
    reason = refused(ask(log, window=timedelta(minutes=2), slices=slices), Cause.NO_DATA)
    assert reason == "no slice of 7m ends in the window"


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_two_windows_side_by_side_have_no_slice_in_common_and_lose_none(
    tmp_path: Path, form: str
) -> None:
    slices = Slices(length=timedelta(minutes=7), target=Fraction(1, 2), empty=EmptySlice.GOOD)
    rows = [row for minute in range(1, 120, 3) for row in in_minute(minute, 1, minute % 2)]
    log = write(tmp_path / f"a.{form}", rows)
    backend = open_backend(log_settings(log), Limits(timeout=MINUTE))

    def bad_and_all(start: datetime, end: datetime) -> tuple[int, int]:
        asked = CountRequest(sli=FAILED, span=Span(start, end), slices=slices)
        return counts(backend.measure([asked], end)[0])

    whole = bad_and_all(AT - 100 * MINUTE, AT)
    for minute in (21, 50, 77):
        parts = [
            bad_and_all(AT - 100 * MINUTE, AT - minute * MINUTE),
            bad_and_all(AT - minute * MINUTE, AT),
        ]
        assert tuple(map(sum, zip(*parts, strict=True))) == whole


def test_a_slice_has_its_end_and_not_its_start(tmp_path: Path) -> None:
    rows = [{"ts": before(60), "status": 500}, {"ts": before(0), "status": 200}]
    log = write(tmp_path / "a.jsonl", rows)

    assert counts(ask(log, window=MINUTE, slices=minutes())) == (1, 0)
    assert counts(ask(log, window=2 * MINUTE, slices=minutes())) == (2, 1)


def test_slices_of_which_none_has_an_event_are_not_a_traffic(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", in_minute(1, 1, 0))
    slices = Slices(length=timedelta(minutes=7), target=Fraction(1))

    reason = refused(ask(log, window=timedelta(minutes=14), slices=slices), Cause.NO_TRAFFIC)

    assert reason == "no slice of 7m that ends in the window has an event"


def test_no_row_at_all_is_no_data_and_not_so_many_good_slices(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", in_minute(9, 1, 0))

    refused(ask(log, window=5 * MINUTE, slices=minutes(empty=EmptySlice.GOOD)), Cause.NO_DATA)


def test_slices_carry_the_evidence_of_their_events(log: Path) -> None:
    answer = ask(log, window=5 * MINUTE, slices=minutes(), probe=True)

    assert isinstance(answer, Counts)
    assert answer.evidence.newest is not None
    assert answer.evidence.coverage == 1
    assert "status >= 500" in answer.evidence.query


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 600), st.booleans(), st.booleans()), min_size=1),
    length=st.integers(1, 200),
    target=st.fractions(Fraction(1, 100), 1, max_denominator=100),
    empty=st.sampled_from(EmptySlice),
)
def test_the_slices_are_those_of_plain_python(
    rows: list[tuple[int, bool, bool]], length: int, target: Fraction, empty: EmptySlice
) -> None:
    window = 600
    written = [
        {"ts": before(second), "status": 500 if bad else 200, "ours": ours}
        for second, bad, ours in rows
    ]
    sli = Sli(bad=FAILED.bad, total="ours")
    slices = Slices(length=timedelta(seconds=length), target=target, empty=empty)
    with TemporaryDirectory() as folder:
        log = write(Path(folder) / "a.csv", written)
        answer = ask(log, sli, timedelta(seconds=window), slices=slices)

    end = int(AT.timestamp())
    first = (end - window) // length * length
    expected = [0, 0]
    for start in range(first, end - length + 1, length):
        inside = [
            bad for second, bad, ours in rows if ours and start < end - second <= start + length
        ]
        if inside:
            expected[0] += 1
            expected[1] += Fraction(inside.count(False), len(inside)) < target
        elif empty is not EmptySlice.LEFT_OUT:
            expected[0] += 1
            expected[1] += empty is EmptySlice.BAD
    if any(ours and first < end - second <= end // length * length for second, _, ours in rows):
        assert counts(answer) == tuple(expected)
    else:
        assert not isinstance(answer, Counts)
