"""Events told apart by labels, as far as a real server will not play the part."""

import json
from datetime import timedelta
from fractions import Fraction

import pytest
import responses

from gate.measure import Cause, Unmeasured
from gate.measure.capabilities import cohorts_of
from gate.measure.cohorts import OTHERS, CohortAnswer, CohortRequest, Cohorts
from gate.slo.indicator import Histogram, Sli
from gate.slo.objective import Span
from tests.backends.prometheus.played import AT, RATIO, FakePrometheus, backend, success

HOUR = timedelta(hours=1)
SPAN = Span(AT - 3 * HOUR, AT)
GOOD = Sli(good='x{code="200"}', total="x")
Groups = dict[str, list[str | None]]
"""By template: values at the ends of the three hours."""


def ask(sli: Sli, *by: str, most: int = 20, keep: str | None = None) -> CohortAnswer:
    teller = cohorts_of(backend())
    assert teller is not None
    request = CohortRequest(
        sli=sli, span=SPAN, step=HOUR, by=by or ("template",), most=most, keep=keep
    )
    (answer,) = teller.cohorts([request])
    return answer


def matrix(*parts: Groups, **more: object) -> str:
    times = [(SPAN.start + place * HOUR).timestamp() for place in (1, 2, 3)]
    result = [
        {
            "metric": {"gate_part": str(place), **({"template": name} if name else {})},
            "values": [
                [time, value]
                for time, value in zip(times, values, strict=True)
                if value is not None
            ],
        }
        for place, part in enumerate(parts)
        for name, values in part.items()
    ]
    data = {"resultType": "matrix", "result": result}
    return json.dumps({"status": "success", "data": data, **more})


@pytest.fixture
def prometheus(http: responses.RequestsMock) -> FakePrometheus:
    fake = FakePrometheus()
    url = "https://prometheus.example/api/v1"
    http.add_callback(responses.POST, f"{url}/query_range", callback=fake)
    labels = {"status": "success", "data": ["__name__", "code", "templates", "pod"]}
    http.add(responses.GET, f"{url}/labels", json=labels)
    http.assert_all_requests_are_fired = False
    return fake


def played(prometheus: FakePrometheus, sli: Sli, *parts: Groups, **more: object) -> CohortAnswer:
    prometheus.refuse = lambda _: (200, {}, matrix(*parts, **more))
    return ask(sli)


def cohorts(answer: CohortAnswer) -> Cohorts:
    assert isinstance(answer, Cohorts), answer
    return answer


def refused(answer: CohortAnswer, cause: Cause = Cause.INVALID) -> str:
    assert isinstance(answer, Unmeasured), answer
    assert answer.cause is cause, answer
    return answer.reason


def test_each_group_has_its_events_and_an_absent_bad_part_is_none(
    prometheus: FakePrometheus,
) -> None:
    found = cohorts(
        played(
            prometheus,
            RATIO,
            {"v1": ["9", None, "7"], "v2": ["4", "5", "6"], "": ["1", "0", "0"]},
            {"v1": ["2", None, None]},
        )
    )

    assert found.groups[("v1",)].total == (9.0, None, 7.0)
    assert found.groups[("v1",)].bad == (2.0, None, 0.0)
    assert found.groups[("v2",)].bad == (0.0, 0.0, 0.0)
    assert found.groups[("",)].total == (1.0, 0.0, 0.0)
    assert found.query.startswith("total: sum by (template) (increase(x[3600s]))")


@pytest.mark.parametrize(
    ("length", "times"),
    [
        (2 * HOUR + HOUR / 4, {"2 steps": ["9", "5"], "900s": ["1"]}),
        (HOUR / 4, {"900s": ["1"]}),
    ],
)
def test_what_has_passed_of_the_newest_step_is_requested_at_its_end(
    prometheus: FakePrometheus, length: timedelta, times: Groups
) -> None:
    def answer(query: str) -> tuple[int, dict[str, str], str]:
        rest = "[900s]" in query
        ends = [AT] if rest else [AT - HOUR / 4 - HOUR, AT - HOUR / 4]
        form = prometheus.forms[-1]
        asked = [float(form[name][0]) for name in ("start", "end")]
        assert asked == [ends[0].timestamp(), ends[-1].timestamp()]
        values = times["900s" if rest else "2 steps"]
        pairs = [[end.timestamp(), value] for end, value in zip(ends, values, strict=True)]
        metric = {"gate_part": "0", "template": "v1" if rest else "v2"}
        data = {"resultType": "matrix", "result": [{"metric": metric, "values": pairs}]}
        return 200, {}, json.dumps({"status": "success", "data": data})

    prometheus.refuse = answer
    teller = cohorts_of(backend())
    assert teller is not None
    request = CohortRequest(
        sli=RATIO,
        span=Span(AT - length, AT),
        step=HOUR,
        by=("template",),
        most=20,
    )
    (found,) = teller.cohorts([request])

    groups = cohorts(found).groups
    assert groups[("v1",)].total == (*[None] * (request.steps - 1), 1.0)
    if length > HOUR:
        assert groups[("v2",)].total == (9.0, 5.0, None)


