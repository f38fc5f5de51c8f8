"""The result of a step: its outputs, and the report where there is no decision."""

import html
import json
import re
from typing import Any

import pytest
from hypothesis import given

from gate.errors import ExitCode
from gate.github_action.report import decided, failed, without_secrets
from tests.reporters.test_markdown import HOSTILE


def policy(verdict: str, left: float | None, tier: str | None = None) -> dict[str, Any]:
    """Return the part of a decision that outputs are made of."""
    slos = [{"name": "other", "remaining": 0.99}, {"name": "up", "remaining": left}]
    worst = None if left is None else "up"
    return {"verdict": verdict, "tier": tier, "worst_slo": worst, "slos": slos}


@pytest.mark.parametrize(
    ("policies", "tier", "remaining"),
    [
        ([policy("allow", 0.9, "good")], "good", "0.9"),
        ([policy("allow", 0, "good")], "good", "0"),
        ([policy("allow", 0.2, "good"), policy("block", 0.5, "bad")], "bad", "0.5"),
        ([policy("block", 0.5, "bad"), policy("undecided", None)], "bad", "0.5"),
        ([policy("block", 0.5, "bad"), policy("block", -0.5, "worse")], "worse", "-0.5"),
        ([policy("undecided", 0.9, "good"), policy("undecided", None)], "unknown", "unknown"),
    ],
)
def test_the_policy_that_decided_gives_the_tier_and_what_is_left(
    policies: list[dict[str, Any]], tier: str, remaining: str
) -> None:
    document = {"verdict": "v", "change_class": "canary", "policies": policies}
    outputs = decided(ExitCode.BLOCK, json.dumps(document), "").outputs
    assert outputs == {
        "verdict": "v",
        "exit-code": "10",
        "tier": tier,
        "remaining": remaining,
        "change-class": "canary",
    }


def test_classes_that_differ_are_unknown() -> None:
    document = {"verdict": "allow", "change_class": None, "policies": [policy("allow", 1)]}
    outputs = decided(ExitCode.ALLOW, json.dumps(document), "").outputs
    assert outputs["change-class"] == "unknown"


def test_a_decision_that_could_not_be_written_leaves_the_exit_code_and_no_verdict() -> None:
    ending = decided(ExitCode.ALLOW, "", "report")
    assert (ending.code, ending.outputs["verdict"]) == (ExitCode.ALLOW, "unknown")


def test_a_usage_error_is_reported_in_its_own_words() -> None:
    ending = failed(ExitCode.USAGE, "\ngate.yaml:1:1: error: <b>@everyone\n")
    assert "gate.yaml:1:1: error: <b>@everyone" in html.unescape(ending.report)
    assert "<b>" not in ending.report
    assert "@everyone" not in ending.report
    assert ending.complaint.splitlines()[1] == "gate.yaml:1:1: error: <b>@everyone"


@pytest.mark.parametrize(
    ("code", "words"),
    [(ExitCode.INTERNAL, "gate itself failed"), (ExitCode.INTERRUPTED, "was interrupted")],
)
def test_what_an_accident_said_stays_in_the_log(code: ExitCode, words: str) -> None:
    ending = failed(code, "Traceback with a secret")
    assert words in ending.report
    assert words in ending.complaint
    assert "secret" not in ending.report + ending.complaint
    assert (ending.outputs["verdict"], ending.code) == ("error", code)


@pytest.mark.parametrize(("passes", "code"), [(False, 3), (True, 0)])
def test_a_run_without_secrets_is_undecided_whether_or_not_it_passes(
    *, passes: bool, code: int
) -> None:
    ending = without_secrets(["URL", "TOKEN"], passes=passes)
    assert (ending.code, ending.outputs["verdict"]) == (code, "undecided")
    assert "<code>URL</code>, <code>TOKEN</code> are not set" in ending.report
    assert "URL, TOKEN are not set" in ending.complaint


@given(HOSTILE)
def test_no_text_breaks_out_of_a_report_without_a_decision(text: str) -> None:
    for report in (
        failed(ExitCode.USAGE, text).report,
        without_secrets([text], passes=False).report,
    ):
        assert "<" not in re.sub(r"</?(?:pre|code)>", "", report)
        assert not re.search(r"@\w|`", report)
        assert [line[:2] for line in report.splitlines()].count("##") == 1


@given(HOSTILE)
def test_no_text_gets_from_a_decision_into_another_output(text: str) -> None:
    document = {"verdict": text, "change_class": text, "policies": [policy("block", 0.5, text)]}
    outputs = decided(ExitCode.BLOCK, json.dumps(document), "").outputs
    told = {"verdict": text, "tier": text or "unknown", "change-class": text or "unknown"}
    assert outputs == {"exit-code": "10", "remaining": "0.5", **told}
