"""A GitLab on the loopback interface, with a memory: one project, one merge request and its notes.

Its forms are those of https://docs.gitlab.com/api/notes/ and the pages beside it; the real client
python-gitlab is held against it in tests/hosts. What does not fit is a problem, and fails the test.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler
from itertools import count
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from tests.servers.github_answers import Answer
from tests.servers.gitlab_changes import Changes
from tests.servers.gitlab_people import People
from tests.servers.loopback import serving

PROJECT: Final = 42
PATH: Final = "acme/chat"
REQUEST: Final = 7
TOKEN: Final = "glpat-ofTheTests0123456789"
BOT: Final = "project_42_bot_0a1b"
"""The user of the project's own token."""
PAGE: Final = "https://gitlab.example/acme/chat"
_ROOT: Final = "/api/v4"
_PROJECT: Final = rf"/projects/(?:{PROJECT}|acme%2Fchat)"
_REQUEST: Final = rf"{_PROJECT}/merge_requests/{REQUEST}"
_NOTES: Final = f"{_REQUEST}/notes"
_LARGEST_PAGE: Final = 100
_LONGEST_NOTE: Final = 1_000_000
_LONGEST_STATUS: Final = 255
_NOW: Final = "2026-11-01T00:00:00.000Z"


def refused(status: int, message: object, **headers: str) -> Answer:
    """Return an error as GitLab words it; underscores in the names of headers become dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"message": message}, named)


GONE: Final = refused(404, "404 Not found")
FORBIDDEN: Final = refused(403, "403 Forbidden")


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it came."""

    method: str
    path: str
    """As it was sent, percent signs and all."""
    query: dict[str, str]
    body: Any


@dataclass(slots=True)
class Note:
    """A note as it is kept."""

    id: int
    author: str
    body: str


