"""Requests that GitHub does not answer as it should."""

import gc
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from requests import exceptions

from gate.hosts import CommitStatus, Purpose, RestError
from gate.hosts.github_events import GitHubError
from gate.hosts.rest import Rest
from gate.http import Clock
from tests.hosts.asking import Time, asking
from tests.servers.github import PULL, TOKEN, FakeGitHub, github
from tests.servers.github_answers import Answer, refused

FILES = "pulls/list-files"
STATUS = "repos/create-commit-status"
FINE = CommitStatus(state="success", name="gate", description="fine", url=None)
RESET = {"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(1793491200 + 30)}
SECONDARY = "You have exceeded a secondary rate limit"


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github() as one:
        one.files = [("security", None)]
        yield one


@pytest.fixture(autouse=True)
def _without_the_garbage_collector() -> Iterator[None]:
    """Keep finalizers of other tests' garbage from running where too deep JSON has used the stack.

    They would fail there by a RecursionError, which pytest reports as a failure of this test.
    """
    gc.disable()
    yield
    gc.enable()


def raised(fake: FakeGitHub, *faults: Answer, time: Time | None = None) -> str:
    """Return the sentence of the failure to list files."""
    fake.faults = {FILES: list(faults)}
    with pytest.raises(GitHubError) as error:
        asking(fake.url, time).changed_paths(PULL)
    return str(error.value)


@pytest.mark.parametrize(
    "fault, pause",
    [
        (refused(500, "Oh"), 1.0),
        (Answer(502, b"<html>Bad gateway</html>"), 1.0),
        (Answer(503, b"[1]"), 1.0),
        (refused(503, "Busy", Retry_After="7"), 7.0),
        (refused(503, "Busy", Retry_After="Sun, 01 Nov 2026 00:00:09 GMT"), 9.0),
        (refused(503, "Busy", Retry_After="Sun, 01 Nov 2026 00:00:09 -0000"), 9.0),
        (refused(503, "Busy", Retry_After="Sat, 31 Oct 2026 00:00:00 GMT"), 1.0),
        (refused(503, "Busy", Retry_After="Sun, 01 Nov 2026 00:00:09 GMT", Date="now"), 9.0),
        (refused(503, "Busy", Retry_After="soon"), 1.0),
        (refused(429, "Slow down", Retry_After="5"), 5.0),
        (refused(429, "Slow down"), 60.0),
        (refused(403, SECONDARY, Retry_After="5"), 5.0),
        (refused(403, SECONDARY), 60.0),
        (refused(403, "API rate limit exceeded", **RESET), 30.0),
        (refused(403, "Enough", **RESET), 30.0),
        (refused(429, "Enough", **RESET, Retry_After="2"), 2.0),
        (refused(429, "Enough", x_ratelimit_remaining="0", x_ratelimit_reset="soon"), 60.0),
    ],
)
def test_a_busy_github_is_asked_again_after_the_pause_that_it_names(
    fake: FakeGitHub, fault: Answer, pause: float
) -> None:
    time = Time()
    fake.faults = {FILES: [fault]}

    assert asking(fake.url, time).changed_paths(PULL) == ("security",)

    assert fake.seen == [FILES] * 2
    assert time.slept == [pause]


def test_a_github_that_stays_broken_is_asked_four_times(fake: FakeGitHub) -> None:
    time = Time()

    sentence = raised(fake, *[refused(502, "Server Error")] * 9, time=time)

    assert sentence == (
        "cannot list the files that the pull request changes: GitHub answers 502 (Server Error)"
    )
    assert fake.seen == [FILES] * 4
    assert time.slept == [1.0, 2.0, 4.0]


def test_a_pause_that_is_too_long_is_not_begun(fake: FakeGitHub) -> None:
    time = Time()

    sentence = raised(fake, refused(403, SECONDARY, Retry_After="90"), time=time)

    assert sentence == (
        "cannot list the files that the pull request changes: GitHub limits the rate of "
        "requests: 403 (You have exceeded a secondary rate limit); there is no time left to "
        "wait 90.0 s and try again; run the job again later; each token has a limit of its own"
    )
    assert time.slept == []


def test_a_limit_is_distinguished_from_a_missing_permission(fake: FakeGitHub) -> None:
    fake.faults = {FILES: [refused(403, SECONDARY, Retry_After="900")]}

    with pytest.raises(GitHubError) as error:
        asking(fake.url).changed_paths(PULL)

    assert error.value.status == 429


def test_all_requests_of_a_client_share_its_time(fake: FakeGitHub) -> None:
    time = Time()
    client = asking(fake.url, time, seconds=10.0)
    busy = refused(503, "Busy", Retry_After="8")

    fake.faults = {FILES: [busy]}
    assert client.changed_paths(PULL) == ("security",)
    time.now += 3600  # between requests costs nothing
    fake.faults = {FILES: [busy]}
    with pytest.raises(GitHubError, match=r"no time left to wait 8\.0 s"):
        client.changed_paths(PULL)

    assert time.slept == [8.0]


def test_a_client_without_time_asks_nothing(fake: FakeGitHub) -> None:
    with pytest.raises(
        GitHubError, match="GitHub cannot be reached: no answer in the time that this"
    ):
        asking(fake.url, seconds=0).changed_paths(PULL)

    assert fake.seen == []


@pytest.mark.parametrize(
    "fault, told",
    [
        (
            refused(403, "Resource not accessible by integration"),
            "403 (Resource not accessible by integration); the token needs pull-requests: read",
        ),
        (
            refused(403, "Must have admin rights"),
            "403 (Must have admin rights); perhaps the token lacks pull-requests: read",
        ),
        (
            refused(404, "Not Found"),
            "404 (Not Found); perhaps the token lacks pull-requests: read",
        ),
        (
            refused(401, "Bad credentials"),
            "401 (Bad credentials); the token is wrong or has expired; create a new one"
            " and set it in the job",
        ),
        (
            Answer(422, b'{"message": "No", "errors": ["a\\nb", {"message": "c"}, {}]}'),
            "422 (No, a b, c)",
        ),
        (Answer(422, b'{"message": ["No"], "errors": "a"}'), "422"),
        (Answer(410, b"[" * 100_000), "410"),
        (Answer(400, b'{"message": "\\u001b[31m\\u202ered"}'), "400 ([31mred)"),
        (Answer(304, b""), "304"),
    ],
)
def test_a_refusal_is_one_sentence_that_says_what_is_missing(
    fake: FakeGitHub, fault: Answer, told: str
) -> None:
    expected = f"cannot list the files that the pull request changes: GitHub answers {told}"

    assert raised(fake, fault) == expected
    assert fake.seen == [FILES]


def test_a_long_complaint_is_shortened(fake: FakeGitHub) -> None:
    assert len(raised(fake, refused(400, "x" * 10_000))) < 400


def test_the_token_is_never_told(fake: FakeGitHub) -> None:
    sentence = raised(fake, refused(400, f"Odd header: Bearer {TOKEN}"))

    assert TOKEN not in sentence
    assert sentence.endswith("400 (Odd header: Bearer ***)")


@pytest.mark.parametrize("before", range(60, 100, 3))
def test_no_part_of_the_token_is_left_where_a_long_complaint_is_cut(
    fake: FakeGitHub, before: int
) -> None:
    sentence = raised(fake, refused(400, f"{'x' * before}{TOKEN}{'x' * 400}"))

    assert [size for size in range(4, len(TOKEN)) if TOKEN[:size] in sentence] == []


def test_many_jobs_do_not_come_back_at_the_same_moment(fake: FakeGitHub) -> None:
    time = Time(jitter=0.5)
    fake.faults = {FILES: [refused(502, "Server Error")]}

    asking(fake.url, time).changed_paths(PULL)

    assert time.slept == [1.5]


def test_an_empty_token_spoils_no_sentence(fake: FakeGitHub) -> None:
    with pytest.raises(GitHubError, match=r"GitHub answers 401 \(Bad credentials\)"):
        asking(fake.url, token="").changed_paths(PULL)


@pytest.mark.parametrize("token", ["secret\n", "secret\u2026"])
def test_a_token_that_cannot_be_sent_is_reported_so_without_showing_it(
    fake: FakeGitHub, token: str
) -> None:
    with pytest.raises(GitHubError) as error:
        asking(fake.url, token=token).changed_paths(PULL)

    assert "a header has a character that cannot be sent; the token has a line break or" in str(
        error.value
    )
    assert "secret" not in str(error.value)


def test_a_login_in_netrc_does_not_go_over_the_token(
    fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1 login eve password eves\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(file))

    assert asking(fake.url).changed_paths(PULL) == ("security",)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_renamed_repository_is_followed_with_the_same_request(
    fake: FakeGitHub, status: int
) -> None:
    there = f"{fake.url}/repos/acme/chat/statuses/{'c' * 40}"
    fake.faults = {STATUS: [Answer(status, b"", {"Location": there})]}

    asking(fake.url).set_status("a" * 40, FINE)

    body = {"state": "success", "context": "gate", "description": "fine"}
    assert fake.statuses == [("c" * 40, body)]


def test_neither_the_token_nor_the_request_goes_to_another_host(fake: FakeGitHub) -> None:
    with github() as other:
        there = f"{other.url}/repos/acme/chat/pulls/7/files?token=x"
        sentence = raised(fake, Answer(301, b"", {"Location": there}))
        fake.faults = {FILES: [Answer(200, b"[]", {"Link": f'<{there}>; rel="next"'})]}
        with pytest.raises(GitHubError, match="has the next page on another host"):
            asking(fake.url).changed_paths(PULL)

        assert other.seen == []
    assert sentence.endswith("GitHub redirects to another host, 127.0.0.1")


def test_a_redirect_in_circles_ends(fake: FakeGitHub) -> None:
    assert raised(fake, *[Answer(307, b"")] * 9).endswith("GitHub redirects in a loop")
    assert fake.seen == [FILES] * 5


@pytest.mark.parametrize("body", [b"[" * 100_000, b'["\xff"]'])
def test_a_success_that_is_not_json_is_an_error(fake: FakeGitHub, body: bytes) -> None:
    assert raised(fake, Answer(200, body)).endswith("GitHub gives an answer that is not JSON")


def test_a_login_page_instead_of_an_answer_is_named(fake: FakeGitHub) -> None:
    sentence = raised(fake, Answer(200, b"<html>Log in</html>"))

    assert "GitHub answers with an HTML page: probably a login page" in sentence


def of_tls(reason: str) -> ssl.SSLError:
    """Return the error of a handshake that ended for a reason of OpenSSL's."""
    error = ssl.SSLError()
    error.reason = reason
    return error


class Broken(requests.Session):
    """A session whose every request fails; counts them."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error
        self.asked = 0

    def request(self, *_args: Any, **_options: Any) -> requests.Response:
        self.asked += 1
        raise self.error


@pytest.mark.parametrize(
    "error, told, tries",
    [
        (exceptions.ReadTimeout("https://x"), "no answer in time", 4),
        (exceptions.ConnectTimeout("https://x"), "no connection in time", 4),
        (
            exceptions.ConnectionError("https://x"),
            "the connection broke off before an answer came",
            4,
        ),
        (
            exceptions.ProxyError("https://x"),
            "the proxy cannot be reached; correct HTTP_PROXY or HTTPS_PROXY",
            4,
        ),
        (exceptions.ChunkedEncodingError("https://x"), "the answer was cut off", 4),
        (exceptions.SSLError("https://x"), "TLS failed: the handshake failed", 1),
        (
            exceptions.SSLError(ssl.SSLEOFError()),
            "TLS failed: the server closed the connection during the handshake",
            1,
        ),
        (
            exceptions.SSLError(of_tls("NO_SUITABLE_SIGNATURE")),
            "TLS failed: no suitable signature",
            1,
        ),
        (
            OSError("/home/x/ca.pem"),
            "the file of a certificate or key is missing or cannot be read",
            1,
        ),
        (exceptions.InvalidURL("https://x"), "the url is not an http or https address", 1),
    ],
)
def test_a_failure_of_the_network_is_reported_without_addresses(
    error: Exception, told: str, tries: int
) -> None:
    session = Broken(error)

    with pytest.raises(GitHubError) as failure:
        asking("https://github.example/api", session=session).changed_paths(PULL)

    expected = (
        f"cannot list the files that the pull request changes: GitHub cannot be reached: {told}"
    )
    assert str(failure.value) == expected
    assert (failure.value.status, session.asked) == (None, tries)


def test_a_github_that_is_not_there_cannot_be_reached() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"

        with pytest.raises(GitHubError, match=r"GitHub cannot be reached: connection refused$"):
            asking(url).changed_paths(PULL)


def test_a_github_that_hangs_up_or_is_silent_is_given_up_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        rest = Rest(
            f"http://127.0.0.1:{silent.getsockname()[1]}",
            host="GitLab",
            headers={},
            secret="",
            clock=Clock(jitter=lambda: 0.0),
            seconds=0.2,
        )

        with pytest.raises(RestError) as error:
            rest.ask(Purpose("ask", "api"), "GET", "version")

    assert str(error.value) == (
        "cannot ask: GitLab cannot be reached: no answer in time;"
        " there is no time left to wait 1.0 s and try again"
    )


def test_an_empty_answer_is_none(fake: FakeGitHub) -> None:
    fake.faults = {FILES: [Answer(200, b"")]}
    rest = Rest(fake.url, host="GitHub", headers=headers(), secret=TOKEN)

    answer = rest.ask(Purpose("ask", ""), "GET", f"repos/acme/chat/pulls/{PULL}/files")

    assert answer is None


def headers() -> dict[str, str]:
    return {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


def test_the_body_is_sent_as_json(fake: FakeGitHub) -> None:
    text = json.loads('"\\ud83d\\ude00 \\u202e"')

    comment = asking(fake.url).create_comment(PULL, text)

    assert fake.comments[0].body == comment.body == text
