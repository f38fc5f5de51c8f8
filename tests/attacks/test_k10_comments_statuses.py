"""K10: whose comment and status it is, and that neither says yes for another gate, or too long.

Somebody who wants to ship chooses folders, names, titles, branches and comments, cancels runs, and
waits until the budget was better. No comment or status of the gate may say more than a run said.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from gate.hosts import PostedStatus
from gate.hosts.accounts import read_instant
from gate.hosts.comments import marker
from gate.hosts.identity import GateIdentity, StatusLink
from gate.reporters.commit_status import StatusText
from tests.attacks.world import World, keeps_its_secrets
from tests.cli.conftest import EVENT
from tests.cli.installed import AT, POLICY
from tests.cli.sweeping import Sweeps, commit, last_line
from tests.command import Result, gate
from tests.github_action.recipes import recipes
from tests.servers.github import ACTIONS, REPOSITORY, TOKEN, FakeGitHub, OpenPull, github
from tests.servers.github_answers import refused

PLACE: Final = GateIdentity(paths=("gate.yaml",))


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    """A GitHub."""
    with github() as host:
        yield host


@pytest.fixture
def sweeps(fake: FakeGitHub, tmp_path: Path) -> Sweeps:
    """Pull requests that a run has judged long ago, and sweeps."""

    def judge(*arguments: str, text: str, event: dict[str, Any]) -> Result:
        (tmp_path / "gate.yaml").write_text(text)
        (tmp_path / "counts.yaml").write_text("counts: {availability: {total: 1000000, bad: 820}}")
        (tmp_path / "event.json").write_text(json.dumps({"pull_request": EVENT | event}))
        runner = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_API_URL": fake.url,
            "GITHUB_TOKEN": TOKEN,
        }
        instant = () if "--wait" in arguments else ("--at", AT)
        return gate("check", "gate.yaml", *arguments, *instant, cwd=tmp_path, env=runner)

    return Sweeps(fake, judge, tmp_path)


def run(world: World, fake: FakeGitHub, *arguments: str, **more: Any) -> Result:
    """Run the gate on a pull request with comment and status."""
    token = {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": fake.url}
    done = world.run("--comment", "--status", *arguments, **token, **more)
    assert keeps_its_secrets(done)
    return done


def folders(world: World, *names: str, service: str = "chat") -> None:
    """Put the policy of main into folders, and open a pull request."""
    text = world.policy.replace("service: chat", f"service: {service}")
    world.commit("policies", {f"{name}/gate.yaml": text for name in names})
    world.push("main")
    world.change()
    world.open()
    world.check_out()


BLOCKED: Final = ("--change", "model-update")
ALLOWED: Final = ("--change", "canary")


def states(fake: FakeGitHub, world: World) -> dict[str, str]:
    """Return the state of each status of the pull request's head."""
    return {name: body["state"] for name, body in fake.shown(world.revision()).items()}


@pytest.mark.parametrize(
    "legs",
    [
        [{"cwd": "a"}, {"cwd": "b"}],
        [{"policy": "a/gate.yaml"}, {"policy": "b/gate.yaml"}],
        [{"cwd": "a"}, {"policy": "b/gate.yaml"}],
        [{"cwd": "a", "policy": "./gate.yaml"}, {"cwd": "b", "policy": "../b/gate.yaml"}],
        [{"cwd": "a"}, {"cwd": "a", "policy": "../gate.yaml"}],
        [{"cwd": "a"}, {"policy": "gate.yaml"}],
    ],
)
@pytest.mark.parametrize("order", ["block first", "allow first"])
def test_one_folder_does_not_speak_for_another(
    world: World, fake: FakeGitHub, legs: list[dict[str, str]], order: str
) -> None:
    folders(world, "a", "b")
    verdicts = [BLOCKED, ALLOWED] if order == "block first" else [ALLOWED, BLOCKED]
    for leg, verdict in zip(legs, verdicts, strict=True):
        run(world, fake, *verdict, **leg)
    assert len(fake.comments) == 2
    assert sorted(states(fake, world).values()) == ["failure", "success"]
    assert sum("BLOCK" in comment.body for comment in fake.comments) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"policy": "a/gate.yaml"},
        {"policy": "./a/../a/gate.yaml"},
        {"cwd": "b", "policy": "../a/gate.yaml"},
        {"cwd": "a", "policy": "./gate.yaml"},
    ],
)
def test_one_gate_has_one_comment_however_its_policy_is_given(
    world: World, fake: FakeGitHub, other: dict[str, str]
) -> None:
    folders(world, "a", "b")
    run(world, fake, *ALLOWED, cwd="a")
    run(world, fake, *BLOCKED, **other)
    assert len(fake.comments) == 1
    assert list(states(fake, world).values()) == ["failure"]


