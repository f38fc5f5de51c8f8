"""A GitHub on the loopback interface, with a memory, that keeps to GitHub's published description.

Every request and every answer is held against github-openapi.json; what does not fit is a problem,
and a test that had one fails. Faults are played on top of it.
"""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from itertools import count
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from tests.servers.github_answers import (
    Answer,
    Call,
    description,
    invalid,
    page,
    refused,
    too_long,
    user,
    written,
)
from tests.servers.github_changes import Changes
from tests.servers.loopback import serving
from tests.servers.openapi import Operation

REPOSITORY: Final = "acme/chat"
PULL: Final = 7
TOKEN: Final = "ghs_ofTheTests0123456789"
ACTIONS: Final = "github-actions[bot]"
DATE: Final = "Sun, 01 Nov 2026 00:00:00 GMT"
"""The date of every answer; as Unix time 1793491200."""
_NOW: Final = "2026-11-01T00:00:00Z"
_ROOT: Final = "/api/v3"
"""As on GitHub Enterprise Server."""
_LONGEST_DESCRIPTION: Final = 140
_LONGEST_CONTEXT: Final = 255
_INTEGRATION: Final = "Resource not accessible by integration"


@dataclass(slots=True)
class Remark:
    """A comment as it is kept."""

    id: int
    login: str | None
    body: str


@dataclass(slots=True, kw_only=True)
class Deployment:
    """A deployment as it is kept."""

    sha: str
    created: str
    environment: str = "production"
    statuses: tuple[tuple[str, str], ...] = ()
    """State and instant, the newest first."""


@dataclass(slots=True, kw_only=True)
class KeptArtifact:
    """A CI artifact as it is kept, and the host that has its archive."""

    archive: bytes
    sha: str | None
    """The commit of the workflow run; None: the run was deleted."""
    name: str = "evaluation-results"
    created: str = _NOW
    expired: bool = False


@dataclass(slots=True, kw_only=True)
class OpenPull:
    """A pull request of a list as it is kept."""

    number: int
    sha: str
    branch: str = "shorter"
    base: str = "main"
    base_sha: str = "b" * 40
    title: str = "Answer in fewer words"
    labels: tuple[str, ...] = ()
    author: str | None = "ada"
    draft: bool = False
    closed: bool = False
    fork: bool = False
    files: tuple[str, ...] = ()


