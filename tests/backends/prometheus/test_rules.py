"""When the gate counts by its exported recording rules, and when it does not."""

import json
from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction

import pytest

from gate.measure import Answer, CountRequest, Counts, Spent, Unmeasured, rule_labels
from gate.promql.expression import fingerprint, read_expression, rule_expressions
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import Span
from tests.backends.prometheus.played import AT, MONTH, VALUES, FakePrometheus, backend, span

BAD, TOTAL = 'x{code="500"}', "x"
SLI = Sli(bad=BAD, total=TOTAL)
LABELS = rule_labels("chat", "availability")
TEXTS = rule_expressions({"bad": read_expression(BAD, None), "total": read_expression(TOTAL, None)})
SAMPLES = timedelta(days=30) // timedelta(minutes=1)
USED = "counted by its recording rules"


def table(bad: int | None, total: int | None, *, failed: int = 500, **more: object) -> str:
    """Return how many samples the server has and their sums, by what was evaluated.

    Each event is in five slices.
    """
    marks = [f"availability/{fingerprint(TEXTS[role])}" for role in ("bad", "total")]
    samples, sums = (bad, total), (5 * failed, 5_000_000)
    series = [
        {
            "metric": {"gate_rule": mark, "gate_part": part},
            "value": [AT.timestamp(), str(value)],
        }
        for part, values in (("0", samples), ("1", sums))
        for mark, counted, value in zip(marks, samples, values, strict=True)
        if counted is not None
    ]
    data = {"resultType": "vector", "result": series}
    return json.dumps({"status": "success", "data": data, **more})


def play(prometheus: FakePrometheus, reply: str, values: Mapping[str, str | None]) -> None:
    """Answer the first two parts of a query, which are about rules, by the reply."""
    prometheus.values = {"gate_rule": None, **values}

    def answer(query: str) -> tuple[int, dict[str, str], str] | None:
        if "gate_rule" not in query:
            return None
        document, rest = json.loads(reply), json.loads(prometheus.answer(query))
        document["data"]["result"] += rest["data"]["result"]
        return (200, {}, json.dumps(document))

    prometheus.refuse = answer


def ask(
    prometheus: FakePrometheus, reply: str, window: Span = MONTH, sli: Sli = SLI, **more: object
) -> Answer:
    play(prometheus, reply, VALUES)
    request = CountRequest(sli=sli, span=window, rule_labels=LABELS, **more)  # type: ignore[arg-type]
    (answer,) = backend().measure([request], AT)
    return answer


@pytest.mark.parametrize("samples", [SAMPLES - 5, SAMPLES, SAMPLES + 1])
def test_rules_that_recorded_this_very_expression_all_along_are_counted(
    prometheus: FakePrometheus, samples: int
) -> None:
    answer = ask(prometheus, table(samples, samples))

    assert isinstance(answer, Counts)
    # Five slices hold each event: 2,500 failures and 5,000,000 events, in `table`.
    assert (answer.bad, answer.total) == (Fraction(500), Fraction(1_000_000))
    assert len(prometheus.queries) == 1
    (note,) = answer.evidence.notes
    assert note.startswith(USED)
    mark = fingerprint(TEXTS["bad"])
    selector = f'gate:sli_bad:increase5m{{service="chat",slo="availability",gate_expr="{mark}"}}'
    assert f"bad: sum_over_time({selector}[2592000s]) / 5" in answer.evidence.query


@pytest.mark.parametrize(
    ("bad", "total", "said"),
    [
        (SAMPLES - 6, SAMPLES, f"have {SAMPLES - 6:,} of {SAMPLES:,} samples of this window"),
        (SAMPLES, SAMPLES + 2, "samples of this window, so they were not used"),
        (2 * SAMPLES, 2 * SAMPLES, f"have {2 * SAMPLES:,} of {SAMPLES:,} samples"),
        (None, SAMPLES, "are of another expression: export them again"),
    ],
)
def test_rules_that_are_not_all_of_it_are_not_counted_and_that_is_reported(
    prometheus: FakePrometheus, bad: int | None, total: int, said: str
) -> None:
    answer = ask(prometheus, table(bad, total))

    assert isinstance(answer, Counts)
    assert (answer.bad, answer.total) == (Fraction(3), Fraction(1000))
    assert said in answer.evidence.notes[0]