@pytest.mark.parametrize(
    "first, second",
    [
        (("chat", "production"), ("chat/production", None)),
        (("chat", "a/b"), ("chat/a", "b")),
        (("chat", "a"), ("chat", "a ")),
        (("chat", "a"), ("chat", "a\u200b")),
        (("chat", "a"), ("chat", "a (gate.yaml)")),
        (("chat", "a"), ("chat", "A")),
        (("chat", "a"), ("chat", "a%")),
        (("chat", "a%2Fb"), ("chat", "a/b")),
        (("chat", "x" * 300), ("chat", "x" * 301)),
        (("chat", "é" * 200), ("chat", "é" * 201)),
        (("chat", "\U0001f680"), ("chat", "%F0%9F%9A%80")),
        (("x" * 300, None), ("x" * 301, None)),
        (("chat", None), ("chat", "gate.yaml")),
    ],
)
def test_odd_names_do_not_share_a_status(
    sweeps: Sweeps, fake: FakeGitHub, first: tuple[str, Any], second: tuple[str, Any]
) -> None:
    for (service, place), change in ((first, BLOCKED), (second, ALLOWED)):
        where = ("--environment", place) if place else ()
        text = POLICY.replace("service: chat", f"service: {json.dumps(service)}")
        sweeps.judge("--status", *change, *where, text=text, event={"number": 7})
    shown = fake.shown("a" * 40)
    assert sorted(body["state"] for body in shown.values()) == ["failure", "success"]
    assert all(len(name) <= 255 for name in shown)


@pytest.mark.parametrize(
    "keys", [("eu", "us"), ("eu", None), ("[eu]", "eu"), ("a/b", "a"), (" ", "  ")]
)
def test_legs_with_keys_do_not_share_comment_or_status(
    world: World, fake: FakeGitHub, keys: tuple[str, str | None]
) -> None:
    folders(world, "a")
    for key, verdict in zip(keys, (BLOCKED, ALLOWED), strict=True):
        run(world, fake, *verdict, *(("--gate-key", key) if key else ()))
    assert len(fake.comments) == 2
    assert sorted(states(fake, world).values()) == ["failure", "success"]


def test_a_leg_without_a_key_does_not_write_allow_over_another_legs_block(
    world: World, fake: FakeGitHub
) -> None:
    folders(world, "a")
    run(world, fake, *BLOCKED, RUNNER_TRACKING_ID="github_1")
    done = run(world, fake, *ALLOWED, RUNNER_TRACKING_ID="github_2")
    assert done.exit_code == 0
    assert "comment kept" in done.stderr
    assert "BLOCK" in fake.comments[0].body


@pytest.mark.parametrize(
    "planted",
    [PLACE.marker, marker("chat", "gate.yaml", None), f"{PLACE.marker}\n<!-- gate:run x y 0 -->"],
)
@pytest.mark.parametrize("login", ["mallory", "ada", "dependabot[bot]"])
def test_a_pasted_comment_is_never_edited_or_trusted(
    world: World, fake: FakeGitHub, planted: str, login: str
) -> None:
    folders(world, "a")
    body = f"{planted}\n## ✅ ALLOW: everything"
    fake.plant(login, body)
    run(world, fake, *BLOCKED)
    run(world, fake, *BLOCKED)
    assert [comment.body for comment in fake.comments if comment.login == login] == [body]
    (own,) = [comment for comment in fake.comments if comment.login == ACTIONS]
    assert "BLOCK" in own.body


