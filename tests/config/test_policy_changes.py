"""How a policy says that changes are recognised, and how it may be overridden."""

from datetime import timedelta

import pytest

from gate.policy.changes import ChangeMatcher
from gate.policy.override import OverrideRule
from tests.config.texts import policy, read, sound

CHANGES = """\
changes:
  default: canary
  prompt-update: {paths: ["./prompts/**", /rag/*.md], labels: [prompt]}
  canary: {branches: ["canary/*"], types: [Feat], trailers: {Change-Class: canary}}
  security-patch: {labels: [security], approved_by: ["@ada", "@acme/security", write]}
  p0-fix: {description: mends a P0}
"""


def test_each_class_has_what_it_is_recognised_by() -> None:
    made = sound(policy(more=CHANGES))
    assert dict(made.matchers) == {
        "prompt-update": ChangeMatcher(paths=("prompts/**", "rag/*.md"), labels=("prompt",)),
        "canary": ChangeMatcher(
            branches=("canary/*",), types=("feat",), trailers={"Change-Class": "canary"}
        ),
        "security-patch": ChangeMatcher(
            labels=("security",), approved_by=("@ada", "@acme/security", "write")
        ),
    }
    assert list(made.matchers) == ["prompt-update", "canary", "security-patch"]
    assert made.default_change == "canary"
    assert "p0-fix" in made.change_classes


def test_without_changes_nothing_is_recognised() -> None:
    made = sound(policy())
    assert (dict(made.matchers), made.default_change) == ({}, "full-rollout")
    assert made.overrides == OverrideRule()


@pytest.mark.parametrize(
    "line, rule",
    [
        ("overrides: none", OverrideRule(max_duration=timedelta(0))),
        ("overrides: {max_duration: 8h}", OverrideRule(max_duration=timedelta(hours=8))),
        ('overrides: {approved_by: ["@ada"]}', OverrideRule(approvers=("@ada",))),
        ("overrides: {}", OverrideRule()),
    ],
)
def test_a_policy_says_whether_and_how_it_may_be_overridden(line: str, rule: OverrideRule) -> None:
    assert sound(policy(more=f"{line}\n")).overrides == rule


@pytest.mark.parametrize(
    "line, words",
    [
        ("changes: {canary: {path: [x]}}", "unknown key 'path'; did you mean 'paths'?"),
        ("changes: {canary: {paths: x}}", "a list was expected"),
        ("changes: {canary: {approved_by: [ada]}}", "'ada' is nobody; write @person"),
        ("changes: {canary: {approved_by: []}}", "the list needs 1 or more entries"),
        ("changes: {canary: {types: ['a b!']}}", "is no name"),
        ("changes: {default: canray}", "'canray' is no change class; did you mean 'canary'?"),
        ("overrides: never", "none"),
        ("overrides: {max_duration: 8 hours}", "is no duration"),
        ("overrides: {approved_by: ['acme/sre']}", "is nobody; write @person, @organisation/team"),
        ("overrides: {label: ''}", "empty"),
    ],
)
def test_a_mistake_in_them_is_told(line: str, words: str) -> None:
    contents, mistakes = read(policy(more=f"{line}\n"))
    assert contents is None
    assert any(words in mistake for mistake in mistakes), mistakes


def test_a_new_class_without_a_description_is_most_likely_misspelt() -> None:
    contents, mistakes = read(policy(more="changes: {secuirty-patch: {labels: [security]}}\n"))
    assert contents is not None
    assert len(mistakes) == 1
    assert "warning: 'secuirty-patch' is a new change class; describe it" in mistakes[0]
    assert "did you mean 'security-patch'?" in mistakes[0]
