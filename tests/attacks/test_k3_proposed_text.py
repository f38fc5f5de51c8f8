"""A change that writes into its own policy reads no secret, reaches no server and stops no run.

Every attempt is a pull request that rewrites the policy. The policy of main blocks it; what the
change proposes may be shown as a verdict, and no word or secret of it may.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from gate.reporters import REPORTERS
from tests.attacks.world import SECRETS, World, keeps_its_secrets
from tests.command import Result
from tests.servers.github import TOKEN, github

TOKENS = {name: SECRETS[name] for name in ("GITHUB_TOKEN", "GATE_SIGNING_KEY")}
CHANGE = ("--change", "full-rollout", "--policy-ref", "main")


@dataclass(slots=True)
class Listener:
    """A server that takes connections, keeps what it is sent and never answers."""

    url: str = ""
    connections: int = 0
    sent: list[bytes] = field(default_factory=list)


@pytest.fixture
def listener() -> Iterator[Listener]:
    heard = Listener()
    with socket.create_server(("127.0.0.1", 0)) as server:
        heard.url = f"http://127.0.0.1:{server.getsockname()[1]}"

        def listen() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                heard.connections += 1
                with connection:
                    heard.sent.append(connection.recv(65536))

        threading.Thread(target=listen, daemon=True).start()
        yield heard


def propose(world: World, text: str | bytes | None, **files: str) -> None:
    """Open a pull request in which the policy has another text; None: it is deleted."""
    world.branch()
    path = world.work / "gate.yaml"
    if text is None:
        path.unlink()
    else:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    world.change("feat: rewrite", {"src/a.py": "a = 2\n"} | files)
    world.open()
    world.check_out()


def judged(world: World, *arguments: str, **more: str) -> tuple[Result, dict[str, object]]:
    """Run the gate on the pull request in every format, and return what it says of the proposal."""
    outputs = {name: world.folder / f"report.{name}" for name in REPORTERS}
    copies = [f"--write={name}={path}" for name, path in outputs.items()]
    start = time.monotonic()

    result = world.run(*CHANGE, *copies, *arguments, **(TOKENS | more))

    assert time.monotonic() - start < 25
    assert result.exit_code == 10, result.stderr
    assert keeps_its_secrets(result, *outputs.values())
    every = "".join(path.read_text() for path in outputs.values())
    assert "hunter2" not in every + result.stdout + result.stderr
    proposed = json.loads(outputs["json"].read_text())["policies"][0]["proposed_policy"]
    assert proposed is not None
    return result, proposed


def with_backend(world: World, backend: str) -> str:
    """Return the loose policy with another backend."""
    own = f"{{type: static, path: {world.counts}}}"
    assert own in world.loose
    return world.loose.replace(own, backend)


SENT = {
    "the runner's token in the path": "url: 'URL/${GITHUB_TOKEN}/${GATE_SIGNING_KEY}'",
    "a token of the backend in the path": "url: 'URL/${PROMETHEUS_TOKEN}'",
    "a default in the path": "url: '${AWS_SECRET_ACCESS_KEY:-URL}'",
    "a user": "url: URL, auth: {username: '${GITHUB_TOKEN}', password: '${CI_JOB_TOKEN}'}",
    "a bearer": "url: URL, auth: {bearer: '${PROMETHEUS_TOKEN}'}",
    "a header": "url: URL, headers: {X: '${PROMETHEUS_TOKEN} ${AWS_SECRET_ACCESS_KEY:-}'}",
    "a secret's file": "url: URL, auth: {bearer_file: /proc/self/environ}",
    "a file without an end": "url: URL, auth: {bearer_file: /dev/zero}",
    "a device as an authority": "url: URL, tls: {ca: /dev/zero}",
    "no secret at all": "url: URL",
    "a server that never answers": "url: URL, retries: 99, parallel: 999",
    "a redirecting host": "url: 'URL//x@127.0.0.1'",
    "a login of Amazon": "url: URL, auth: {sigv4: {region: eu-west-1}}",
    "a login of Google": "url: URL, auth: {google: {}}",
    "a login of Azure": "url: URL, auth: {azure: {}}",
    "a token server": (
        "url: 'http://127.0.0.1:9', auth: {oauth2: {token_url: URL, client_id: a,"
        " client_secret: '${GITHUB_TOKEN}'}}"
    ),
}


@pytest.mark.parametrize("name", SENT)
@pytest.mark.parametrize("sli", ["", "sli: {bad: a, total: b}"])
def test_a_proposed_backend_is_sent_nothing(
    world: World, listener: Listener, name: str, sli: str
) -> None:
    settings = SENT[name].replace("URL", listener.url)
    text = with_backend(world, f"{{type: prometheus, {settings}}}")
    text = text.replace("window: 30d}", f"window: 30d, {sli}}}") if sli else text
    propose(world, text)

    _, proposed = judged(world)

    assert listener.connections == 0, listener.sent
    assert proposed["verdict"] in {None, "undecided"}
    assert "not" in str(proposed["reason"])


@pytest.mark.parametrize(
    "backend",
    [
        "{type: logs, path: '*.jsonl', timestamp: ts}",
        "{type: logs, path: /proc/self/environ, timestamp: ts, format: csv}",
        "{type: logs, path: /dev/zero, timestamp: ts, format: jsonl}",
        "{type: logs, path: '${GITHUB_TOKEN}', timestamp: ts}",
        "{type: logs, path: '*.jsonl', records: nginx}",
    ],
)
@pytest.mark.parametrize(
    "bad", ["status >= 500", "list_sum(range(3000000000)) > 0", "repeat('x', 2000000000) = ''"]
)
def test_a_proposed_backend_of_logs_runs_no_sql(world: World, backend: str, bad: str) -> None:
    text = with_backend(world, backend)
    text = text.replace("window: 30d}", f'window: 30d, sli: {{bad: "{bad}"}}}}')
    propose(world, text, **{"a.jsonl": '{"ts": "2026-01-01T00:00:00Z", "status": 200}\n'})

    _, proposed = judged(world)

    assert proposed["verdict"] == "undecided"
    assert "its backend differs" in str(proposed["reason"])


def test_counts_that_the_change_writes_are_not_read(world: World) -> None:
    good = "counts: {availability: {total: 1000000, bad: 0}}\n"
    propose(world, with_backend(world, "{type: static, path: good.yaml}"), **{"good.yaml": good})
    assert judged(world)[1]["verdict"] == "undecided"


SHOWN = {
    "the service": ("service: chat", "service: x-${GITHUB_TOKEN}"),
    "owners": ("service: chat", 'service: chat\nowners: ["${GATE_SIGNING_KEY}"]'),
    "a dashboard": ("service: chat", "service: chat\ndashboard: https://x/?t=${PROMETHEUS_TOKEN}"),
    "a tier": ("name: healthy", "name: '${PROMETHEUS_TOKEN}'"),
    "a class": ("default: full-rollout", "default: '${PROMETHEUS_TOKEN}'"),
    "a key": ("  default: full-rollout", "  '${PROMETHEUS_TOKEN}': {description: x}"),
    "an unknown key": ("service: chat", "service: chat\n${PROMETHEUS_TOKEN}: x"),
    "an SLO": ("name: availability", "name: '${CI_JOB_TOKEN}'"),
    "a glob": ('"models/**"', '"${PROMETHEUS_TOKEN}/**"'),
    "an alias": ("service: chat", "service: &a '${PROMETHEUS_TOKEN}'\nowners: [*a]"),
    "a file's name": ("  - {name: avail", "  - {from: '${GITHUB_TOKEN}'}\n  - {name: avail"),
    "a number": ("> 10%", "> ${PROMETHEUS_TOKEN}%"),
    "a default": ("service: chat", "service: '${NOT_SET:-hunter2}'"),
    "a shell's default": ("service: chat", "service: '${NOT_SET-hunter2}'"),
    "an error": ("service: chat", "service: '${NOT_SET:?hunter2}'"),
    "plain text": ("service: chat", "service: hunter2\nowners: [hunter2]\ndashboard: hunter2"),
    "a broken text": ("service: chat", "service: [hunter2"),
    "a mistake": ("service: chat", "service: hunter2\nhunter2: hunter2"),
}  # fmt: skip


@pytest.mark.parametrize("name", SHOWN)
def test_nothing_that_a_proposal_says_is_in_any_output(world: World, name: str) -> None:
    before, after = SHOWN[name]
    assert before in world.loose
    propose(world, world.loose.replace(before, after))
    judged(world)


@pytest.mark.parametrize("name", ["the service", "owners", "plain text"])
def test_nothing_that_a_proposal_says_is_in_the_comment(world: World, name: str) -> None:
    before, after = SHOWN[name]
    propose(world, world.loose.replace(before, after))
    with github() as fake:
        more = {"GITHUB_API_URL": fake.url, "GITHUB_TOKEN": TOKEN}
        result, _ = judged(world, "--comment", **more)
        assert len(fake.comments) == 1, result.stderr
        (comment,) = fake.comments
    assert not any(secret in comment.body for secret in SECRETS.values())
    assert "hunter2" not in comment.body
    assert "this change alters it" in comment.body


def bomb(levels: int) -> str:
    lines = ["x0: &x0 [" + "a, " * 10 + "]"]
    return "\n".join(lines + [f"x{n}: &x{n} [{f'*x{n - 1}, ' * 10}]" for n in range(1, levels)])


HOSTILE: dict[str, str | bytes | None] = {
    "deleted": None,
    "empty": "",
    "only a comment": "#\n",
    "null": "null\n",
    "a list": "- a\n",
    "not UTF-8": b"\xff\xfe\x00",
    "NUL": b"version: 1\x00",
    "another version": "version: 2\n",
    "deep lists": "[" * 200_000,
    "deep blocks": "{a: " * 200_000,
    "deep entries": "- " * 200_000,
    "deep and closed": "a: " + "[" * 900 + "]" * 900 + "\n",
    "aliases of aliases": bomb(12),
    "itself": "version: 1\nservice: &a [*a]\n",
    "a million values": "version: 1\nowners: [" + "a," * 1_000_000 + "]\n",
    "a million keys": "version: 1\n" + "".join(f"k{n}: 1\n" for n in range(100_000)),
    "one key many times": "version: 1\n" + "service: a\n" * 50_000,
    "a long word": "version: 1\nservice: " + "a" * 900_000 + "\n",
    "a python object": "!!python/object/apply:os.system ['touch hacked']\n",
    "a large file": b"#" * 20_000_000,
    "carriage returns": b"\r" * 1_000_000,
    "a byte order mark": b"\xef\xbb\xbf" * 1000,
}


SOME = ("deep lists", "a python object", "a large file")
"""The hostile texts that `make test` plays."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in SOME else pytest.mark.slow) for name in HOSTILE],
)
def test_no_text_of_a_proposal_stops_or_slows_the_run(world: World, name: str) -> None:
    propose(world, HOSTILE[name])
    result, proposed = judged(world)
    assert proposed["verdict"] is None
    assert "proposed: not judged, because" in result.stdout
    assert not (world.checkout / "hacked").exists()