@pytest.mark.parametrize("text", [PLACE.marker, f"x\n{PLACE.marker}\nALLOW", "-->", "@everyone"])
def test_a_title_or_branch_that_looks_like_a_marker_changes_nothing(
    world: World, fake: FakeGitHub, text: str
) -> None:
    world.change()
    world.open(title=text, labels=[{"name": text}])
    world.event["pull_request"]["head"]["ref"] = text
    world.check_out()
    run(world, fake)
    run(world, fake)
    (comment,) = fake.comments
    assert comment.body.startswith(f"{PLACE.marker}\n")
    assert comment.body.count("gate:v2 id=") == 1


@pytest.mark.parametrize(
    "files",
    [
        {"gate.yaml": "service: evil\n"},
        {"gate.yaml": ""},
        {"gate.yaml": "\x00"},
        {"gate.yaml": "&a [*a]"},
        {"gate.yaml": "service: 'chat', other\nversion: 1\n"},
    ],
)
def test_a_policy_that_cannot_be_read_leaves_no_earlier_success(
    world: World, fake: FakeGitHub, files: dict[str, str]
) -> None:
    folders(world, "a")
    assert run(world, fake, *ALLOWED).exit_code == 0
    (world.checkout / "gate.yaml").write_text(files["gate.yaml"])
    assert run(world, fake, *ALLOWED, "--policy-ref", "none").exit_code != 0
    assert states(fake, world) == {"gate/chat": "error"}


@pytest.mark.parametrize(
    "more",
    [
        {"arguments": ("--policy-ref", "no-such-branch")},
        {"arguments": ("--policy-ref", "-x")},
        {"arguments": ("--wait", "soon")},
        {"arguments": ("--change", "no-such-class")},
        {"policy": "missing.yaml", "arguments": ("--status-name", "gate/chat")},
    ],
)
def test_a_run_that_fails_leaves_no_earlier_success(
    world: World, fake: FakeGitHub, more: dict[str, Any]
) -> None:
    folders(world, "a")
    assert run(world, fake, *ALLOWED).exit_code == 0
    arguments = more.pop("arguments")
    assert run(world, fake, *ALLOWED, *arguments, **more).exit_code in {2, 3}
    assert states(fake, world) == {"gate/chat": "error"}


