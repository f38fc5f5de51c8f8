"""How a policy says that changes are recognised, and how it may be overridden."""

from datetime import timedelta

import pytest

from gate.policy.changes import ChangeMatcher, Live
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
        ("live: {file: a, github-deployments: b}", "write exactly one of these keys"),
        ("live: {}", "github-deployments, gitlab-environments, file"),
        ("live: {gitlab-deployments: a}", "unknown key 'gitlab-deployments'"),
        ("changes: {canary: {path: [x]}}", "unknown key 'path'; did you mean 'paths'?"),
        ("changes: {canary: {paths: x}}", "expected a list, not a single value; write paths: [x]"),
        ("changes: {canary: {approved_by: [ada]}}", "'ada' is not a valid approver; use @person"),
        (
            "changes: {canary: {approved_by: []}}",
            "the list needs at least 1 entry; write approved_by",
        ),
        ("changes: {canary: {types: ['a b!']}}", "is not a valid name"),
        ("changes: {default: canray}", "'canray' is not a change class; did you mean 'canary'?"),
        ("overrides: never", "none"),
        ("overrides: {max_duration: 8 hours}", "is not a valid duration"),
        (
            "overrides: {approved_by: ['acme/sre']}",
            "is not a valid approver; use @person, @organisation/team",
        ),
        ("overrides: {label: ''}", "empty"),
    ],
)
def test_a_mistake_in_them_is_reported(line: str, words: str) -> None:
    contents, mistakes = read(policy(more=f"{line}\n"))
    assert contents is None
    assert any(words in mistake for mistake in mistakes), mistakes


def test_a_new_class_without_a_description_is_most_likely_misspelt() -> None:
    contents, mistakes = read(policy(more="changes: {secuirty-patch: {labels: [security]}}\n"))
    assert contents is not None
    assert len(mistakes) == 1
    assert "warning: 'secuirty-patch' is a new change class; add a description" in mistakes[0]
    assert "did you mean 'security-patch'?" in mistakes[0]


@pytest.mark.parametrize(
    "line, live",
    [
        ("{github-deployments: production}", Live("github-deployments", "production")),
        ("{gitlab-environments: review/x}", Live("gitlab-environments", "review/x")),
        ("{file: ../live.txt}", Live("file", "../live.txt")),
    ],
)
def test_a_policy_says_what_tells_which_commit_is_live(line: str, live: Live) -> None:
    assert sound(policy(more=f"live: {line}\n")).live == live
    assert sound(policy()).live is None


@pytest.mark.parametrize(
    "how, warned",
    [
        ("{labels: [x]}", True),
        ("{branches: ['x/*']}", True),
        ("{labels: [x], approved_by: [write]}", False),
        ("{labels: [x], paths: ['x/**']}", False),
        ("{labels: [x], types: [fix]}", False),
        ("{trailers: {A: b}}", False),
        ("{description: x}", False),
    ],
)
def test_a_class_that_its_author_alone_could_choose_draws_a_warning(how: str, warned: bool) -> None:
    _, mistakes = read(policy(more=f"changes: {{rollback: {how}}}\n"))
    words = [each for each in mistakes if "never give a class that may do more" in each]
    assert bool(words) == warned
    _, riskier = read(policy(more=f"changes: {{model-update: {how}}}\n"))
    assert not [each for each in riskier if "never give a class that may do more" in each]
