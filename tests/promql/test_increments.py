"""Counts of steps: what is written for each kind of expression."""

from datetime import timedelta

import pytest

from gate.promql.increments import step_count

MINUTES = timedelta(minutes=5)
HOUR = timedelta(hours=1)
EXACT = (
    "(last_over_time(x[299999ms]) - (last_over_time(x[21600s] offset 300s)"
    " * (last_over_time(x[21600s] offset 300s) <= bool min_over_time(x[299999ms]))"
    " or min_over_time(x[299999ms])))"
)
EARLIER = EXACT.replace("ms]", "ms] offset 60s").replace("offset 300s", "offset 360s")


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("sum(increase(x[$window]))", f"sum({EXACT})"),
        ("sum(rate(x[$window])) by (a)", f"sum(({EXACT} / 300)) by (a)"),
        ("sum(increase(x[$window] offset 1m)) or vector(0)", f"sum({EARLIER}) or vector(0)"),
        # The first instant belongs to the step before.
        ("sum(count_over_time(x[$window]))", "sum(count_over_time(x[299999ms]))"),
        ("sum_over_time((1 - x)[$window:1m])", "sum_over_time((1 - x)[299999ms:1m])"),
        ("(increase(x[$window]) unless y offset $window)", f"({EXACT} unless y  offset 300s)"),
    ],
)
def test_steps_are_counted_by_the_samples_at_their_ends(text: str, step: str) -> None:
    count = step_count(text)

    assert count.within(MINUTES) == step
    assert count.exact


def test_victoria_metrics_counts_so_by_itself() -> None:
    count = step_count("sum(rate(x[$window]))", victoria=True)

    assert count.within(MINUTES) == "sum((increase(x[300s]) / 300))"
    assert (count.exact, count.restarts) == (True, ())


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("sum(delta(x[$window]))", "sum(delta(x[299999ms]))"),
        ("deriv(x[$window]) * 5", "deriv(x[299999ms]) * 5"),
        # A native histogram has no smallest value.
        (
            "histogram_count(sum(increase(x[$window])))",
            "histogram_count(sum(increase(x[299999ms])))",
        ),
        ("sum(increase(x[$window])) default 0", "sum(increase(x[299999ms])) default 0"),
        ("increase(x[$window] @ end())", "increase(x[299999ms] @ end())"),
    ],
)
def test_what_is_only_estimated_is_known_to_be(text: str, step: str) -> None:
    count = step_count(text)

    assert count.within(MINUTES) == step
    assert not count.exact
    assert not count.restarts


def test_a_step_of_the_past_is_requested_by_offset() -> None:
    count = step_count("sum(increase(x[$window]))")

    assert count.within(MINUTES, HOUR, 2 * HOUR) == (
        "sum((last_over_time(x[299999ms] offset 3600s) - (last_over_time(x[7200s] offset 3900s)"
        " * (last_over_time(x[7200s] offset 3900s) <= bool min_over_time(x[299999ms] offset 3600s))"
        " or min_over_time(x[299999ms] offset 3600s))))"
    )


def test_restarts_are_counted_over_all_counters() -> None:
    count = step_count("sum(increase(a[$window])) + sum(rate(b[$window]))")

    assert count.restarted(MINUTES) == ("count(resets(a[299999ms]) > 0 or resets(b[299999ms]) > 0)")


def test_a_step_is_examined_in_pieces_where_a_counter_restarted() -> None:
    count = step_count("sum(increase(x[$window]))", finely=timedelta(seconds=5))
    piece = EXACT.replace("299999ms", "4999ms").replace("offset 300s", "offset 5s")

    assert count.within(MINUTES, HOUR) == (f"sum(sum_over_time({piece}[299999ms:5s] offset 3600s))")