@dataclass(slots=True)
class FakeGitLab:
    """One project with one merge request. Tests read and write its fields."""

    url: str = ""
    """The address of the API."""
    writer: str = BOT
    """Who the token belongs to."""
    notes: list[Note] = field(default_factory=list)
    """Oldest first."""
    people: People = field(default_factory=People)
    changes: Changes = field(default_factory=Changes)
    with_numbers: bool = True
    """Whether lists have the header X-Next-Page."""
    with_links: bool = True
    """Whether lists have the header Link, which a proxy may drop."""
    statuses: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """The statuses of commits; the oldest first."""
    set_by: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Place in ``statuses`` -> who has set it and when, where that is not the writer just now."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    """The list of open merge requests."""
    pipelines: dict[int, str] = field(default_factory=dict)
    """Number -> commit."""
    jobs: list[dict[str, Any]] = field(default_factory=list)
    """In the form of https://docs.gitlab.com/api/jobs/#list-pipeline-jobs, the oldest first."""
    archives: dict[int, bytes] = field(default_factory=dict)
    """The archives of the artifacts, by job."""
    forbidden: set[str] = field(default_factory=set)
    """Operations that the token's role does not allow."""
    faults: dict[str, list[Answer]] = field(default_factory=dict)
    """Operation -> answers to the next calls of it."""
    before: dict[str, list[Callable[[], None]]] = field(default_factory=dict)
    """Operation -> what happens just before the next calls of it."""
    sent: list[Sent] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    """Operation of every request."""
    problems: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1001))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def plant(self, author: str, body: str) -> Note:
        """Write a note as somebody."""
        note = Note(next(self.numbers), author, body)
        self.notes.append(note)
        return note

    def answer(self, handler: BaseHTTPRequestHandler, body: bytes) -> Answer:
        """Answer a request."""
        address = urlsplit(handler.path)
        path = address.path.removeprefix(_ROOT)
        query = dict(parse_qsl(address.query, keep_blank_values=True))
        sent = Sent(handler.command, path, query, json.loads(body) if body else None)
        for (method, form), (name, route) in _ROUTES.items():
            match = re.fullmatch(form, path)
            if match and method == handler.command:
                self.problems += _problems(name, sent, handler)
                return self._act(name, handler, sent, partial(route, self, sent, *match.groups()))
        self.problems.append(f"GitLab knows no {handler.command} {address.path}")
        return GONE

    def _act(
        self,
        name: str,
        handler: BaseHTTPRequestHandler,
        sent: Sent,
        route: Callable[[], Answer],
    ) -> Answer:
        with self.lock:
            self.seen.append(name)
            happening, faults = self.before.get(name, []), self.faults.get(name, [])
            happens = happening.pop(0) if happening else None
            fault = faults.pop(0) if faults else None
        if happens is not None:
            happens()
        if fault is not None:
            return fault
        if handler.headers["PRIVATE-TOKEN"] != TOKEN:
            return refused(401, "401 Unauthorized")
        if name in self.forbidden:
            return FORBIDDEN
        with self.lock:
            self.sent.append(sent)
            return route()

    def who(self, _sent: Sent) -> Answer:
        page = f"{self.url.removesuffix(_ROOT)}/{self.writer}"
        return Answer(200, {"id": 99, "username": self.writer, "bot": True, "web_url": page})

    def list_notes(self, sent: Sent) -> Answer:
        """Return one page, newest first as GitLab does, and where the next is."""
        newest = sorted(self.notes, key=lambda note: -note.id)
        return self._page(sent, [_form(note) for note in newest])

    def _page(self, sent: Sent, items: list[Any]) -> Answer:
        size = min(int(sent.query.get("per_page", "20")), _LARGEST_PAGE)
        number = int(sent.query.get("page", "1"))
        shown = items[(number - 1) * size : number * size]
        headers = {"X-Per-Page": str(size), "X-Page": str(number)}
        if number * size < len(items):
            query = sent.query | {"page": str(number + 1), "per_page": str(size)}
            url = f"{self.url}{sent.path}?{urlencode(query)}"
            headers |= {"Link": f'<{url}>; rel="next"', "X-Next-Page": str(number + 1)}
        elif not self.with_links:
            headers["X-Next-Page"] = ""  # of the last page GitLab sends it empty
        if not self.with_links:
            headers.pop("Link", None)
        if not self.with_numbers:
            headers.pop("X-Next-Page", None)
        return Answer(200, shown, headers)

    def create_note(self, sent: Sent) -> Answer:
        return Answer(201, _form(self.plant(self.writer, sent.body["body"])))

    def update_note(self, sent: Sent, number: str) -> Answer:
        note = self._found(number)
        if note is None:
            return GONE
        if note.author != self.writer:
            return FORBIDDEN
        note.body = sent.body["body"]
        return Answer(200, _form(note))

    def delete_note(self, _sent: Sent, number: str) -> Answer:
        note = self._found(number)
        if note is None:
            return GONE
        if note.author != self.writer:
            return FORBIDDEN
        self.notes.remove(note)
        return Answer(204)

    def read_request(self, _sent: Sent) -> Answer:
        return Answer(200, self.changes.request(REQUEST).form(REQUEST) | self.people.request())

    def list_commits(self, sent: Sent) -> Answer:
        ours, theirs = self.changes.listed_commits(REQUEST), self.people.listed_commits()
        return self._page(sent, ours or theirs)

    def list_diffs(self, sent: Sent) -> Answer:
        return self._page(sent, self.changes.listed_files(REQUEST))

    def list_requests_of(self, sent: Sent, revision: str) -> Answer:
        return self._page(sent, self.changes.listed_requests(revision))

    def list_deployments(self, sent: Sent) -> Answer:
        return self._page(sent, self.changes.listed_deployments(sent.query))

    def read_merge_base(self, _sent: Sent) -> Answer:
        return Answer(200, {"id": self.changes.parted})

    def read_commit(self, _sent: Sent, revision: str) -> Answer:
        commit = self.people.single.get(revision)
        return GONE if commit is None else Answer(200, commit)

    def list_events(self, sent: Sent, project: str) -> Answer:
        pushes = self.people.pushes() if int(project) == self.people.source else []
        return self._page(sent, pushes)

    def list_versions(self, sent: Sent) -> Answer:
        return self._page(sent, self.people.listed_versions())

    def list_approvals(self, _sent: Sent) -> Answer:
        return Answer(200, {"iid": REQUEST, "approved_by": self.people.listed_approvals()})

    def list_label_events(self, sent: Sent) -> Answer:
        return self._page(sent, self.people.label_events)

    def find_users(self, sent: Sent) -> Answer:
        found = self.people.numbers.get(sent.query["username"].lower())
        return self._page(sent, [] if found is None else [self.people.user_of(found)])

    def read_user(self, _sent: Sent, number: str) -> Answer:
        return self.people.page(int(number)) or refused(404, "404 User Not Found")

    def read_member(self, _sent: Sent, number: str) -> Answer:
        return self.people.member(int(number)) or GONE

    def read_group_member(self, _sent: Sent, group: str, number: str) -> Answer:
        return self.people.group_member(unquote(group), int(number)) or GONE

    def run_job(self, number: int, pipeline: int, archive: bytes | None, **more: Any) -> None:
        """Add a job, with what it has uploaded."""
        file = None if archive is None else {"filename": "artifacts.zip", "size": len(archive)}
        self.jobs.append(
            {
                "id": number,
                "name": "evaluate",
                "status": "success",
                "created_at": _NOW,
                "finished_at": _NOW,
                "commit": {"id": self.pipelines[pipeline]},
                "pipeline": {"id": pipeline, "sha": self.pipelines[pipeline]},
                "artifacts_file": file,
                "retried": False,
                **more,
            }
        )
        if file is None:
            self.jobs[-1].pop("artifacts_file")
        else:
            self.archives[number] = archive or b""

    def list_pipelines(self, sent: Sent) -> Answer:
        listed = [
            {"id": number, "iid": number, "sha": sha, "status": "success"}
            for number, sha in sorted(self.pipelines.items(), reverse=True)
            if sha.startswith(sent.query["sha"])
        ]
        return self._page(sent, listed)

    def list_jobs(self, sent: Sent, pipeline: str) -> Answer:
        everything = sent.query.get("include_retried") == "true"
        listed = [
            {name: value for name, value in job.items() if name != "retried"}
            for job in self.jobs
            if job["pipeline"]["id"] == int(pipeline) and (everything or not job["retried"])
        ]
        return self._page(sent, listed)

    def read_archive(self, _sent: Sent, number: str) -> Answer:
        archive = self.archives.get(int(number))
        return GONE if archive is None else Answer(200, archive)

    def list_requests(self, sent: Sent) -> Answer:
        assert sent.query["state"] == "opened"
        return self._page(sent, self.requests)

    def list_statuses(self, sent: Sent, revision: str) -> Answer:
        """Return one page, the oldest first as GitLab does."""
        listed = [
            _status(number, revision, body, *self.set_by.get(number, (self.writer, _NOW)))
            for number, (commit, body) in enumerate(self.statuses, start=0)
            if commit == revision
        ]
        return self._page(sent, listed)

    def plant_status(self, revision: str, login: str, at: str, **body: Any) -> None:
        """Set a status as somebody."""
        self.set_by[len(self.statuses)] = (login, at)
        self.statuses.append((revision, body))

    def set_status(self, sent: Sent, revision: str) -> Answer:
        states = [
            body["state"]
            for commit, body in self.statuses
            if (commit, body["name"]) == (revision, sent.body["name"])
        ]
        if states[-1:] == ["pending"] == [sent.body["state"]]:
            # As GitLab 17 words it.
            reason = 'Reason(s): Status cannot transition via "enqueue"'
            return refused(400, f"Cannot transition status via :enqueue from :pending ({reason})")
        self.statuses.append((revision, sent.body))
        known = {"id": 93, "sha": revision, "status": sent.body["state"]}
        return Answer(201, known | {"name": sent.body["name"]})

    def _found(self, number: str) -> Note | None:
        return next((note for note in self.notes if str(note.id) == number), None)


