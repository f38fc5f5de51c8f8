from collections.abc import Iterator

import pytest
import responses

from tests.backends.prometheus.played import URL, FakePrometheus


@pytest.fixture
def http() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def prometheus(http: responses.RequestsMock) -> FakePrometheus:
    fake = FakePrometheus()
    http.add_callback(responses.POST, URL, callback=fake)
    return fake
