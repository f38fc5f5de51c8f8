"""What is known of a change, and that nothing unknown is taken for nothing."""

from pathlib import Path

import pytest

from gate.decision.decision import Context
from gate.hosts.change_facts import change_facts
from gate.hosts.git import Checkout
from tests.hosts.repository import begin, commit


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    folder = begin(tmp_path / "repository")
    commit(folder, "fix: a fault\n\nChange-Class: canary", {"prompts/a.md": ""})
    return Checkout(folder)


def test_a_change_is_known_from_the_run_and_from_git(checkout: Checkout) -> None:
    context = Context(
        system="github", base="HEAD~1", branch="hotfix", labels=("security",), title="Stop it"
    )
    facts = change_facts(context, checkout)
    assert facts.paths == ("prompts/a.md",)
    assert facts.labels == ("security",)
    assert facts.branches == ("hotfix",)
    assert facts.subjects == ("Stop it", "fix: a fault")
    assert facts.trailers == (("Change-Class", "canary"),)
    assert facts.unknown == {}


def test_without_a_base_the_change_is_not_known_rather_than_empty(checkout: Checkout) -> None:
    facts = change_facts(Context(system="shell"), checkout)
    assert (facts.paths, facts.subjects, facts.trailers, facts.branches) == (None,) * 4
    assert facts.labels == ()
    for field in ("paths", "subjects", "trailers"):
        assert "name a base" in facts.unknown[field]


def test_labels_that_the_system_does_not_tell_are_not_known(checkout: Checkout) -> None:
    facts = change_facts(Context(system="jenkins", labels=None, branch="x"), checkout)
    assert facts.labels is None
    assert facts.unknown["labels"] == "jenkins does not tell them"


def test_a_title_is_a_subject_even_where_the_commits_are_not_known(checkout: Checkout) -> None:
    facts = change_facts(Context(system="gitlab", title="feat: x", base="f" * 40), checkout)
    assert facts.subjects == ("feat: x",)
    assert facts.trailers is None
    assert "subjects" not in facts.unknown


def test_the_code_host_is_asked_where_the_checkout_is_too_shallow(checkout: Checkout) -> None:
    context = Context(system="github", base="f" * 40)
    asked = change_facts(context, checkout, ask_paths=lambda: ["models/a.bin"])
    assert asked.paths == ["models/a.bin"]
    assert "paths" not in asked.unknown

    def refuse() -> list[str]:
        raise LookupError("403: the token may not read pull requests")

    facts = change_facts(context, checkout, ask_paths=refuse)
    assert facts.paths is None
    assert facts.unknown["paths"] == (
        f"the commit '{'f' * 40}' is not in this checkout;"
        " 403: the token may not read pull requests"
    )


def test_the_code_host_is_not_asked_for_what_git_knows(checkout: Checkout) -> None:
    def never() -> list[str]:
        raise AssertionError

    context = Context(system="github", base="HEAD~1")
    assert change_facts(context, checkout, ask_paths=never).paths == ("prompts/a.md",)