_ROUTES: Final[dict[tuple[str, str], tuple[str, Callable[..., Answer]]]] = {
    ("GET", "/user"): ("who", FakeGitLab.who),
    ("GET", _NOTES): ("list", FakeGitLab.list_notes),
    ("POST", _NOTES): ("create", FakeGitLab.create_note),
    ("PUT", rf"{_NOTES}/(\d+)"): ("update", FakeGitLab.update_note),
    ("DELETE", rf"{_NOTES}/(\d+)"): ("delete", FakeGitLab.delete_note),
    ("GET", _REQUEST): ("request", FakeGitLab.read_request),
    ("GET", f"{_REQUEST}/diffs"): ("diffs", FakeGitLab.list_diffs),
    ("GET", rf"{_PROJECT}/repository/commits/([0-9a-f]+)/merge_requests"): (
        "requests of a commit",
        FakeGitLab.list_requests_of,
    ),
    ("GET", rf"{_PROJECT}/repository/merge_base"): ("merge base", FakeGitLab.read_merge_base),
    ("GET", rf"{_PROJECT}/deployments"): ("deployments", FakeGitLab.list_deployments),
    ("GET", f"{_REQUEST}/commits"): ("commits", FakeGitLab.list_commits),
    ("GET", rf"{_PROJECT}/repository/commits/([0-9a-f]{{40}})"): ("commit", FakeGitLab.read_commit),
    ("GET", r"/projects/(\d+)/events"): ("events", FakeGitLab.list_events),
    ("GET", f"{_REQUEST}/versions"): ("versions", FakeGitLab.list_versions),
    ("GET", f"{_REQUEST}/approvals"): ("approvals", FakeGitLab.list_approvals),
    ("GET", f"{_REQUEST}/resource_label_events"): ("labels", FakeGitLab.list_label_events),
    ("GET", "/users"): ("users", FakeGitLab.find_users),
    ("GET", r"/users/(\d+)"): ("user", FakeGitLab.read_user),
    ("GET", rf"{_PROJECT}/members/all/(\d+)"): ("member", FakeGitLab.read_member),
    ("GET", r"/groups/([^/]+)/members/all/(\d+)"): ("group", FakeGitLab.read_group_member),
    ("GET", f"{_PROJECT}/pipelines"): ("pipelines", FakeGitLab.list_pipelines),
    ("GET", rf"{_PROJECT}/pipelines/(\d+)/jobs"): ("jobs", FakeGitLab.list_jobs),
    ("GET", rf"{_PROJECT}/jobs/(\d+)/artifacts"): ("archive", FakeGitLab.read_archive),
    ("GET", f"{_PROJECT}/merge_requests"): ("requests", FakeGitLab.list_requests),
    ("GET", rf"{_PROJECT}/repository/commits/([0-9a-f]{{40}})/statuses"): (
        "statuses",
        FakeGitLab.list_statuses,
    ),
    ("POST", rf"{_PROJECT}/statuses/([0-9a-f]{{40}})"): ("status", FakeGitLab.set_status),
}


