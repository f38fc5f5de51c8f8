"""Reading what a change makes of a policy: no environment, no other file, no end that is late."""

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from gate.config import proposal as module
from gate.config.load import Proposal, load_pinned
from gate.config.proposal import ProposedPolicy, read_proposal
from gate.parsing.limits import TooLargeError, check_size
from gate.policy.changes import matches_glob
from gate.wording import (
    PROPOSAL_DELETED,
    PROPOSAL_FAILED,
    PROPOSAL_TOO_LARGE,
    PROPOSAL_TOO_SLOW,
    PROPOSAL_UNREADABLE,
)
from tests.config.texts import BACKEND, SLOS, TIERS, policy

TEXT = policy()
SLOTH = """\
version: prometheus/v1
service: chat
slos:
  - name: up
    objective: 99.9
    sli: {events: {error_query: "rate(e[{{.window}}])", total_query: "rate(t[{{.window}}])"}}
"""


@dataclass(slots=True)
class Files:
    """The files of a commit, in memory, and which were read."""

    texts: Mapping[str, bytes] = field(default_factory=dict)
    read_so_far: list[str] = field(default_factory=list)

    def find(self, pattern: str) -> Sequence[str]:
        return [name for name in self.texts if matches_glob(pattern, name)]

    def read(self, name: str) -> bytes:
        self.read_so_far.append(name)
        return self.texts[name]


def made(
    text: str | bytes | None, files: Files | None = None, *, counting: str = TEXT
) -> ProposedPolicy:
    raw = text.encode() if isinstance(text, str) else text
    return read_proposal("gate.yaml", raw, files or Files(), counting.encode())


def refused(text: str | bytes | None, files: Files | None = None) -> str:
    """Return why a proposal is not judged, which it is quickly."""
    start = time.monotonic()
    read = made(text, files)
    assert read.policy is None
    assert not read.same_backend
    assert time.monotonic() - start < 5
    return read.why_not


def test_a_policy_that_a_change_proposes_is_read() -> None:
    read = made(TEXT.replace("healthy", "fine"))
    assert read.policy is not None
    assert read.policy.tiers[0].name == "fine"
    assert (read.why_not, read.same_backend) == ("", True)


def test_files_of_a_proposal_are_those_of_its_commit() -> None:
    files = Files({"slos/a.yaml": SLOTH.encode()})
    imported = policy(slos="slos: [{from: slos/*.yaml}]\n")
    read = made(imported, files)
    assert read.policy is not None
    assert [slo.name for slo in read.policy.slos] == ["chat-up"]
    assert files.read_so_far == ["slos/a.yaml"]
    pinned = load_pinned(
        "gate.yaml", {}, imported.encode(), files, "abc", Proposal(imported.encode(), files)
    )
    assert pinned.proposed is None
    other = Files({"slos/a.yaml": SLOTH.replace("99.9", "90").encode()})
    pinned = load_pinned(
        "gate.yaml", {}, imported.encode(), files, "abc", Proposal(imported.encode(), other)
    )
    assert pinned.proposed is not None


def test_large_files_that_a_change_leaves_alone_are_not_altered() -> None:
    imported = policy(slos="slos: [{from: slos/*.yaml}]\n").encode()
    large = {"slos/a.yaml": SLOTH.encode() + b"#" * (1 << 21)}
    for texts in (large, large | {"other.yaml": b"x"}):
        proposal = Proposal(imported, Files(texts))
        assert load_pinned("gate.yaml", {}, imported, Files(large), "a", proposal).proposed is None
    for texts in (large | {"slos/b.yaml": b""}, {"slos/a.yaml": b""}, {}):
        proposal = Proposal(imported, Files(texts))
        read = load_pinned("gate.yaml", {}, imported, Files(large), "a", proposal)
        assert read.proposed is not None
    proposal = Proposal(imported, Broken(RuntimeError()))
    broken = load_pinned("gate.yaml", {}, imported, Files(large), "a", proposal).proposed
    assert broken is not None
    assert broken.why_not == PROPOSAL_FAILED


@pytest.mark.parametrize(
    "backend, same",
    [
        (BACKEND, True),
        ('backend: {url: "http://prometheus:9090", type: prometheus}\n', True),
        ("backend:\n  type: prometheus # the one\n  url: 'http://prometheus:9090'\n", True),
        ('backend: {type: prometheus, url: "http://prometheus:9091"}\n', False),
        ('backend: {type: prometheus, url: "http://prometheus:9090", retries: 0}\n', False),
        ('backend: {type: prometheus, url: "http://prometheus:9090", headers: {}}\n', False),
        ('backend: {type: prometheus, url: "${URL:-http://prometheus:9090}"}\n', False),
        ('backend: {type: prometheus, url: "http://x/${GITHUB_TOKEN}"}\n', False),
        ('backend: {type: prometheus, url: ["http://prometheus:9090"]}\n', False),
        ("backend: {type: prometheus, url: null}\n", False),
        ("backend: {type: prometheus, tls: {ca: /proc/self/environ}}\n", False),
        ("backend: {type: prometheus, auth: {bearer_file: /dev/zero}}\n", False),
        ("backend: {type: logs, path: /dev/zero, timestamp: ts}\n", False),
        ("backend: {type: static, path: /dev/zero}\n", False),
        ("backend: {type: none-of-ours}\n", False),
        ("backend: []\n", False),
    ],
)
def test_the_backend_of_a_proposal_is_compared_as_it_is_written_and_not_read(
    backend: str, same: bool
) -> None:
    read = made(policy(backend=backend, slos=SLOS))
    # Where its indicators are those of another backend, it is no policy.
    assert (read.policy is not None and read.same_backend) is same


