"""Which class a change is of, and that nothing unknown or unapproved makes it look safer."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.policy.changes import Approval, ChangeFacts, ChangeMatcher, Recognition, recognise
from gate.policy.tiers import Condition, Tier

TIERS = (
    Tier(name="healthy", condition=Condition(">", Fraction(1, 2)), allow=None),
    Tier(
        name="caution",
        condition=Condition(">", Fraction(1, 10)),
        allow=frozenset({"canary", "security-patch", "rollback"}),
    ),
    Tier(name="exhausted", condition=None, allow=frozenset({"security-patch", "rollback"})),
)
MATCHERS = {
    "security-patch": ChangeMatcher(labels=("security",), approved_by=("@acme/security",)),
    "canary": ChangeMatcher(trailers={"Change-Class": "canary"}, branches=("canary/*",)),
    "model-update": ChangeMatcher(paths=("models/**",)),
    "prompt-update": ChangeMatcher(paths=("prompts/**",), types=("prompt",)),
}


def approved(_matcher: ChangeMatcher) -> Approval:
    return Approval(by=("grace",))


def refused(_matcher: ChangeMatcher) -> Approval:
    return Approval(why_not="only the author has approved it")


def recognised(
    matchers: Mapping[str, ChangeMatcher] = MATCHERS, approve: Any = approved, **facts: Any
) -> Recognition:
    return recognise(
        matchers, ChangeFacts(**facts), tiers=TIERS, default="full-rollout", approve=approve
    )


@pytest.mark.parametrize(
    "facts, change, how, evidence",
    [
        ({}, "full-rollout", "default", ()),
        ({"paths": ["docs/a.md"]}, "full-rollout", "default", ()),
        (
            {"paths": ["docs/a.md", "models/x/w.bin"]},
            "model-update",
            "paths",
            ("models/x/w.bin (models/**)",),
        ),
        ({"labels": ["security", "big"]}, "security-patch", "labels", ("security",)),
        ({"labels": ["Security"]}, "full-rollout", "default", ()),
        ({"branches": ["canary/7"]}, "canary", "branches", ("canary/7 (canary/*)",)),
        ({"branches": ["canary/7/x"]}, "full-rollout", "default", ()),
        ({"subjects": ["prompt(rag)!: shorter"]}, "prompt-update", "subjects", None),
        ({"subjects": ["Prompt: shorter"]}, "prompt-update", "subjects", None),
        ({"subjects": ["prompting: shorter", "prompt shorter"]}, "full-rollout", "default", ()),
        ({"trailers": [("change-class", "canary")]}, "canary", "trailers", None),
        ({"trailers": [("Change-Class", "Canary")]}, "full-rollout", "default", ()),
    ],
)
def test_a_class_is_recognised_by_what_the_policy_names(
    facts: Mapping[str, Any], change: str, how: str, evidence: tuple[str, ...] | None
) -> None:
    found = recognised(**facts)
    assert (found.change, found.how) == (change, how)
    assert evidence is None or found.evidence == evidence


def test_of_several_classes_the_riskiest_counts() -> None:
    found = recognised(paths=["prompts/system.md"], labels=["security"])
    assert (found.change, found.how) == ("prompt-update", "paths")
    assert "also security-patch by labels (security)" in found.notes


def test_of_equally_risky_classes_the_first_in_the_policy_counts() -> None:
    found = recognised(paths=["prompts/system.md", "models/w.bin"])
    assert found.change == "model-update"
    assert "also prompt-update by paths (prompts/system.md (prompts/**))" in found.notes


def test_a_safer_class_counts_only_when_somebody_else_stands_behind_it() -> None:
    with_approval = recognised(labels=["security"])
    assert with_approval.change == "security-patch"
    assert with_approval.notes == ("security-patch approved by grace",)
    without = recognised(labels=["security"], approve=refused)
    assert (without.change, without.how) == ("full-rollout", "default")
    assert without.notes == (
        "security-patch by labels (security) does not count: only the author has approved it",
    )


def test_without_the_approval_even_a_safer_match_leaves_the_default() -> None:
    found = recognised(labels=["security"], branches=["canary/1"], approve=refused)
    assert found.change == "full-rollout"


def test_nobody_is_asked_for_an_approval_that_does_not_matter() -> None:
    def never(_matcher: ChangeMatcher) -> Approval:
        raise AssertionError

    assert recognised(paths=["models/w.bin"], approve=never).change == "model-update"


@pytest.mark.parametrize("field", ["paths", "labels", "branches", "subjects", "trailers"])
def test_what_is_not_known_never_makes_a_change_safer(field: str) -> None:
    facts: dict[str, Any] = {"labels": ["security"], field: None}
    found = recognised(**facts, unknown={field: "a shallow checkout"})
    assert found.change not in {"canary", "security-patch"}


def test_a_class_that_cannot_be_ruled_out_counts_and_says_why() -> None:
    found = recognised(labels=["security"], paths=None, unknown={"paths": "a shallow checkout"})
    assert (found.change, found.how) == ("model-update", "unknown")
    assert found.evidence == ("paths: a shallow checkout",)
    assert recognised(paths=None).evidence == ("paths: not known",)
    assert str(found) == "model-update by unknown (paths: a shallow checkout)"


def test_what_no_matcher_looks_at_need_not_be_known() -> None:
    only = {"canary": MATCHERS["canary"]}
    found = recognised(only, paths=None, labels=None, subjects=None)
    assert (found.change, found.how) == ("full-rollout", "default")
    assert str(found) == "full-rollout by default"


def test_a_long_list_of_evidence_is_cut() -> None:
    found = recognised(paths=[f"models/{n}.bin" for n in range(100)])
    assert len(found.evidence) == 5


SOME = {
    "paths": st.lists(st.sampled_from(["models/a", "prompts/b", "docs/c"])),
    "labels": st.lists(st.sampled_from(["security", "other"])),
    "branches": st.lists(st.sampled_from(["canary/1", "main"]), max_size=1),
    "subjects": st.lists(st.sampled_from(["prompt: x", "fix: y"])),
    "trailers": st.lists(st.sampled_from([("Change-Class", "canary"), ("A", "b")])),
}


def allowing(change: str) -> int:
    return sum(tier.allows(change) for tier in TIERS)


@given(st.fixed_dictionaries(SOME), st.sets(st.sampled_from(sorted(SOME))), st.booleans())
def test_knowing_less_or_approving_less_is_never_safer(
    facts: dict[str, Any], hidden: set[str], approve: bool
) -> None:
    whole = recognised(**facts)
    less = recognised(
        **{**facts, **dict.fromkeys(hidden)}, approve=approved if approve else refused
    )
    assert allowing(less.change) <= allowing(whole.change)
