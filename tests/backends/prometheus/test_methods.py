"""POST, or GET where only that is let through; parameters with every request."""

from urllib.parse import parse_qs, urlsplit

import pytest

from gate.measure import CountRequest, Counts, Unmeasured
from tests.backends.prometheus.limited import Limited, limited
from tests.backends.prometheus.played import AT, MONTH, RATIO
from tests.backends.prometheus.test_limits import assert_right, backend, requests_for

MOST_BYTES = 8_192


def methods(server: Limited) -> set[str]:
    return {"GET" if "query=" in target else "POST" for target in server.targets}


@pytest.mark.variants(1)
@pytest.mark.parametrize("status", [403, 405, 501])
def test_where_post_is_refused_the_rest_of_the_run_is_asked_by_get(status: int) -> None:
    asked = requests_for(8, 30)
    with limited(methods={"POST": status}) as server:
        counting = backend(server)
        answers = counting.measure(asked, AT)
        before = len(server.targets)
        again = counting.measure(asked, AT)

    assert_right(asked, answers)
    assert_right(asked, again)
    assert all("query=" in target for target in server.targets[before:])
    assert max(map(len, server.targets)) <= MOST_BYTES
    assert server.requests <= 60


def test_post_is_used_where_it_is_allowed() -> None:
    asked = requests_for(8, 30)
    with limited() as server:
        assert_right(asked, backend(server).measure(asked, AT))

    assert methods(server) == {"POST"}


def test_the_method_of_the_settings_is_the_only_one() -> None:
    request = CountRequest(sli=RATIO, span=MONTH)
    with limited(methods={"POST": 405}) as server:
        (got,) = backend(server, method="GET").measure([request], AT)
        (refused,) = backend(server, method="POST").measure([request], AT)

    assert isinstance(got, Counts)
    assert isinstance(refused, Unmeasured)
    assert "405" in refused.reason


@pytest.mark.parametrize("slos", [1, 40])
def test_where_both_are_refused_the_first_refusal_is_reported(slos: int) -> None:
    with limited(methods={"POST": 403, "GET": 404}) as server:
        answer, *_ = backend(server).measure(requests_for(slos, 30), AT)

    assert isinstance(answer, Unmeasured)
    assert "403 Forbidden: this method is not allowed here" in answer.reason


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_parameters_stand_in_the_address_of_every_request(method: str) -> None:
    request = CountRequest(sli=RATIO, span=MONTH)
    with limited() as server:
        backend(server, method=method, parameters={"namespace": "a b"}).measure([request], AT)

    parameters = [parse_qs(urlsplit(target).query)["namespace"] for target in server.targets]
    assert parameters == [["a b"]] * len(parameters)
    assert parameters
