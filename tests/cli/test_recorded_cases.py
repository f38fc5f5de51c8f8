"""``gate test --record``: a decision becomes a case, and the file stays as people wrote it."""

import json
from pathlib import Path

import pytest

from gate.config.cases_schema import read_cases
from gate.decision.seal import sealed
from tests.command import Run

AT = "2026-11-20T14:00:00Z"
POLICY = """\
version: 1
service: chat
backend: {type: static, path: counts.yaml}
slos:
  - {name: availability, objective: 99.9%, window: 30d}
tiers:
  - {name: healthy, remaining: "> 50%", allow: all}
  - {name: rest, otherwise: true, allow: [rollback], require: {rollback: [shadow]}}
claims: allowed
"""
COUNTS = "counts: {availability: {total: 1000000, bad: 820, windows: {1h: {total: 3, bad: 1}}}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gate.yaml").write_text(POLICY)
    (tmp_path / "counts.yaml").write_text(COUNTS)
    return tmp_path


def decide(gate: Run, *more: str) -> None:
    """Write decision.json."""
    words = ("check", "gate.yaml", "--change", "rollback", "--at", AT, "--dry-run", *more)
    assert gate(*words, "--write", "json=decision.json").exit_code == 0


def test_a_decision_begins_a_file_of_cases(gate: Run, folder: Path) -> None:
    decide(gate)
    done = gate("test", "gate.yaml", "--record", "decision.json")

    assert (done.exit_code, done.stderr) == (0, "added a case to gate.test.yaml\n")
    assert "1 PASSED" in done.stdout
    assert (folder / "gate.test.yaml").read_text() == (
        "version: 1\n"
        "cases:\n"
        f"  - name: block of rollback at {AT}\n"
        f"    at: {AT}\n"
        "    change: rollback\n"
        "    slos:\n"
        "      availability: {total: 1000000, bad: 820, burn_rates: {1h: 1000/3}}\n"
        "    expect:\n"
        "      verdict: block\n"
        "      tier: rest\n"
        "      worst_slo: availability\n"
        "      rules: [{rule: requirement, verdict: block}]\n"
        "      no_other_rule: true\n"
        "      allowed_now: []\n"
        "      obligations: [shadow]\n"
    )


def test_what_was_satisfied_and_costs_and_warns_is_stated(gate: Run, folder: Path) -> None:
    decide(gate, "--met", "shadow=link", "--fail-on", "warn", "--impact", "canary=10%")
    assert gate("test", "gate.yaml", "--record", "decision.json", "--name", "mine").exit_code == 0

    (case,) = read_cases((folder / "gate.test.yaml").read_bytes(), "", {}).cases
    assert (case.name, case.satisfied, case.fail_on_warn) == ("mine", ("shadow",), True)
    assert case.impact is not None
    assert case.impact.canary == case.impact.failures / 10


HEAD = f"""\
# what chat may do
version: 1
cases:
    # the first of all
    - name: "block of rollback at {AT}"   # taken
      at: 2026-11-21T00:00:00Z
      change: canary
      expect:
        verdict: allow
"""


@pytest.mark.parametrize("tail", ["", "\n# the end\n", "\n\nat: 2026-11-22T00:00:00Z  # all\n"])
@pytest.mark.parametrize("cut", [0, 1])
def test_comments_and_all_else_stay_as_they_are(
    gate: Run, folder: Path, tail: str, cut: int
) -> None:
    text = HEAD + tail
    text = text[: len(text) - cut]
    (folder / "gate.test.yaml").write_text(text)
    decide(gate)

    assert gate("test", "gate.yaml", "--record", "decision.json").exit_code == 0

    after = (folder / "gate.test.yaml").read_text()
    added = f'\n    - name: "block of rollback at {AT} (2)"\n      at: {AT}\n'
    assert added in after
    before, _, behind = after.partition(added)
    assert text.startswith(before.removesuffix("\n"))
    assert behind.endswith(tail[: len(tail) - cut].lstrip("\n"))


def test_a_list_in_one_line_takes_no_more(gate: Run, folder: Path) -> None:
    text = (
        "version: 1\nat: 2026-11-20T14:00:00Z\n"
        "cases: [{name: a, change: canary, expect: {verdict: allow}}]\n"
    )
    (folder / "gate.test.yaml").write_text(text)
    decide(gate)
    done = gate("test", "gate.yaml", "--record", "decision.json")

    assert done.exit_code == 2
    assert "write cases as a list of lines" in done.stderr
    assert (folder / "gate.test.yaml").read_text() == text