def test_what_is_not_good_is_bad(prometheus: FakePrometheus) -> None:
    found = cohorts(played(prometheus, GOOD, {"v1": ["9", "5", None]}, {"v1": ["7", None, None]}))

    assert found.groups[("v1",)].bad == (2.0, 5.0, None)


def test_good_and_bad_make_a_total(prometheus: FakePrometheus) -> None:
    sli = Sli(good="x_good", bad="x_bad")

    found = cohorts(played(prometheus, sli, {"v1": ["9", "5", "0"]}, {"v1": ["1", None, "3"]}))

    assert found.groups[("v1",)].total == (10.0, 5.0, 3.0)
    assert found.groups[("v1",)].bad == (1.0, 0.0, 3.0)


def test_a_group_in_which_nothing_happened_is_none(prometheus: FakePrometheus) -> None:
    idle: list[str | None] = ["0", "0", "0"]
    found = cohorts(played(prometheus, RATIO, {"v1": ["1", "1", "1"], "v2": idle}, {"v3": idle}))

    assert set(found.groups) == {("v1",)}


def test_failures_of_a_group_that_has_no_events_are_not_passed_over(
    prometheus: FakePrometheus,
) -> None:
    found = played(prometheus, RATIO, {"v1": ["9", "9", "9"]}, {"v2": ["0", "1", "0"]})

    reason = refused(found, Cause.NO_DATA)
    assert reason.startswith('{template="v2"}: total: nothing came back')


def test_more_failures_than_events_are_not_a_count(prometheus: FakePrometheus) -> None:
    found = played(prometheus, RATIO, {"v1": ["9", "9", "9"]}, {"v1": ["20", "8", "1"]})

    assert refused(found) == '{template="v1"}: bad is 29.00 and more than total, which is 27.00'


def test_a_good_part_that_is_absent_is_not_mistaken_for_none(prometheus: FakePrometheus) -> None:
    total: Groups = {"v1": ["9", "9", "9"], "v2": ["9", "9", "9"]}

    reason = refused(played(prometheus, GOOD, total, {"v1": ["9", "9", "9"]}), Cause.NO_DATA)

    assert reason.startswith('{template="v2"}: good: nothing came back, though total counts 27')


def test_unless_the_policy_says_that_nothing_is_none(prometheus: FakePrometheus) -> None:
    sli = Sli(good="sum(increase(good[$window])) or vector(0)", total="x")

    found = cohorts(
        played(
            prometheus,
            sli,
            {"v1": ["9", "9", "9"], "v2": ["9", "9", "9"]},
            {"v1": ["9", "9", "9"]},
        )
    )

    assert found.groups[("v2",)].bad == (9.0, 9.0, 9.0)


def test_a_number_that_is_none_spoils_the_answer(prometheus: FakePrometheus) -> None:
    found = played(prometheus, RATIO, {"v1": ["9", "NaN", "9"]}, {"v1": ["0", "0", "0"]})

    assert refused(found) == "total: the value is NaN, which is not a count"


def test_a_partial_answer_is_none(prometheus: FakePrometheus) -> None:
    ones: Groups = {"v1": ["1", "1", "1"]}

    found = played(prometheus, RATIO, ones, ones, warnings=["a store is down"])

    assert refused(found, Cause.PARTIAL) == "partial answer: a store is down"


def test_a_label_that_no_series_has_is_named_with_those_that_there_are(
    prometheus: FakePrometheus,
) -> None:
    nine: Groups = {"": ["9", "9", "9"]}

    reason = refused(played(prometheus, RATIO, nine, nine))

    assert reason == "total: no series of x has the label template; there are: templates, pod, code"


def test_a_label_that_only_one_part_has_is_named_too(prometheus: FakePrometheus) -> None:
    found = played(prometheus, RATIO, {"v1": ["9", "9", "9"]}, {"": ["1", "0", "0"]})

    assert refused(found).startswith('bad: no series of x{code="500"} has the label template')


def test_where_some_events_have_no_label_the_failures_may_all_be_theirs(
    prometheus: FakePrometheus,
) -> None:
    nine: list[str | None] = ["9", "9", "9"]

    found = cohorts(played(prometheus, RATIO, {"v1": nine, "": nine}, {"": ["1", "0", "0"]}))

    assert found.groups[("",)].bad == (1.0, 0.0, 0.0)