HOSTILE_PARTS = {
    "many tiers": (
        "  - {name: healthy",
        "".join(f'  - {{name: t{n}, remaining: "> 9{n:05}%", allow: all}}\n' for n in range(3000))
        + "  - {name: healthy",
    ),
    "many SLOs": (
        "  - {name: availability, objective: 99.9%, window: 30d}\n",
        "".join(f"  - {{name: a{n}, objective: 99.9%, window: 30d}}\n" for n in range(8000)),
    ),
    "a long number": ("99.9%", "99." + "9" * 15_000 + "%"),
    "a huge exponent": ("99.9%", "1e999999999"),
    "a window of a century": ("30d", "36525d"),
    "a window beyond time": ("30d", "9" * 5000 + "d"),
    "a regex": ('"models/**"', '"' + "*a" * 2000 + '"'),
    "files above": ("  - {name: avail", "  - {from: ../../*.yaml}\n  - {name: avail"),
    "all files": ("  - {name: avail", "  - {from: '**/*'}\n  - {name: avail"),
    "a device": ("  - {name: avail", "  - {from: /dev/zero}\n  - {name: avail"),
    "requests for ever": (
        "tiers:\n",
        "burn_rates:\n"
        + "".join(f"  - {{long: {n + 2}m, short: {n + 1}m, rate: 1}}\n" for n in range(2000))
        + "tiers:\n",
    ),
    "incidents of the system": (
        "tiers:\n",
        "postmortems: {share: 20%, known_incidents: [/proc/self/environ]}\ntiers:\n",
    ),
    "a preset of a path": ("window: 30d}", "window: 30d, sli: {preset: ../../etc/passwd}}"),
    "a time zone of a path": (
        "window: 30d}",
        "window: {calendar: month, time_zone: ../../../../dev/zero}}",
    ),
}