@pytest.mark.parametrize(("amount", "counted"), [(99, "7"), (100, "100")])
def test_a_small_amount_is_counted_by_the_raw_query_too(
    prometheus: FakePrometheus, amount: int, counted: str
) -> None:
    spent = "sum(increase(cost[$window]))"
    (text,) = rule_expressions({"spent": read_expression(spent, None)}).values()
    series = [
        {
            "metric": {"gate_rule": f"availability/{fingerprint(text)}", "gate_part": part},
            "value": [AT.timestamp(), str(value)],
        }
        for part, value in (("0", SAMPLES), ("1", 5 * amount))
    ]
    reply = json.dumps({"status": "success", "data": {"resultType": "vector", "result": series}})
    play(prometheus, reply, {"cost": "7"})
    request = CountRequest(sli=Sli(spent=spent), span=MONTH, rule_labels=LABELS, amount=True)

    (answer,) = backend().measure([request], AT)

    assert isinstance(answer, Spent)
    assert answer.amount == Fraction(counted)


def test_few_failures_are_counted_by_the_raw_query(prometheus: FakePrometheus) -> None:
    answer = ask(prometheus, table(SAMPLES, SAMPLES, failed=99))

    assert isinstance(answer, Counts)
    assert (answer.bad, answer.total) == (Fraction(3), Fraction(1000))
    assert answer.evidence.notes == ("fewer than 100 failures are counted by the raw query",)


@pytest.mark.parametrize(
    "reply",
    [
        table(None, None),
        table(SAMPLES, SAMPLES).replace(f'"{SAMPLES}"', '"NaN"'),
    ],
)
def test_without_an_answer_about_rules_the_raw_query_counts(
    prometheus: FakePrometheus, reply: str
) -> None:
    answer = ask(prometheus, reply)

    assert isinstance(answer, Counts)
    assert (answer.bad, answer.total) == (Fraction(3), Fraction(1000))
    assert answer.evidence.notes == ()


def test_rules_of_which_a_part_is_missing_are_not_counted(prometheus: FakePrometheus) -> None:
    answer = ask(prometheus, table(SAMPLES, SAMPLES, warnings=["a store is away"]))

    assert isinstance(answer, Counts)
    assert (answer.bad, answer.total) == (Fraction(3), Fraction(1000))
    assert answer.evidence.warnings == ("a store is away",)


def test_short_windows_and_timeslices_are_not_looked_up(prometheus: FakePrometheus) -> None:
    ask(prometheus, table(SAMPLES, SAMPLES), span(hours=23))
    ask(
        prometheus,
        table(SAMPLES, SAMPLES),
        slices=Slices(length=timedelta(minutes=5), target=Fraction(1)),
    )

    assert not [query for query in prometheus.queries if "gate:sli" in query]


@pytest.mark.parametrize("total", ["max(increase(x[$window]))", "sum(count_over_time(x[$window]))"])
def test_an_expression_that_slices_do_not_add_up_to_has_no_rules(
    prometheus: FakePrometheus, total: str
) -> None:
    answer = ask(prometheus, table(SAMPLES, SAMPLES), sli=Sli(bad=BAD, total=total))

    assert isinstance(answer, Counts)
    assert (answer.bad, answer.total) == (Fraction(3), Fraction(1000))


def test_no_bad_events_are_recorded_as_0_beside_a_total() -> None:
    assert TEXTS == {
        "bad": '(sum(increase(x{code="500"}[5m]))) or on () (0 * (sum(increase(x[5m]))))',
        "total": "sum(increase(x[5m]))",
    }


def test_a_server_that_is_not_there_is_asked_once(prometheus: FakePrometheus) -> None:
    prometheus.refuse = lambda _query: (401, {}, "who are you?")
    request = CountRequest(sli=SLI, span=MONTH, rule_labels=LABELS)

    (answer,) = backend().measure([request], AT)

    assert isinstance(answer, Unmeasured)
    assert "401" in answer.reason
    assert len(prometheus.queries) == 1
