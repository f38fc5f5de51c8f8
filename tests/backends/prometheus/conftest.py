from collections.abc import Iterator

import pytest
import responses

from tests.backends.prometheus.played import URL, FakePrometheus, PlayedSteps


@pytest.fixture
def http() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def prometheus(http: responses.RequestsMock) -> FakePrometheus:
    fake = FakePrometheus()
    http.add_callback(responses.POST, URL, callback=fake)
    return fake


@pytest.fixture
def played(http: responses.RequestsMock) -> PlayedSteps:
    fake = PlayedSteps()
    for name in ("query", "query_range"):
        url = f"https://prometheus.example/api/v1/{name}"
        http.add_callback(responses.POST, url, callback=fake)
    http.assert_all_requests_are_fired = False
    return fake
