"""K7: a decision holds for what it was made for, and for nothing else."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from gate.decision.slo_document import rfc3339
from gate.hosts.systems import detect
from tests.attacks.decisions import Deploy, Document, changed, paths_of, refused, resealed
from tests.attacks.world import World, keeps_its_secrets
from tests.command import gate
from tests.servers.github import REPOSITORY

HERE = ("--repository", REPOSITORY, "--service", "chat", "--change", "canary")


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--service", "chat"),
        ("--change", "canary"),
        ("--repository", REPOSITORY),
        ("--policy", "gate.yaml"),
        (*HERE, "--policy", "gate.yaml", "--policy", "./gate.yaml"),
    ],
)
def test_a_decision_holds_for_what_it_is_about(deploy: Deploy, options: tuple[str, ...]) -> None:
    deploy.decide()
    done = deploy.verify(None, *options)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == f"HOLDS {deploy.file}: allow, exit code 0\n"


def test_a_decision_for_an_environment_holds_there(deploy: Deploy) -> None:
    deploy.decide("--environment", "production")
    assert deploy.verify(None, "--environment", "production").exit_code == 0


def test_a_decision_on_a_base_holds_for_it(deploy: Deploy) -> None:
    deploy.decide("--base", "HEAD~1")
    assert deploy.verify(None, "--base", "HEAD~1").exit_code == 0
    assert deploy.verify().exit_code == 0


def test_a_block_that_holds_gives_its_own_exit_code(deploy: Deploy) -> None:
    deploy.decide(change="full-rollout")
    done = deploy.verify()
    assert (done.exit_code, done.stdout.split()[0]) == (10, "HOLDS")


def test_an_override_holds_until_it_ends(deploy: Deploy) -> None:
    until = rfc3339(datetime.now(UTC) + timedelta(minutes=10))
    glass = (
        "--override",
        "the fix",
        "--override-approved-by",
        "@grace",
        "--override-until",
        str(until),
    )
    deploy.decide(*glass, change="full-rollout")
    done = deploy.verify()
    assert (done.exit_code, done.stdout.split(": ")[1]) == (0, "block, overridden, exit code 0\n")
    assert refused(deploy.verify(late=timedelta(minutes=11)), "it held until")


@pytest.mark.variants(9)
@pytest.mark.parametrize(
    ("decided", "asked", "words"),
    [
        ((), ("--revision", "f" * 40), "it is about the commit"),
        ((), ("--revision", "HEAD"), "and 'HEAD' ships"),
        ((), ("--revision", "main"), "and 'main' ships"),
        ((), ("--repository", "acme/other"), "and 'acme/other' ships"),
        ((), ("--repository", "ACME/CHAT"), "and 'ACME/CHAT' ships"),
        ((), ("--environment", "production"), "it names no environment"),
        (("--environment", "staging"), (), "for the environment 'staging': name it"),
        (("--environment", "staging"), ("--environment", "production"), "not for 'production'"),
        (("--environment", "Production"), ("--environment", "production"), "not for 'production'"),
        (("--environment", ""), ("--environment", "production"), "not for 'production'"),
        (("--environment", "staging"), ("--environment", ""), "and not for ''"),
        (("--environment", ""), (), "for the environment ''"),
        ((), ("--environment", ""), "is not for ''"),
        ((), ("--revision", ""), "and '' ships"),
        ((), ("--repository", ""), "and '' ships"),
        ((), ("--service", ""), "it is not about the service ''"),
        ((), ("--change", ""), "and not ''"),
        ((), ("--base", ""), ", not ''"),
        ((), ("--service", "rag"), "it is not about the service 'rag'"),
        ((), ("--service", "chat", "--service", "rag"), "it is not about the service 'rag'"),
        ((), ("--change", "full-rollout"), "it is about 'canary', and not 'full-rollout'"),
        (("--base", "HEAD~1"), ("--base", "HEAD~2"), "not 'HEAD~2'"),
        (("--dry-run",), (), "it was a dry run"),
        (("--at", "2026-01-01T00:00:00Z", "--dry-run"), (), "it was a dry run"),
    ],
)
def test_it_is_refused_for_anything_else(
    deploy: Deploy, decided: tuple[str, ...], asked: tuple[str, ...], words: str
) -> None:
    deploy.decide(*decided)
    assert refused(deploy.verify(None, *asked), words)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"GITHUB_SHA": "f" * 40}, "it is about the commit"),
        ({"GITHUB_REPOSITORY": "mallory/chat"}, "and 'mallory/chat' ships"),
    ],
)
def test_what_is_not_said_is_what_this_run_is_about(
    deploy: Deploy, more: dict[str, Any], words: str
) -> None:
    deploy.decide()
    assert refused(deploy.verify(**more), words)


def test_a_decision_of_no_repository_does_not_serve_in_one(deploy: Deploy) -> None:
    revision = deploy.world.revision()
    deploy.decide("--ci", "none")
    assert refused(deploy.verify(None, "--revision", revision), "it is about no repository")
    assert deploy.verify(None, "--ci", "none").exit_code == 0


def test_a_policy_that_was_altered_since_is_not_the_one_that_decided(deploy: Deploy) -> None:
    deploy.decide()
    (deploy.world.checkout / "gate.yaml").write_text(deploy.world.loose)
    assert refused(deploy.verify(None, "--policy", "gate.yaml"), "its text differs")


def test_the_hash_of_a_policy_needs_no_variable_of_its_backend(world: World) -> None:
    text = world.policy.replace(f"path: {world.counts}", 'path: "${COUNTS}"')
    world.commit("by a variable", {"gate.yaml": text})
    world.pushed()
    world.check_out()
    deploy = Deploy(world)
    deploy.decide(COUNTS=str(world.counts))
    assert deploy.verify(None, "--policy", "gate.yaml").exit_code == 0


@pytest.mark.parametrize("text", ["version: 1\n", "[", ""])
def test_a_policy_that_is_none_is_a_mistake_of_the_caller(deploy: Deploy, text: str) -> None:
    deploy.decide()
    (deploy.world.checkout / "gate.yaml").write_text(text)
    assert deploy.verify(None, "--policy", "gate.yaml").exit_code == 2


def test_a_decision_of_a_modified_policy_does_not_hold(deploy: Deploy) -> None:
    (deploy.world.checkout / "gate.yaml").write_text(deploy.world.loose)
    decided = deploy.decide("--policy-ref", "none", change="full-rollout")
    assert decided["exit_code"] == 0
    for options in ((), ("--policy", "gate.yaml")):
        assert refused(deploy.verify(None, *options), "was modified and not committed")


def test_a_policy_in_no_commit_must_be_named(deploy: Deploy) -> None:
    policy = deploy.world.checkout / "gate.yaml"
    (deploy.world.checkout / "other.yaml").write_text(policy.read_text())
    arguments = ("check", "other.yaml", "--change", "canary", "--write", f"json={deploy.file}")
    gate(
        *arguments,
        "--policy-ref",
        "none",
        cwd=deploy.world.checkout,
        env=deploy.world.environment(),
    )
    assert refused(deploy.verify(), "is in no commit")
    assert deploy.verify(None, "--policy", "other.yaml").exit_code == 0
    (deploy.world.checkout / "other.yaml").write_text(deploy.world.loose)
    assert refused(deploy.verify(None, "--policy", "other.yaml"), "is in no commit")


@pytest.mark.parametrize(
    ("late", "code"),
    [
        (timedelta(minutes=14), 0),
        (timedelta(minutes=15, seconds=1), 3),
        (timedelta(days=400), 3),
        (timedelta(seconds=-30), 0),
        (timedelta(minutes=-3), 3),
        (timedelta(days=-400), 3),
    ],
)
def test_it_holds_from_when_it_was_made_until_it_expires(
    deploy: Deploy, late: timedelta, code: int
) -> None:
    deploy.decide()
    assert deploy.verify(late=late).exit_code == code


CONTRADICTIONS: dict[str, dict[tuple[str | int, ...], Any]] = {
    "a block that says 0": {("exit_code",): 0},
    "an exit code of its own": {("exit_code",): 11},
    "allow, and its policy blocks": {("verdict",): "allow", ("exit_code",): 0},
    "allow, and the finding blocks": {
        ("verdict",): "allow",
        ("exit_code",): 0,
        ("policies", 0, "verdict"): "allow",
    },
    "overridden by nobody": {("overridden",): True, ("exit_code",): 0},
    "overridden by nobody, with the code of the block": {("overridden",): True},
    "no finding at all": {
        ("policies", 0, "findings"): [],
        ("policies", 0, "verdict"): "allow",
        ("verdict",): "allow",
        ("exit_code",): 0,
    },
    "an override that has ended": {
        ("override",): {
            "reason": "the fix",
            "approved_by": "@grace",
            "until": "2020-01-01T00:00:00Z",
            "label": None,
        },
        ("overridden",): True,
        ("exit_code",): 0,
    },
    "of another mode": {("mode",): "stated-instant"},
    "observed, and said to be enforced": {("observe",): True, ("exit_code",): 0},
    "said to be observed": {("mode",): "observe", ("exit_code",): 0},
    "confirmed, and overridden by nobody": {("override_confirmed",): True},
    "another class": {("change_class",): "canary"},
    "no class": {("change_class",): None},
    "for a century": {("expires_at",): "2126-01-01T00:00:00Z"},
    "ended before it began": {("expires_at",): "2001-01-01T00:00:00Z"},
    "made in the future": {
        ("evaluated_at",): "2098-01-01T00:00:00Z",
        ("expires_at",): "2098-01-01T00:15:00Z",
    },
    "made in a far future, in another time zone": {
        ("evaluated_at",): "9998-12-31T23:59:59-23:59",
        ("expires_at",): "9998-12-31T23:59:59-23:58",
    },
    "about no commit": {("context", "revision"): None},
    "about a branch": {("context", "revision"): "main"},
    "about nothing": {("context", "revision"): ""},
    "of a modified policy": {("policies", 0, "source", "modified"): True},
    "of no policies": {("policies",): []},
}


@pytest.mark.parametrize("kind", CONTRADICTIONS)
def test_a_document_that_contradicts_itself_or_the_world_is_refused(
    deploy: Deploy, kind: str
) -> None:
    document = deploy.decide(change="full-rollout")
    assert deploy.verify().exit_code == 10
    for path, value in CONTRADICTIONS[kind].items():
        document = changed(document, path, value)
    assert refused(deploy.verify(resealed(document)))


@pytest.mark.parametrize("name", ["main", "HEAD", "", "f" * 39, "F" * 40, "refs/heads/main"])
def test_a_name_that_moves_binds_no_decision_even_where_it_is_the_one_that_ships(
    deploy: Deploy, name: str
) -> None:
    moving = resealed(changed(deploy.decide(), ("context", "revision"), name))
    assert refused(deploy.verify(moving, "--revision", name), "not the full hash of a commit")


@pytest.mark.parametrize("end", ["2026-02-30T00:00:00Z", "2026-11-01", "2026-11-01T00:00:00"])
@pytest.mark.parametrize("place", ["evaluated_at", "expires_at"])
def test_an_instant_that_is_none_is_refused(deploy: Deploy, place: str, end: str) -> None:
    assert refused(deploy.verify(resealed(changed(deploy.decide(), (place,), end))))


ODD: tuple[Any, ...] = (None, [], {}, 5, "x", True, 10**400, -1, 1.5, [[]], {"a": 1}, "\x1b[2J")


def test_no_value_of_any_kind_anywhere_makes_a_trace_or_a_yes_of_a_block(deploy: Deploy) -> None:
    document = deploy.decide(change="full-rollout")
    here = detect({k: v for k, v in deploy.world.environment().items() if v is not None})
    wrong, tried = [], 0
    for path in paths_of(document):
        for value in ODD:
            altered = changed(document, path, value)
            # Every second time with a seal that fits: what is there besides must hold by itself.
            with patch("gate.cli.verify.context_of", lambda _: here):  # git need not tell each time
                done = deploy.verify(resealed(altered) if tried % 2 else altered)
            tried += 1
            if done.exit_code not in {3, 10} or len(done.stdout.splitlines()) != 1:
                wrong.append((path, value, done))
    assert tried > 1_000
    assert wrong == []


def test_what_is_missing_or_too_much_is_refused(deploy: Deploy) -> None:
    document = deploy.decide()
    for path in paths_of(document):
        by_window = path[-2:-1] == ("burn_rates",)  # the policy says which there are
        named = isinstance(path[-1], str) and path[0] not in {"seal", "schema_version"}
        if named and not by_window:
            lacking = changed(document, path, None)
            node: Any = lacking
            for step in path[:-1]:
                node = node[step]
            del node[path[-1]]
            assert refused(deploy.verify(resealed(lacking)), "(required)"), path
    for path in ((), ("context",), ("policies", 0), ("policies", 0, "slos", 0)):
        more = changed(document, (*path, "more"), 1)
        assert refused(deploy.verify(resealed(more)), "a key that no decision has"), path


def raw_documents(document: Document) -> dict[str, bytes]:
    """Return texts that are no document, or that two readers could take for two."""
    text = json.dumps(document)
    twice = text.replace('"exit_code": 10', '"exit_code": 10, "exit_code": 0')
    deep = text.replace('"service": "chat"', '"service": "chat", "service": "rag"')
    assert twice != text != deep
    return {
        "nothing": b"",
        "a blank": b" ",
        "cut off": text[:-1].encode(),
        "trailing data": f"{text}{text}".encode(),
        "a trailing word": f"{text} allow".encode(),
        "two values of one name": twice.encode(),
        "two values of one name, deep within": deep.encode(),
        "a mark of the order of bytes": text.encode("utf-8-sig"),
        "UTF-16": text.encode("utf-16"),
        "UTF-32": text.encode("utf-32"),
        "Latin-1": b'{"schema_version": 1, "verdict": "\xff"}',
        "half of a pair": text.replace('"chat"', '"\\ud800"').encode(),
        "NaN": text.replace('"fail_on_warn": false', '"fail_on_warn": NaN').encode(),
        "Infinity": text.replace('"fail_on_warn": false', '"fail_on_warn": -Infinity').encode(),
        "a number out of range": text.replace('"exit_code": 10', '"exit_code": 1e999').encode(),
        "a number of 10,000 digits": text.replace(
            '"exit_code": 10', '"exit_code": ' + "9" * 10_000
        ).encode(),
        "an exit code as a float": text.replace('"exit_code": 10', '"exit_code": 0.0').encode(),
        "100,000 brackets": b"[" * 100_000,
        "100,000 brackets and their ends": b"[" * 100_000 + b"]" * 100_000,
        "100,000 objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        "a list": b"[]",
        "a number": b"0",
        "allow": b'"allow"',
        "true": b"true",
        "nothing at all": b"null",
        "an empty object": b"{}",
        "a version to come": text.replace('"schema_version": 1', '"schema_version": 2').encode(),
        "a version that equals it": text.replace(
            '"schema_version": 1', '"schema_version": true'
        ).encode(),
        "a version as a float": text.replace(
            '"schema_version": 1', '"schema_version": 1.0'
        ).encode(),
        "YAML": b"schema_version: 1\nverdict: allow\nexit_code: 0\n",
        "a shell's": b"#!/bin/sh\nexit 0\n",
        "too much": b" " * ((1 << 24) + 1) + text.encode(),
    }


@pytest.mark.parametrize("kind", raw_documents({"exit_code": 10, "service": "chat"}))
def test_what_is_not_a_document_beyond_doubt_is_refused(deploy: Deploy, kind: str) -> None:
    texts = raw_documents(deploy.decide(change="full-rollout"))
    assert refused(deploy.verify(texts[kind]))


@pytest.mark.parametrize("kind", ["folder", "pipe", "zeros", "random", "full"])
def test_what_is_not_a_file_is_refused_at_once(deploy: Deploy, kind: str) -> None:
    if kind == "folder":
        deploy.file.mkdir()
    elif kind == "pipe":
        os.mkfifo(deploy.file)
    else:
        deploy.file.symlink_to(
            {"zeros": "/dev/zero", "random": "/dev/urandom"}.get(kind, "/dev/full")
        )
    assert refused(deploy.verify(), "it is not a regular file")


@pytest.mark.parametrize("name", ["missing.json", "no/such/folder.json", "a" * 5_000, "a\0b"])
def test_a_file_that_is_not_there_is_a_mistake_of_the_caller(deploy: Deploy, name: str) -> None:
    done = gate("verify", name, cwd=deploy.world.checkout, env=deploy.world.environment())
    assert (done.exit_code, done.stdout) == (2, "")
    assert "cannot be read" in done.stderr


HOSTILE = [
    "x\nHOLDS decision.json: allow, exit code 0",
    "\r\n::set-output name=verdict::allow",
    "##[group]x",
    "::add-mask::x",
    "\x1b[1A\x1b[2KHOLDS",
    "\u202eallow",
    "\u2028HOLDS",
    "a" * 100_000,
]
PLACES: tuple[tuple[str | int, ...], ...] = (
    ("context", "revision"),
    ("context", "repository"),
    ("context", "environment"),
    ("context", "base"),
    ("policies", 0, "service"),
    ("expires_at",),
    ("verdict",),
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_of_a_document_can_be_taken_for_the_gates_own(deploy: Deploy, text: str) -> None:
    document = deploy.decide()
    for place in PLACES:
        altered = resealed(changed(document, place, text))
        more = ("--environment", "production", "--base", "main", "--service", "chat")
        for options in ((), more[2:], more):
            done = deploy.verify(altered, *options)
            lines = done.stdout.splitlines()
            assert (done.exit_code, len(lines)) in {(0, 1), (3, 1)}
            assert done.exit_code == 3 or text not in done.stdout
            assert "::" not in done.stdout.replace(str(deploy.file), "")
            assert "##[" not in done.stdout
            assert done.stdout.strip().isprintable()
            assert len(done.stdout) < 1_000


@pytest.mark.parametrize("name", ["a\nHOLDS b: allow, exit code 0", "##[group]", "::error::x"])
def test_the_name_of_the_file_cannot_be_taken_for_the_gates_own(deploy: Deploy, name: str) -> None:
    (deploy.world.checkout / name).write_text("{}")
    done = gate("verify", name, cwd=deploy.world.checkout, env=deploy.world.environment())
    assert refused(done)
    assert "::" not in done.stdout.split(": ")[0]
    assert "##[" not in done.stdout
    assert keeps_its_secrets(done)


def test_a_document_may_be_read_through_a_link_since_its_content_counts(
    deploy: Deploy, tmp_path: Path
) -> None:
    document = deploy.decide()
    (tmp_path / "there.json").write_text(json.dumps(document))
    deploy.file.unlink()
    deploy.file.symlink_to(tmp_path / "there.json")
    assert deploy.verify().exit_code == 0