@pytest.mark.parametrize("name", HOSTILE_PARTS)
def test_no_part_of_a_proposal_stops_or_slows_the_run(world: World, name: str) -> None:
    before, after = HOSTILE_PARTS[name]
    assert before in world.loose
    propose(world, world.loose.replace(before, after))
    judged(world)


@pytest.mark.parametrize("glob", ["*a" * 40 + "b", "**a" * 40 + "b", "**/" * 40 + "b", "a*" * 500])
def test_a_glob_of_a_proposal_is_matched_in_no_time(world: World, glob: str) -> None:
    text = world.loose.replace('"models/**"', f'"{glob}"')
    propose(world, text, **{"a" * 200: "x\n", "a/" * 100 + "x": "x\n"})
    start = time.monotonic()
    result = world.run("--policy-ref", "main", **TOKENS)
    assert result.exit_code == 10
    assert time.monotonic() - start < 25
    assert "by its own text the verdict would be" in result.stdout


def test_a_folder_in_the_policys_place_is_not_a_proposal(world: World) -> None:
    world.branch()
    (world.work / "gate.yaml").unlink()
    world.change("feat: rewrite", {"gate.yaml/a": "x\n"})
    world.open()
    world.check_out()
    assert judged(world)[1]["verdict"] is None


def test_what_a_proposal_says_of_the_decision_counts_for_nothing(world: World) -> None:
    text = world.loose + "valid_for: 24h\noverrides: {label: ship-it, max_duration: 300d}\n"
    text += "on: {no_data: allow, backend_error: allow}\n"
    propose(world, text.replace("service: chat", "service: another"))
    report = world.folder / "report.json"
    result, proposed = judged(world, f"--write=json={report}")
    decision = json.loads(report.read_text())
    assert proposed["verdict"] == "allow"  # by its own text, which does not count
    assert decision["override"] is None
    assert decision["policies"][0]["service"] == "chat"
    assert decision["expires_at"][:13] <= decision["evaluated_at"][:11] + "23"
    assert "another" not in result.stdout


