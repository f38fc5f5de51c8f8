"""K7: the log of decisions cannot be rewritten without somebody seeing it."""

import json
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gate.cli.log_files import append_made
from gate.decision.chain import line_hash, next_line
from gate.decision.seal import SealKey, hmac_key
from tests.attacks.decisions import SECRET, Deploy, pair, paths_of, resealed
from tests.attacks.decisions import changed as altered
from tests.command import Result, gate

KEY = {"GATE_SIGNING_KEY": SECRET}
PRIVATE, PUBLIC = pair()


def recorded(pushed: Deploy, path: Path, **more: str) -> bytes:
    """Return a log of four decisions, the third of which was a block."""
    for change in ("canary", "bug-fix", "full-rollout", "rollback"):
        pushed.world.run("--change", change, "--record", str(path), **more)
    return path.read_bytes()


@pytest.fixture(scope="module")
def unsigned_records(pushed: Deploy, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return recorded(pushed, tmp_path_factory.mktemp("log") / "decisions.jsonl")


@pytest.fixture(scope="module")
def signed_records(pushed: Deploy, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return recorded(pushed, tmp_path_factory.mktemp("log") / "signed.jsonl", **KEY)


@pytest.fixture
def log(unsigned_records: bytes, tmp_path: Path) -> Path:
    """A log of four decisions, the third of which was a block; each test may change its own."""
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(unsigned_records)
    return path


@pytest.fixture
def signed(signed_records: bytes, tmp_path: Path) -> Path:
    """The same, signed."""
    path = tmp_path / "signed.jsonl"
    path.write_bytes(signed_records)
    return path


def verify(path: Path, *options: str, **more: str) -> Result:
    return gate("log", str(path), "--verify", *options, env=more)


def named(result: Result) -> list[int]:
    """Return the lines that are named as flawed."""
    lines = result.stdout.splitlines()
    assert result.exit_code == 3
    assert all(line.startswith("REFUSED ") for line in lines)
    return [int(line.split(": ")[0].rpartition(":")[2]) for line in lines[:-1]]


def test_a_log_as_it_was_written_holds(log: Path) -> None:
    done = verify(log)
    last = line_hash(log.read_bytes().splitlines()[-1])
    assert done.exit_code == 0
    assert done.stdout == f"HOLDS {log}: 4 records, not signed; last: {last}\n"


def test_a_signed_log_holds_with_either_kind_of_key(
    deploy: Deploy, signed: Path, tmp_path: Path
) -> None:
    assert verify(signed, **KEY).stdout.split(": ")[1] == "4 records, signed; last"
    path = tmp_path / "ed25519.jsonl"
    for _ in range(2):
        deploy.world.run("--change", "canary", "--record", str(path), GATE_SIGNING_KEY=PRIVATE)
    assert verify(path, GATE_VERIFY_KEY=PUBLIC).exit_code == 0
    assert verify(path, GATE_VERIFY_KEY=pair()[1]).exit_code == 3


def test_a_line_says_what_was_decided_by_which_policy(log: Path) -> None:
    records = [json.loads(line) for line in log.read_text().splitlines()]
    assert [record["number"] for record in records] == [1, 2, 3, 4]
    assert [record["exit_code"] for record in records] == [0, 0, 10, 0]
    assert {record["mode"] for record in records} == {"enforced"}
    assert len({record["policies"][0]["sha256"] for record in records}) == 1
    assert records[0]["previous_sha256"] is None
    assert records[3]["previous_sha256"] == line_hash(log.read_bytes().splitlines()[2])


Alter = Callable[[list[bytes]], list[bytes]]


def changed(place: int, resealing: bool, /, **members: object) -> Alter:
    """Return what changes one line, and makes its hash fit if need be."""

    def alter(lines: list[bytes]) -> list[bytes]:
        record = json.loads(lines[place - 1]) | members
        record = resealed(record) if resealing else record
        return [*lines[: place - 1], json.dumps(record).encode(), *lines[place:]]

    return alter


def old_line(lines: list[bytes]) -> bytes:
    """Return a line as it was before logs were chained."""
    record = json.loads(lines[0])
    chained = ("number", "previous_sha256", "seal")
    return json.dumps({k: v for k, v in record.items() if k not in chained}).encode()


TAMPERING: dict[str, tuple[Alter, list[int]]] = {
    "the first is deleted": (lambda lines: lines[1:], [1, 2, 3]),
    "the block is deleted": (lambda lines: [*lines[:2], lines[3]], [3]),
    "two are deleted": (lambda lines: [lines[0], lines[3]], [2]),
    "all but the last are deleted": (lambda lines: lines[3:], [1]),
    "two are exchanged": (lambda lines: [lines[0], lines[2], lines[1], lines[3]], [2, 3, 4]),
    "turned round": (lambda lines: lines[::-1], [1, 2, 3, 4]),
    "one is doubled": (lambda lines: [*lines[:2], *lines[1:]], [3, 4, 5]),
    "the last is doubled": (lambda lines: [*lines, lines[-1]], [5]),
    "one is put in": (lambda lines: [lines[0], old_line(lines), *lines[1:]], [2, 3, 4, 5]),
    "an old one is put at the end": (lambda lines: [*lines, old_line(lines)], [5]),
    "an old one is put at the beginning": (
        lambda lines: [old_line(lines), *lines],
        [1, 2, 3, 4, 5],
    ),
    "all are old ones": (lambda lines: [old_line(lines)] * 2, [1, 2]),
    "an empty line is put in": (lambda lines: [lines[0], b"", *lines[1:]], [2, 3, 4, 5]),
    "an empty line is put at the end": (lambda lines: [*lines, b""], [5]),
    "one is changed": (changed(3, False, exit_code=0), [3, 4]),
    "one is changed, its hash too": (changed(3, True, exit_code=0), [4]),
    "the last is changed": (changed(4, False, verdict="block"), [4]),
    "who overrode is changed": (changed(2, True, override={"approved_by": "@eve"}), [3]),
    "a number is changed": (changed(3, True, number=2), [3, 4]),
    "a number is none": (changed(4, True, number="4"), [4]),
    "a number is true": (changed(1, True, number=True), [1, 2]),
    "a hash is taken away": (changed(4, True, previous_sha256=None), [4]),
    "a hash is put at the beginning": (changed(1, True, previous_sha256="0" * 64), [1, 2]),
    "it is spelled in another way": (
        lambda lines: [*lines[:3], json.dumps(json.loads(lines[3]), indent=None).encode() + b" "],
        [4],
    ),
    "the ends of its lines are those of Windows": (
        lambda lines: [line + b"\r" for line in lines],
        [1, 2, 3, 4],
    ),
    "no JSON": (lambda lines: [*lines, b"allow"], [5]),
    "two values of one name": (lambda lines: [*lines, b'{"a": 1, "a": 2}'], [5]),
    "a list": (lambda lines: [*lines, b"[]"], [5]),
    "brackets": (lambda lines: [*lines, b"[" * 100_000], [5]),
    "no seal": (lambda lines: [*lines, b'{"number": 5}'], [5]),
}


@pytest.mark.variants(8)
@pytest.mark.parametrize("kind", TAMPERING)
def test_what_was_done_to_a_log_is_named(log: Path, kind: str) -> None:
    alter, lines = TAMPERING[kind]
    log.write_bytes(b"".join(line + b"\n" for line in alter(log.read_bytes().splitlines())))
    assert named(verify(log)) == lines


def test_a_line_that_is_cut_off_is_named(log: Path) -> None:
    content = log.read_bytes()
    log.write_bytes(content[:-1])
    assert named(verify(log)) == [4]
    log.write_bytes(content[:-40])
    assert named(verify(log)) == [4, 4]


def test_missing_lines_at_the_end_are_seen_by_who_remembers_the_last_one(log: Path) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    last = line_hash(lines[3].rstrip())
    log.write_bytes(b"".join(lines[:3]))
    assert verify(log).exit_code == 0  # nobody can see it without that
    assert named(verify(log, "--expect-last", last)) == [4]
    assert named(verify(log, "--at-least", "4")) == [4]
    log.write_bytes(b"".join(lines))
    assert verify(log, "--expect-last", last, "--at-least", "4").exit_code == 0
    assert verify(log, "--expect-last", line_hash(lines[1].rstrip())).exit_code == 0


def test_an_empty_log_does_not_hold(log: Path) -> None:
    log.write_bytes(b"")
    assert named(verify(log)) == [1]


def written_anew(lines: list[bytes], key: SealKey | None) -> bytes:
    """Return the log without its third record, all hashes made to fit."""
    content = b""
    for line in (*lines[:2], lines[3]):
        record = json.loads(line)
        document = record | {
            "seal": record["decision"],
            "policies": [
                policy | {"source": {"sha256": policy["sha256"], "revision": policy["revision"]}}
                for policy in record["policies"]
            ],
        }
        content += next_line(content, document, key)
    return content


def test_a_log_that_was_written_anew_lacks_the_signatures(signed: Path) -> None:
    lines = signed.read_bytes().splitlines()
    for key in (None, hmac_key(b"a secret of somebody else")):
        signed.write_bytes(written_anew(lines, key))
        assert named(verify(signed, **KEY)) == [1, 2, 3]
    signed.write_bytes(written_anew(lines, hmac_key(SECRET.encode())))
    assert verify(signed, **KEY).exit_code == 0  # as whoever has the key could


@pytest.mark.parametrize("kind", ["the block is deleted", "two are exchanged"])
def test_a_signed_log_shows_it_too(signed: Path, kind: str) -> None:
    alter, lines = TAMPERING[kind]
    signed.write_bytes(b"".join(line + b"\n" for line in alter(signed.read_bytes().splitlines())))
    assert named(verify(signed, **KEY)) == lines


def test_signatures_that_nobody_looks_at_are_named(signed: Path) -> None:
    assert named(verify(signed)) == [1, 2, 3, 4]


@pytest.mark.parametrize("value", ["", " "])
@pytest.mark.parametrize("variable", ["GATE_SIGNING_KEY", "GATE_VERIFY_KEY"])
def test_an_empty_key_is_an_error(log: Path, variable: str, value: str) -> None:
    assert verify(log, **{variable: value}).exit_code == 2


def test_only_the_first_of_many_flaws_are_named(log: Path) -> None:
    log.write_bytes(b"{}\n" * 50)
    done = verify(log)
    assert len(named(done)) == 20
    assert done.stdout.endswith("50 flaws, the first 20 of which are listed\n")


def test_a_log_goes_on_after_a_line_that_was_cut_off(deploy: Deploy, log: Path) -> None:
    log.write_bytes(log.read_bytes()[:-40])
    deploy.world.run("--change", "canary", "--record", str(log))
    assert named(verify(log)) == [4]
    assert json.loads(log.read_text().splitlines()[-1])["number"] == 5


def test_runs_at_once_wait_for_each_other(deploy: Deploy, tmp_path: Path) -> None:
    document, path = deploy.decide(), tmp_path / "many.jsonl"

    def add() -> None:
        for _ in range(10):
            append_made(str(path), lambda content: next_line(content, document, None))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = verify(path, "--at-least", "40")
    assert (done.exit_code, done.stdout.split(": ")[1][:10]) == (0, "40 records")


@pytest.mark.parametrize("kind", ["link", "link to nothing", "pipe", "device"])
def test_a_record_goes_to_a_file_only(deploy: Deploy, tmp_path: Path, kind: str) -> None:
    there, path = tmp_path / "there", deploy.world.checkout / "decisions.jsonl"
    if kind.startswith("link"):
        path.symlink_to(there)
        if kind == "link":
            there.write_text("mine\n")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path = Path("/dev/null")
    done = deploy.world.run("--change", "canary", "--record", str(path))
    assert done.exit_code == 0
    assert "could not be written: " in done.stderr
    assert not there.exists() or there.read_text() == "mine\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [(("--at-least", "1"), "need --verify"), (("--expect-last", "a"), "need --verify")],
)
def test_what_was_is_remembered_for_the_check_only(
    log: Path, options: tuple[str, ...], words: str
) -> None:
    done = gate("log", str(log), *options)
    assert (done.exit_code, words in done.stderr) == (2, True)


@pytest.mark.parametrize("line", [b"{", b"[1]", b"{}", b'{"overridden": 1}', b'{"a":1,"a":1}', b""])
def test_a_log_with_a_line_that_is_not_a_record_lists_nothing(log: Path, line: bytes) -> None:
    log.write_bytes(log.read_bytes() + line + b"\n")
    done = gate("log", str(log))
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"{log}:5: this line " in done.stderr


def test_a_folder_is_not_a_log(tmp_path: Path) -> None:
    for options in ((), ("--verify",)):
        done = gate("log", str(tmp_path), *options)
        assert (done.exit_code, "it is not a regular file" in done.stderr) == (2, True)


def test_no_value_of_any_kind_in_a_record_makes_a_trace(deploy: Deploy, tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    until = f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    glass = ("--override", "the fix", "--override-approved-by", "@grace", "--override-until", until)
    deploy.world.run("--change", "full-rollout", *glass, "--record", str(path))
    record = json.loads(path.read_text())
    assert gate("log", str(path), "--overrides").stdout.count("\n") == 2
    odd: tuple[object, ...] = (None, [], {}, 5, "x", True, 1.5, [[]], {"a": 1}, "\x1b[2J\n::x")
    for place in paths_of(record):
        for value in odd:
            path.write_text(json.dumps(altered(record, place, value)) + "\n")
            for options in ((), ("--overrides",)):
                done = gate("log", str(path), *options)
                assert done.exit_code in {0, 2}, (place, value)
                assert "Traceback" not in done.stderr
                assert "\x1b" not in done.stdout
            assert verify(path).exit_code == 3 or altered(record, place, value) == record
