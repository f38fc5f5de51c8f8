"""The conditions under which an override counts, all of which are needed."""

from datetime import UTC, datetime, timedelta

import pytest

from gate.policy.authors import Authors, bare_name
from gate.policy.override import Override, OverrideRule, misfit, named, refusal

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def refused(
    rule: OverrideRule | None = None,
    *,
    reason: str = "checkout is down, this is the fix",
    approved_by: str = "@grace",
    lasts: timedelta = HOUR,
    authors: tuple[str, ...] = ("ada",),
) -> str | None:
    asked = Override(reason=reason, approved_by=approved_by, until=AT + lasts)
    given = rule or OverrideRule()
    parts = {bare_name(author): "opened it" for author in authors}
    whose = Authors(parts=parts)
    flaw = refusal(asked, given, at=AT, authors=whose)
    return flaw or misfit(approved_by, given, named(approved_by, given, whose))


def test_a_reason_another_person_and_an_end_are_enough() -> None:
    assert refused() is None
    assert refused(authors=()) is None


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_without_a_reason_it_does_not_count(reason: str) -> None:
    assert refused(reason=reason) == "it has no reason"


@pytest.mark.parametrize("nobody", ["", "@", " "])
def test_without_an_approver_it_does_not_count(nobody: str) -> None:
    assert refused(approved_by=nobody) == "it names nobody who approved it"


@pytest.mark.parametrize("name", ["ada", "@ada", " ADA"])
def test_an_author_cannot_approve_under_any_spelling(name: str) -> None:
    assert refused(approved_by=name, authors=("grace", "@Ada")) == (
        f"{name.strip()} cannot approve a change of their own: they opened it"
    )


def test_only_those_whom_the_policy_names_may_approve() -> None:
    rule = OverrideRule(approvers=("@Grace", "@edsger"))
    assert refused(rule) is None
    assert refused(rule, approved_by="alan") == "alan may not approve it; @Grace or @edsger may"


@pytest.mark.parametrize(
    "lasts, reason",
    [
        (timedelta(0), "its end has passed"),
        (-HOUR, "its end has passed"),
        (timedelta(microseconds=1), None),
        (timedelta(hours=24), None),
        (
            timedelta(hours=24, microseconds=1),
            "it ends later than the 1d that the policy allows",
        ),
    ],
)
def test_it_ends_and_not_too_late(lasts: timedelta, reason: str | None) -> None:
    assert refused(lasts=lasts) == reason


def test_a_policy_may_allow_none() -> None:
    assert refused(OverrideRule(max_duration=timedelta(0))) == "the policy allows none"