_MORE: Final = {
    "users": {"username"},
    "events": {"action"},
    "deployments": {"environment", "status"},
    "merge base": {"refs[]"},
    "requests": {"state"},
    "statuses": {"all"},
    "pipelines": {"sha"},
    "jobs": {"include_retried"},
}
"""Parameters of single operations."""


def _problems(name: str, sent: Sent, handler: BaseHTTPRequestHandler) -> Iterator[str]:
    unknown = sent.query.keys() - {"page", "per_page", "sort", "order_by"}
    unknown -= _MORE.get(name, set())
    if unknown:
        yield f"{name}: has the unknown parameters {sorted(unknown)}"
    if name not in {"create", "update", "status"}:
        if sent.body is not None:
            yield f"{name}: has a body"
        return
    if handler.headers["Content-Type"] != "application/json":
        yield f"{name}: Content-Type is {handler.headers['Content-Type']}"
    if name == "status":
        yield from _status_problems(sent.body)
    elif list(sent.body) != ["body"] or not 0 < len(sent.body["body"]) <= _LONGEST_NOTE:
        yield f"{name}: has other attributes than a body of 1,000,000 characters at most"
    elif re.search(r"^/[a-z]", sent.body["body"], re.MULTILINE):
        yield f"{name}: has a quick action, which GitLab would run"


def _status_problems(body: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with https://docs.gitlab.com/api/commits/#set-commit-pipeline-status."""
    if body["state"] not in {"pending", "running", "success", "failed", "canceled", "skipped"}:
        yield f"status: GitLab has no state {body['state']}"
    unknown = body.keys() - {"state", "name", "description", "target_url"}
    if unknown or any(len(text) > _LONGEST_STATUS for text in body.values()):
        yield "status: has other attributes, or longer ones, than GitLab takes"


def _status(
    number: int, revision: str, body: dict[str, Any], login: str, at: str
) -> dict[str, Any]:
    """Return the form of https://docs.gitlab.com/api/commits/#list-commit-statuses."""
    done = body["state"] not in {"pending", "running"}
    return {
        "id": number + 90,
        "sha": revision,
        "ref": "shorter",
        "status": body["state"],
        "name": body["name"],
        "target_url": body.get("target_url"),
        "description": body.get("description"),
        "created_at": at,
        "started_at": None,
        "finished_at": at if done else None,
        "allow_failure": False,
        "author": {"id": 99, "username": login, "name": login, "state": "active"},
    }


def _form(note: Note) -> dict[str, Any]:
    return {
        "id": note.id,
        "type": None,
        "body": note.body,
        "author": {"id": 99, "username": note.author, "name": note.author, "state": "active"},
        "created_at": "2026-11-01T00:00:00.000Z",
        "updated_at": "2026-11-01T00:00:00.000Z",
        "system": False,
        "noteable_id": 377,
        "noteable_type": "MergeRequest",
        "project_id": PROJECT,
        "noteable_iid": REQUEST,
        "resolvable": False,
        "confidential": False,
        "internal": False,
    }


@contextmanager
def gitlab() -> Iterator[FakeGitLab]:
    """Run a GitLab while the block lasts; fail where a request did not fit."""
    fake = FakeGitLab()

    def serve(handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        answer = fake.answer(handler, body)
        content = answer.body
        if not isinstance(content, bytes):
            content = b"" if content is None else json.dumps(content).encode()
        return answer.status, answer.headers | {"Content-Type": "application/json"}, content

    with serving(serve) as address:
        fake.url = f"{address}{_ROOT}"
        yield fake
    assert not fake.problems, "\n".join(fake.problems)
