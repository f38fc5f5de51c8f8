"""Whatever limit a server has and however it says so: few requests, and the right counts."""

from datetime import timedelta

import pytest

from gate.backends import open_backend
from gate.backends.prometheus.limits import hint
from gate.backends.prometheus.settings import PrometheusSettings
from gate.measure import Answer, Backend, Cause, CountRequest, Counts, Limits, Unmeasured
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.backends.prometheus.limited import BAD, TOTAL, Asked, Limit, Limited, limited
from tests.backends.prometheus.played import AT

DAY = 86_400.0
BURNS = [timedelta(minutes=minutes) for minutes in (4320, 360, 1440, 120, 60, 5)]
MOST = 40
CURABLE = {
    # What a server limits, by words that were seen in its code or its documentation, or by none.
    "prometheus-samples": Limit(
        exceeded=lambda asked: asked.most_samples > 300_000,
        status=422,
        words="query processing would load too many samples into memory in query execution",
    ),
    "amazon-range": Limit(
        exceeded=lambda asked: asked.longest > 32 * DAY,
        status=422,
        words="the query time range exceeds the limit (query length: 2160h0m0s, limit: 768h0m0s)",
    ),
    "azure-range": Limit(
        exceeded=lambda asked: asked.longest > 32 * DAY,
        status=400,
        words="Query range cannot be longer than 32 days",
    ),
    "mimir-range": Limit(
        exceeded=lambda asked: asked.longest + 300 > 7 * DAY,
        status=422,
        words=(
            "the total query time range exceeds the limit"
            " (query length: 2160h5m0s, limit: 168h0m0s) (err-mimir-max-total-query-length)"
        ),
    ),
    "range-of-the-whole-query": Limit(
        exceeded=lambda asked: asked.reach > 61 * DAY, status=422, words="range too long"
    ),
    "range-in-words-that-nobody-knows": Limit(
        exceeded=lambda asked: asked.longest > 11 * DAY, status=400, words="Zeitraum zu groß"
    ),
    "range-without-any-word": Limit(
        exceeded=lambda asked: asked.longest > 11 * DAY, status=500, words="", plain=True
    ),
    "range-of-days": Limit(
        exceeded=lambda asked: asked.longest > 5 * DAY, status=400, words="no more than 120h"
    ),
    "mimir-chunk-bytes": Limit(
        exceeded=lambda asked: asked.samples > 20_000_000,
        status=422,
        words="the query exceeded the aggregated chunks size limit (limit: 5000000 bytes)",
    ),
    "cortex-data-size": Limit(
        exceeded=lambda asked: asked.samples > 20_000_000,
        status=422,
        words="the query hit the aggregated data size limit (limit: 1000000 bytes)",
    ),
    "grpc-message-size": Limit(
        exceeded=lambda asked: asked.most_samples > 400_000,
        status=500,
        words="rpc error: code = ResourceExhausted desc = grpc: received message larger than max",
    ),
    "thanos-store-bytes": Limit(
        exceeded=lambda asked: asked.most_samples > 400_000,
        status=422,
        words="fetch chunks: bytes limit exceeded while fetching chunks: limit 1048576 violated",
    ),
    "victoria-samples": Limit(
        exceeded=lambda asked: asked.most_samples > 300_000,
        status=422,
        words="cannot select more than -search.maxSamplesPerQuery=300000 samples",
    ),
    "victoria-points": Limit(
        exceeded=lambda asked: asked.longest > 20 * DAY,
        status=422,
        words="too many points for the given step; cannot exceed -search.maxPointsPerTimeseries",
    ),
    "google-range": Limit(
        exceeded=lambda asked: asked.longest > 25 * DAY,
        status=400,
        words="invalid argument: interval must not exceed 25d",
    ),
    "grafana-cloud-403": Limit(
        exceeded=lambda asked: asked.longest > 31 * DAY,
        status=403,
        words="the query exceeds the limit of 31 days",
    ),
    "busy-without-a-word": Limit(
        exceeded=lambda asked: asked.longest > 20 * DAY, status=503, words="", plain=True
    ),
    "amazon-429": Limit(
        exceeded=lambda asked: asked.longest > 20 * DAY,
        status=429,
        words='{"message":"Query samples limit exceeded"}',
        plain=True,
    ),
    "page-of-a-proxy": Limit(
        exceeded=lambda asked: asked.longest > 20 * DAY,
        status=502,
        words="<html><body>Bad Gateway</body></html>",
        plain=True,
    ),
    "time-is-up-at-once": Limit(
        exceeded=lambda asked: asked.longest > 20 * DAY,
        status=503,
        words="query timed out in expression evaluation",
    ),
    "no-answer-of-a-gateway": Limit(
        exceeded=lambda asked: asked.longest > 20 * DAY, status=504, words="", plain=True
    ),
    "no-answer-of-cloudflare": Limit(
        exceeded=lambda asked: asked.longest > 20 * DAY, status=524, words="", plain=True
    ),
    "no-answer-of-a-load-balancer": Limit(
        exceeded=lambda asked: asked.longest > 20 * DAY, status=408, words="", plain=True
    ),
    "not-enough-storage": Limit(
        exceeded=lambda asked: asked.longest > 20 * DAY, status=507, words="", plain=True
    ),
    "query-length": Limit(
        exceeded=lambda asked: len(asked.query) > 4000,
        status=400,
        words="the query is 11000 characters long",
    ),
    "query-length-of-a-proxy": Limit(
        exceeded=lambda asked: len(asked.query) > 4000, status=413, words="<html>", plain=True
    ),
    "address-length": Limit(
        exceeded=lambda asked: len(asked.query) > 6000, status=414, words="", plain=True
    ),
    "parts-of-a-union": Limit(
        exceeded=lambda asked: asked.parts > 16, status=422, words="expression too deep"
    ),
    "response-bytes": Limit(
        exceeded=lambda asked: asked.parts > 30, status=422, words="response too large"
    ),
    "error-in-a-good-status": Limit(
        exceeded=lambda asked: asked.longest > 20 * DAY, status=200, words="cannot look so far"
    ),
}
HOPELESS = {
    "too-many-series": Limit(
        exceeded=lambda asked: "increase" in asked.query,
        status=422,
        words="the query exceeded the maximum number of series (limit: 100 series)",
    ),
    "all-is-wrong": Limit(exceeded=lambda _: True, status=400, words="computer says no"),
    "inner-error": Limit(exceeded=lambda _: True, status=500, words="panic", plain=True),
    "down": Limit(exceeded=lambda _: True, status=503, words="down", plain=True),
    "nobody-behind-the-gateway": Limit(exceeded=lambda _: True, status=504, words="", plain=True),
}


