"""The parts of a request beside the query: login, headers, and no secret where it could be seen."""

import pytest
import requests
import responses

from gate.errors import UsageError
from gate.measure import CountRequest
from gate.slo.indicator import Sli
from tests.backends.prometheus.played import AT, MONTH, URL, backend, success

SECRET = "s3cr3t-t0k3n"
SPENT = CountRequest(sli=Sli(spent="x"), span=MONTH)


def sent(http: responses.RequestsMock, **settings: object) -> requests.PreparedRequest:
    http.add(responses.POST, url=settings.pop("expected", URL), body=success([]))  # type: ignore[arg-type]  # a str
    backend(**settings).measure([SPENT], AT)  # type: ignore[arg-type]  # each test knows its settings
    return http.calls[0].request


def test_bearer_token_is_sent(http: responses.RequestsMock) -> None:
    assert sent(http, bearer="abc").headers["Authorization"] == "Bearer abc"


def test_user_and_password_are_sent(http: responses.RequestsMock) -> None:
    # RFC 7617, section 2.1: the user "test" with the password "123£", in UTF-8.
    given = {"username": "test", "password": "123\u00a3"}

    assert sent(http, **given).headers["Authorization"] == "Basic dGVzdDoxMjPCow=="


def test_user_and_password_of_the_url_are_sent_but_not_in_the_url(
    http: responses.RequestsMock,
) -> None:
    request = sent(http, url="https://te%73t:123%C2%A3@prometheus.example/")

    assert request.headers["Authorization"] == "Basic dGVzdDoxMjPCow=="
    assert request.url == URL


def test_extra_headers_and_query_string_are_sent(http: responses.RequestsMock) -> None:
    request = sent(
        http,
        url="https://prometheus.example/prom/?extra_label=a%3Db",
        headers={"X-Scope-OrgID": "team-a"},
        expected="https://prometheus.example/prom/api/v1/query?extra_label=a%3Db",
    )

    assert request.headers["X-Scope-OrgID"] == "team-a"


def test_netrc_does_not_override_the_token(
    http: responses.RequestsMock, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = f"{tmp_path}/netrc"
    with open(netrc, "w", encoding="ascii") as file:  # noqa: PTH123 - a path made of text
        file.write("machine prometheus.example login a password b\n")
    monkeypatch.setenv("NETRC", netrc)

    assert sent(http, bearer="abc").headers["Authorization"] == "Bearer abc"


def test_url_that_cannot_be_read_is_an_error_of_usage_without_the_url() -> None:
    with pytest.raises(UsageError) as caught:
        backend(url=f"https://u:{SECRET}@[::1")

    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_nothing_secret_is_in_any_repr() -> None:
    asking = backend(url=f"https://u:{SECRET}@h/?t={SECRET}", bearer=SECRET)

    assert SECRET not in repr(asking)
