"""Which class a change is of; no part, nothing unknown or unapproved makes it safer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.policy.changes import (
    Approval,
    ChangeCommit,
    ChangeFacts,
    ChangeMatcher,
    ComparedWith,
    Recognition,
)
from gate.policy.recognition import recognise
from gate.policy.tiers import Condition, Tier

TIERS = (
    Tier(name="healthy", condition=Condition(">", Fraction(1, 2)), allow=None),
    Tier(
        name="caution",
        condition=Condition(">", Fraction(1, 10)),
        allow=frozenset({"canary", "bug-fix", "config-change", "security-patch", "rollback"}),
    ),
    Tier(name="exhausted", condition=None, allow=frozenset({"security-patch", "rollback"})),
)
MATCHERS = {
    "security-patch": ChangeMatcher(labels=("security",), approved_by=("@acme/security",)),
    "canary": ChangeMatcher(trailers={"Change-Class": "canary"}, branches=("canary/*",)),
    "bug-fix": ChangeMatcher(types=("fix",), labels=("bug",)),
    "model-update": ChangeMatcher(paths=("models/**",), labels=("model",), types=("model",)),
    "config-change": ChangeMatcher(paths=("config/**",)),
    "prompt-update": ChangeMatcher(paths=("prompts/**",), types=("prompt",)),
}


def approved(_matcher: ChangeMatcher, _facts: ChangeFacts) -> Approval:
    return Approval(by=("@grace",))


def refused(_matcher: ChangeMatcher, _facts: ChangeFacts) -> Approval:
    return Approval(why_not="only the author has approved it")


def recognised(
    facts: ChangeFacts,
    matchers: Mapping[str, ChangeMatcher] = MATCHERS,
    approve: Any = approved,
    tiers: Sequence[Tier] = TIERS,
) -> Recognition:
    return recognise(matchers, facts, tiers=tiers, default="full-rollout", approve=approve)


def made_of(*commits: ChangeCommit, **more: Any) -> ChangeFacts:
    """Return a change of these commits, whose files are what they touch."""
    paths = dict.fromkeys(path for commit in commits for path in commit.paths or ())
    return ChangeFacts(**{"paths": tuple(paths), "commits": commits, **more})


def commit(message: str, *paths: str, **trailers: str) -> ChangeCommit:
    pairs = tuple((key.replace("_", "-"), value) for key, value in trailers.items())
    return ChangeCommit(message=message, paths=paths, trailers=pairs)


FEATURE = commit("feat: rewrite the server", "src/a.py")
FIX = commit("fix: stop", "src/b.py")


@pytest.mark.parametrize(
    "facts, change, how",
    [
        (made_of(FIX), "bug-fix", "subjects"),
        (made_of(commit("Fix(api): stop", "src/b.py")), "bug-fix", "subjects"),
        (made_of(FIX, commit("fix: more", "src/c.py")), "bug-fix", "subjects"),
        (made_of(FIX, commit("Merge branch 'main'")), "bug-fix", "subjects"),
        (made_of(commit("Update", "models/a.bin")), "model-update", "paths"),
        (made_of(commit("Update", "config/a.yaml", "config/b/c.yaml")), "config-change", "paths"),
        (made_of(commit("Tune", "config/a.yaml"), FIX), "bug-fix", "subjects"),
        (made_of(commit("Try", "src/a.py", change_class="canary")), "canary", "trailers"),
        (made_of(commit("feat: x", "src/a.py", Change_Class="canary")), "canary", "trailers"),
        (made_of(FEATURE, labels=("security",)), "security-patch", "labels"),
        (made_of(commit("x", "models/a"), labels=("security",)), "security-patch", "labels"),
        (made_of(commit("prompt: x", "src/a.py")), "prompt-update", "subjects"),
        (
            made_of(FEATURE, commit("Revert it", "src/a.py"), FIX, paths=("src/b.py",)),
            "bug-fix",
            "subjects",
        ),
        (made_of(), "full-rollout", "default"),
        (made_of(FEATURE), "full-rollout", "default"),
    ],
)
def test_a_change_of_one_class_is_recognised(facts: ChangeFacts, change: str, how: str) -> None:
    result = recognised(facts)
    assert (result.change, result.how) == (change, how)


@pytest.mark.parametrize(
    "facts",
    [
        made_of(FEATURE, commit("Tune", "config/x.yaml")),
        made_of(FEATURE, commit("fix: x")),
        made_of(FEATURE, FIX),
        made_of(FEATURE, titles=("fix: tidy",)),
        made_of(FEATURE, commit("Note", Change_Class="canary")),
        made_of(FEATURE, commit("Note", "src/z.py", Change_Class="canary")),
        made_of(FEATURE, branches=("canary/1",)),
        made_of(FEATURE, labels=("bug",)),
        made_of(FEATURE, FIX, labels=("bug",), titles=("fix: x",), branches=("canary/1",)),
        made_of(commit("fix!: rewrite", "src/a.py")),
        made_of(commit("fix(api)!: rewrite", "src/a.py")),
        made_of(commit("fix: rewrite\n\nBREAKING CHANGE: all of it", "src/a.py")),
        made_of(commit("fix: rewrite\n\nbreaking-change: all of it", "src/a.py")),
        made_of(commit("fix!: rewrite", "src/a.py", Change_Class="canary")),
        made_of(commit("fix!: empty"), FIX),
        made_of(commit("feat: rewrite", "src/b.py"), FIX),
        made_of(commit("fixup! fix: x", "src/b.py")),
        made_of(commit('Revert "fix: x"', "src/b.py")),
        made_of(commit("fix x", "src/b.py")),
        made_of(commit("fixes: x", "src/b.py")),
        made_of(commit("Note\n\nfix: x", "src/b.py")),
        made_of(commit("x", "src/b.py", Change_Class="Canary")),
        made_of(commit("Move", "config/a.yaml", "src/a.yaml")),
        made_of(commit("Move", "CONFIG/a.yaml")),
        made_of(ChangeCommit(message="Merge 'x'", paths=None), FIX),
        ChangeFacts(paths=("src/b.py", "src/evil.py"), commits=(FIX,)),
        ChangeFacts(paths=("src/b.py",), commits=()),
        made_of(FIX, commits=None),
        ChangeFacts(paths=None, commits=None),
        ChangeFacts(paths=None, commits=(FEATURE, FIX)),
        ChangeFacts(paths=None, commits=()),
        ChangeFacts(paths=None, commits=(FIX, commit("Tune", "config/a.yaml"))),
    ],
)
def test_what_no_class_covers_is_of_the_default_class(facts: ChangeFacts) -> None:
    matchers = {name: MATCHERS[name] for name in ("canary", "bug-fix", "config-change")}
    assert recognised(facts, matchers).change == "full-rollout"


@pytest.mark.parametrize(
    "facts",
    [
        made_of(commit("fix: x", "models/a.bin")),
        made_of(commit("fix: x", "models/a.bin", "src/a.py")),
        made_of(commit("x", "models/a.bin", Change_Class="canary")),
        made_of(commit("x", "config/a.yaml"), commit("y", "models/a.bin")),
        made_of(FIX, labels=("model",)),
        made_of(FIX, titles=("model: new",)),
        made_of(FIX, commit("model: new")),
        made_of(FIX, labels=None),
        made_of(FIX, titles=None),
        made_of(FIX, paths=None),
        made_of(commit("Tune", "config/a.yaml"), commits=None),
    ],
)
def test_the_riskiest_part_counts(facts: ChangeFacts) -> None:
    assert recognised(facts).change in {"model-update", "full-rollout"}


def test_the_default_says_what_no_class_covers() -> None:
    result = recognised(made_of(FEATURE, commit("Tune", "config/x.yaml")))
    assert str(result) == "full-rollout by default (src/a.py matches no class)"
    assert result.remarks == ("also config-change by paths (config/x.yaml (config/**))",)
    breaking = recognised(made_of(commit("fix!: x", "src/a.py")))
    assert breaking.evidence == ("'fix!: x' breaks something",)
    odd = recognised(made_of(ChangeCommit(message="Merge 'x'")))
    assert odd.evidence == ("\"Merge 'x'\" matches no class",)


def test_of_equally_risky_classes_the_first_in_the_policy_counts() -> None:
    result = recognised(made_of(commit("x", "prompts/system.md", "models/w.bin")))
    assert result.change == "model-update"
    assert "also prompt-update by paths (prompts/system.md (prompts/**))" in result.remarks


def test_what_somebody_else_is_behind_names_everything() -> None:
    facts = made_of(FEATURE, labels=("security",))
    result = recognised(facts)
    assert result.change == "security-patch"
    assert result.notes == ("security-patch approved by @grace",)
    without = recognised(facts, approve=refused)
    assert without.change == "full-rollout"
    assert without.notes == (
        "security-patch by labels (security) does not count: only the author has approved it",
    )


def test_an_approved_label_must_be_on_each_pull_request_of_a_queue() -> None:
    facts = made_of(FEATURE, labels=("security", "big"), common_labels=("big",))
    assert recognised(facts).change == "full-rollout"
    assert recognised(replace(facts, common_labels=("security",))).change == "security-patch"


APPROVED = {
    "hot-fix": ChangeMatcher(
        types=("fix",),
        trailers={"Change-Class": "hot"},
        branches=("release/*",),
        paths=("hot/**",),
        approved_by=("write",),
    ),
    "model-update": ChangeMatcher(paths=("models/**",)),
}
HOT_TIERS = (
    TIERS[0],
    Tier(name="rest", condition=None, allow=frozenset({"hot-fix", "rollback"})),
)


@pytest.mark.parametrize(
    "facts, vouched",
    [
        (made_of(FIX), True),
        (made_of(commit("fix: x", "models/a")), True),
        (made_of(commit("fix: x", "models/a"), commit("Merge 'main'")), True),
        (made_of(commit("x", "models/a", Change_Class="hot"), FIX), True),
        (made_of(FEATURE, branches=("release/1",)), True),
        (made_of(commit("Heat", "hot/a")), True),
        (made_of(commit("fix: x", "models/a"), FEATURE), False),
        (made_of(commit("fix!: x", "models/a")), False),
        (made_of(FEATURE, titles=("fix: x",)), False),
        (made_of(FEATURE, commit("fix: x")), False),
        (made_of(commit("Heat", "hot/a", "src/a.py")), False),
        (made_of(FEATURE, branches=("release/1/x",)), False),
    ],
)
def test_an_approval_vouches_for_what_every_commit_says(facts: ChangeFacts, vouched: bool) -> None:
    result = recognised(facts, APPROVED, tiers=HOT_TIERS)
    assert (result.change == "hot-fix") == vouched
    assert recognised(facts, APPROVED, refused, HOT_TIERS).change != "hot-fix"


def test_without_its_approval_a_riskier_class_does_not_become_the_default() -> None:
    matchers = {"model-update": ChangeMatcher(paths=("models/**",), approved_by=("@ada",))}
    for approve in (approved, refused):
        result = recognise(
            matchers,
            made_of(commit("x", "models/a")),
            tiers=TIERS,
            default="config-change",
            approve=approve,
        )
        assert result.change == "model-update"


def test_nobody_is_requested_an_approval_that_does_not_matter() -> None:
    def never(_matcher: ChangeMatcher, _facts: ChangeFacts) -> Approval:
        raise AssertionError

    assert recognised(made_of(FIX), approve=never).change == "bug-fix"


def test_what_was_live_before_is_a_rollback() -> None:
    facts = made_of(commit("takes back", "models/a"), was_live="abc went live on Monday")
    result = recognised(facts)
    assert (result.change, result.how) == ("rollback", "deployments")
    assert result.evidence == ("abc went live on Monday",)


def test_a_class_that_cannot_be_ruled_out_counts_and_says_why() -> None:
    result = recognised(made_of(FIX, paths=None, unknown={"paths": "a shallow checkout"}))
    assert (result.change, result.how) == ("model-update", "unknown")
    assert result.evidence == ("paths: a shallow checkout",)
    assert recognised(made_of(FIX, paths=None)).evidence == ("paths: not known",)
    nothing = recognised(ChangeFacts(paths=None, commits=None), {"canary": MATCHERS["canary"]})
    assert str(nothing) == "full-rollout by unknown (commits: not known)"


def test_what_no_matcher_looks_at_need_not_be_known() -> None:
    only = {"bug-fix": ChangeMatcher(types=("fix",))}
    result = recognised(made_of(FIX, paths=None, labels=None, branches=None), only)
    assert (result.change, result.how) == ("bug-fix", "subjects")
    nothing = recognised(made_of(FEATURE, paths=None), {})
    assert str(nothing) == "full-rollout by default (src/a.py matches no class)"


def test_a_long_list_of_evidence_is_cut() -> None:
    assert len(recognised(made_of(commit("x", *(f"models/{n}" for n in range(9))))).evidence) == 5


def test_another_part_can_lead() -> None:
    comparison = ComparedWith(base="a" * 40, base_from="--base")
    result = recognised(made_of(FEATURE, FIX, comparison=comparison))
    assert result.led_by("full-rollout") is result
    led = result.led_by("bug-fix")
    assert (led.change, led.comparison) == ("bug-fix", comparison)
    assert [part.change for part in led.others] == ["full-rollout"]
    assert led.led_by("full-rollout") == result


NAMES = ["canary", "bug-fix", "model-update", "config-change", "security-patch", "full-rollout"]
PATHS = st.sampled_from(["models/a", "config/b", "src/c", "src/d", "docs/e"])
COMMITS = st.builds(
    lambda subject, breaking, footer, trailer, paths: ChangeCommit(
        message=f"{subject}{'!' if breaking else ''}: x{footer}",
        trailers=(("Change-Class", trailer),) if trailer else (),
        paths=tuple(sorted(paths)),
    ),
    st.sampled_from(["fix", "feat", "model", "Merge"]),
    st.booleans(),
    st.sampled_from(["", "", "\n\nBREAKING CHANGE: y"]),
    st.sampled_from(["", "canary", "bug-fix"]),
    st.sets(PATHS, max_size=3),
)
WORDS = st.sets(st.sampled_from(["security", "bug", "model"]), max_size=2).map(tuple)
MATCHING = st.builds(
    lambda paths, labels, types, trailer, branches, by: ChangeMatcher(
        paths=paths,
        labels=labels,
        types=types,
        trailers={"Change-Class": trailer} if trailer else {},
        branches=branches,
        approved_by=by,
    ),
    st.sets(st.sampled_from(["models/**", "config/*", "src/c", "**/e"]), max_size=2).map(tuple),
    WORDS,
    st.sets(st.sampled_from(["fix", "feat", "model"]), max_size=2).map(tuple),
    st.sampled_from(["", "canary", "bug-fix"]),
    st.sampled_from([(), ("release/*",)]),
    st.sampled_from([(), ("@grace",)]),
)
POLICIES = st.dictionaries(st.sampled_from(NAMES), MATCHING, max_size=5)
ALLOWED = st.lists(
    st.frozensets(st.sampled_from([*NAMES, "rollback"])).map(
        lambda allow: Tier(name="t", condition=None, allow=allow)
    ),
    max_size=3,
)
CHANGES = st.builds(
    lambda commits, labels, titles, branch: made_of(
        *commits, labels=labels, titles=titles, branches=(branch,)
    ),
    st.lists(COMMITS, max_size=3),
    WORDS,
    st.lists(st.sampled_from(["fix: x", "feat: y"]), max_size=1).map(tuple),
    st.sampled_from(["main", "release/1"]),
)


def by_the_author(data: st.DataObject, facts: ChangeFacts) -> ChangeFacts:
    """Return the change after its author has added something."""
    kind = data.draw(st.sampled_from(["commit", "label", "title", "branch", "file"]))
    commits = list(facts.commits or ())
    if kind == "commit" or (kind == "file" and not commits):
        commits.insert(data.draw(st.integers(0, len(commits))), data.draw(COMMITS))
    elif kind == "file":
        place = data.draw(st.integers(0, len(commits) - 1))
        paths = {*(commits[place].paths or ()), data.draw(PATHS)}
        commits[place] = replace(commits[place], paths=tuple(sorted(paths)))
    elif kind == "label":
        labels = {*(facts.labels or ()), data.draw(st.sampled_from(["security", "bug", "model"]))}
        return replace(facts, labels=tuple(sorted(labels)))
    elif kind == "title":
        return replace(
            facts, titles=(*(facts.titles or ()), data.draw(st.sampled_from(["fix: z", "feat: z"])))
        )
    else:
        return replace(facts, branches=(*(facts.branches or ()), "release/2"))
    return made_of(*commits, labels=facts.labels, titles=facts.titles, branches=facts.branches)


def allowing(change: str, tiers: Sequence[Tier]) -> int:
    return sum(tier.allows(change) for tier in tiers)


@given(POLICIES, ALLOWED, CHANGES, st.data())
def test_nothing_that_an_author_adds_makes_a_change_safer(
    matchers: dict[str, ChangeMatcher], tiers: list[Tier], facts: ChangeFacts, data: st.DataObject
) -> None:
    if not any(commit.paths for commit in facts.commits or ()):
        facts = made_of(FEATURE, labels=facts.labels, titles=facts.titles, branches=facts.branches)
    before = recognised(facts, matchers, refused, tiers)
    after = recognised(by_the_author(data, facts), matchers, refused, tiers)
    assert allowing(after.change, tiers) <= allowing(before.change, tiers)


@given(POLICIES, ALLOWED, CHANGES, st.data())
def test_knowing_less_or_approving_less_is_never_safer(
    matchers: dict[str, ChangeMatcher], tiers: list[Tier], facts: ChangeFacts, data: st.DataObject
) -> None:
    fields = ["paths", "commits", "titles", "labels", "branches"]
    hidden: dict[str, Any] = dict.fromkeys(data.draw(st.sets(st.sampled_from(fields))))
    whole = recognised(facts, matchers, refused, tiers)
    less = recognised(replace(facts, **hidden), matchers, refused, tiers)
    assert allowing(less.change, tiers) <= allowing(whole.change, tiers)


@given(POLICIES, ALLOWED, CHANGES)
def test_a_file_that_a_class_takes_by_its_paths_is_never_of_a_safer_class(
    matchers: dict[str, ChangeMatcher], tiers: list[Tier], facts: ChangeFacts
) -> None:
    bare = made_of(*(replace(commit, message="x", trailers=()) for commit in facts.commits or ()))
    by_paths = {name: ChangeMatcher(paths=matcher.paths) for name, matcher in matchers.items()}
    taken = recognised(bare, by_paths, refused, tiers)
    if taken.how == "paths" and not any(part.how == "default" for part in taken.others):
        result = recognised(facts, matchers, refused, tiers)
        assert allowing(result.change, tiers) <= allowing(taken.change, tiers)