def test_where_the_labels_cannot_be_told_the_reason_says_no_more(
    prometheus: FakePrometheus, http: responses.RequestsMock
) -> None:
    nine: Groups = {"": ["9", "9", "9"]}
    http.replace(responses.GET, "https://prometheus.example/api/v1/labels", status=404)
    bare = refused(played(prometheus, RATIO, nine, nine))
    strange = {"status": "success", "data": "none"}
    http.replace(responses.GET, "https://prometheus.example/api/v1/labels", json=strange)

    assert bare == "total: no series of x has the label template"
    assert refused(played(prometheus, RATIO, nine, nine)) == bare


def test_where_nothing_came_back_there_is_no_data(prometheus: FakePrometheus) -> None:
    idle: Groups = {"v1": ["0", "0", "0"]}

    assert "nothing came back" in refused(played(prometheus, RATIO), Cause.NO_DATA)
    assert "total is 0" in refused(played(prometheus, RATIO, idle), Cause.NO_TRAFFIC)


def test_only_the_busiest_are_distinguished_and_one_that_was_requested(
    prometheus: FakePrometheus,
) -> None:
    total: Groups = {f"v{n}": [str(10 * n), None, str(n)] for n in range(1, 7)}
    prometheus.refuse = lambda _: (200, {}, matrix(total, {"v2": ["3", None, "1"]}))

    found = cohorts(ask(RATIO, most=2, keep="v1"))

    assert set(found.groups) == {("v6",), ("v5",), ("v1",), (OTHERS,)}
    assert found.groups[(OTHERS,)].total == (90.0, None, 9.0)
    assert found.groups[(OTHERS,)].bad == (3.0, None, 1.0)
    assert found.notes == (
        "only the 2 busiest of 6 values of template are compared; the others are one group",
    )


@pytest.mark.parametrize(
    ("sli", "reason"),
    [
        (Sli(bad="max(increase(b[$window]))", total="x"), "bad: it cannot be grouped by labels"),
        (Sli(spent="x"), "only events can be grouped by labels, not a gauge or"),
        (Sli(bad="b", total="sum(x["), "total: a closing ] is missing"),
    ],
)
def test_what_cannot_be_distinguished_is_not_asked(sli: Sli, reason: str) -> None:
    assert refused(ask(sli)).startswith(reason)


def test_nothing_is_requested_no_request() -> None:
    teller = cohorts_of(backend())
    assert teller is not None
    assert teller.cohorts([]) == []


def test_a_server_that_gives_a_group_twice_is_not_believed(prometheus: FakePrometheus) -> None:
    whole = json.loads(matrix({"v1": ["1", "1", "1"]}))
    whole["data"]["result"] *= 2
    prometheus.refuse = lambda _: (200, {}, json.dumps(whole))

    assert "2 series came back instead of one" in refused(ask(RATIO))


def test_where_the_server_wants_less_at_once_the_halves_are_put_together(
    prometheus: FakePrometheus,
) -> None:
    def answer(query: str) -> tuple[int, dict[str, str], str]:
        form = prometheus.forms[-1]
        first, last = float(form["start"][0]), float(form["end"][0])
        if first != last or "or" in query:
            words = "query processing would load too many samples into memory"
            return (
                422,
                {},
                json.dumps({"status": "error", "errorType": "execution", "error": words}),
            )
        name = "old" if last < AT.timestamp() else "new"
        result = [{"metric": {"template": name}, "values": [[last, "5"]]}]
        data = {"resultType": "matrix", "result": result}
        return 200, {}, json.dumps({"status": "success", "data": data})

    prometheus.refuse = answer

    found = cohorts(ask(RATIO))

    assert found.groups[("old",)].total == (5.0, 5.0, None)
    assert found.groups[("new",)].total == (None, None, 5.0)


def test_a_boundary_that_some_histograms_lacked_is_not_counted_by(
    prometheus: FakePrometheus, http: responses.RequestsMock
) -> None:
    def instant(request: object) -> tuple[int, dict[str, str], str]:
        text = str(getattr(request, "body", ""))
        if "by+%28le%29" in text:
            series = [
                {"metric": {"le": le, "gate_part": "0"}, "value": [AT.timestamp(), "2"]}
                for le in ("1", "+Inf")
            ]
            return 200, {}, success(series)  # type: ignore[arg-type]  # texts and numbers
        return 200, {}, success([{"metric": {}, "value": [AT.timestamp(), "1"]}])

    http.add_callback(responses.POST, "https://prometheus.example/api/v1/query", callback=instant)
    nine: Groups = {"v1": ["9", "9", "9"]}
    prometheus.refuse = lambda _: (200, {}, matrix(nine, nine))
    histogram = Histogram(good="h", total="h", threshold=Fraction(1), unit="s")

    reason = refused(ask(Sli(histogram=histogram)))

    assert reason.startswith("1 histograms had no such boundary in a part of the window")
