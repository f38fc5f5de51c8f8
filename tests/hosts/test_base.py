"""The base of a change's comparison, which nothing inside the change can choose."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gate.decision.chain import line_hash
from gate.decision.decision import Context
from gate.decision.seal import SealKey, hmac_key, sealed
from gate.hosts.base import Base, BaseFinder, once_live
from gate.hosts.git import Checkout
from gate.hosts.pulls import Deployed
from gate.hosts.recorded import Log
from gate.policy.changes import Live
from tests.hosts.changing import Host
from tests.hosts.repository import begin, commit, git

A, B = "a" * 40, "b" * 40
AT = datetime(2026, 11, 2, 8, tzinfo=UTC)
PUSH = Context(system="github", event="push")
DEPLOYMENTS = Live("github-deployments", "production")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return begin(tmp_path / "chat")


def none() -> Sequence[str]:
    raise LookupError("no decisions are recorded")


def based(
    folder: Path,
    live: Live | None = None,
    context: Context = PUSH,
    host: Host | None = None,
    allowed: Callable[[], Sequence[str]] = none,
) -> Base:
    return BaseFinder(context, Checkout(folder), host, allowed)(live)


@pytest.mark.parametrize(
    "context, named_by, live",
    [
        (Context(system="github", base=A, pull_request=7), "the event", False),
        (Context(system="github", base=A, event="merge_group"), "the event", False),
        (replace(PUSH, base=A, base_from="--base"), "--base", True),
        (replace(PUSH, base="main", base_from="--base"), "--base", False),
        (replace(PUSH, base=A, base_from="--base", pull_request=7), "--base", False),
    ],
)
def test_a_base_that_is_named_counts(
    folder: Path, context: Context, named_by: str, live: bool
) -> None:
    base = based(folder, DEPLOYMENTS, context)
    assert (base.commit, base.named_by, base.live) == (context.base, named_by, live)


def test_a_deploy_is_compared_with_what_the_host_says_is_live(folder: Path) -> None:
    host = Host(deployed={"production": Deployed(A, AT)})
    base = based(folder, DEPLOYMENTS, host=host)
    assert base == Base(commit=A, named_by="github-deployments: production", live=True)
    gitlab = replace(PUSH, system="gitlab")
    base = based(folder, Live("gitlab-environments", "production"), gitlab, host)
    assert (base.commit, base.named_by) == (A, "gitlab-environments: production")


@pytest.mark.parametrize(
    "live, host, words",
    [
        (DEPLOYMENTS, None, "it needs GITHUB_TOKEN with deployments: read"),
        (DEPLOYMENTS, Host(), "cannot live: 403"),
        (DEPLOYMENTS, Host(deployed={"production": None}), "nothing was ever deployed"),
        (Live("gitlab-environments", "production"), Host(), "it needs GITLAB_TOKEN"),
    ],
)
def test_what_cannot_be_asked_is_not_known(
    folder: Path, live: Live, host: Host | None, words: str
) -> None:
    base = based(folder, live, host=host)
    assert base.commit is None
    assert words in base.why_not


def test_a_file_that_the_deploy_writes_says_what_is_live(folder: Path) -> None:
    outside = folder.parent / "live.txt"
    for path in (outside, folder / "live.txt"):
        path.write_text(f"{A}\n")
    for place in (str(outside), "../live.txt", "live.txt"):
        base = based(folder, Live("file", place))
        assert (base.commit, base.live, base.why_not) == (A, True, "")


def link(folder: Path) -> str:
    (folder / "state").symlink_to("evil")
    commit(folder, "x", {"evil/live.txt": A})
    (folder / "evil/live.txt").write_text(B)
    return "state/live.txt"


def link_to_outside(folder: Path) -> str:
    (folder.parent / "live.txt").write_text(A)
    (folder / "live.txt").symlink_to("../live.txt")
    return "live.txt"


def link_from_outside(folder: Path) -> str:
    commit(folder, "x", {"live.txt": A})
    (folder.parent / "live.txt").symlink_to("chat/live.txt")
    return "../live.txt"


def committed(folder: Path) -> str:
    commit(folder, "x", {"deploy/live.txt": A})
    return "deploy/../deploy/live.txt"


def staged(folder: Path) -> str:
    (folder / "live.txt").write_text(A)
    git(folder, "add", "live.txt")
    return "live.txt"


def committed_link_to_outside(folder: Path) -> str:
    name = link_to_outside(folder)
    commit(folder, "link", {})
    return name


LINKS = [link, link_to_outside, link_from_outside, committed, staged, committed_link_to_outside]


@pytest.mark.parametrize("made", LINKS)
def test_a_file_of_the_change_does_not(folder: Path, made: Callable[[Path], str]) -> None:
    base = based(folder, Live("file", made(folder)))
    assert base.commit is None
    assert "belongs to the change" in base.why_not


@pytest.mark.parametrize(
    "content, words",
    [
        (None, "cannot be read"),
        (b"\xff" * 40, "cannot be read"),
        (b"", "must hold a commit's full hash"),
        (b"main", "must hold a commit's full hash"),
        (b"a" * 39, "must hold a commit's full hash"),
        (b"-" + b"a" * 40, "must hold a commit's full hash"),
        (b"a" * 40 + b"\n" + b"b" * 40, "must hold a commit's full hash"),
        (b"a" * 40 + b" " * 10_000 + b"b", "must hold a commit's full hash"),
    ],
)
def test_a_file_that_holds_no_commit_says_nothing(
    folder: Path, content: bytes | None, words: str
) -> None:
    if content is not None:
        (folder.parent / "live.txt").write_bytes(content)
    base = based(folder, Live("file", "../live.txt"))
    assert base.commit is None
    assert words in base.why_not


def test_outside_of_a_checkout_no_file_is_believed(tmp_path: Path) -> None:
    (tmp_path / "live.txt").write_text(A)
    base = based(tmp_path, Live("file", "live.txt"))
    assert base.commit is None
    assert "is not in a git repository" in base.why_not


def test_without_a_word_the_newest_ancestor_that_was_allowed_is_the_base(folder: Path) -> None:
    first = git(folder, "rev-parse", "HEAD")
    second = commit(folder, "x", {"a": ""})
    commit(folder, "y", {"b": ""})
    base = based(folder, allowed=lambda: [second, first, B])
    assert (base.commit, base.live) == (second, True)
    assert base.named_by == "the decisions that this gate has recorded"
    git(folder, "checkout", "--quiet", second)
    assert based(folder, allowed=lambda: [second, first]).commit == first


@pytest.mark.parametrize(
    "allowed, words",
    [
        (none, "no decisions are recorded"),
        (lambda: [B], "none of the commits before this one was allowed"),
    ],
)
def test_where_nothing_says_what_is_live_the_base_is_not_known(
    folder: Path, allowed: Callable[[], Sequence[str]], words: str
) -> None:
    base = based(folder, allowed=allowed)
    assert base.commit is None
    assert words in base.why_not
    assert "name a base" in base.why_not


LIVE = Base(commit=B, named_by="x", live=True)


def test_a_commit_that_was_live_before_goes_back() -> None:
    host = Host(was={("production", A): AT}, back=True)
    assert once_live(LIVE, DEPLOYMENTS, host, A) == (
        "aaaaaaaaaaaa went live in production at 2026-11-02 08:00 UTC"
    )
    assert host.seen == ["was_live", f"goes_back {B} {A}"]


@pytest.mark.parametrize(
    "base, live, host",
    [
        (replace(LIVE, commit=None), DEPLOYMENTS, Host(was={("production", A): AT}, back=True)),
        (LIVE, None, Host(was={("production", A): AT}, back=True)),
        (LIVE, Live("file", "production"), Host(was={("production", A): AT}, back=True)),
        (LIVE, DEPLOYMENTS, None),
        (LIVE, DEPLOYMENTS, Host(back=True)),
        (LIVE, DEPLOYMENTS, Host(was={("production", A): AT}, back=False)),
        (LIVE, DEPLOYMENTS, Host(was={("production", A): AT})),
        (LIVE, DEPLOYMENTS, Host(was={("staging", A): AT}, back=True)),
    ],
)
def test_nothing_else_does(base: Base, live: Live | None, host: Host | None) -> None:
    assert once_live(base, live, host, A) == ""


def entry(revision: str | None = A, **more: Any) -> dict[str, Any]:
    context = {"revision": revision, "pull_request": None, "branch": "main", "environment": "prod"}
    made = {"exit_code": 0, "verdict": "allow", "overridden": False}
    made["policies"] = [{"service": service} for service in more.pop("services", ["chat"])]
    made["context"] = context | {key: more.pop(key) for key in [*more] if key in context}
    return made | more


def chained(*entries: Any, key: SealKey | None = None) -> list[bytes]:
    """Return records as the gate writes them, each with the hash of the one before."""
    lines = list[bytes]()
    for number, made in enumerate(entries, start=1):
        previous = line_hash(lines[-1]) if lines else None
        record = {"number": number, "previous_sha256": previous, **made}
        lines.append(json.dumps(sealed(record, key)).encode())
    return lines


def allowed(
    folder: Path, *lines: bytes, path: str | None = "../log", key: SealKey | None = None
) -> Sequence[str]:
    if lines:
        (folder.parent / "log").write_bytes(b"".join(line + b"\n" for line in lines))
    return Log(path, Checkout(folder), ("chat",), "prod", key).allowed()


def test_what_was_allowed_to_be_deployed_is_read_from_the_log(folder: Path) -> None:
    entries = (entry(), entry(B, verdict="warn"), entry("c" * 40, verdict="block", overridden=True))
    assert allowed(folder, *chained(*entries)) == [A, B, "c" * 40]


@pytest.mark.parametrize(
    "other",
    [
        entry(exit_code=10, verdict="block"),
        entry(exit_code=11, verdict="warn"),
        entry(verdict="block"),
        entry(verdict="undecided"),
        entry(pull_request=7),
        entry(branch="gh-readonly-queue/main/pr-7-x"),
        entry(environment="staging"),
        entry(environment=None),
        entry(services=["rag"]),
        entry(services=["chat", "rag"]),
        entry(services=[]),
        entry(None),
    ],
)
def test_nothing_else_was_allowed(folder: Path, other: dict[str, Any]) -> None:
    assert allowed(folder, *chained(other)) == []


@pytest.mark.parametrize("line", [b"{", b"[]", b"1", b"{}", b"[" * 5000, b"null", b"\xff"])
def test_a_damaged_log_counts_for_nothing(folder: Path, line: bytes) -> None:
    with pytest.raises(LookupError, match=r"^\.\./log:2: it "):
        allowed(folder, *chained(entry()), line)


@pytest.mark.parametrize("odd", [{}, {"context": 1}, entry() | {"policies": None}])
def test_a_record_of_something_else_counts_for_nothing(folder: Path, odd: dict[str, Any]) -> None:
    with pytest.raises(LookupError, match="not a record of a decision"):
        allowed(folder, *chained(entry(), odd))


def test_a_log_that_somebody_has_edited_allows_nothing(folder: Path) -> None:
    first, second = chained(entry(B, verdict="block", exit_code=10), entry())
    forged = first.replace(b'"block"', b'"allow"').replace(b'"exit_code": 10', b'"exit_code": 0')
    for lines in ((forged, second), (second,), (second, first), (first, first)):
        with pytest.raises(LookupError, match="log:"):
            allowed(folder, *lines)


def test_where_there_is_a_key_only_what_it_signed_was_allowed(folder: Path) -> None:
    key = hmac_key(b"a key of this test")
    assert allowed(folder, *chained(entry(), key=key), key=key) == [A]
    with pytest.raises(LookupError, match="it is not signed"):
        allowed(folder, *chained(entry()), key=key)


def test_a_log_of_the_change_or_none_counts_for_nothing(folder: Path) -> None:
    with pytest.raises(LookupError, match="no decisions are recorded"):
        allowed(folder, path=None)
    with pytest.raises(LookupError, match="has no decision yet"):
        allowed(folder)
    commit(folder, "x", {"log": json.dumps(entry())})
    with pytest.raises(LookupError, match="belongs to the change"):
        allowed(folder, path="log")
    with pytest.raises(LookupError, match="cannot be read"):
        allowed(folder, path="..")
