"""The subject and the content of an attestation."""

import pytest

from gate.decision.statement import _subject

SEAL = {"sha256": "f" * 64}


@pytest.mark.parametrize("revision", [None, "main", "a" * 39])
def test_without_a_commit_it_is_about_the_decision_itself(revision: str | None) -> None:
    context = {"revision": revision, "repository": "acme/chat"}
    subject = _subject({"context": context, "seal": SEAL})
    assert subject == {"name": "decision.json", "digest": SEAL}


@pytest.mark.parametrize("repository, name", [("acme/chat", {"name": "acme/chat"}), (None, {})])
def test_with_a_commit_it_is_about_that(repository: str | None, name: dict[str, str]) -> None:
    context = {"revision": "a" * 40, "repository": repository}
    subject = _subject({"context": context, "seal": SEAL})
    assert subject == {**name, "digest": {"gitCommit": "a" * 40}}
