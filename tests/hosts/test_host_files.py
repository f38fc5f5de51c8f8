"""Requests to GitHub's and GitLab's API on branches, commits and files."""

from collections.abc import Iterator

import pytest

from gate.hosts import RestError
from gate.hosts.github import GitHub
from gate.hosts.host_files import GitHubFiles
from tests.servers.github import PULL, REPOSITORY, TOKEN, FakeGitHub, github
from tests.servers.github_answers import Answer, description
from tests.servers.github_changes import Pull

HEAD, OLD = "a" * 40, "b" * 40


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github() as one:
        yield one


def files(fake: FakeGitHub) -> GitHubFiles:
    return GitHub(REPOSITORY, TOKEN, url=fake.url).files


@pytest.mark.parametrize("path", ["gate.yaml", "a b/ü#?%2F&.yaml", ".github/gate.yaml"])
def test_a_file_is_read_byte_for_byte_as_a_commit_has_it(fake: FakeGitHub, path: str) -> None:
    content = bytes(range(256)) * 3
    fake.contents = {HEAD: {path: content}, OLD: {path: b"other"}}

    assert files(fake).file(path, HEAD) == content


def test_a_file_that_a_readable_commit_lacks_is_none(fake: FakeGitHub) -> None:
    fake.contents = {HEAD: {"other.yaml": b""}}

    assert files(fake).file("gate.yaml", HEAD) is None


def test_a_file_of_a_commit_that_is_not_there_is_no_absent_file(fake: FakeGitHub) -> None:
    with pytest.raises(RestError, match=f"422 .No commit found for SHA: {HEAD}"):
        files(fake).file("gate.yaml", HEAD)


def test_a_branch_that_is_called_like_a_commit_is_not_mistaken_for_it(fake: FakeGitHub) -> None:
    fake.contents = {HEAD: {"gate.yaml": b"version: 1"}}
    fake.single = {HEAD: description().example("commit", sha=OLD)}

    with pytest.raises(RestError, match="GitHub has another commit at"):
        files(fake).file("gate.yaml", HEAD)


def test_a_file_that_the_token_may_not_read_is_not_an_absent_file(fake: FakeGitHub) -> None:
    fake.contents = {HEAD: {"gate.yaml": b"version: 1"}}
    fake.hidden = {"repos/get-content", "repos/get-commit"}

    with pytest.raises(RestError, match="perhaps the token lacks contents: read"):
        files(fake).file("gate.yaml", HEAD)


@pytest.mark.parametrize("operation", ["repos/get-commit", "repos/get-content"])
def test_a_file_that_github_forbids_is_an_error(fake: FakeGitHub, operation: str) -> None:
    fake.contents = {HEAD: {"gate.yaml": b"version: 1"}}
    fake.forbidden = {operation}

    with pytest.raises(RestError, match="the token needs contents: read"):
        files(fake).file("gate.yaml", HEAD)


@pytest.mark.parametrize(
    "thing",
    [
        [],
        description().example("content-submodule", type="submodule"),
        description().example("content-file", type="file", encoding="none", content=""),
    ],
    ids=["folder", "submodule", "above 1 MB"],
)
def test_what_is_not_a_file_of_a_usual_size_is_an_error(fake: FakeGitHub, thing: object) -> None:
    fake.contents = {HEAD: {"gate.yaml": thing}}

    with pytest.raises(RestError, match=r"gate\.yaml is not a file, or is larger than 1 MB"):
        files(fake).file("gate.yaml", HEAD)


def test_a_branch_and_a_tag_are_found_by_their_whole_names(fake: FakeGitHub) -> None:
    tag, outer = "d" * 40, "e" * 40
    fake.refs = {"heads/release/1.x": ("commit", HEAD), "tags/v1": ("tag", outer)}
    fake.tags = {outer: ("tag", tag), tag: ("commit", OLD)}

    assert files(fake).commit("refs/heads/release/1.x") == HEAD
    assert files(fake).commit("refs/tags/v1") == OLD
    assert files(fake).commit("refs/heads/v1") is None


def test_a_tag_that_leads_in_circles_is_an_error(fake: FakeGitHub) -> None:
    fake.refs, fake.tags = {"tags/v1": ("tag", HEAD)}, {HEAD: ("tag", HEAD)}

    with pytest.raises(RestError, match="that gate cannot read"):
        files(fake).commit("refs/tags/v1")


def test_where_a_pull_request_goes_and_the_default_branch_are_asked(fake: FakeGitHub) -> None:
    fake.default_branch = "trunk"
    fake.changes.pulls = {PULL: Pull(base="release")}

    assert files(fake).base_branch(PULL) == "release"
    assert files(fake).default_branch() == "trunk"


@pytest.mark.parametrize("answer", [b"", b'{"default_branch": ""}', b'{"default_branch": 1}'])
def test_an_empty_answer_says_nothing(fake: FakeGitHub, answer: bytes) -> None:
    fake.faults["repos/get"] = [Answer(200, answer)]
    with pytest.raises(RestError, match="cannot"):
        files(fake).default_branch()
