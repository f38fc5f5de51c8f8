"""The formats for machines: each parses as what it says it is, whatever the names hold."""

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
import xmlschema
from hypothesis import given
from jsonschema import Draft4Validator

from gate.decision.decision import Context, Decision
from gate.policy.changes import Recognition
from gate.policy.findings import Rule, Verdict
from gate.reporters import render
from gate.reporters.ansi import Style
from tests.reporters.builders import (
    EVERY_KIND,
    block_policy,
    decided,
    decision,
    finding,
    healthy,
    policy_of,
    source,
    talking,
)
from tests.reporters.test_markdown import HOSTILE

STYLE = Style(width=80)
# From the npm package @microsoft/jest-sarif 1.0.0-beta.0 (MIT), lib/schemas/sarif-2.1.0-rtm.5.json,
# without its descriptions. That is the schema which GitHub's upload accepts.
SARIF: Final = Draft4Validator(
    json.loads((Path(__file__).parent / "sarif-2.1.0.schema.json").read_text())
)
JUNIT: Final = xmlschema.XMLSchema(Path(__file__).parent / "junit-10.xsd")


def hostile(text: str) -> Decision:
    """Put a text wherever one from outside can stand."""
    policy = policy_of((), service=text, dashboard=f"https://grafana.example/{text}")
    findings = (
        finding(Rule.TIER, Verdict.BLOCK, text, text),
        finding(Rule.TIER, Verdict.BLOCK, text, text),
        finding(Rule.BURN_RATE, Verdict.WARN, text, text),
    )
    made = decided(
        healthy(),
        policy=policy,
        findings=findings,
        tier=None,
        source=source(path=text or "gate.yaml"),
        recognition=Recognition(change=text, how="labels", evidence=(text,), notes=(text,)),
    )
    return decision(made, **talking(text))


def suites(made: Decision) -> ET.Element:
    report = render("junit", made, STYLE)
    JUNIT.validate(report)
    return ET.fromstring(report)


def results(made: Decision) -> list[dict[str, Any]]:
    document = json.loads(render("sarif", made, STYLE))
    SARIF.validate(document)
    found: list[dict[str, Any]] = document["runs"][0]["results"]
    return found


def commands(made: Decision) -> list[str]:
    return render("github", made, STYLE).splitlines()


@pytest.mark.parametrize(
    "kind, failures, errors",
    [
        ("allowed", 0, 0),
        ("blocked", 2, 0),
        ("undecided", 0, 1),
        ("warned", 0, 0),
        ("warned-fails", 2, 0),
        ("observed", 2, 0),
    ],
)
def test_junit_counts_what_its_cases_say(kind: str, failures: int, errors: int) -> None:
    root = suites(EVERY_KIND[kind])
    (suite,) = root
    assert (suite.get("failures"), suite.get("errors")) == (str(failures), str(errors))
    assert suite.get("tests") == str(len(suite))
    assert (len(root.findall(".//failure")), len(root.findall(".//error"))) == (failures, errors)


def test_junit_has_a_suite_for_each_policy_and_never_a_name_twice() -> None:
    root = suites(EVERY_KIND["several"])
    assert len(root) == len(EVERY_KIND["several"].policies)
    (suite,) = suites(hostile("a"))
    names = [case.get("name") for case in suite]
    assert names == ["tier a", "tier a (2)", "burn-rate a"]


def test_junit_tells_the_reason() -> None:
    (suite,) = suites(EVERY_KIND["undecided"])
    error = suite.find("./testcase/error")
    assert error is not None
    assert error.get("type") == "undecided"
    assert "query timed out after 2m0s" in (error.get("message") or "")


@pytest.mark.parametrize(
    "kind, levels",
    [
        ("allowed", []),
        ("blocked", ["error", "error"]),
        ("undecided", ["error"]),
        ("warned", ["warning", "warning"]),
        ("several", ["error", "error", "error"]),
    ],
)
def test_sarif_has_a_result_for_each_objection(kind: str, levels: list[str]) -> None:
    assert [result["level"] for result in results(EVERY_KIND[kind])] == levels


