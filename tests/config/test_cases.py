"""The file of cases: what it says, its mistakes at their places, and its JSON Schema."""

import json
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gate.budget.impact import Impact
from gate.cli.schema import cases_schema
from gate.config.cases import FULL, StatedChange, place_of_cases, policy_beside
from gate.config.cases_schema import CASES, read_cases
from gate.errors import ExitCode, PolicyError
from gate.measure import Cause
from gate.policy.changes import ChangeCommit
from gate.policy.findings import Rule, Verdict
from tests.config.texts import HERE, places

WHOLE = """\
version: 1
at: 2026-11-20T14:00:00Z
cases:
  - name: with everything
    at: 2026-11-21T14:00:00+01:00
    change:
      paths: [models/a]
      labels: [security]
      branch: main
      title: "fix: it"
      commits: [{message: "fix: it", paths: [a], trailers: {Change-Class: canary}}]
      approved_by: ["@acme/security"]
      was_live: false
    satisfied: [shadow]
    impact: {canary: 10%, failures: 50%, detect: 10m}
    fail_on: warn
    ci_freeze: true
    slos:
      a:
        total: 1000
        bad: 1/3
        burn_rates: {1h: 14.4, 5m: no_traffic}
        newest: 5m
        coverage: 95%
        partial: true
        suspicions: [{cause: born, hidden: any, doubtful: 3}]
        incidents: [{start: 2026-11-20T10:00:00Z, end: 2026-11-20T11:00:00Z, bad: 4}]
        signals: [{start: 2026-11-20T10:00:00Z}]
        history: no_data
      b: {remaining: -20%}
      c: {spent: 0}
      d: {unmeasured: no_data}
    others: {unmeasured: stale}
    records:
      - {id: A, service: chat, title: t, start: 2026-11-20T10:00:00Z, status: open}
    expect:
      verdict: warn
      exit_code: 11
      change: canary
      tier: healthy
      worst_slo: a
      rules: [tier, {rule: burn-rate, slo: a, verdict: warn}]
      no_other_rule: true
      allowed_now: all
      obligations: [shadow]
  - name: with little
    change: canary
    expect: {verdict: allow, allowed_now: none}
"""


def mistakes(marked: str) -> tuple[list[str], list[str]]:
    """Return where the marks stand, and the mistakes of a text without them."""
    text, expected = places(marked)
    try:
        read_cases(text.encode(), "gate.yaml", {})
    except PolicyError as error:
        return expected, [str(mistake) for mistake in error.mistakes]
    return expected, []


def test_everything_that_a_case_can_say_is_read() -> None:
    whole, little = read_cases(WHOLE.encode(), "gate.test.yaml", {}).cases

    assert (whole.at.isoformat(), little.at.hour) == ("2026-11-21T13:00:00+00:00", 14)
    assert whole.change == StatedChange(
        paths=("models/a",),
        labels=("security",),
        branch="main",
        title="fix: it",
        commits=(
            ChangeCommit(message="fix: it", paths=("a",), trailers=(("Change-Class", "canary"),)),
        ),
        approved_by=("@acme/security",),
    )
    assert (whole.satisfied, whole.fail_on_warn, whole.ci_freeze) == (("shadow",), True, True)
    assert whole.impact is not None
    assert (whole.impact.canary, whole.impact.failures) == (Fraction(1, 10), Fraction(1, 2))
    a = whole.slos["a"]
    assert a.counts == (Fraction(1000), Fraction(1, 3))
    assert a.burn_rates == {"1h": Fraction(144, 10), "5m": Cause.NO_TRAFFIC}
    assert (a.suspicions[0].hidden, a.suspicions[0].doubtful) == (None, Fraction(3))
    assert (a.incidents[0].bad, a.incidents[0].share) == (Fraction(4), None)
    assert (whole.slos["b"].remaining, whole.slos["c"].spent) == (Fraction(-1, 5), Fraction(0))
    assert whole.others.unmeasured is Cause.STALE
    expect = whole.expect
    assert (expect.verdict, expect.exit_code) == (Verdict.WARN, ExitCode.WARN)
    assert [str(rule) for rule in expect.rules] == ["tier", "burn-rate of a: warn"]
    assert expect.rules[0].rule is Rule.TIER
    assert (expect.allowed_now, expect.obligations) == ("all", frozenset({"shadow"}))
    assert (little.others, little.expect.allowed_now) == (FULL, frozenset())
    assert (whole.line, little.line) == (4, 46)


