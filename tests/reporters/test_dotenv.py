"""Variables for later jobs: whatever a policy is called, GitLab and a shell read it back."""

import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.decision.decision import Decision
from gate.policy.changes import Recognition
from gate.policy.override import Override
from gate.policy.tiers import Tier
from gate.reporters.ansi import Style
from gate.reporters.dotenv import render
from tests.reporters.builders import (
    EVERY_KIND,
    allow_policy,
    block_policy,
    decision,
    judged,
    undecided_policy,
)

STYLE = Style()
NAMES = [
    "GATE_VERDICT",
    "GATE_EXIT_CODE",
    "GATE_OVERRIDDEN",
    "GATE_CHANGE_CLASS",
    "GATE_TIER",
    "GATE_REMAINING",
    "GATE_EXPIRES_AT",
]
HOSTILE = st.text() | st.text(alphabet="$(){}`'\"\\=#%&;|<>*?~! \n\r\t\x00\x85\u2028\u202e\udc80-a")


def as_gitlab_reads(made: Decision) -> list[tuple[str, str]]:
    """Read as GitLab's app/services/ci/parse_dotenv_artifact_service.rb does: by lines."""
    pairs = []
    for line in render(made, STYLE).removesuffix("\n").split("\n"):
        name, sign, value = line.partition("=")
        assert sign == "="
        pairs.append((name.strip(), value.strip()))
    return pairs


def hostile(text: str) -> Decision:
    """Put a text wherever one from outside can stand."""
    tier = Tier(name=text, condition=None, allow=None)
    made = block_policy(recognition=Recognition(change=text, how=text))
    return decision(judged(replace(made, policy=replace(made.policy, service=text)), tier=tier))


@pytest.mark.parametrize(
    "kind, values",
    [
        ("allowed", ["allow", "0", "false", "full-rollout", "healthy", "65.1"]),
        ("blocked", ["block", "10", "false", "full-rollout", "exhausted", "-50.0"]),
        ("warned-fails", ["warn", "11", "false", "security-patch", "exhausted", "-650.0"]),
        ("observed", ["block", "0", "false", "full-rollout", "exhausted", "-50.0"]),
        ("impact", ["block", "10", "false", "full-rollout", "", ""]),
    ],
)
def test_the_variables_say_what_was_decided(kind: str, values: list[str]) -> None:
    pairs = as_gitlab_reads(EVERY_KIND[kind])

    assert [name for name, _ in pairs] == NAMES
    assert [value for _, value in pairs] == [*values, "2026-11-23T21:08:51Z"]


def test_where_nothing_was_measured_tier_and_remaining_are_empty() -> None:
    lost = judged(undecided_policy(), tier=None, worst=None)
    values = dict(as_gitlab_reads(decision(lost)))

    assert (values["GATE_VERDICT"], values["GATE_EXIT_CODE"]) == ("undecided", "3")
    assert (values["GATE_TIER"], values["GATE_REMAINING"]) == ("", "")


def test_of_several_policies_the_worst_budget_is_reported() -> None:
    values = dict(as_gitlab_reads(decision(allow_policy(), block_policy(), undecided_policy())))

    assert (values["GATE_TIER"], values["GATE_REMAINING"]) == ("exhausted", "-50.0")
    assert values["GATE_CHANGE_CLASS"] == "full-rollout"


def test_policies_that_see_different_classes_have_none_in_common() -> None:
    canary = block_policy(recognition=Recognition(change="canary", how="paths"))

    assert dict(as_gitlab_reads(decision(canary, allow_policy())))["GATE_CHANGE_CLASS"] == ""


def test_an_override_is_reported_beside_the_verdict_that_stays() -> None:
    override = Override(
        reason="outage", approved_by="@grace", until=datetime(2026, 11, 24, tzinfo=UTC)
    )
    values = dict(as_gitlab_reads(replace(EVERY_KIND["blocked"], override=override)))

    assert (values["GATE_VERDICT"], values["GATE_OVERRIDDEN"]) == ("block", "true")


def test_a_budget_overspent_a_thousand_times_is_one_plain_number() -> None:
    made = block_policy()
    assert made.judgement.worst is not None
    worst = replace(made.judgement.worst, remaining=Fraction(-12_345_678, 10_000))
    far = judged(made, worst=worst)

    assert dict(as_gitlab_reads(decision(far)))["GATE_REMAINING"] == "-123456.8"


@given(HOSTILE)
def test_a_hostile_name_becomes_no_variable_and_reads_back_as_itself(text: str) -> None:
    pairs = as_gitlab_reads(hostile(text))

    assert [name for name, _ in pairs] == NAMES
    for _, value in pairs:
        assert re.fullmatch(r"[A-Za-z0-9_.~%:-]*", value)
    plain = text[:64].encode("utf-8", "replace").decode()
    assert unquote(dict(pairs)["GATE_TIER"]) == plain
    assert unquote(dict(pairs)["GATE_CHANGE_CLASS"]) == plain


def test_the_longest_names_stay_within_5_kb() -> None:
    text = render(hostile("\U0001f600" * 100_000), STYLE)

    assert 1_500 < len(text.encode()) < 5_120


@pytest.mark.parametrize(
    "text", ["$(touch /tmp/x)", "`id`", "a b", "a; exit 7", "'", "a\nGATE_VERDICT=allow", "*"]
)
def test_a_shell_that_sources_the_file_runs_nothing_of_it(text: str) -> None:
    script = f'set -eu\n{render(hostile(text), STYLE)}printf "%s" $GATE_VERDICT:$GATE_TIER\n'

    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)

    verdict, _, tier = done.stdout.partition(":")
    assert (verdict, unquote(tier), done.stderr) == ("block", text, "")