def test_a_proposal_asks_the_host_for_nothing_of_its_own(world: World) -> None:
    asked = []
    for text in (world.policy + "dashboard: x\n", world.loose.replace("@grace", "@acme/sre")):
        propose(world, text)
        with github() as fake:
            more = {"GITHUB_API_URL": fake.url, "GITHUB_TOKEN": TOKEN}
            world.run("--policy-ref", "main", **more)
            asked.append(sorted(fake.seen))
        world.folder.joinpath("checkout").rename(world.folder / f"checkout{len(asked)}")
        world.branch()
    assert asked[0] == asked[1]


def test_an_honest_proposal_is_judged_by_its_rules(world: World) -> None:
    propose(world, world.loose)
    result, proposed = judged(world)
    assert (proposed["verdict"], proposed["reason"]) == ("allow", None)
    assert "this change alters it; by its own text the verdict would be allow" in result.stdout


def test_an_honest_change_of_an_objective_is_judged_on_the_same_counts(world: World) -> None:
    propose(world, world.policy.replace("99.9%", "99%"))
    assert judged(world)[1]["verdict"] == "allow"


def test_a_proposal_that_says_the_same_in_other_words_is_judged(world: World) -> None:
    propose(world, world.policy + "# a comment\nowners: ['@ada']\n")
    assert judged(world)[1]["verdict"] == "block"


def test_the_variables_of_the_counting_policy_still_work(world: World) -> None:
    text = world.policy.replace(f"path: {world.counts}", "path: '${COUNTS}'")
    world.commit("counts", {"gate.yaml": text})
    world.push("main")
    propose(world, text.replace("allow: all", "allow: [canary, rollback]"))
    _, proposed = judged(world, COUNTS=os.fspath(world.counts))
    assert proposed["verdict"] == "block"


@pytest.mark.parametrize("target", ["outside.yaml", "gate.yaml", "nowhere", "/proc/self/environ"])
@pytest.mark.parametrize("name", ["gate.yaml", "slos/a.yaml"])
def test_links_of_a_proposal_show_nothing_of_what_they_lead_to(
    world: World, name: str, target: str
) -> None:
    outside = world.folder / "outside.yaml"
    outside.write_text(world.loose.replace("service: chat", "service: hunter2\nhunter2: x"))
    world.branch()
    (world.work / "slos").mkdir()
    if name == "gate.yaml":
        (world.work / name).unlink()
    else:
        text = world.loose.replace("  - {name: avail", "  - {from: slos/*}\n  - {name: avail")
        (world.work / "gate.yaml").write_text(text)
    (world.work / name).symlink_to(outside if target == "outside.yaml" else target)
    world.change("feat: rewrite", {"src/a.py": "a = 2\n"})
    world.open()
    world.check_out()

    _, proposed = judged(world)

    assert proposed["verdict"] is None