def requests_for(slos: int, days: int) -> list[CountRequest]:
    """Ask as a check does: the whole window with a probe, and the burn-rate windows."""
    asked = []
    for place in range(slos):
        name = f"requests_{place}_total"
        sli = Sli(bad=f'{name}{{code="500"}}', total=name)
        spans = [Span(AT - length, AT) for length in (timedelta(days=days), *BURNS)]
        asked += [
            CountRequest(sli=sli, span=span, probe=place == 0) for place, span in enumerate(spans)
        ]
    return asked


def backend(server: Limited, **settings: object) -> Backend:
    given = {"url": server.url, "retries": 0, **settings}
    return open_backend(
        PrometheusSettings(**given),  # type: ignore[arg-type]  # each test knows its settings
        Limits(timeout=timedelta(seconds=60)),
    )


def assert_right(asked: list[CountRequest], answers: list[Answer]) -> None:
    for request, answer in zip(asked, answers, strict=True):
        assert isinstance(answer, Counts), answer
        seconds = request.span.length.total_seconds()
        assert float(answer.total) == pytest.approx(seconds * TOTAL)
        assert float(answer.bad) == pytest.approx(seconds * BAD)
        assert answer.evidence.suspicions == ()


@pytest.mark.variants(8)
@pytest.mark.parametrize(
    "name, days",
    [(name, 90) for name in CURABLE]
    + [pytest.param(name, 30, marks=pytest.mark.slow) for name in CURABLE],
)
def test_eight_slos_are_counted_in_few_requests_under_any_limit(name: str, days: int) -> None:
    asked = requests_for(8, days)
    with limited(CURABLE[name]) as server:
        answers = backend(server).measure(asked, AT)

    assert_right(asked, answers)
    assert server.requests <= MOST


@pytest.mark.slow
def test_a_large_run_waits_after_a_few_refusals_until_it_is_known_what_the_server_takes() -> None:
    asked = requests_for(80, 30)
    with limited(CURABLE["parts-of-a-union"]) as server:
        answers = backend(server, parallel=2).measure(asked, AT)

    assert_right(asked, answers)
    refused = [form for form in server.forms if Asked(form["query"]).parts > 16]
    assert len(refused) <= 8  # Sent all at once, 17 were.


@pytest.mark.variants(1)
@pytest.mark.parametrize("name", HOPELESS)
def test_what_no_shorter_window_cures_is_given_up_after_few_requests(name: str) -> None:
    asked = requests_for(8, 90)
    with limited(HOPELESS[name]) as server:
        answers = backend(server).measure(asked, AT)

    causes = {answer.cause for answer in answers if isinstance(answer, Unmeasured)}
    assert causes == {Cause.BACKEND_ERROR}
    assert not any(isinstance(answer, Counts) for answer in answers)
    assert server.requests <= MOST


def test_a_server_that_refuses_all_is_not_asked_again_for_what_may_not_be_needed() -> None:
    with limited(HOPELESS["all-is-wrong"]) as server:
        backend(server).measure(requests_for(18, 30), AT)

    # The coverage, which no answer needs: twice as many requests if refused batches keep it.
    assert sum("count_over_time" in form["query"] for form in server.forms) <= 4


def test_a_server_that_takes_few_queries_at_once_is_asked_one_after_the_other() -> None:
    asked = requests_for(60, 30)
    with limited(most_at_once=1) as server:
        answers = backend(server).measure(asked, AT)

    assert_right(asked, answers)
    assert server.requests <= MOST


@pytest.mark.parametrize(
    "words, hours",
    [
        ("limit: 168h0m0s (query length: 2160h5m0s)", 168),
        ("cannot be longer than 32 days", 768),
        ("a 2-week limit", 336),
        ("at most 1d12h", 36),
        ("at most 31.5d, was 90d", 756),
        ("at most 59m of x[2160h]", None),
        ("at most 2500h", None),
        ("error 422 in 12d3f and v3d", None),
        ("too long", None),
    ],
)
def test_a_length_that_a_refusal_names_is_tried(words: str, hours: int | None) -> None:
    expected = None if hours is None else timedelta(hours=hours)

    assert hint(words, timedelta(days=90)) == expected
