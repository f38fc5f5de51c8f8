"""Each way in which CloudWatch says yes without having measured, and what only looks like it."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from gate.backends.cloudwatch.backend import CloudWatchBackend
from gate.backends.cloudwatch.client import CloudWatch
from gate.http import Clock
from gate.measure import Cause, Counts, Unmeasured
from gate.slo.indicator import Sli
from tests.backends.cloudwatch.asking import (
    AT,
    BAD,
    CHAT,
    MONTH,
    TOTAL,
    TOTAL_TEXT,
    answers,
    counts,
    request,
    service,
    settings,
    unmeasured,
    whole,
)
from tests.backends.loopback import serving
from tests.servers.cloudwatch import FakeCloudWatch, Misbehaviour, key_of

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
ELB = {"LoadBalancer": "app/chat/1"}
HEALTHY = Sli(
    bad='AWS/ApplicationELB HTTPCode_Target_5XX_Count{LoadBalancer="app/chat/1"}',
    total='AWS/ApplicationELB RequestCount{LoadBalancer="app/chat/1"}',
)


def load_balancer() -> FakeCloudWatch:
    """Return a server whose load balancer has answered every request well."""
    fake = FakeCloudWatch(now=lambda: AT)
    moments = [AT - n * HOUR - 2 * MINUTE for n in range(720)]
    fake.publish(key_of("AWS/ApplicationELB", "RequestCount", **ELB), ((at, 100) for at in moments))
    return fake


# "Complete" without values


def test_complete_without_values_is_no_data() -> None:
    answer = unmeasured(FakeCloudWatch(now=lambda: AT))

    assert answer.cause is Cause.NO_DATA


@pytest.mark.parametrize("wrong", [{"status": None}, {"page": 100}])
def test_complete_with_values_is_a_count(wrong: dict[str, Any]) -> None:
    fake = service()
    fake.wrong = Misbehaviour(**wrong)

    assert whole(counts(fake)) == (72_000, 72)


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        ('Chta Requests{Service="a"}', "nothing of the namespace Chta is listed"),
        ('Chat Request{Service="a"}', "has no metric of this name; did you mean 'Requests'?"),
        ('Chat Requests{Service="b"}', 'with other dimensions: {Service="a"}; name all of one set'),
        ("Chat Requests", 'it is listed with other dimensions: {Service="a"}'),
        ('Chat Requests{Service="a", Zone="1"}', 'with other dimensions: {Service="a"}'),
    ],
)
def test_a_total_that_matches_nothing_says_what_there_is_instead(selector: str, words: str) -> None:
    answer = unmeasured(service(), request(Sli(bad=CHAT.bad, total=selector)))

    assert answer.cause is Cause.NO_DATA
    assert f"CloudWatch in eu-central-1 has no point of {selector}" in answer.reason
    assert words in answer.reason


def test_a_total_of_which_there_are_many_kinds_shows_a_few() -> None:
    fake = service()
    for zone in "bcdef":
        fake.publish(key_of("Chat", "Requests", Service=zone), [(AT - DAY, 1)])
    answer = unmeasured(fake, request(Sli(bad=CHAT.bad, total="Chat Requests")))

    assert '{Service="a"}; {Service="b"}; {Service="c"} and 3 more' in answer.reason


def test_a_total_that_has_stopped_is_reported_to_be_listed() -> None:
    answer = unmeasured(service(range(48, 720)), request(length=DAY))

    assert "it is listed, so it had points in the last two weeks" in answer.reason


def test_without_the_right_to_list_nothing_is_reported_about_other_metrics() -> None:
    fake = service()
    fake.wrong.listing_denied = True
    answer = unmeasured(fake, request(Sli(bad=CHAT.bad, total="Chat Nothing")))

    assert "as cloudwatch:ListMetrics is not allowed" in answer.reason


def test_the_wrong_region_is_refused() -> None:
    answer = unmeasured(service(), region="us-east-1")

    assert answer.cause is Cause.BACKEND_ERROR
    assert "CloudWatch in us-east-1" in answer.reason
    assert "Credential should be scoped to a valid region, not 'us-east-1'" in answer.reason


def test_another_region_than_that_of_the_metrics_has_no_data_and_is_named() -> None:
    fake = FakeCloudWatch(now=lambda: AT, region="us-east-1")
    answer = unmeasured(fake, region="us-east-1")

    assert answer.cause is Cause.NO_DATA
    assert "CloudWatch in us-east-1 has no point of Chat Requests" in answer.reason
    assert "check its spelling, upper and lower case, the region and the account" in answer.reason


# Parts of an answer


def test_partial_data_without_a_token_is_partial() -> None:
    fake = service()
    fake.wrong = Misbehaviour(page=50, without_token=True)

    assert unmeasured(fake).cause is Cause.PARTIAL


def test_partial_data_with_a_token_is_read_to_its_end() -> None:
    fake = service()
    fake.wrong = Misbehaviour(page=50)

    assert counts(fake).total == 72_000


def test_a_page_that_comes_again_is_an_error_and_never_ends_in_a_count() -> None:
    fake = service()
    fake.wrong = Misbehaviour(page=50, same_token=True)

    assert "the same page comes again" in unmeasured(fake).reason


@pytest.mark.parametrize(
    ("status", "cause", "words"),
    [
        ("InternalError", Cause.BACKEND_ERROR, "CloudWatch failed inside (InternalError)"),
        ("Forbidden", Cause.BACKEND_ERROR, "let it have cloudwatch:GetMetricData"),
        ("PartialData", Cause.PARTIAL, "only a part of the points"),
        ("Whatever", Cause.BACKEND_ERROR, "the status 'Whatever' is not one of CloudWatch's"),
    ],
)
def test_a_status_inside_a_200_is_heeded(status: str, cause: Cause, words: str) -> None:
    fake = service()
    fake.wrong.status = status
    answer = unmeasured(fake)

    assert answer.cause is cause
    assert words in answer.reason


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), -1, "12", None, True, [1], 1e308, 10**400]
)
def test_a_value_that_cannot_be_a_count_is_invalid(value: object) -> None:
    fake = service()
    fake.wrong.value = lambda _: value
    answer = unmeasured(fake)

    assert answer.cause is Cause.INVALID
    assert "which cannot be a count" in answer.reason


@pytest.mark.parametrize("status", ["InternalError", "Forbidden"])
def test_a_page_that_failed_is_not_made_up_for_by_a_later_one(status: str) -> None:
    fake, pages = service(), iter(range(10**6))
    fake.wrong.page = 100
    fake.wrong.result = lambda result: (
        {**result, "StatusCode": status} if next(pages) == 2 else result
    )

    assert unmeasured(fake, request(length=20 * DAY)).cause is Cause.BACKEND_ERROR


def test_a_message_about_a_metric_makes_it_partial() -> None:
    fake = service()
    fake.wrong.result_messages = ({"Code": "Warning", "Value": "cut"},)
    answer = unmeasured(fake)

    assert answer.cause is Cause.PARTIAL
    assert 'CloudWatch says of Chat Requests{Service="a"}: Warning: cut' in answer.reason


def test_a_message_of_any_form_is_repeated() -> None:
    fake = service()
    fake.wrong.messages = ("too much",)  # type: ignore[assignment]

    assert "CloudWatch says: too much" in unmeasured(fake).reason


Change = Callable[[dict[str, Any]], dict[str, Any] | str]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda result: {**result, "Id": "m9"}, "a result belongs to a metric that was not"),
        (
            lambda result: {
                **result,
                "Timestamps": result["Timestamps"] * 2,
                "Values": result["Values"] * 2,
            },
            "two points of",
        ),
        (lambda _: "m0", "a result belongs to a metric that was not"),
        (lambda result: {**result, "Timestamps": 5}, "Timestamps is not a list"),
        (lambda result: {**result, "Timestamps": None}, "0 times and"),
        (
            lambda result: {**result, "Timestamps": ["x" for _ in result["Values"]]},
            "a time is not a number of whole seconds",
        ),
        (
            lambda result: {**result, "Timestamps": [t + 0.5 for t in result["Timestamps"]]},
            "a time is not a number of whole seconds",
        ),
        (
            lambda result: {**result, "Timestamps": [t + 7 for t in result["Timestamps"]]},
            "which was not requested",
        ),
        (
            lambda result: {**result, "Timestamps": [t - 10**8 for t in result["Timestamps"]]},
            "which was not requested",
        ),
        (
            lambda result: {**result, "Timestamps": [t + 10**12 for t in result["Timestamps"]]},
            "a time is not a number of whole seconds since 1970",
        ),
        (
            lambda result: {**result, "Timestamps": [t + 10**400 for t in result["Timestamps"]]},
            "a time is not a number of whole seconds",
        ),
    ],
)
def test_a_result_of_another_form_is_an_error(change: Change, words: str) -> None:
    fake = service()
    fake.wrong.result = change  # type: ignore[assignment]
    answer = unmeasured(fake)

    assert answer.cause is Cause.BACKEND_ERROR
    assert words in answer.reason


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "MetricDataResults is missing"),
        ({"MetricDataResults": []}, "it has no result for Chat Requests"),
        ({"MetricDataResults": None}, "it has no result for"),
        ({"MetricDataResults": {}}, "MetricDataResults is not a list"),
        ({"MetricDataResults": [], "NextToken": 5}, "NextToken is not a text"),
    ],
)
def test_an_answer_of_another_form_is_an_error(body: dict[str, Any], words: str) -> None:
    fake = service()
    fake.wrong.answer = body
    answer = unmeasured(fake)

    assert answer.cause is Cause.BACKEND_ERROR
    assert words in answer.reason


def test_an_empty_token_and_null_messages_are_as_if_they_were_absent() -> None:
    fake = service()
    fake.wrong.more = {"NextToken": "", "Messages": None}

    assert counts(fake).total == 72_000


def test_of_two_metrics_a_faulty_one_does_not_spoil_the_other() -> None:
    fake = service()
    fake.wrong.result = lambda result: (
        {**result, "StatusCode": "Forbidden"} if result["Id"] == "m1" else result
    )
    other = Sli(good=CHAT.total, total=CHAT.total)
    forbidden, counted = answers(fake, [request(), request(other)])

    assert isinstance(forbidden, Unmeasured)
    assert isinstance(counted, Counts)


@pytest.mark.parametrize(
    "kind", ["ThrottlingException", "Throttling", "LimitExceededException", "InternalServiceFault"]
)
def test_throttling_with_the_status_400_is_tried_again(kind: str) -> None:
    fake = service()
    fake.wrong = Misbehaviour(throttled=2, throttled_as=kind)

    (answer,) = answers(fake, [request(length=HOUR)], retries=2)
    assert isinstance(answer, Counts)
    fake.wrong = Misbehaviour(throttled=3, throttled_as=kind)
    (answer,) = answers(fake, [request(length=HOUR)], retries=1)
    assert isinstance(answer, Unmeasured)
    assert f"400 Bad Request: {kind}: Rate exceeded" in answer.reason


def test_a_refusal_that_lasts_is_not_tried_again() -> None:
    fake = service()
    fake.wrong = Misbehaviour(throttled=1, throttled_as="ValidationError")
    (answer,) = answers(fake, [request(length=HOUR)], retries=2)

    assert isinstance(answer, Unmeasured)
    assert (
        "ValidationError: Rate exceeded; check backend.region, AWS_ACCESS_KEY_ID" in answer.reason
    )


# Ages


def test_a_period_that_the_windows_age_does_not_allow_is_not_requested() -> None:
    fake = service(range(1700))
    for length in (DAY, 14 * DAY, 16 * DAY, 30 * DAY, 62 * DAY, 64 * DAY, 70 * DAY):
        hours = length // HOUR
        rounded = 1 if length > 63 * DAY else 0  # the start to a whole hour, and an event in it
        assert counts(fake, request(length=length)).total == 100 * (hours + rounded), length
    for call in fake.asked("GetMetricData"):
        age = AT.timestamp() - call["StartTime"]
        least = 60 if age < 15 * 86_400 else 300 if age < 63 * 86_400 else 3600
        for query in call["MetricDataQueries"]:
            assert not query["MetricStat"]["Period"] % least


@pytest.mark.parametrize("days", [15, 63])
def test_a_period_that_ends_while_the_gate_asks_is_not_requested(days: int) -> None:
    fake = service(range(1700))
    fake.now = lambda: AT + timedelta(minutes=20)  # the clock of this machine is late
    clock = Clock(now=lambda: AT)
    with serving(fake) as port:
        server = settings(f"http://127.0.0.1:{port}")
        backend = CloudWatchBackend(CloudWatch(server, 20.0, clock))
        (answer,) = backend.measure([request(length=days * DAY, probe=False)], AT)

    assert isinstance(answer, Counts)
    assert 0 <= answer.total - days * 24 * 100 <= 100  # a start that is rounded to an hour


def test_a_start_between_two_periods_is_aligned_by_the_gate_and_reported() -> None:
    fake = service()
    # The window begins at 12:34:56; what is kept for 30 days are periods of 5 minutes.
    fake.publish(TOTAL, [(AT - MONTH - timedelta(minutes=4, seconds=50), 7)])
    fake.publish(TOTAL, [(AT - MONTH - timedelta(minutes=5), 70_000)])
    answer = counts(fake)

    assert answer.total == 72_007
    assert answer.evidence.query.endswith("from 2026-10-30 12:30 UTC to 2026-11-29 12:34 UTC")
    assert {call["StartTime"] % 300 for call in fake.asked("GetMetricData")} <= {0, 240}


def test_beyond_what_is_kept_the_window_is_not_covered() -> None:
    fake = service(range(0, 12_000, 2))
    answer = counts(fake, request(length=500 * DAY))

    assert answer.evidence.coverage is not None
    assert answer.evidence.coverage < Fraction(46, 100)


# Silence


def test_a_healthy_load_balancer_without_any_5xx_has_no_bad_event_and_no_doubt() -> None:
    answer = counts(load_balancer(), request(HEALTHY))

    assert whole(answer) == (72_000, 0)
    assert answer.evidence.suspicions == ()


def test_it_has_none_where_metrics_cannot_be_listed() -> None:
    fake = load_balancer()
    fake.wrong.listing_denied = True

    assert counts(fake, request(HEALTHY)).evidence.suspicions == ()


def test_a_healthy_model_without_throttled_requests_has_no_doubt() -> None:
    fake = FakeCloudWatch(now=lambda: AT)
    moments = [AT - n * HOUR - 2 * MINUTE for n in range(720)]
    fake.publish(key_of("AWS/Bedrock", "Invocations", ModelId="m"), ((at, 100) for at in moments))
    throttled = 'AWS/Bedrock InvocationThrottles{ModelId="m"}'
    sli = Sli(bad=throttled, total=f'AWS/Bedrock Invocations{{ModelId="m"}} + {throttled}')
    answer = counts(fake, request(sli))

    assert whole(answer) == (72_000, 0)
    assert answer.evidence.suspicions == ()


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (
            'AWS/ApplicationELB HTTPCode_Target_5xx_Count{LoadBalancer="app/chat/1"}',
            "did you mean 'HTTPCode_Target_5XX_Count'?",
        ),
        (
            'AWS/ApplicationELB HTTPCode_Target_5XX_Count{LoadBalancer="app/chta/1"}',
            "AWS/ApplicationELB has no metric of this name",
        ),
        (
            'AWS/ApplicationElb HTTPCode_Target_5XX_Count{LoadBalancer="app/chat/1"}',
            "nothing of the namespace AWS/ApplicationElb is listed",
        ),
        ('Chat Errors{Service="a"}', "nothing of the namespace Chat is listed"),
    ],
)
def test_an_error_metric_that_nothing_proves_is_suspected(bad: str, words: str) -> None:
    answer = counts(load_balancer(), request(Sli(bad=bad, total=HEALTHY.total)))
    (suspicion,) = answer.evidence.suspicions

    assert answer.bad == 0
    assert suspicion.cause is Cause.UNMATCHED
    assert f"bad: CloudWatch has no point of {bad} in the window" in suspicion.reason
    assert words in suspicion.remedy
    assert suspicion.hidden == 72_000
    assert suspicion.doubtful == 0


def test_an_error_metric_of_ones_own_that_had_a_point_lately_is_proved() -> None:
    fake = service(bad=0)
    fake.publish(BAD, [(AT - 10 * DAY, 1)])
    answer = counts(fake, request(length=7 * DAY))

    assert answer.bad == 0
    assert answer.evidence.suspicions == ()


def test_an_error_metric_that_other_services_publish_is_proved() -> None:
    fake = service(bad=0)
    fake.publish(key_of("Chat", "Errors", Service="b"), [(AT - DAY, 1)])

    assert counts(fake).evidence.suspicions == ()


def test_an_error_metric_that_is_published_with_other_dimensions_is_suspected() -> None:
    fake = service(bad=0)
    fake.publish(key_of("Chat", "Errors", Service="a", Zone="1"), [(AT - DAY, 1)])
    (suspicion,) = counts(fake).evidence.suspicions

    assert 'with other dimensions: {Service="a", Zone="1"}' in suspicion.remedy


def test_dimensions_are_proved_by_any_metric_that_has_the_same() -> None:
    fake = load_balancer()
    group = {**ELB, "TargetGroup": "targetgroup/a/2"}
    bad = (
        'AWS/ApplicationELB HTTPCode_Target_5XX_Count{LoadBalancer="app/chat/1",'
        ' TargetGroup="targetgroup/a/2"}'
    )
    sli = Sli(bad=bad, total=HEALTHY.total)
    assert len(counts(fake, request(sli)).evidence.suspicions) == 1

    fake.publish(key_of("AWS/ApplicationELB", "HealthyHostCount", **group), [(AT - DAY, 1)])
    assert counts(fake, request(sli)).evidence.suspicions == ()


@pytest.mark.parametrize(
    ("sli", "hides"),
    [
        (Sli(bad=f"{CHAT.bad} + Chat X", total=CHAT.total), True),
        (Sli(bad=f"{CHAT.bad} - Chat X", total=CHAT.total), False),
        (Sli(good=f"{CHAT.bad} + Chat X", total=CHAT.total), False),
        (Sli(good=f"{CHAT.bad} - Chat X", total=CHAT.total), True),
        (Sli(bad=CHAT.bad, total=f"{CHAT.total} + Chat X"), False),
        (Sli(bad=CHAT.bad, total=f"{CHAT.total} - Chat X"), True),
        (Sli(good=CHAT.bad, total=f"{CHAT.total} + Chat X"), True),
        (Sli(good=CHAT.bad, total=f"{CHAT.total} - Chat X"), False),
    ],
)
def test_what_a_silent_metric_would_change_depends_on_its_place(sli: Sli, hides: bool) -> None:
    answer = counts(service(), request(sli))
    (suspicion,) = answer.evidence.suspicions

    assert bool(suspicion.hidden) is hides
    assert bool(suspicion.doubtful) is not hides


def test_a_metric_that_is_counted_as_bad_and_in_total_is_suspected_once() -> None:
    sli = Sli(bad=f"{CHAT.bad} + Chat X", total=f"{CHAT.total} + Chat X")
    (suspicion,) = counts(service(), request(sli)).evidence.suspicions

    assert suspicion.reason.startswith("bad: ")


def renamed(name: str, since: timedelta, *, overlap: timedelta = HOUR * 0) -> FakeCloudWatch:
    """Return a server whose errors have another name since then."""
    fake = service(bad=0)
    moments = [AT - n * 10 * HOUR - 6 * MINUTE for n in range(72)]
    fake.publish(BAD, ((at, 2) for at in moments if at < AT - since))
    later = key_of("Chat", name, Service="a")
    fake.publish(later, ((at, 2) for at in moments if at >= AT - since - overlap))
    return fake


@pytest.mark.parametrize("name", ["ErrorCount", "Faults", "Http5xx", "Eror"])
def test_errors_that_go_on_under_another_name_are_suspected(name: str) -> None:
    answer = counts(renamed(name, 5 * DAY))
    (suspicion,) = answer.evidence.suspicions

    assert answer.bad == 2 * 60
    assert suspicion.cause is Cause.UNMATCHED
    assert 'no point of Chat Errors{Service="a"} since 2026-11-24' in suspicion.reason
    assert f'add + Chat {name}{{Service="a"}} if it was' in suspicion.remedy
    assert suspicion.hidden == 2 * 12


@pytest.mark.parametrize(
    "fake",
    [
        renamed("CacheHits", 5 * DAY),  # begins by chance, and is no failure
        renamed("Timeouts", 5 * DAY, overlap=10 * DAY),  # was there before
        service(range(120, 720)),  # everything has stopped, and no other name has begun
    ],
)
def test_errors_that_have_ended_are_not_suspected(fake: FakeCloudWatch) -> None:
    causes = [suspicion.cause for suspicion in counts(fake).evidence.suspicions]

    assert Cause.UNMATCHED not in causes


def test_an_error_metric_that_is_counted_already_is_not_another_name() -> None:
    sli = Sli(bad=f'{CHAT.bad} + Chat ErrorCount{{Service="a"}}', total=CHAT.total)

    assert counts(renamed("ErrorCount", 5 * DAY), request(sli)).evidence.suspicions == ()


@pytest.mark.parametrize("trouble", ["listing_denied", "result"])
def test_another_name_that_cannot_be_read_is_not_suspected(trouble: str) -> None:
    fake = renamed("ErrorCount", 5 * DAY)
    fake.wrong.listing_denied = trouble == "listing_denied"
    fake.wrong.result = lambda result: (
        {**result, "StatusCode": "Forbidden"} if result["Label"] == "ErrorCount" else result
    )

    assert counts(fake).evidence.suspicions == ()


A_DAY, A_WEEK = range(24), range(7 * 24)


def told(
    spoken: Iterable[int], *, each: float = 0, total: Iterable[int] = range(720)
) -> FakeCloudWatch:
    """Return a server whose errors have a point in some of the last hours, 1 in each tenth."""
    fake = FakeCloudWatch(now=lambda: AT)
    tell(fake, spoken, each=each, total=total, Service="a")
    return fake


def tell(
    fake: FakeCloudWatch,
    spoken: Iterable[int],
    *,
    each: float = 0,
    total: Iterable[int] = (),
    name: str = "Errors",
    **dimensions: str,
) -> None:
    def at(hour: int) -> datetime:
        return AT - hour * HOUR - 6 * MINUTE

    fake.publish(key_of("Chat", "Requests", **dimensions), ((at(hour), 100) for hour in total))
    errors = key_of("Chat", name, **dimensions)
    fake.publish(errors, ((at(hour), each or float(hour % 10 == 0)) for hour in spoken))


@pytest.mark.parametrize(
    "silent", [A_DAY, range(3), range(100, 103), A_WEEK, range(24, 720), range(500, 720)]
)
def test_an_error_metric_that_says_0_where_nothing_failed_and_falls_silent_is_suspected(
    silent: range,
) -> None:
    (suspicion,) = counts(told(set(range(720)) - set(silent))).evidence.suspicions

    assert suspicion.cause is Cause.UNMATCHED
    assert suspicion.hidden == 100 * len(silent)
    assert f'no point of Chat Errors{{Service="a"}} in {len(silent)} hours' in suspicion.reason
    assert suspicion.within is not None
    assert AT - suspicion.within.end < (silent.start + 1) * HOUR
    assert suspicion.within.end <= AT


def two_services(spoken: Iterable[int], total: Iterable[int]) -> FakeCloudWatch:
    """Return a server of two services, of which one is always there."""
    fake = told(range(720))
    tell(fake, spoken, total=total, Service="b")
    return fake


BOTH = Sli(
    bad='Chat Errors{Service="a"} + Chat Errors{Service="b"}',
    total='Chat Requests{Service="a"} + Chat Requests{Service="b"}',
)


def test_of_two_services_the_one_that_fell_silent_is_suspected() -> None:
    fake = two_services(range(72, 720), range(720))
    (suspicion,) = counts(fake, request(BOTH)).evidence.suspicions

    assert 'Chat Errors{Service="b"} in 72 hours' in suspicion.reason


def followed(name: str = "Faults") -> FakeCloudWatch:
    """Return a server whose errors got another name a week ago."""
    fake = told(range(7 * 24, 720))
    tell(fake, range(7 * 24 + 2), name=name, Service="a")
    return fake


def apart() -> FakeCloudWatch:
    """Return a server of two services, whose requests are only counted together."""
    fake = two_services(range(24, 720), ())
    fake.publish(key_of("Chat", "All"), ((AT - n * HOUR - 6 * MINUTE, 100) for n in range(720)))
    return fake


QUIET: dict[str, tuple[FakeCloudWatch, Sli]] = {
    "one that never says 0": (told(range(48, 720), each=3), CHAT),
    "one that now and then says nothing for an hour or two": (
        told([hour for hour in range(720) if hour % 30 > 1]),
        CHAT,
    ),
    "one that says something in nine of ten hours": (
        told([hour for hour in range(720) if hour % 9 and hour % 700 > 2]),
        CHAT,
    ),
    "one that says something now and then": (told(range(0, 720, 6)), CHAT),
    "one that sleeps at night": (told([hour for hour in range(720) if hour % 24 > 7]), CHAT),
    "two hours": (told(range(2, 720)), CHAT),
    "no events": (told(range(24, 720), total=range(24, 720)), CHAT),
    "a new service": (two_services(A_WEEK, A_WEEK), BOTH),
    "a service that is gone": (two_services(range(24, 720), range(24, 720)), BOTH),
    "another name, and both are counted": (
        followed(),
        Sli(bad=f'{CHAT.bad} + Chat Faults{{Service="a"}}', total=CHAT.total),
    ),
    "one that is subtracted": (
        told(range(720)),
        Sli(bad=f"{TOTAL_TEXT} - {CHAT.bad}", total=CHAT.total),
    ),
    "one of two with other dimensions than the total": (
        apart(),
        Sli(bad=BOTH.bad, total="Chat All"),
    ),
}


@pytest.mark.parametrize("case", QUIET)
def test_an_error_metric_that_may_be_silent_is_not_suspected(case: str) -> None:
    fake, sli = QUIET[case]
    (answer,) = answers(fake, [request(sli)])

    assert isinstance(answer, Counts)
    assert [each.reason for each in answer.evidence.suspicions if "nearly" in each.reason] == []


def test_without_a_total_the_good_events_are_compared() -> None:
    fake = told(range(24, 720))
    sli = Sli(good=CHAT.total, bad=CHAT.bad)
    (suspicion,) = counts(fake, request(sli)).evidence.suspicions

    assert suspicion.hidden == 2400


def test_a_spent_metric_that_is_silent_may_have_cost_any_amount() -> None:
    fake = service()
    sli = Sli(spent=f"{CHAT.total} + Chat X")
    (answer,) = answers(fake, [request(sli)])

    assert not isinstance(answer, Unmeasured)
    (suspicion,) = answer.evidence.suspicions
    assert suspicion.hidden is None


def test_every_request_was_bad_where_only_the_good_are_silent() -> None:
    fake = service(bad=0)
    fake.publish(BAD, [(AT - 40 * DAY, 1)])
    answer = counts(fake, request(Sli(good="Chat Good", total=CHAT.total)))

    assert answer.bad == answer.total == 72_000
    (suspicion,) = answer.evidence.suspicions
    assert suspicion.doubtful == 72_000


def test_points_that_are_zero_are_not_a_traffic_and_no_points_are_no_data() -> None:
    assert unmeasured(service(each=0, bad=0)).cause is Cause.NO_TRAFFIC
    assert unmeasured(service([])).cause is Cause.NO_DATA


def test_more_bad_than_total_is_invalid_and_says_what_may_be_missing() -> None:
    fake = service(bad=0)
    fake.publish(BAD, [(AT - DAY, 80_000)])
    answer = unmeasured(fake)

    assert answer.cause is Cause.INVALID
    assert "80,000 bad events are more than 72,000 in total; add what the total" in answer.reason


def test_a_trimmed_count_of_which_nothing_came_is_no_data() -> None:
    fake = FakeCloudWatch(now=lambda: AT)
    fake.wrong.trimmed = False
    moments = [AT - n * HOUR - 2 * MINUTE for n in range(720)]
    fake.publish(key_of("Chat", "Latency"), ((at, 100) for at in moments))
    answer = unmeasured(fake, request(Sli(column="Chat Latency", threshold=Fraction(200))))

    assert answer.cause is Cause.NO_DATA
    assert "either all are above it, or they were published as statistic sets" in answer.reason


# Evidence


@pytest.mark.parametrize(("late", "age"), [(0, 0), (1, 116), (5, 356), (60, 3656), (600, 38_036)])
def test_the_newest_point_is_when_its_minute_ends(late: int, age: int) -> None:
    fake = FakeCloudWatch(now=lambda: AT)
    minute = AT.replace(second=0) - MINUTE * (1 + late)
    fake.publish(TOTAL, ((minute - n * HOUR, 100) for n in range(720)))
    newest = counts(fake).evidence.newest

    assert newest is not None
    # At 12:34:56 the newest minute that is over ends at 12:34:00.
    assert AT - newest == timedelta(seconds=age)


def test_holes_of_a_busy_metric_are_lost_events_and_those_of_a_quiet_one_are_not() -> None:
    hours = [*range(200), *range(220, 300), *range(310, 720)]
    (suspicion,) = counts(service(hours)).evidence.suspicions
    quiet = counts(service(hours, each=0.3, bad=0.1)).evidence

    assert suspicion.cause is Cause.LOST
    assert "and in other holes" in suspicion.reason
    assert suspicion.hidden == pytest.approx(3000, rel=0.05)
    assert quiet.suspicions == ()
    assert quiet.coverage == 1


def test_a_window_of_a_burn_rate_has_no_evidence_and_asks_for_no_list() -> None:
    fake = service(bad=0)
    answer = counts(fake, request(probe=False))

    assert answer.evidence.coverage is None
    assert fake.asked("ListMetrics") == []


# Lists


def test_lists_are_read_to_their_end() -> None:
    fake = service(bad=0)
    for n in range(20):
        fake.publish(key_of("Chat", "Requests", Service=f"s{n}"), [(AT - DAY, 1)])
    fake.wrong.metrics_page = 3
    answer = unmeasured(fake, request(Sli(bad=CHAT.bad, total="Chat Requests")))

    assert "and 18 more" in answer.reason


@pytest.mark.parametrize(
    "metric",
    ["x", {}, {"Namespace": "Chat"}, {"Namespace": "A", "MetricName": "B", "Dimensions": [1]}],
)
def test_a_list_of_another_form_proves_nothing(metric: object) -> None:
    fake = service(bad=0)
    fake.wrong.listed = [metric]
    (suspicion,) = counts(fake).evidence.suspicions

    assert suspicion.cause is Cause.UNMATCHED
    assert "which others there are is not known" in suspicion.remedy


def test_a_list_without_end_is_cut() -> None:
    fake = service(bad=0)
    endless = {"Namespace": "Chat", "MetricName": "Requests", "Dimensions": None}
    fake.wrong.listed = [endless] * 5000
    fake.wrong.listed_token = "more"
    (suspicion,) = counts(fake).evidence.suspicions

    assert suspicion.cause is Cause.UNMATCHED