LOGS = "{type: logs, path: a/*.jsonl, timestamp: ts}"
PROM = '{type: prometheus, url: "${URL}"}'
COUNTED_BY = (
    "slos:\n  - {name: a, objective: 99%, window: 30d, backend: NAME, sli: {bad: a, total: b}}\n"
)


@pytest.mark.parametrize(
    ("backends", "in_force", "same"),
    [
        (f"{{a: {PROM}, b: {LOGS}}}", {"a": "prom", "b": "judge"}, True),
        (f"{{b: {LOGS}, a: {PROM}}}", {"a": "prom", "b": "judge"}, True),
        (f"{{a: {PROM[:-1]}, max_age: 1h, on: {{stale: warn}}}}}}", {"a": "prom"}, True),
        (f"{{a: {PROM}, b: {LOGS.replace('a/', 'b/')}}}", {"a": "prom"}, False),
        (f"{{a: {PROM.replace('URL', 'TOKEN')}}}", {}, False),
    ],
)
def test_each_of_several_backends_of_a_proposal_is_compared_with_all_in_force(
    backends: str, in_force: Mapping[str, str], same: bool
) -> None:
    slos = COUNTED_BY.replace("NAME", "a")
    counting = policy(
        backend=f"backends: {{prom: {PROM}, judge: {LOGS}}}\n",
        slos=COUNTED_BY.replace("NAME", "prom"),
    )

    read = made(policy(backend=f"backends: {backends}\n", slos=slos), counting=counting)

    assert read.policy is not None
    assert (read.measured_by.items() >= in_force.items(), read.same_backend) == (True, same)
    assert read.backends == in_force


def test_of_backends_that_read_the_same_each_is_the_one_of_its_name() -> None:
    slos = COUNTED_BY.replace("NAME", "c")
    counting = policy(
        backend=f"backends: {{a: {PROM}, b: {PROM}, c: {PROM}}}\n",
        slos=slos,
    )
    becomes = policy(backend=f"backends: {{c: {PROM}, b: {PROM}, new: {PROM}}}\n", slos=slos)

    read = made(becomes, counting=counting)

    assert read.backends == {"c": "c", "b": "b", "new": "a"}


def test_one_of_several_backends_may_be_the_single_one_in_force() -> None:
    entry = BACKEND.removeprefix("backend: ").strip()

    read = made(
        policy(
            backend=f"backends: {{a: {entry}, b: {LOGS}}}\n", slos=COUNTED_BY.replace("NAME", "a")
        )
    )

    assert (read.backends, read.same_backend) == ({"a": ""}, False)


def test_no_variable_of_a_proposal_is_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T", "healthy")
    assert refused(TEXT.replace("healthy", "${T}")) == PROPOSAL_UNREADABLE


def aliases(levels: int) -> str:
    lines = ["x0: &x0 [a, a, a, a, a, a, a, a, a, a]"]
    lines += [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


LARGE = {
    "bytes": TEXT + "#" * (1 << 20),
    "aliases": TEXT + aliases(9),
    "quadratic": TEXT + "a: &a [" + "a, " * 900 + "]\nowners: [" + "*a, " * 900 + "]\n",
    "itself": TEXT + "owners: &a [x, *a]\n",
    "merged": TEXT + "a: &a {b: &b {c: &c {d: x}}}\nowners: [" + "*a, " * 30_000 + "]\n",
    "depth": TEXT + "owners: " + "[" * 100 + "]" * 100 + "\n",
    "owners": policy(tiers=TIERS.replace("allow: all", f"allow: [{'canary, ' * 2000}]")),
    "values": TEXT + "owners: [" + "a, " * 110_000 + "]\n",
    "scalar": policy(head=f"version: 1\nservice: {'a' * 30_000}\n"),
    "lists": "- " * 100_000,
    "keys": "? " * 100_000,
    "documents": TEXT + "--- a\n" * 110_000,
}


@pytest.mark.variants(5)
@pytest.mark.parametrize("name", LARGE)
def test_what_would_take_long_to_read_is_not_read(name: str) -> None:
    assert refused(LARGE[name]) == PROPOSAL_TOO_LARGE


@pytest.mark.variants(9)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "null\n",
        "a\n",
        "- a\n",
        "version: 2\n",
        b"\xff\xfe",
        b"\x00",
        TEXT + "tiers: []\n",
        TEXT + "onwers: []\n",
        TEXT.replace("prometheus,", "${TYPE},"),
        "%YAML 9.9\n---\na\n",
        "!!python/object/apply:os.system [true]\n",
        "*a\n",
        "a: b: c\n",
        "<<: *a\n",
        TEXT + "slos: [{from: ../*.yaml}]\n",
        policy(slos="slos: [{from: /etc/passwd}]\n"),
        policy(slos="slos: [{from: ../../*.yaml}]\n"),
        policy(tiers="tiers: [{name: a, remaining: '> 1e999%', allow: all}]\n"),
        policy(slos=SLOS.replace("99.9%", "9" * 10_000 + "%")),
        policy(slos=SLOS.replace("30d", "9" * 10_000 + "d")),
        policy(more="freezes: [{from: 0000-00-00, to: 9999-99-99, reason: x}]\n"),
        policy(more=f"freezes: [{{from: 2026-01-01, to: 2026-01-02, time_zone: {'../' * 50}x}}]\n"),
    ],
)  # fmt: skip
def test_what_is_not_a_policy_is_reported_to_be_none_and_quickly(text: str | bytes) -> None:
    assert refused(text) == PROPOSAL_UNREADABLE


