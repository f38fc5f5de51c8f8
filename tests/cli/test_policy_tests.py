"""``gate test``: which cases are tried, what is written, and how it ends."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from gate.backends import BACKENDS
from gate.backends.records import preset_names
from gate.reporters import PAGES
from tests.command import Run

POLICY = """\
version: 1
service: chat
backend: {type: prometheus, url: "${PROMETHEUS_URL}", auth: {bearer: "${PROMETHEUS_TOKEN}"}}
slos:
  - {name: availability, objective: 99.9%, window: 30d, sli: {preset: vllm/errors}}
tiers:
  - {name: healthy, remaining: "> 50%", allow: all}
  - {name: rest, otherwise: true, allow: [rollback, security-patch]}
"""
CASES = """\
version: 1
at: 2026-11-20T14:00:00Z
cases:
  - name: all ships above half
    change: canary
    slos: {availability: {remaining: 51%}}
    expect: {verdict: allow, tier: healthy}
  - name: at half nothing ships
    change: canary
    slos: {availability: {remaining: 50%}}
    expect: {verdict: block, exit_code: 10, tier: rest, rules: [tier], no_other_rule: true}
"""
UNSET = {"PROMETHEUS_URL": None, "PROMETHEUS_TOKEN": None}
JUNIT = Path(__file__).parent.parent / "reporters" / "junit-10.xsd"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gate.yaml").write_text(POLICY)
    (tmp_path / "gate.test.yaml").write_text(CASES)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_cases_that_pass_end_with_0_and_need_no_variable(gate: Run) -> None:
    done = gate("test", "gate.yaml", env=UNSET)

    assert (done.exit_code, done.stderr) == (0, "")
    assert "2 PASSED  chat" in done.stdout


def test_a_case_that_fails_ends_with_12_and_says_what_is_expected(gate: Run, folder: Path) -> None:
    (folder / "gate.yaml").write_text(POLICY.replace("> 50%", ">= 50%"))

    done = gate("test", "gate.yaml", env=UNSET)

    assert done.exit_code == 12
    words = " ".join(done.stdout.split())
    assert "1 OF 2 FAILED chat" in words
    assert "failed at half nothing ships" in words
    for wrong in (
        "verdict expected block, but it is allow",
        "exit_code expected 10, but it is 0",
        "tier expected rest, but it is healthy",
        "rules expected tier, but it is none",
        "Comes to allow of canary, tier healthy",
        "Why tier, availability: 50.0% of its budget is left; tier healthy (>= 50%) allows",
    ):
        assert wrong in words


@pytest.mark.parametrize(
    ("expect", "wrong"),
    [
        ("change: rollback", "change expected rollback, but it is canary"),
        ("allowed_now: all", "allowed_now expected bug-fix, canary,"),
        ("allowed_now: none", "allowed_now expected none, but it is rollback, security-patch"),
        ("worst_slo: availability, tier: healthy", "tier expected healthy, but it is rest"),
        (
            "no_other_rule: true",
            "no_other_rule expected no rule to fire, but it is tier of availability: block",
        ),
        (
            "rules: [{rule: tier, verdict: warn}]",
            "rules expected tier: warn, but it is tier of availability: block",
        ),
        (
            "rules: [measurement], no_other_rule: true",
            "no_other_rule expected no rule but measurement to fire, but it is tier of",
        ),
    ],
)
def test_whatever_is_not_as_expected_is_reported(
    gate: Run, folder: Path, expect: str, wrong: str
) -> None:
    case = (
        "  - {name: a, change: canary, others: {remaining: 0%}, expect: {verdict: block, EXPECT}}\n"
    )
    text = "version: 1\nat: 2026-11-20T14:00:00Z\ncases:\n" + case.replace("EXPECT", expect)
    (folder / "gate.test.yaml").write_text(text)

    done = gate("test", "gate.yaml", env=UNSET)

    assert done.exit_code == 12
    assert wrong in " ".join(done.stdout.split())


def test_what_is_required_is_reported(gate: Run, folder: Path) -> None:
    require = "allow: [rollback], require: {rollback: [shadow]}"
    policy = POLICY.replace("allow: [rollback, security-patch]", require) + "claims: allowed\n"
    (folder / "gate.yaml").write_text(policy)
    (folder / "gate.test.yaml").write_text(
        "version: 1\nat: 2026-11-20T14:00:00Z\ncases: [{name: a, change: rollback,"
        " others: {unmeasured: no_data}, expect: {verdict: undecided, tier: rest, worst_slo:"
        " availability, obligations: [shadow]}}]\n"
    )

    done = gate("test", "gate.yaml", env=UNSET)

    words = " ".join(done.stdout.split())
    assert "tier expected rest, but it is none" in words
    assert "worst_slo expected availability, but it is none" in words
    assert "obligations expected shadow, but it is none" in words


@pytest.mark.parametrize("text", ["", "version: 1\ncases: []\n", "version: 1\n"])
def test_no_cases_are_a_mistake_and_never_a_pass(gate: Run, folder: Path, text: str) -> None:
    (folder / "gate.test.yaml").write_text(text)

    assert gate("test", "gate.yaml", env=UNSET).exit_code == 2


def test_a_policy_without_a_file_of_cases_is_a_mistake(gate: Run, folder: Path) -> None:
    (folder / "gate.test.yaml").unlink()

    done = gate("test", "gate.yaml", env=UNSET)

    assert done.exit_code == 2
    assert (
        "gate.yaml has no test cases: write gate.test.yaml (see docs/policy-tests.md)"
        in done.stderr
    )


def test_mistakes_of_all_files_are_reported_at_their_places(gate: Run, folder: Path) -> None:
    (folder / "other.yaml").write_text(POLICY)
    (folder / "other.test.yaml").write_text(CASES.replace("availability", "availabilty", 1))
    (folder / "gate.test.yaml").write_text(CASES.replace("tier: rest", "tier: exhausted"))

    done = gate("test", "gate.yaml", "other.yaml", env=UNSET)

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "gate.test.yaml:11:51: error: the policy has no tier 'exhausted'; known: healthy, rest",
        "other.test.yaml:6:12: error: the policy has no SLO 'availabilty'; did you mean"
        " 'availability'?",
    ]


def test_a_mistake_in_the_policy_is_reported_and_no_case_is_tried(gate: Run, folder: Path) -> None:
    (folder / "gate.yaml").write_text(POLICY.replace("tiers:", "tires:"))

    done = gate("test", "gate.yaml", env=UNSET)

    assert done.exit_code == 2
    assert "did you mean 'tiers'?" in done.stderr


def test_several_policies_have_their_own_cases_and_one_exit_code(gate: Run, folder: Path) -> None:
    (folder / "other.yaml").write_text(POLICY.replace("50%", "40%").replace("chat", "rag"))
    (folder / "other.test.yml").write_text(CASES)

    done = gate("test", "gate.yaml", "other.yaml", env=UNSET)

    assert done.exit_code == 12
    assert "2 PASSED  chat" in done.stdout
    assert "1 OF 2 FAILED  rag" in done.stdout


@pytest.mark.usefixtures("folder")
def test_a_glob_with_the_cases_in_it_names_the_policies(gate: Run) -> None:
    done = gate("test", "gate.test.yaml", "gate.yaml", "--format", "json", env=UNSET)

    assert len(json.loads(done.stdout)["policies"]) == 1


def test_other_cases_can_be_named_for_any_policies(gate: Run, folder: Path) -> None:
    (folder / "more.yaml").write_text(CASES.replace("51%", "60%"))
    (folder / "other.yaml").write_text(POLICY)

    done = gate(
        "test", "gate.yaml", "other.yaml", "--cases", "more.yaml", "--cases", "gate.test.yaml",
        "--format", "json", env=UNSET,
    )  # fmt: skip

    tried = [(p["source"]["path"], p["cases_file"]) for p in json.loads(done.stdout)["policies"]]
    assert done.exit_code == 0
    assert tried == [
        (policy, cases)
        for policy in ("gate.yaml", "other.yaml")
        for cases in ("more.yaml", "gate.test.yaml")
    ]


def test_the_document_has_what_each_case_came_to(gate: Run, folder: Path) -> None:
    (folder / "gate.yaml").write_text(POLICY.replace("> 50%", "> 60%"))
    done = gate("test", "gate.yaml", "--format", "json", env=UNSET)
    document = json.loads(done.stdout)

    (policy,) = document["policies"]
    assert (document["exit_code"], policy["passed"], policy["failed"]) == (12, 1, 1)
    failed, passed = policy["cases"]
    assert (passed["passed"], passed["line"], passed["verdict"]) == (True, 8, "block")
    assert failed["mismatches"] == [
        {"what": "verdict", "expected": "allow", "actual": "block"},
        {"what": "tier", "expected": "healthy", "actual": "rest"},
    ]
    (finding,) = failed["findings"]
    assert (finding["rule"], finding["slo"], finding["verdict"]) == (
        "tier",
        "availability",
        "block",
    )


def test_junit_has_a_suite_a_policy_and_a_failure_a_case(gate: Run, folder: Path) -> None:
    (folder / "gate.yaml").write_text(POLICY.replace("> 50%", "> 60%"))
    done = gate("test", "gate.yaml", "--write", "junit=out.xml", env=UNSET)
    text = (folder / "out.xml").read_text(encoding="utf-8")

    xmlschema.XMLSchema(JUNIT).validate(text)
    (suite,) = ET.fromstring(text)
    failed, passed = suite
    assert done.exit_code == 12
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("gate.yaml", "2", "1")
    assert (failed.get("classname"), failed.get("name")) == ("gate.chat", "all ships above half")
    failure = failed.find("failure")
    assert failure is not None
    assert "verdict: expected allow, but it is block" in (failure.get("message") or "")
    assert (failure.text or "").startswith("gate.test.yaml:4: block of canary, tier rest\n")
    assert "51.0% of its budget is left" in (failure.text or "")
    assert passed.findtext("system-out") == "block of canary, tier rest"


@pytest.mark.parametrize("format_", [*PAGES, "junit"])
def test_hostile_names_are_harmless_in_every_format(gate: Run, folder: Path, format_: str) -> None:
    hostile = '"</a>\\u001b[31m ##vso[task] `x` $(y)"'
    (folder / "gate.test.yaml").write_text(CASES.replace("all ships above half", hostile))

    done = gate("test", "gate.yaml", "--format", format_, env=UNSET)

    assert done.exit_code == 0
    assert "\x1b[31m" not in done.stdout
    assert "##vso[" not in done.stdout


@pytest.mark.variants(8)
@pytest.mark.parametrize("backend", BACKENDS)
def test_what_init_writes_passes(gate: Run, backend: str, tmp_path: Path) -> None:
    done = gate("init", "new/gate.yaml", "--backend", backend)

    assert done.exit_code == 0
    assert f"{Path('new/gate.test.yaml')}" in done.stderr
    assert gate("test", "new/gate.yaml", env=UNSET).exit_code == 0
    assert gate("validate", "new/gate.test.yaml", env=UNSET).exit_code == 0
    cases = (tmp_path / "new" / "gate.test.yaml").read_text()
    assert cases.count("- name: ") == 3


@pytest.mark.variants(21)
@pytest.mark.parametrize("server", sorted(preset_names()))
def test_what_init_writes_for_a_server_passes(gate: Run, server: str) -> None:
    assert gate("init", "gate.yaml", "--server", server).exit_code == 0
    done = gate("test", "gate.yaml", env=UNSET)

    assert (done.exit_code, done.stderr) == (0, "")


def test_init_overwrites_no_cases_unasked(gate: Run, folder: Path) -> None:
    (folder / "gate.yaml").unlink()

    done = gate("init", "gate.yaml")

    assert done.exit_code == 2
    assert "gate.test.yaml already exists; --force overwrites it" in done.stderr
    assert not (folder / "gate.yaml").exists()
    assert gate("init", "gate.yaml", "--force").exit_code == 0


def test_validate_reads_a_file_of_cases_beside_its_policy(gate: Run, folder: Path) -> None:
    assert gate("validate", "gate.yaml", "gate.test.yaml", env=UNSET).stdout.splitlines()[-1] == (
        "gate.test.yaml: sound"
    )
    (folder / "gate.test.yaml").write_text(CASES.replace("change: canary", "change: canry", 1))

    done = gate("validate", "gate.test.yaml", env=UNSET)

    assert done.exit_code == 2
    assert "gate.test.yaml:5:13: error: the policy has no change class 'canry'" in done.stdout


def test_the_schema_of_cases_is_printed(gate: Run) -> None:
    document = json.loads(gate("schema", "cases").stdout)

    assert set(document["properties"]) == {"version", "at", "cases"}