def refused(gate: Run, folder: Path) -> str:
    """Return why a decision is not recorded; nothing is written then."""
    done = gate("test", "gate.yaml", "--record", "decision.json")

    assert done.exit_code == 2
    assert not (folder / "gate.test.yaml").exists()
    return done.stderr


def test_a_policy_that_says_something_else_now_is_not_recorded(gate: Run, folder: Path) -> None:
    decide(gate)
    (folder / "gate.yaml").write_text(POLICY.replace("> 50%", "> 10%"))

    assert "gate.yaml is not the policy that decided: its text is another" in refused(gate, folder)


def test_a_policy_without_the_slos_is_not_recorded(gate: Run, folder: Path) -> None:
    decide(gate)
    (folder / "gate.yaml").write_text(POLICY.replace("availability", "uptime"))

    assert "the decision does not mention the SLO uptime" in refused(gate, folder)


def test_a_policy_without_the_class_is_not_recorded(gate: Run, folder: Path) -> None:
    (folder / "gate.yaml").write_text(f"{POLICY}changes: {{default: mine, mine: {{}}}}\n")
    words = ("check", "gate.yaml", "--change", "mine", "--at", AT, "--dry-run")
    gate(*words, "--write", "json=decision.json")
    (folder / "gate.yaml").write_text(POLICY)

    assert "cannot be stated as a case of this policy: the policy has no change class" in refused(
        gate, folder
    )


def test_a_decision_on_another_service_is_not_recorded(gate: Run, folder: Path) -> None:
    decide(gate)
    (folder / "gate.yaml").write_text(POLICY.replace("chat", "rag"))

    assert "the decision is about chat, and not about rag" in refused(gate, folder)


def test_what_a_decision_does_not_hold_is_not_recorded(gate: Run, folder: Path) -> None:
    """As where an incident blocked, of which the document has no more than a sentence."""
    decide(gate)
    document = json.loads((folder / "decision.json").read_text())
    document.pop("seal")
    document["policies"][0]["allowed_now"] = ["canary"]
    (folder / "decision.json").write_text(json.dumps(sealed(document, None)))

    assert "a decision does not hold all that it was made by" in refused(gate, folder)


@pytest.mark.parametrize("text", ["", "{}", "[]", "counts: 1"])
def test_what_is_not_a_decision_is_not_recorded(gate: Run, folder: Path, text: str) -> None:
    (folder / "decision.json").write_text(text)

    assert "decision.json: it is no" in refused(gate, folder)


def test_a_file_that_is_not_there_is_reported(gate: Run, folder: Path) -> None:
    assert "decision.json cannot be read" in refused(gate, folder)


def test_an_altered_decision_is_not_recorded(gate: Run, folder: Path) -> None:
    decide(gate)
    text = (folder / "decision.json").read_text()
    (folder / "decision.json").write_text(text.replace('"bad": 820', '"bad": 821'))

    assert "it was altered" in refused(gate, folder)


def test_a_decision_goes_to_one_policy_and_one_file(gate: Run, folder: Path) -> None:
    (folder / "other.yaml").write_text(POLICY)
    done = gate("test", "gate.yaml", "other.yaml", "--record", "decision.json")

    assert done.exit_code == 2
    assert "--record can be used with one POLICY and one file of cases only" in done.stderr


@pytest.mark.usefixtures("folder")
def test_a_file_that_cannot_be_written_is_reported(gate: Run) -> None:
    decide(gate)
    done = gate("test", "gate.yaml", "--record", "decision.json", "--cases", "no/where.yaml")

    assert done.exit_code == 2
    assert "could not be written" in done.stderr


def test_what_is_not_measured_is_recorded(gate: Run, folder: Path) -> None:
    (folder / "counts.yaml").write_text("counts: {availability: {total: 0, bad: 0}}\n")
    decide(gate)

    assert gate("test", "gate.yaml", "--record", "decision.json").exit_code == 0
    (case,) = read_cases((folder / "gate.test.yaml").read_bytes(), "", {}).cases
    assert (case.slos["availability"].unmeasured, case.expect.verdict) == (
        "no_traffic",
        "undecided",
    )
