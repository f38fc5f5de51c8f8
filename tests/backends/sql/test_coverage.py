"""Where a window is cut to see whether it has rows throughout."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from gate.backends.sql.coverage import bounds_of, parts_of
from gate.slo.objective import Span

AT = datetime(2026, 11, 1, tzinfo=UTC)


def test_each_instant_between_two_parts_is_there_once_however_many_windows_have_it() -> None:
    day = parts_of(Span(AT - timedelta(days=1), AT))
    half = parts_of(Span(AT - timedelta(hours=12), AT))

    bounds = sorted(bounds_of([day, day]))

    assert bounds[0] == AT - timedelta(days=1)
    assert bounds[-1] == AT
    assert {after - before for before, after in pairwise(bounds)} == {day.step}
    # The half day has other parts, or the same ones.
    assert set(bounds_of([day, half])) >= set(bounds)
