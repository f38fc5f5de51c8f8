"""The queries that are sent for many SLOs at first, and those that only some answers need."""

from datetime import timedelta

import pytest

from gate.measure import Answer, Cause, CountRequest, Counts
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.backends.prometheus.played import (
    AT,
    MONTH,
    VALUES,
    FakePrometheus,
    backend,
    failure,
    parts_of,
)

DAY_AGO = "offset 86400s"
"""The same hour of another day, which is asked for where nothing happens now."""


def by_label(value: str) -> Sli:
    return Sli(bad=f'x{{code="500",a="{value}"}}', total=f'x{{a="{value}"}}')


def measured(*slis: Sli, span: Span = MONTH, parallel: int = 8) -> list[Answer]:
    requests = [CountRequest(sli=sli, span=span, probe=True) for sli in slis]
    return backend(parallel=parallel).measure(requests, AT)


def coverages(answers: list[Answer]) -> list[float | None]:
    evidence = [answer.evidence for answer in answers if isinstance(answer, Counts)]
    return [None if each.coverage is None else float(each.coverage) for each in evidence]


def test_coverage_of_series_that_differ_in_one_label_is_one_question(
    prometheus: FakePrometheus,
) -> None:
    prometheus.values = {"count by (a)": {"0": "720", "1.x": "719"}, **VALUES}
    answers = measured(by_label("0"), by_label("1.x"))

    assert coverages(answers) == [1, 719 / 720]
    (query,) = prometheus.queries
    assert query.count("count by (a)") == 1
    assert r'count by (a) (x{a=~"0|1\\.x"})[2591999999ms:3600s]' in query


def test_no_question_is_for_more_than_fifty(prometheus: FakePrometheus) -> None:
    prometheus.values = {"count by (a)": {str(n): "720" for n in range(60)}, **VALUES}
    answers = measured(*(by_label(str(n)) for n in range(60)))

    assert coverages(answers) == [1] * 60
    assert sum(query.count("count by (a)") for query in prometheus.queries) == 2


def test_what_has_no_answer_together_is_asked_alone(prometheus: FakePrometheus) -> None:
    def refuse(query: str) -> tuple[int, dict[str, str], str] | None:
        return (422, {}, failure("execution", "no")) if "count by (a)" in query else None

    prometheus.values, prometheus.refuse = VALUES, refuse
    answers = measured(by_label("0"), by_label("1"))

    assert coverages(answers) == [1, 1]
    alone = [q for q in prometheus.queries if 'count_over_time(count(x{a="0"})' in q]
    assert len(alone) == 1


@pytest.mark.parametrize(
    "second",
    [
        Sli(bad='x_y{code="500",a="1"}', total='x_y{a="1"}'),
        Sli(bad='x{code="500",a=~"1|2"}', total='x{a=~"1|2"}'),
        Sli(bad='x{code="500"}', total="x"),
    ],
)
def test_coverage_of_other_series_is_a_question_of_its_own(
    prometheus: FakePrometheus, second: Sli
) -> None:
    prometheus.values = VALUES
    assert coverages(measured(by_label("0"), second)) == [1, 1]
    (query,) = prometheus.queries
    assert "count by (a)" not in query


def test_coverage_over_another_window_is_a_question_of_its_own(prometheus: FakePrometheus) -> None:
    prometheus.values = VALUES
    week = Span(AT - timedelta(days=7), AT)
    requests = [
        CountRequest(sli=by_label(value), span=span, probe=True)
        for value, span in (("0", MONTH), ("1", week))
    ]
    backend().measure(requests, AT)

    assert "count by (a)" not in prometheus.queries[0]


def slis(count: int) -> list[Sli]:
    return [Sli(bad=f'x{n}{{code="500"}}', total=f"x{n}") for n in range(count)]


def test_what_some_answers_need_is_asked_at_once_if_it_fits(prometheus: FakePrometheus) -> None:
    prometheus.values = VALUES
    measured(*slis(30))

    assert sum(query.count(DAY_AGO) for query in prometheus.queries) == 30


def test_what_some_answers_need_is_not_asked_where_it_would_take_longer(
    prometheus: FakePrometheus,
) -> None:
    prometheus.values = VALUES
    answers = measured(*slis(30), parallel=1)

    assert len(answers) == 30
    assert len(prometheus.queries) > 1
    assert not any(DAY_AGO in query for query in prometheus.queries)


def test_what_an_answer_turns_on_is_requested_that_one(prometheus: FakePrometheus) -> None:
    silent = "sum(increase(x7[3600s]"
    prometheus.values = {f"{silent})": "0", f"{silent} {DAY_AGO}": "500", **VALUES}
    answers = measured(*slis(30), parallel=1)

    doubts = [a.evidence.suspicions for a in answers if isinstance(a, Counts)]
    assert [bool(each) for each in doubts] == [place == 7 for place in range(30)]
    assert doubts[7][0].cause is Cause.NO_TRAFFIC
    of_other_days = [
        text for q in prometheus.queries for text in parts_of(q).values() if DAY_AGO in text
    ]
    assert of_other_days
    assert all("x7[" in text for text in of_other_days)


def test_counts_under_several_names_wait_until_it_is_known_which_there_are(
    prometheus: FakePrometheus,
) -> None:
    prometheus.values = {"gate_name": None, **VALUES}
    names = [
        Sli(
            bad=f'new{n}{{code="500"}}',
            total=f"new{n}",
            older=(Sli(bad=f'old{n}{{code="500"}}', total=f"old{n}"),),
        )
        for n in range(9)
    ]
    measured(*names, parallel=1)
    first = prometheus.queries[0]
    assert "gate_name" in first
    assert "increase(old0" not in first
