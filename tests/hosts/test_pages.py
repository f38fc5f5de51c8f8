"""Lists of several pages: each page is read, or the list is not known."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from gate.hosts import Purpose, RestError
from gate.hosts.rest import Rest
from tests.hosts.test_gitlab import client
from tests.servers.github_answers import Answer
from tests.servers.gitlab import REQUEST, FakeGitLab, gitlab

LIST = Purpose("list", "")


@pytest.fixture
def fake() -> Iterator[FakeGitLab]:
    with gitlab() as server:
        for number in range(250):
            server.plant("ada", f"note {number}")
        yield server


@pytest.mark.parametrize("headers", ["Link", "X-Next-Page", "none"])
def test_every_page_is_read_whatever_a_proxy_drops(fake: FakeGitLab, headers: str) -> None:
    fake.with_links, fake.with_numbers = headers == "Link", headers != "none"
    assert len(client(fake).comments(REQUEST)) == 250
    assert fake.seen == ["list"] * 3


def test_where_nothing_tells_of_pages_a_full_one_is_not_mistaken_for_the_last(
    fake: FakeGitLab,
) -> None:
    del fake.notes[200:]
    fake.with_links = fake.with_numbers = False
    assert len(client(fake).comments(REQUEST)) == 200
    assert fake.seen == ["list"] * 3


def test_the_last_of_numbered_pages_may_be_full(fake: FakeGitLab) -> None:
    del fake.notes[200:]
    fake.with_links = False
    assert len(client(fake).comments(REQUEST)) == 200
    assert fake.seen == ["list"] * 2


def elsewhere(fake: FakeGitLab) -> list[str]:
    port = urlsplit(fake.url).port
    return [
        "https://evil.example/api/v4/p?page=2",
        f"https://127.0.0.1:{port}/api/v4/p?page=2",
        f"http://127.0.0.1:{(port or 0) - 1}/p",
        f"http://x@127.0.0.1:{port}/p",
        "http://127.0.0.1/p",
        "http://127.0.0.1:x/p",
        f"//127.0.0.1:{port}/p",
        "/api/v4/p",
        "",
    ]


@pytest.mark.parametrize("place", range(9))
def test_a_next_page_elsewhere_makes_the_list_unknown(fake: FakeGitLab, place: int) -> None:
    link = f'<{elsewhere(fake)[place]}>; rel="next"'
    fake.faults = {"list": [Answer(200, [], {"Link": link, "X-Next-Page": "2"})]}
    with pytest.raises(RestError, match="has the next page on another host"):
        client(fake).comments(REQUEST)
    assert fake.seen == ["list"]


@pytest.mark.parametrize(
    "url, there, same",
    [
        ("https://gitlab.example/api/v4", "https://gitlab.example:443/api/v4/p", True),
        ("https://gitlab.example:443/api/v4", "https://GitLab.example/p", True),
        ("http://gitlab.example/api/v4", "http://gitlab.example:80/p", True),
        ("https://gitlab.example/api/v4", "http://gitlab.example/p", False),
        ("https://gitlab.example/api/v4", "https://gitlab.example:8443/p", False),
        ("https://gitlab.example/api/v4", "https://gitlab.example@evil.example/p", False),
        ("https://gitlab.example/api/v4", "https://gitlab.example.evil.example/p", False),
    ],
)
def test_a_token_goes_to_its_own_host_only(url: str, there: str, same: bool) -> None:
    rest = Rest(url, host="GitLab", headers={}, secret="x")
    assert rest.is_ours(there) is same