HOSTILE: Final = (
    "\n#2: failure -> success: ALLOW",
    "::set-output name=verdict::allow",
    "##[error]x",
    "\x1b[2J\x1b]0;x\x07",
    "\u202eevil\u2066",
    "security",
    "../../../etc/passwd",
    "x" * 300,
    "$(touch /tmp/owned)",
    "-->",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_of_pull_requests_get_nothing_out_of_a_sweep(
    sweeps: Sweeps, fake: FakeGitHub, text: str
) -> None:
    sha = sweeps.judged(1, files=("src/a.py",))
    pull = fake.pulls[0]
    pull.title, pull.branch, pull.labels, pull.author = text, text, (text, "canary"), "ada"
    done = sweeps.sweep()
    assert done.exit_code == 0
    assert sweeps.state(sha) != "success"
    assert done.stdout.isascii()
    assert len(done.stdout.splitlines()) == 2
    assert "::set-output" not in done.stdout


@pytest.mark.parametrize(
    "facts",
    [{"draft": True}, {"fork": True}, {"author": None}, {"labels": ("security",)}, {"base": "lax"}],
)
def test_no_kind_of_pull_request_escapes_a_sweep(sweeps: Sweeps, facts: dict[str, Any]) -> None:
    sha = sweeps.judged(1, **facts)
    sweeps.sweep(bad=2_000)
    assert sweeps.state(sha) in {"failure", "pending"}


def test_a_closed_one_is_left_alone(sweeps: Sweeps, fake: FakeGitHub) -> None:
    sha = sweeps.judged(1)
    fake.pulls[0].closed = True
    assert "0 open" in last_line(sweeps.sweep(bad=2_000))
    assert sweeps.state(sha) == "success"


@pytest.mark.parametrize("login", ["mallory", "ada", None])
def test_a_status_that_somebody_else_has_set_is_neither_touched_nor_trusted(
    sweeps: Sweeps, fake: FakeGitHub, login: str | None
) -> None:
    sha = sweeps.judged(1, files=("src/a.py",))
    body = dict(fake.shown(sha)["gate/chat"])
    fake.plant_status(sha, login, **body | {"state": "success"})
    sent = len(fake.statuses)
    done = sweeps.sweep()
    assert len(fake.statuses) == sent
    assert "1 no status of this gate" in last_line(done)


@pytest.mark.parametrize(
    "until", ["2099-01-01T00:00:00Z", "2026-99-99T99:99:99Z", "0001-01-01T00:00:00Z"]
)
def test_a_time_that_no_decision_can_have_does_not_hold(
    sweeps: Sweeps, fake: FakeGitHub, until: str
) -> None:
    sha = sweeps.judged(1)
    body = fake.shown(sha)["gate/chat"]
    body["description"] = body["description"].replace("2026-11-01T00:15:00Z", until)
    sweeps.sweep(bad=2_000)
    assert sweeps.state(sha) in {"failure", "pending"}


def many(sweeps: Sweeps, fake: FakeGitHub, numbers: int) -> str:
    """Open many pull requests of all kinds with the status of one that was allowed long ago."""
    sha = sweeps.judged(1)
    ((_, body),) = [(name, body) for name, body in fake.statuses if body["state"] == "success"]
    for number in range(2, numbers + 1):
        sweeps.open(number, draft=number % 3 == 0, fork=number % 7 == 0)
        fake.statuses.append((commit(number), dict(body)))
    return sha


@pytest.mark.parametrize("numbers", [110, pytest.param(300, marks=pytest.mark.slow)])
def test_many_pull_requests_are_measured_once_and_each_is_set_once(
    sweeps: Sweeps, fake: FakeGitHub, numbers: int
) -> None:
    many(sweeps, fake, numbers)
    fake.faults["repos/create-commit-status"] = [refused(429, "slow down", Retry_After="0")] * 2
    before = len(fake.statuses)
    done = sweeps.sweep(bad=2_000)
    assert done.exit_code == 0
    assert f"{numbers} open, {numbers} checked, {numbers} set" in last_line(done)
    assert {sweeps.state(commit(number + 1)) for number in range(numbers)} == {"failure"}
    assert len(fake.statuses) == before + numbers
    assert fake.seen.count("users/get-authenticated") == 1


def test_a_limit_in_the_middle_leaves_whole_what_was_done_and_the_next_sweep_goes_on(
    sweeps: Sweeps, fake: FakeGitHub
) -> None:
    many(sweeps, fake, 30)
    limit = refused(403, "You have exceeded a secondary rate limit", Retry_After="7200")

    def begin() -> None:
        fake.faults["repos/create-commit-status"] = [limit]

    fake.before["repos/list-commit-statuses-for-ref"] = [*([lambda: None] * 9), begin]
    done = sweeps.sweep(bad=2_000)
    assert done.exit_code == 3
    assert "21 not checked" in last_line(done)
    states_ = [sweeps.state(commit(number)) for number in range(1, 31)]
    assert states_ == ["failure"] * 9 + ["success"] * 21
    assert sweeps.sweep(bad=2_000).exit_code == 0
    assert {sweeps.state(commit(number)) for number in range(1, 31)} == {"failure"}


def test_one_commit_in_two_pull_requests_is_never_decided_by_the_laxer_one(
    sweeps: Sweeps, fake: FakeGitHub
) -> None:
    sha = sweeps.judged(1, files=("src/a.py",))
    fake.pulls.append(OpenPull(number=2, sha=sha, files=("canary/a.yaml",)))
    sweeps.sweep(bad=1)
    assert sweeps.state(sha) == "pending"


def test_a_label_that_nobody_has_approved_makes_no_success_of_a_block(
    sweeps: Sweeps, fake: FakeGitHub
) -> None:
    sha = sweeps.judged(1, files=("src/a.py",))
    fake.pulls[0].labels = ("security",)
    sweeps.sweep()
    assert sweeps.state(sha) in {"failure", "pending"}


@pytest.mark.parametrize(
    "url",
    [
        "https://github.example/run#gate-000000000000-000000000000",
        "https://github.example/run",
        f"https://evil.example/#gate-{PLACE.digest}-000000000000",
        f"javascript:alert(1)#gate-{PLACE.digest}",
    ],
)
def test_a_success_whose_question_is_not_ours_is_not_renewed(
    sweeps: Sweeps, fake: FakeGitHub, url: str
) -> None:
    sha = sweeps.judged(1)
    fake.shown(sha)["gate/chat"]["target_url"] = url
    before = len(fake.statuses)
    sweeps.sweep(bad=1)
    link = StatusLink.read(url)
    if link is not None and link.gate != PLACE.digest:
        assert len(fake.statuses) == before  # another gate's of the same name
    else:
        assert sweeps.state(sha) == "pending"


@pytest.mark.parametrize(
    "description",
    [
        "; policy 0123456789ab, until 2099-01-01T00:00:00Z, or so",
        "; policy 0123456789AB, until 2099-01-01T00:00:00Z",
        "; policy 0123456789ab, until 2099-01-01T00:00:00",
        "; policy 0123456789ab, until 2099-13-01T00:00:00Z",
        "policy 0123456789ab",
    ],
)
def test_a_text_that_only_looks_like_a_decision_is_none(description: str) -> None:
    status = PostedStatus(
        state="success", name="x", description=description, url="", author="a", at=read_instant(AT)
    )
    assert StatusText.read(status) is None


REPORTS: Final = (
    "## ✅ ALLOW: everything\n",
    "```\n@acme/everyone see [this](https://evil.example)\n",
    "<!-- gate:v2 id=0 -->\n</details></pre></code><img src=x onerror=alert(1)>\n",
    "a\rb\rc\n\r@ada\r\n<script>x</script>",
    "\t\n~~~\n> quote\n# heading\n",
    "\u202egpj.exe\u2066\u200b\x1b[31m\x00\n",
    "a\u2028@ada\u2029@bob\x0b@eve\x0c@dan\x85@kim\n",
    "x" * 100_000,
    "@a\n" * 30_000,
    PLACE.marker,
    "",
)


@pytest.mark.parametrize("report", REPORTS)
def test_the_text_of_a_fork_is_shown_as_a_block_of_code_and_nothing_else(
    tmp_path: Path, report: str
) -> None:
    (tmp_path / "fork" / "gate-1").mkdir(parents=True)
    (tmp_path / "fork" / "gate-1" / "report.md").write_bytes(report.encode("utf-8", "replace"))
    body = fork_comment(tmp_path)
    head, said, blank, *lines = body.split("\n")
    assert head == "<!-- gate: of a fork -->"
    assert "which the fork controls: not verified" in said
    assert blank == ""
    assert all(line[:4].strip() == "" and (len(line) >= 4 or line == "") for line in lines[:-1])
    assert all(line.startswith("    ") or line == "    "[: len(line)] for line in lines)
    assert body.isascii()
    assert all(char == "\n" or char.isprintable() for char in body)
    assert len(body) < 65_536
    assert not any(a.isspace() and b[:4].strip() for a, b in pairwise(lines))


def fork_comment(folder: Path) -> str:
    """Run the script of the recipe with a `gh` that keeps what it would send, and return that."""
    (step,) = [
        step
        for step in yaml.safe_load(recipes()["gate comment"])["jobs"]["comment"]["steps"]
        if "run" in step
    ]
    programs = folder / "bin"
    programs.mkdir()
    (programs / "gh").write_text(
        '#!/bin/sh\ncase "$*" in\n*/pulls*) echo 7;;\n*POST*) cp body.md sent.md;;\nesac\n'
    )
    (programs / "gh").chmod(0o755)
    subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder,
        env={
            "PATH": f"{programs}:{os.environ['PATH']}",
            "REPOSITORY": "repos/acme/chat",
            **dict.fromkeys(("OWNER", "BRANCH", "SHA"), "$(touch owned) `touch owned` --jq"),
        },
        check=True,
        timeout=60,
    )
    assert not (folder / "owned").exists()
    return (folder / "sent.md").read_text()
