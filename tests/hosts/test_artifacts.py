"""CI artifacts as GitHub and GitLab list them, and their archives, which other hosts may keep."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler

import pytest

from gate.hosts import RestError
from gate.hosts.answers import Download
from gate.hosts.artifacts import Artifact, ArtifactHost
from gate.hosts.gitlab import GitLab
from gate.request_failure import RequestFailure
from tests.hosts.asking import Time, asking
from tests.servers import gitlab as lab
from tests.servers.github import FakeGitHub, KeptArtifact, github
from tests.servers.github_answers import Answer, refused
from tests.servers.gitlab import FakeGitLab
from tests.servers.loopback import serving

HEAD = "a" * 40
AT = datetime(2026, 11, 1, tzinfo=UTC)
DOWNLOAD = "actions/download-artifact"
ANY = Artifact(number=0, made_at=AT, expired=False)


class Storage:
    """Another host, with the archives; it notes what it is sent."""

    def __init__(self) -> None:
        self.answers = list[tuple[int, dict[str, str], bytes]]()
        self.seen = list[str]()
        self.logins = list[str]()
        self.url = ""

    def serve(self, handler: BaseHTTPRequestHandler, _: bytes) -> tuple[int, dict[str, str], bytes]:
        self.seen.append(handler.path)
        names = ("Authorization", "PRIVATE-TOKEN", "Cookie")
        self.logins += [name for name in names if name in handler.headers]
        return self.answers.pop(0) if self.answers else (200, {}, b"archive")


@pytest.fixture
def storage() -> Iterator[Storage]:
    kept = Storage()
    with serving(kept.serve) as kept.url:
        yield kept
    assert kept.logins == []


@pytest.fixture
def hub(storage: Storage) -> Iterator[FakeGitHub]:
    with github() as fake:
        fake.storage = storage.url
        fake.artifacts = [KeptArtifact(archive=b"archive", sha=HEAD)]
        yield fake


@pytest.fixture
def project() -> Iterator[FakeGitLab]:
    with lab.gitlab() as fake:
        fake.pipelines = {1: HEAD}
        fake.run_job(0, 1, b"archive")
        yield fake


def client(fake: FakeGitLab) -> ArtifactHost:
    return GitLab("acme/chat", lab.TOKEN, url=fake.url, clock=Time().clock()).artifacts


def failure(host: ArtifactHost) -> str:
    with pytest.raises(RestError) as raised:
        host.archive(ANY)
    return str(raised.value)


def test_github_lists_those_of_exactly_this_commit_on_every_page(hub: FakeGitHub) -> None:
    hub.artifacts += [KeptArtifact(archive=b"", sha=sha) for sha in ("f" * 40, HEAD[:39], None)]
    hub.artifacts += [KeptArtifact(archive=b"", sha=HEAD, name="other")]
    hub.artifacts += [KeptArtifact(archive=b"", sha=HEAD, expired=True) for _ in range(100)]
    listed = asking(hub.url).artifacts.of_commit("evaluation-results", HEAD)
    assert len(listed) == 101
    assert listed[-1] == ANY
    assert listed[0].expired
    assert hub.seen == ["actions/list-artifacts-for-repo"] * 2


def test_gitlab_lists_the_jobs_of_every_pipeline_with_those_that_ran_again(
    project: FakeGitLab,
) -> None:
    project.pipelines |= dict.fromkeys(range(2, 103), HEAD)
    project.pipelines[200] = HEAD + "0"
    project.run_job(1, 2, b"", retried=True, created_at="2026-10-30T00:00:00.000Z")
    project.run_job(2, 2, None)
    project.run_job(3, 2, b"", name="lint")
    project.run_job(4, 200, b"")
    project.run_job(5, 3, b"", finished_at=None, created_at="2026-10-31T00:00:00.000Z")
    listed = client(project).of_commit("evaluate", HEAD)
    assert sorted(artifact.number for artifact in listed) == [0, 1, 5]
    assert {artifact.made_at for artifact in listed} == {AT, datetime(2026, 10, 31, tzinfo=UTC)}
    assert project.seen.count("jobs") == 102


def test_the_token_does_not_go_to_the_host_of_the_archives(
    hub: FakeGitHub, storage: Storage, project: FakeGitLab
) -> None:
    assert asking(hub.url).artifacts.archive(ANY) == b"archive"
    assert client(project).archive(ANY) == b"archive"
    there = Answer(302, None, {"Location": f"{storage.url}/gitlab?sig=x"})
    project.faults = {"archive": [there]}
    assert client(project).archive(ANY) == b"archive"
    assert storage.seen == ["/0?sig=s3cret", "/gitlab?sig=x"]


def test_a_renamed_repository_is_followed_with_the_token(hub: FakeGitHub) -> None:
    path = "/repos/acme/chat/actions/artifacts/0/zip"
    hub.faults = {DOWNLOAD: [Answer(301, b"", {"Location": f"{hub.url}{path}"})]}
    assert asking(hub.url).artifacts.archive(ANY) == b"archive"


def test_a_redirect_in_circles_ends(hub: FakeGitHub) -> None:
    hub.faults = {DOWNLOAD: [Answer(307, b"")] * 9}
    assert failure(asking(hub.url).artifacts).endswith("GitHub redirects in a loop")
    assert hub.seen == [DOWNLOAD] * 5


def test_the_other_host_may_not_redirect(hub: FakeGitHub, storage: Storage) -> None:
    storage.answers = [(302, {"Location": f"{hub.url}/user"}, b"")]
    sentence = failure(asking(hub.url).artifacts)
    assert sentence.endswith("GitHub redirects to 127.0.0.1, which redirects again")
    assert hub.seen == [DOWNLOAD]


@pytest.mark.parametrize("target", ["ftp://storage.example/x", "file:///etc/passwd", "https:///x"])
def test_no_other_scheme_is_followed(hub: FakeGitHub, target: str) -> None:
    hub.faults = {DOWNLOAD: [Answer(302, b"", {"Location": target})]}
    sentence = failure(asking(hub.url).artifacts)
    assert sentence.endswith("GitHub redirects to an address that is not HTTPS")


def test_an_api_with_https_may_not_redirect_to_http(hub: FakeGitHub, storage: Storage) -> None:
    outcome = download(hub, secure=True)(f"{hub.url}/repos/acme/chat/actions/artifacts/0/zip")
    assert isinstance(outcome, RequestFailure)
    assert outcome.reason == "redirects to an address that is not HTTPS"
    assert storage.seen == []


def download(
    hub: FakeGitHub, *, secure: bool = False, most: int = 99, time: Time | None = None
) -> Callable[[str], bytes | RequestFailure]:
    """Return a download of an API at the address of the fake, as the client of GitHub has it."""
    rest = asking(hub.url)._rest
    made = Download(sender=rest._sender, is_ours=rest.is_ours, secure=secure, most=most)
    return lambda url: made(url, 30.0, (time or Time()).clock())


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((403, {}, b"<Error>AuthenticationFailed</Error>"), "which answers 403"),
        ((404, {}, b""), "which answers 404"),
        ((410, {}, b""), "which answers 410"),
    ],
)
def test_a_refusal_of_the_other_host_says_nothing_about_the_token(
    hub: FakeGitHub, storage: Storage, answer: tuple[int, dict[str, str], bytes], reason: str
) -> None:
    storage.answers = [answer]
    sentence = failure(asking(hub.url).artifacts)
    assert sentence.endswith(
        f"cannot download a CI artifact: GitHub redirects to 127.0.0.1, {reason}"
    )


def test_the_other_host_is_asked_again_by_a_new_address(hub: FakeGitHub, storage: Storage) -> None:
    storage.answers = [(503, {}, b"")]
    assert asking(hub.url).artifacts.archive(ANY) == b"archive"
    assert hub.seen == [DOWNLOAD] * 2


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (refused(401, "Bad credentials"), "; the token is wrong or has expired; create a new one"),
        (refused(403, "Resource not accessible by integration"), "; the token needs actions: read"),
        (
            refused(404, "Not Found"),
            "answers 404 (Not Found); perhaps the token lacks actions: read",
        ),
        (refused(410, "Artifact has expired"), "GitHub answers 410 (Artifact has expired)"),
    ],
)
def test_a_refusal_of_github_says_what_is_missing(
    hub: FakeGitHub, fault: Answer, sentence: str
) -> None:
    hub.faults = {DOWNLOAD: [fault]}
    assert sentence in failure(asking(hub.url).artifacts)


@pytest.mark.parametrize("operation", ["pipelines", "jobs"])
def test_a_refusal_of_gitlab_says_what_is_missing(project: FakeGitLab, operation: str) -> None:
    project.forbidden = {operation}
    with pytest.raises(RestError, match="perhaps the token lacks the role Reporter"):
        client(project).of_commit("evaluate", HEAD)


def test_a_list_of_another_shape_is_an_error(hub: FakeGitHub, project: FakeGitLab) -> None:
    hub.faults = {"actions/list-artifacts-for-repo": [Answer(200, b"[]")]}
    with pytest.raises(RestError, match="gives an answer that gate cannot read"):
        asking(hub.url).artifacts.of_commit("evaluation-results", HEAD)
    project.faults = {"pipelines": [Answer(200, [{"id": 1}])]}
    with pytest.raises(RestError, match="list the pipelines of a commit: GitLab gives an answer"):
        client(project).of_commit("evaluate", HEAD)


def test_an_archive_that_is_too_large_is_not_read_whole(hub: FakeGitHub, storage: Storage) -> None:
    url = f"{hub.url}/repos/acme/chat/actions/artifacts/0/zip"
    storage.answers = [(200, {}, b"x" * 100)]
    outcome = download(hub)(url)
    assert isinstance(outcome, RequestFailure)
    assert outcome.reason == "redirects to 127.0.0.1, which sends a file of more than 0 MiB"
    storage.answers = [(200, {}, b"x" * 99)]
    assert download(hub)(url) == b"x" * 99


def test_a_download_ends_with_the_time_that_is_left(hub: FakeGitHub, storage: Storage) -> None:
    url, time = f"{hub.url}/repos/acme/chat/actions/artifacts/0/zip", Time()
    hub.before = {DOWNLOAD: [lambda: time.sleep(31)]}
    late = download(hub, time=time)(url)
    assert storage.seen == []

    def slow(_handler: BaseHTTPRequestHandler, _: bytes) -> tuple[int, dict[str, str], bytes]:
        time.sleep(31)
        return 200, {}, b"x"

    with serving(slow) as hub.storage:
        later = download(hub, time=time)(url)
    for outcome in (late, later):
        assert isinstance(outcome, RequestFailure)
        assert outcome.timed_out