@pytest.mark.parametrize(
    "path, uri",
    [
        ("policies/chat.yaml", "policies/chat.yaml"),
        ("my gate#1.yaml", "my%20gate%231.yaml"),
        ("/srv/gate.yaml", "file:///srv/gate.yaml"),
    ],
)
def test_sarif_names_the_policy_file_by_a_uri(path: str, uri: str) -> None:
    made = decision(block_policy(source=source(path=path)))
    place = results(made)[0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == uri


@pytest.mark.parametrize(
    "folder, path, found",
    [
        ("", "gate.yaml", "gate.yaml"),
        ("", "./policies/gate.yaml", "policies/gate.yaml"),
        ("services/chat/", "gate.yaml", "services/chat/gate.yaml"),
        ("services/chat/", "../gate.yaml", "services/gate.yaml"),
        ("services/chat/", "/srv/gate.yaml", "/srv/gate.yaml"),
    ],
)
def test_hosts_are_reported_where_the_policy_is_from_the_top_of_the_repository(
    folder: str, path: str, found: str
) -> None:
    context = Context(system="github", folder=folder)
    made = decision(block_policy(source=source(path=path)), context=context)
    assert {line.split(",")[0] for line in commands(made)} == {f"::error file={found}"}
    (entry, *_) = json.loads(render("codequality", made, STYLE))
    assert entry["location"]["path"] == found
    place = results(made)[0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place["uri"].removeprefix("file://") == found
    allowed = replace(EVERY_KIND["allowed"], context=context)
    assert commands(allowed)[0].startswith(f"::notice file={folder}policies/chat.yaml::")


def test_a_report_of_another_form_would_not_be_junit() -> None:
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        JUNIT.validate('<testsuites><testsuite name="gate"/></testsuites>')


def test_the_same_objection_with_other_numbers_is_the_same_alert() -> None:
    def prints(reason: str, slo: str) -> tuple[str, str]:
        findings = (finding(Rule.TIER, Verdict.BLOCK, reason, slo),)
        made = decision(decided(healthy(), findings=findings, tier=None))
        (entry,) = json.loads(render("codequality", made, STYLE))
        return results(made)[0]["partialFingerprints"]["gate/v1"], entry["fingerprint"]

    assert prints("-1.0% is left", "a") == prints("-2.0% is left", "a")
    assert prints("-1.0% is left", "a") != prints("-1.0% is left", "b")


def test_two_incidents_of_one_slo_are_two_alerts() -> None:
    findings = tuple(finding(Rule.POSTMORTEM, Verdict.BLOCK, reason, "a") for reason in "xy")
    made = decision(decided(healthy(), findings=findings, tier=None))

    first, second = json.loads(render("codequality", made, STYLE))
    alone = decision(decided(healthy(), findings=findings[1:], tier=None))
    (again,) = json.loads(render("codequality", alone, STYLE))

    assert first["fingerprint"] != second["fingerprint"]
    assert first["fingerprint"] == again["fingerprint"]


@pytest.mark.parametrize(
    "kind, first, count",
    [
        ("allowed", "::notice file=policies/chat.yaml::allow: full-rollout of chat", 1),
        ("blocked", "::error file=policies/chat.yaml,title=gate%3A BLOCK::block: full-rollout", 2),
        ("undecided", "::error file=policies/chat.yaml,title=gate%3A UNDECIDED::undecided:", 1),
        ("warned", "::warning file=policies/chat.yaml,title=gate%3A WARN::warn:", 2),
        ("observed", "::notice file=policies/chat.yaml,title=gate%3A BLOCK (dry run", 2),
    ],
)
def test_github_annotates_the_objections(kind: str, first: str, count: int) -> None:
    lines = commands(EVERY_KIND[kind])
    assert lines[0].startswith(first)
    assert len(lines) == count


@pytest.mark.parametrize("count", [9, 10, 11, 30])
def test_github_shows_ten_and_so_it_gets_no_more_than_ten(count: int) -> None:
    findings = [finding(Rule.TIER, Verdict.WARN, f"number {n}", f"slo-{n}") for n in range(count)]
    findings.append(finding(Rule.FREEZE, Verdict.BLOCK, "frozen"))
    lines = commands(decision(decided(healthy(), findings=tuple(findings), tier=None)))
    assert "frozen" in lines[0]
    assert len(lines) == min(count + 1, 10)
    if count + 1 > 10:
        assert lines[-1] == f"::notice::{count + 1 - 9} more findings are in the report"


def test_gitlab_gets_a_link_to_each_dashboard() -> None:
    links = json.loads(render("gitlab", EVERY_KIND["blocked"], STYLE))["gate"]
    assert links == [
        {
            "external_link": {
                "label": "BLOCK full-rollout of chat",
                "url": "https://grafana.acme.example/d/chat?orgId=1&from=now-30d",
            }
        }
    ]
    without = decision(block_policy(policy=policy_of((), dashboard=None)))
    assert json.loads(render("gitlab", without, STYLE)) == {"gate": []}


@pytest.mark.parametrize(
    "kind, severities",
    [
        ("allowed", []),
        ("blocked", ["blocker"] * 2),
        ("undecided", ["critical"]),
        ("warned", ["minor"] * 2),
    ],
)
def test_code_quality_has_what_gitlab_asks_for(kind: str, severities: list[str]) -> None:
    entries = json.loads(render("codequality", EVERY_KIND[kind], STYLE))
    assert [entry["severity"] for entry in entries] == severities
    for entry in entries:
        assert set(entry) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert entry["location"] == {"path": "policies/chat.yaml", "lines": {"begin": 1}}


@given(HOSTILE)
def test_hostile_text_stays_where_it_stands(text: str) -> None:
    made = hostile(text)
    (suite,) = suites(made)
    assert len(suite) == 3
    assert len(results(made)) == 3
    assert len(json.loads(render("gitlab", made, STYLE))["gate"]) == 1
    assert len(json.loads(render("codequality", made, STYLE))) == 3


@given(HOSTILE)
def test_hostile_text_gives_github_no_command_and_no_property(text: str) -> None:
    lines = render("github", hostile(text), STYLE).split("\n")
    assert len(lines) == 4
    for line in lines[:-1]:
        parsed = re.fullmatch(r"::(error|warning) file=([^:,]*),title=([^:,]*)::(.*)", line)
        assert parsed is not None
        assert "\r" not in line


def test_a_percent_sign_of_a_name_is_not_read_as_an_escape() -> None:
    made = hostile("%0A::set-output name=x::1")
    assert "%250A::set-output name=x::1" in commands(made)[0].split("::", 2)[2]
    assert "file=%250A%3A%3Aset-output" in commands(made)[0]


def test_every_rule_is_reported_in_sarif() -> None:
    rules = json.loads(render("sarif", EVERY_KIND["blocked"], STYLE))["runs"][0]["tool"]["driver"]
    assert [rule["id"] for rule in rules["rules"]] == list(map(str, Rule))