@pytest.mark.parametrize("opening", ["[", "{"])
def test_what_is_nested_without_end_is_refused_quickly(opening: str) -> None:
    """PyYAML 6.0.4 refuses it by itself; earlier versions leave that to the gate."""
    assert refused(opening * 100_000) in {PROPOSAL_UNREADABLE, PROPOSAL_TOO_LARGE}


def test_a_policy_that_the_change_deletes_is_reported_to_be_deleted() -> None:
    assert refused(None) == PROPOSAL_DELETED


IMPORTING = policy(slos="slos: [{from: 'slos/*.yaml'}]\n")


@pytest.mark.parametrize(
    "files",
    [
        {"slos/a.yaml": b"#" * (1 << 21)},
        {f"slos/{n}.yaml": b"#" * (1 << 20) for n in range(6)},
        {f"slos/{n}.yaml": b"" for n in range(1_001)},
        {"slos/a.yaml": aliases(9).encode()},
        {"slos/a.yaml": b"x: " + b"[" * 100 + b"]" * 100},
    ],
)
def test_files_that_a_proposal_names_are_limited_too(files: dict[str, bytes]) -> None:
    assert refused(IMPORTING, Files(files)) == PROPOSAL_TOO_LARGE


def test_a_proposal_names_no_end_of_files() -> None:
    entries = ", ".join(f"{{from: 'a{n}/*.yaml'}}" for n in range(101))
    assert refused(policy(slos=f"slos: [{entries}]\n")) == PROPOSAL_TOO_LARGE


@dataclass(slots=True)
class Broken:
    """Files that cannot be had."""

    error: BaseException
    seconds: float = 0

    def find(self, _: str) -> Sequence[str]:
        time.sleep(self.seconds)
        raise self.error

    def read(self, _: str) -> bytes:
        raise NotImplementedError


@pytest.mark.parametrize(
    "error", [MemoryError("hunter2"), RecursionError(), KeyError("hunter2"), RuntimeError()]
)
def test_whatever_goes_wrong_in_reading_is_one_sentence(error: Exception) -> None:
    read = read_proposal("gate.yaml", IMPORTING.encode(), Broken(error), TEXT.encode())
    assert (read.policy, read.why_not) == (None, PROPOSAL_FAILED)


def test_reading_that_takes_too_long_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SECONDS", 0.05)
    tree = Broken(RuntimeError(), seconds=0.5)
    read = read_proposal("gate.yaml", IMPORTING.encode(), tree, TEXT.encode())
    assert (read.policy, read.why_not) == (None, PROPOSAL_TOO_SLOW)


def slos(number: int) -> str:
    one = SLOS.partition("\n")[2]
    return "slos:\n" + "".join(one.replace("availability", f"a{n}") for n in range(number))


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        policy(slos=slos(1000), more="burn_rates: google-30d\n"),
        TEXT + "owners: [&a x, *a, *a]\n",
        TEXT + "x: &x {a: [1, 2]}\ny: *x\n",
        "\ufeff" + TEXT,
        TEXT + "#" * 100_000,
    ],
)
def test_policies_as_people_write_them_are_not_too_large(text: str) -> None:
    check_size(text.encode())


def test_a_policy_of_a_thousand_slos_is_read_in_time() -> None:
    assert made(policy(slos=slos(1000))).why_not == ""


def test_the_anchors_of_a_document_are_not_those_of_the_next() -> None:
    text = "x: &x [" + "a, " * 50 + "]\n---\n"
    check_size((text + "y: *x\n").encode())
    with pytest.raises(TooLargeError):
        check_size((text + "y: [" + "*x, " * 3000 + "]\n").encode())


def test_no_engine_of_a_backend_is_imported_for_a_proposal() -> None:
    before = set(sys.modules)
    made(policy(backend="backend: {type: logs, path: x, timestamp: ts}\n"))
    assert not {"duckdb", "requests"} & (set(sys.modules) - before)