@dataclass(slots=True)
class FakeGitHub:
    """One repository with one pull request. Tests read and write its fields."""

    url: str = ""
    """The address of the API."""
    writer: str = ACTIONS
    """Who the token belongs to."""
    comments: list[Remark] = field(default_factory=list)
    files: list[tuple[str, str | None]] = field(default_factory=list)
    """Name, and name before."""
    author: str | None = "ada"
    """The author of the pull request."""
    branch: str = "shorter"
    """The branch of the pull request."""
    fork: str = REPOSITORY
    """Repository that the pull request comes from."""
    opened: str = "2026-10-31T21:00:00Z"
    pushes: list[tuple[str, str, str]] = field(default_factory=list)
    """Branch, commit and instant, oldest first."""
    pushers: dict[str, str | None] = field(default_factory=dict)
    """Commit -> who pushed it, where that is not ada."""
    written: list[dict[str, Any]] | None = None
    """Commits of the pull request; None: ada wrote and pushed each of them."""
    more_commits: int = 0
    """The number of commits of the pull request beside those that GitHub lists."""
    profiles: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Login -> name and e-mail address that everybody may see."""
    reviews: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    contents: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Commit -> path -> bytes, or what GitHub says of something that is no file."""
    refs: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Ref (``heads/main``) -> kind and hash of what it is of: ``commit`` or ``tag``."""
    tags: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Hash of a tag -> kind and hash of what it is of."""
    default_branch: str = "main"
    single: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Commit -> what GitHub says of it, where ada has not written it."""
    rights: dict[str, str] = field(default_factory=dict)
    teams: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """Organization, team and login -> state."""
    statuses: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Commit, and what was sent; the oldest first."""
    set_by: dict[int, tuple[str | None, str]] = field(default_factory=dict)
    """Place in ``statuses`` -> who has set it and when, where that is not the writer just now."""
    pulls: list[OpenPull] = field(default_factory=list)
    """The list of pull requests, beside the one of the other fields."""
    forbidden: set[str] = field(default_factory=set)
    """Operations that the token may not use, and GitHub says so."""
    hidden: set[str] = field(default_factory=set)
    """Operations that the token may not use, and GitHub denies that there is anything."""
    changes: Changes = field(default_factory=Changes)
    deployments: list[Deployment] = field(default_factory=list)
    """The oldest first."""
    artifacts: list[KeptArtifact] = field(default_factory=list)
    """The oldest first."""
    storage: str = ""
    """Address that archives are at: of another host; empty: this one."""
    faults: dict[str, list[Answer]] = field(default_factory=dict)
    """Operation -> answers to the next calls of it."""
    before: dict[str, list[Callable[[], None]]] = field(default_factory=dict)
    """Operation -> what happens just before the next calls of it."""
    seen: list[str] = field(default_factory=list)
    """Operation of every request."""
    problems: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1001))
    """The numbers of comments; none is given twice."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def plant(self, login: str | None, body: str) -> Remark:
        """Write a comment as somebody."""
        remark = Remark(next(self.numbers), login, body)
        self.comments.append(remark)
        return remark

    def plant_status(self, sha: str, login: str | None, at: str = _NOW, **body: Any) -> None:
        """Set a status as somebody."""
        self.set_by[len(self.statuses)] = (login, at)
        self.statuses.append((sha, body))

    def shown(self, sha: str) -> dict[str, dict[str, Any]]:
        """Return what a commit shows: the newest status of each context."""
        return {body["context"]: body for commit, body in self.statuses if commit == sha}

    def answer(self, handler: BaseHTTPRequestHandler, body: bytes) -> Answer:
        """Answer a request, and note what does not fit the description."""
        address = urlsplit(handler.path)
        path = address.path.removeprefix(_ROOT)
        operation = description().operation(handler.command, path)
        if operation is None or not address.path.startswith(_ROOT):
            self.problems.append(f"GitHub knows no {handler.command} {address.path}")
            return refused(404, "Not Found")
        call = Call(
            parts=dict(operation.parts),
            query=dict(parse_qsl(address.query, keep_blank_values=True)),
            body=json.loads(body) if body else None,
            url=self.url + path,
        )
        wrong = [*_header_problems(handler, body)]
        wrong += description().request_problems(operation, call.query, call.body)
        answer = self._act(handler, operation, call)
        if not isinstance(answer.body, bytes):
            wrong += description().answer_problems(operation, answer.status, answer.body)
        self.problems += [f"{operation.name}: {one}" for one in wrong]
        return answer

    def _act(self, handler: BaseHTTPRequestHandler, operation: Operation, call: Call) -> Answer:
        with self.lock:
            self.seen.append(operation.name)
            happening = self.before.get(operation.name, [])
            happens = happening.pop(0) if happening else None
            faults = self.faults.get(operation.name, [])
            fault = faults.pop(0) if faults else None
        if happens is not None:
            happens()
        if fault is not None:
            return fault
        if handler.headers["Authorization"] != f"Bearer {TOKEN}":
            return refused(401, "Bad credentials")
        if operation.name in self.forbidden:
            return refused(403, _INTEGRATION)
        if operation.name in self.hidden:
            return refused(404, "Not Found")
        with self.lock:
            return _ROUTES[operation.name](self, call)

    def list_comments(self, call: Call) -> Answer:
        return page(call, self.comments, self._comment)

    def create_comment(self, call: Call) -> Answer:
        body = call.body["body"]
        return too_long(body) or Answer(201, self._comment(self.plant(self.writer, body)))

    def update_comment(self, call: Call) -> Answer:
        remark = self._found(call)
        if remark is None:
            return refused(404, "Not Found")
        if remark.login != self.writer:
            return refused(403, _INTEGRATION)
        refusal = too_long(call.body["body"])
        if refusal is None:
            remark.body = call.body["body"]
        return refusal or Answer(200, self._comment(remark))

    def delete_comment(self, call: Call) -> Answer:
        remark = self._found(call)
        if remark is None:
            return refused(404, "Not Found")
        if remark.login != self.writer:
            return refused(403, _INTEGRATION)
        self.comments.remove(remark)
        return Answer(204)

    def _found(self, call: Call) -> Remark | None:
        return next((one for one in self.comments if str(one.id) == call.parts["comment_id"]), None)

    def _comment(self, remark: Remark) -> dict[str, Any]:
        return description().example(
            "issue-comment",
            id=remark.id,
            user=None if remark.login is None else user(remark.login),
            body=remark.body,
            html_url=f"https://github.example/{REPOSITORY}/pull/{PULL}#issuecomment-{remark.id}",
        )

    def who(self, _call: Call) -> Answer:
        if self.writer.endswith("[bot]"):
            return refused(403, _INTEGRATION)
        kind = {"login": self.writer, "type": "User", "user_view_type": "public"}
        return Answer(200, description().example("public-user", **kind))

    def list_files(self, call: Call) -> Answer:
        files = [(name, None) for pull in self._listed(call) for name in pull.files]
        return page(call, files or self.files, _entry)

    def _listed(self, call: Call) -> list[OpenPull]:
        return [pull for pull in self.pulls if str(pull.number) == call.parts["pull_number"]]

    def list_pulls(self, call: Call) -> Answer:
        assert call.query["state"] == "open"
        return page(call, [pull for pull in self.pulls if not pull.closed], _listed_pull)

    def list_statuses(self, call: Call) -> Answer:
        numbered = [
            (number, body, self.set_by.get(number, (self.writer, _NOW)))
            for number, (sha, body) in enumerate(self.statuses)
            if sha == call.parts["ref"]
        ]
        return page(call, numbered[::-1], _status)

    def list_pulls_of(self, call: Call) -> Answer:
        return self.changes.of_commit(call)

    def compare(self, call: Call) -> Answer:
        return self.changes.compare(call)

    def read_pull(self, call: Call) -> Answer:
        pull = self._pull(int(call.parts["pull_number"]))
        for listed in self._listed(call):
            ghost = {} if listed.author else {"user": user("ghost")}
            return Answer(200, pull | _pull_facts(listed) | ghost)
        return Answer(200, pull)

    def _pull(self, number: int = PULL) -> dict[str, Any]:
        pull, now = description().example("pull-request"), self.changes.pull(number)
        repository = description().example("repository", full_name=self.fork)
        head = {"ref": self.branch, "sha": now.head or self._shas()[-1], "repo": repository}
        return (
            pull
            | now.form(number)
            | {
                "base": pull["base"] | {"ref": now.base},
                "user": None if self.author is None else user(self.author),
                "head": pull["head"] | head,
                "created_at": self.opened,
                "commits": len(self._commits()) + self.more_commits,
            }
        )

    def without_author(self) -> Answer:
        """Return the pull request as GitHub tells it when its author's account is gone.

        The description lets no pull request be without its author; GitHub does.
        """
        return Answer(200, json.dumps(self._pull() | {"user": None}).encode())

    def without_fork(self) -> Answer:
        """Return the pull request as GitHub tells it when its fork is gone; as above."""
        pull = self._pull()
        return Answer(200, json.dumps(pull | {"head": pull["head"] | {"repo": None}}).encode())

    def list_commits(self, call: Call) -> Answer:
        return self.changes.commits(call) or page(call, self._commits(), dict)

    def _shas(self) -> list[str]:
        """Return the commits that were pushed to the branch, the newest last."""
        pushed = {sha: None for branch, sha, _ in self.pushes if branch == self.branch}
        return list(pushed) or ["a" * 40]

    def _commits(self) -> list[dict[str, Any]]:
        if self.written is not None:
            return self.written
        return [written(sha) for sha in self._shas()]

    def read_repository(self, _call: Call) -> Answer:
        known = description().example("full-repository")
        return Answer(200, known | {"default_branch": self.default_branch})

    def read_ref(self, call: Call) -> Answer:
        name = call.parts["ref"]
        if name not in self.refs:
            return refused(404, "Not Found")
        known = description().example("git-ref", ref=f"refs/{name}")
        return Answer(200, known | {"object": _object(known, *self.refs[name])})

    def read_tag(self, call: Call) -> Answer:
        known = description().example("git-tag", sha=call.parts["tag_sha"])
        return Answer(200, known | {"object": _object(known, *self.tags[call.parts["tag_sha"]])})

    def list_activities(self, call: Call) -> Answer:
        if f"{call.parts['owner']}/{call.parts['repo']}" != self.fork:
            return refused(404, "Not Found")
        wanted = [push for push in self.pushes if f"refs/heads/{push[0]}" == call.query["ref"]]
        return page(call, wanted[::-1], self._activity, cursor="after")

    def _activity(self, push: tuple[str, str, str]) -> dict[str, Any]:
        branch, commit, at = push
        pusher = self.pushers.get(commit, "ada")
        actor = None if pusher is None else user(pusher)
        fields = {"ref": f"refs/heads/{branch}", "after": commit, "timestamp": at}
        return description().example("activity", actor=actor, **fields)

    def read_user(self, call: Call) -> Answer:
        login = call.parts["username"]
        if login not in self.profiles:
            return refused(404, "Not Found")
        page_of = {"login": login, "type": "User", "user_view_type": "public"}
        return Answer(200, description().example("public-user", **page_of, **self.profiles[login]))

    def list_reviews(self, call: Call) -> Answer:
        return page(call, self.reviews, dict)

    def list_events(self, call: Call) -> Answer:
        return page(call, self.events, dict)

    def read_content(self, call: Call) -> Answer:
        tree, path = self.contents.get(call.query["ref"]), call.parts["path"]
        if tree is None:
            return refused(404, f"No commit found for the ref {call.query['ref']}")
        if path not in tree:
            return refused(404, "Not Found")
        if not isinstance(tree[path], bytes):
            return Answer(200, tree[path])
        # Broken into lines, as GitHub does.
        text = base64.encodebytes(tree[path]).decode()
        known = {"type": "file", "encoding": "base64", "content": text, "path": path}
        return Answer(200, description().example("content-file", **known))

    def read_commit(self, call: Call) -> Answer:
        commit = call.parts["ref"]
        if commit not in self.contents | self.single:
            return refused(422, f"No commit found for SHA: {commit}")
        return Answer(200, self.single.get(commit) or written(commit))

    def read_right(self, call: Call) -> Answer:
        login = call.parts["username"]
        if login not in self.rights:
            return refused(404, f"{login} is not a user")
        right = {"permission": self.rights[login], "role_name": self.rights[login]}
        return Answer(
            200, description().example("repository-collaborator-permission", user=None, **right)
        )

    def read_membership(self, call: Call) -> Answer:
        parts = call.parts
        state = self.teams.get((parts["org"], parts["team_slug"], parts["username"]))
        if state is None:
            return refused(404, "Not Found")
        return Answer(200, description().example("team-membership", state=state))

    def list_deployments(self, call: Call) -> Answer:
        place = call.query.get("environment")
        wanted = [
            (number, one)
            for number, one in enumerate(self.deployments)
            if place in {None, one.environment} and call.query.get("sha") in {None, one.sha}
        ]
        return page(call, wanted[::-1], _deployment)

    def list_deployment_statuses(self, call: Call) -> Answer:
        one = self.deployments[int(call.parts["deployment_id"])]
        newest = len(one.statuses)
        numbered = [(newest - place, *status) for place, status in enumerate(one.statuses)]
        return page(call, numbered, _deployment_status)

    def list_artifacts(self, call: Call) -> Answer:
        name = call.query.get("name")
        listed = [
            (number, artifact)
            for number, artifact in enumerate(self.artifacts)
            if name in {None, artifact.name}
        ]
        answer = page(call, listed[::-1], _artifact)
        return Answer(200, {"total_count": len(listed), "artifacts": answer.body}, answer.headers)

    def download_artifact(self, call: Call) -> Answer:
        assert call.parts["archive_format"] == "zip"
        number = int(call.parts["artifact_id"])
        if self.artifacts[number].expired:
            return refused(410, "Artifact has expired")
        return Answer(302, None, {"Location": f"{self.storage}/{number}?sig=s3cret"})

    def set_status(self, call: Call) -> Answer:
        if len(call.body.get("description") or "") > _LONGEST_DESCRIPTION:
            return invalid("Description is too long (maximum is 140 characters)")
        if len(call.body["context"]) > _LONGEST_CONTEXT:
            return invalid("Context is too long (maximum is 255 characters)")
        self.statuses.append((call.parts["sha"], call.body))
        return Answer(201, description().example("status", state=call.body["state"]))


_ROUTES: Final[dict[str, Callable[[FakeGitHub, Call], Answer]]] = {
    "actions/download-artifact": FakeGitHub.download_artifact,
    "actions/list-artifacts-for-repo": FakeGitHub.list_artifacts,
    "git/get-ref": FakeGitHub.read_ref,
    "git/get-tag": FakeGitHub.read_tag,
    "issues/create-comment": FakeGitHub.create_comment,
    "issues/delete-comment": FakeGitHub.delete_comment,
    "issues/list-comments": FakeGitHub.list_comments,
    "issues/list-events": FakeGitHub.list_events,
    "issues/update-comment": FakeGitHub.update_comment,
    "pulls/get": FakeGitHub.read_pull,
    "pulls/list": FakeGitHub.list_pulls,
    "pulls/list-commits": FakeGitHub.list_commits,
    "pulls/list-files": FakeGitHub.list_files,
    "pulls/list-reviews": FakeGitHub.list_reviews,
    "repos/compare-commits-with-basehead": FakeGitHub.compare,
    "repos/create-commit-status": FakeGitHub.set_status,
    "repos/get": FakeGitHub.read_repository,
    "repos/get-collaborator-permission-level": FakeGitHub.read_right,
    "repos/get-commit": FakeGitHub.read_commit,
    "repos/get-content": FakeGitHub.read_content,
    "repos/list-activities": FakeGitHub.list_activities,
    "repos/list-commit-statuses-for-ref": FakeGitHub.list_statuses,
    "repos/list-deployment-statuses": FakeGitHub.list_deployment_statuses,
    "repos/list-deployments": FakeGitHub.list_deployments,
    "repos/list-pull-requests-associated-with-commit": FakeGitHub.list_pulls_of,
    "teams/get-membership-for-user-in-org": FakeGitHub.read_membership,
    "users/get-authenticated": FakeGitHub.who,
    "users/get-by-username": FakeGitHub.read_user,
}


@contextmanager
def github() -> Iterator[FakeGitHub]:
    """Run a GitHub while the block lasts; fail where anything did not fit the description."""
    fake = FakeGitHub()

    def serve(handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        answer = fake.answer(handler, body)
        content = answer.body if isinstance(answer.body, bytes) else _encoded(answer.body)
        return answer.status, {"Date": DATE} | answer.headers, content

    with serving(serve) as address:
        fake.url = f"{address}{_ROOT}"
        yield fake
    assert not fake.problems, "\n".join(fake.problems)


def _object(known: dict[str, Any], kind: str, sha: str) -> dict[str, Any]:
    return {**known["object"], "type": kind, "sha": sha}


def _pull_facts(pull: OpenPull) -> dict[str, Any]:
    simple = description().example("pull-request")
    source = "mallory/chat" if pull.fork else REPOSITORY
    repository = {**simple["base"]["repo"], "full_name": source}
    return {
        "number": pull.number,
        "title": pull.title,
        "draft": pull.draft,
        "user": None if pull.author is None else user(pull.author),
        "labels": [_label(number, name) for number, name in enumerate(pull.labels)],
        "head": {**simple["head"], "sha": pull.sha, "ref": pull.branch, "repo": repository},
        "base": {**simple["base"], "sha": pull.base_sha, "ref": pull.base},
    }


def _label(number: int, name: str) -> dict[str, Any]:
    url = f"https://api.github.example/repos/{REPOSITORY}/labels/{number}"
    known = {"id": number, "node_id": "L", "url": url, "color": "ff0000", "default": False}
    return known | {"name": name, "description": ""}


def _listed_pull(pull: OpenPull) -> dict[str, Any]:
    return description().example("pull-request-simple", **_pull_facts(pull))


def _status(numbered: tuple[int, dict[str, Any], tuple[str | None, str]]) -> dict[str, Any]:
    number, body, (login, at) = numbered
    return description().example(
        "status",
        id=number,
        state=body["state"],
        context=body["context"],
        description=body.get("description"),
        target_url=body.get("target_url"),
        creator=None if login is None else user(login),
        created_at=at,
        updated_at=at,
    )


def _artifact(numbered: tuple[int, KeptArtifact]) -> dict[str, Any]:
    number, artifact = numbered
    run = {"id": 10, "repository_id": 42, "head_repository_id": 42, "head_branch": "main"}
    return description().example(
        "artifact",
        id=number,
        name=artifact.name,
        size_in_bytes=len(artifact.archive),
        created_at=artifact.created,
        expired=artifact.expired,
        workflow_run=None if artifact.sha is None else run | {"head_sha": artifact.sha},
    )


def _entry(names: tuple[str, str | None]) -> dict[str, Any]:
    name, before = names
    moved = {} if before is None else {"previous_filename": before, "status": "renamed"}
    return description().example("diff-entry", filename=name, **moved)


def _deployment(numbered: tuple[int, Deployment]) -> dict[str, Any]:
    number, one = numbered
    known = {"id": number, "sha": one.sha, "created_at": one.created}
    return description().example(
        "deployment", creator=user("ada"), environment=one.environment, **known
    )


def _deployment_status(status: tuple[int, str, str]) -> dict[str, Any]:
    number, state, created = status
    return description().example(
        "deployment-status", id=number, creator=user("ada"), state=state, created_at=created
    )


def _encoded(body: Any) -> bytes:
    return b"" if body is None else json.dumps(body).encode()


def _header_problems(handler: BaseHTTPRequestHandler, body: bytes) -> Iterator[str]:
    wanted = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    if body:
        wanted["Content-Type"] = "application/json"
    for name, value in wanted.items():
        if handler.headers[name] != value:
            yield f"{name} is {handler.headers[name]}"
