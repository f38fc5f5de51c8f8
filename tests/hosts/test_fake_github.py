"""The fake GitHub keeps to GitHub's published description, and holds its clients to it."""

import json
from pathlib import Path

import pytest

from gate.hosts.github_events import GitHubError
from tests.hosts.asking import asking
from tests.servers import subset_openapi
from tests.servers.github import github
from tests.servers.github_answers import description

HEAD = "a" * 40


def test_the_fake_refuses_what_the_description_does_not_allow() -> None:
    described = description()
    operation = described.operation("POST", f"/repos/acme/chat/statuses/{HEAD}")
    assert operation is not None

    bad_state = described.request_problems(operation, {}, {"state": "green"})
    unknown = described.request_problems(operation, {"pages": "2"}, {"state": "error", "x": 1})
    answer = described.answer_problems(operation, 201, {"state": "error"})

    assert next(bad_state).startswith("$.state: 'green' is not one of")
    assert list(unknown) == ["has an unknown parameter pages", "has an unknown property x"]
    assert "$: 'url' is a required property" in list(answer)
    assert list(described.answer_problems(operation, 204, None)) != []
    assert described.operation("DELETE", f"/repos/acme/chat/statuses/{HEAD}") is None


def test_the_stored_description_is_what_its_script_makes() -> None:
    file = Path(subset_openapi.__file__).with_name("github-openapi.json")
    stored = json.loads(file.read_text(encoding="utf-8"))

    assert subset_openapi.subset(stored) == stored


def test_a_problem_of_the_fake_fails_the_test() -> None:
    with (
        pytest.raises(AssertionError, match="GitHub knows no GET /api/user"),
        github() as fake,
        pytest.raises(GitHubError, match="404"),
    ):
        asking(fake.url.removesuffix("/v3")).login()