def test_an_impact_has_the_defaults_of_the_command() -> None:
    text = "version: 1\ncases: [{name: a, at: 2026-11-20T14:00:00Z, change: canary, impact: {},"
    (case,) = read_cases(f"{text} expect: {{verdict: allow}}}}]".encode(), "a", {}).cases

    assert case.impact == Impact()


CASE = "version: 1\nat: 2026-11-20T14:00:00Z\ncases:\n  - name: a\n    change: canary\n"
EXPECT = "    expect: {verdict: allow}\n"


def left(*more: str) -> str:
    """Return a case that states something beside what is left of a budget."""
    stated = f"remaining: 1%, {''.join(more)}"
    return f"{CASE}    slos: {{a: {{{stated}}}}}\n{EXPECT}"


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        (
            f"{HERE}{CASE.removeprefix('version: 1' + chr(10))}{EXPECT}",
            "the key 'version' is missing: Version of the format: 1.",
        ),
        (
            f"version: 1\ncases: {HERE}[]\n",
            "the list needs at least 1 entry",
        ),
        (f"{CASE}{EXPECT}    {HERE}slo: {{}}\n", "unknown key 'slo'; did you mean 'slos'?"),
        (f"{HERE}", "the file is empty"),
        (
            f"version: 1\ncases:\n  - {HERE}name: a\n    change: canary\n{EXPECT}",
            "the key 'at' is missing; add it here, or above all cases",
        ),
        (
            f"{CASE}{EXPECT}  - name: {HERE}a\n    change: canary\n{EXPECT}",
            "another case has this name, on line 4",
        ),
        (
            f"{CASE}    slos:\n      a: {HERE}{{total: 3}}\n{EXPECT}",
            "give exactly one statement of the remaining budget: total and bad, remaining: 42%,"
            " spent: 1200,"
            " or unmeasured: no_data",
        ),
        (
            f"{CASE}    slos:\n      a: {HERE}{{remaining: 3%, spent: 1}}\n{EXPECT}",
            "give exactly one statement of the remaining budget: total and bad, remaining: 42%,"
            " spent: 1200,"
            " or unmeasured: no_data",
        ),
        (f"{CASE}    slos: {{a: {{total: 3, bad: {HERE}4}}}}\n{EXPECT}", "bad is more than total"),
        (
            f"{CASE}    slos: {{a: {{total: {HERE}0, bad: 0}}}}\n{EXPECT}",
            "0 is not above zero; without events state unmeasured: no_traffic",
        ),
        (f"{CASE}    slos: {{a: {{total: 3, bad: {HERE}-4}}}}\n{EXPECT}", "-4 is negative"),
        (
            f"{CASE}    slos: {{a: {{remaining: {HERE}110%}}}}\n{EXPECT}",
            "110%: a budget has at most 100% left; -50% is overspent by half",
        ),
        (
            f"{CASE}    slos: {{a: {{remaining: {HERE}42}}}}\n{EXPECT}",
            "a bare 42 is ambiguous; write 42% or a share from 0 to 1",
        ),
        (
            f"{CASE}    slos: {{a: {{unmeasured: {HERE}no_dat}}}}\n{EXPECT}",
            "'no_dat' is not a valid value; did you mean 'no_data'?",
        ),
        (
            f"{CASE}    slos: {{a: {{unmeasured: stale, newest: {HERE}1h}}}}\n{EXPECT}",
            "newest needs a number beside it, and nothing was measured",
        ),
        (
            left(f"burn_rates: {{1h: {HERE}no_trafic}}"),
            "'no_trafic' is not a valid value; did you mean 'no_traffic'?",
        ),
        (
            left(f"suspicions: [{HERE}{{cause: born}}]"),
            "say how many events are in doubt: hidden, doubtful, or both; any means any number",
        ),
        (
            left(f"suspicions: [{{cause: born, hidden: {HERE}-1}}]"),
            "-1 is negative; write 0 or more, or any",
        ),
        (
            left(f"incidents: [{HERE}{{start: 2026-11-20T10:00:00Z}}]"),
            "give exactly one of share and bad: share: 35%, or bad: 400",
        ),
        (
            left(f"incidents: [{{start: 2026-11-20T10:00:00Z, share: {HERE}0%}}]"),
            "0% must be above 0%",
        ),
        (
            left(
                "signals: [{start: 2026-11-20T10:00:00Z, ",
                f"end: {HERE}2026-11-20T10:00:00Z}}]",
            ),
            "the end is not after the start",
        ),
        (
            f"{CASE}    others: {HERE}{{}}\n{EXPECT}",
            "give exactly one of these for all other SLOs: remaining, or unmeasured",
        ),
        (
            f"{CASE}    expect: {HERE}{{tier: healthy}}\n",
            "the key 'verdict' is missing: Verdict of the policy.",
        ),
        (
            f"{CASE}    expect: {{verdict: {HERE}alow}}\n",
            "'alow' is not a valid value; did you mean 'allow'?",
        ),
        (
            f"{CASE}    expect: {{verdict: allow, exit_code: {HERE}2}}\n",
            "'2' is not an exit code of a decision; known: 0, 3, 10, 11",
        ),
        (
            f"{CASE}    expect: {{verdict: warn, rules: [{HERE}burnrate]}}\n",
            "'burnrate' is not a valid value; did you mean 'burn-rate'?",
        ),
        (
            f"{CASE}    expect: {{verdict: warn, rules: [{{rule: tier, verdict: {HERE}allow}}]}}\n",
            "a rule that fires does more than allow; write warn, undecided or block",
        ),
        (
            f"{CASE}    expect: {{verdict: warn, allowed_now: {HERE}some}}\n",
            "'some' is not a valid value; write all or none",
        ),
    ],
)
def test_a_mistake_is_reported_at_its_place(marked: str, message: str) -> None:
    (place,), told = mistakes(marked)

    assert told == [f"{place}: error: {message}"]


