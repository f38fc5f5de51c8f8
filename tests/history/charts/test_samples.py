"""The samples of a chart: ratios and means over one step or several."""

from gate.history.charts import mean_counts, ratio_counts, samples
from gate.measure.history import Measured, Series
from tests.history.charts.plotting import HOUR, START, of_1000, request


def test_steps_that_are_unknown_or_without_traffic_make_no_point() -> None:
    series = Series(total=(10.0, None, 0.0, 20.0), bad=(1.0, None, 0.0, 4.0), query="q")

    found = list(samples(ratio_counts(series), request(4), 1))

    assert [(one.start, one.value, one.events) for one in found] == [
        (START, 0.1, 10),
        (START + 3 * HOUR, 0.2, 20),
    ]


def test_steps_that_are_put_together_are_summed_up_and_their_ratios_not_averaged() -> None:
    counts = [(1.0, 10.0), (9.0, 990.0)]

    (found,) = samples(counts, request(2), 2)

    assert (found.value, found.events, found.end - found.start) == (0.01, 1000, 2 * HOUR)


def test_the_newest_point_is_whole_and_what_is_over_is_left_out_at_the_beginning() -> None:
    found = list(samples(of_1000([1, 2, 3, 4, 5]), request(5), 2))

    assert [(one.start, one.value) for one in found] == [
        (START + HOUR, 0.0025),
        (START + 3 * HOUR, 0.0045),
    ]


def test_of_steps_that_are_put_together_the_known_ones_count() -> None:
    (found,) = samples(of_1000([None, 4, None, None]), request(4), 2)

    assert (found.value, found.events, found.start) == (0.004, 1000, START)


def test_a_mean_of_few_events_is_none() -> None:
    measured = Measured(sums=(30.0, 19.0, None), events=(20.0, 19.0, None))

    assert mean_counts(measured) == [(30.0, 20.0), None, None]