def test_every_mistake_is_reported_at_once() -> None:
    _, told = mistakes("version: 2\ncases: [{name: a, chang: b}]\n")

    assert len(told) == 3


@pytest.mark.parametrize(
    ("path", "policy"),
    [
        ("gate.test.yaml", "gate.yaml"),
        ("a/chat.test.yml", "a/chat.yml"),
        ("gate.yaml", None),
        ("test.yaml", None),
    ],
)
def test_a_file_of_cases_is_known_by_its_name(path: str, policy: str | None) -> None:
    assert policy_beside(path) == policy


def test_the_cases_of_a_policy_may_have_either_ending(tmp_path: Path) -> None:
    policy = str(tmp_path / "gate.yaml")
    assert place_of_cases(policy) == str(tmp_path / "gate.test.yaml")

    (tmp_path / "gate.test.yml").touch()
    assert place_of_cases(policy) == str(tmp_path / "gate.test.yml")


SHIPPED: dict[str, Any] = json.loads(
    files("gate").joinpath("schemas", "cases.schema.json").read_text(encoding="utf-8")
)


class Loader(yaml.SafeLoader):
    """Leaves instants as the text that editors hold against the schema."""


Loader.yaml_implicit_resolvers = {
    key: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for key, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def test_the_schema_that_ships_is_that_of_the_reader() -> None:
    assert cases_schema() == SHIPPED, "make schema writes it anew"
    jsonschema.Draft202012Validator.check_schema(SHIPPED)


def test_what_the_reader_takes_fits_the_schema() -> None:
    jsonschema.Draft202012Validator(SHIPPED).validate(yaml.load(WHOLE, Loader))


@pytest.mark.parametrize(
    "wrong", ["verdict: alow", "tier: [a]", "exit_code: 2", "rules: [burnrate]", "rule: tier"]
)
def test_what_the_reader_refuses_does_not_fit_the_schema(wrong: str) -> None:
    text = f"{CASE}    expect: {{verdict: allow, {wrong}}}\n".replace(
        "verdict: allow, verdict", "verdict"
    )

    assert not jsonschema.Draft202012Validator(SHIPPED).is_valid(yaml.load(text, Loader))


def test_every_key_has_a_documentation() -> None:
    documented = [
        schema["description"]
        for schema in (*properties(CASES.schema()), *properties(SHIPPED))
        if "description" in schema
    ]

    assert len(documented) == 2 * len(list(properties(SHIPPED)))
    assert all(documented)


def properties(schema: Any) -> list[dict[str, Any]]:
    """Return the schemas of all keys, wherever they stand."""
    if isinstance(schema, list):
        return [found for part in schema for found in properties(part)]
    if not isinstance(schema, dict):
        return []
    own = schema.get("properties")
    keys = list(own.values()) if isinstance(own, dict) else []
    return [*keys, *(found for part in schema.values() for found in properties(part))]
