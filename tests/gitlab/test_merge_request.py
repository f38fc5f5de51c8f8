"""The component on merge requests: whose policy counts, and the note."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from gate.hosts.identity import GateIdentity
from tests.gitlab.project import POLICY, Project, counts
from tests.servers.gitlab import BOT, PAGE, PROJECT, TOKEN, FakeGitLab, gitlab, refused

pytestmark = pytest.mark.slow  # two scenarios of test_component.py are not

MARKER = GateIdentity(paths=("gate.yaml",)).marker
RULE = "overrides: {label: gate-override, approved_by: ['@acme/sre'], max_duration: 8h}\n"
LOOSE = POLICY.replace("allow: [rollback]", "allow: all")


def instant(*, hours: int) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat(timespec="milliseconds")


@pytest.fixture
def fake(project: Project) -> Iterator[FakeGitLab]:
    with gitlab() as one:
        project.variables |= {
            "CI_API_V4_URL": one.url,
            "CI_PROJECT_ID": str(PROJECT),
            "CI_PROJECT_URL": PAGE,
        }
        yield one


def test_a_merge_request_cannot_loosen_its_own_gate(project: Project) -> None:
    base = project.git("rev-parse", "HEAD")
    project.write({"gate.yaml": LOOSE, "counts.yaml": counts(1500)})
    project.commit()

    merged, request = project.run(), project.request(base)

    assert merged.gate == "PASS"
    assert request.gate == "FAIL 10"
    proposed = request.json("decision.json")["policies"][0]["proposed_policy"]
    assert proposed["verdict"] == "allow"


def test_the_policy_is_that_of_the_targets_head_wherever_the_branch_left(project: Project) -> None:
    project.write({"gate.yaml": LOOSE, "counts.yaml": counts(1500)})
    before = project.commit()
    project.write({"gate.yaml": POLICY})
    target = project.commit()

    outcome = project.request(target, CI_MERGE_REQUEST_DIFF_BASE_SHA=before)

    assert outcome.gate == "FAIL 10"


def test_policy_ref_and_fail_on_can_be_turned_off(project: Project) -> None:
    base = project.git("rev-parse", "HEAD")
    project.write({"gate.yaml": LOOSE, "counts.yaml": counts(820)})
    project.pipeline({"policy_ref": "none", "fail_on": "none"})
    project.commit()

    outcome = project.request(base)

    assert outcome.gate == "PASS"
    decision = outcome.json("decision.json")
    assert (decision["verdict"], decision["policies"][0]["proposed_policy"]) == ("warn", None)


def test_with_a_token_a_merge_request_gets_one_note_that_is_kept_up_to_date(
    project: Project, fake: FakeGitLab
) -> None:
    base = project.git("rev-parse", "HEAD")
    project.write({"counts.yaml": counts(1500)})
    first = project.request(base, GITLAB_TOKEN=TOKEN)
    project.write({"counts.yaml": counts(400)})
    second = project.request(base, GITLAB_TOKEN=TOKEN)

    assert (first.gate, second.gate) == ("FAIL 10", "PASS")
    assert "/-/merge_requests/7#note_1001" in first.told
    (note,) = fake.notes
    assert note.author == BOT
    assert note.body.startswith(f"{MARKER}\n")
    assert "60.0%" in note.body
    assert TOKEN not in first.told + second.told


@pytest.mark.parametrize("variables", [{}, {"GITLAB_TOKEN": ""}])
def test_without_a_token_there_is_no_note_and_no_failure(
    project: Project, fake: FakeGitLab, variables: dict[str, str]
) -> None:
    outcome = project.request(project.git("rev-parse", "HEAD"), **variables)

    assert (outcome.gate, outcome.json("decision.json")["verdict"]) == ("PASS", "allow")
    assert fake.seen == []


def test_a_label_of_whom_the_policy_names_ships_a_change_and_the_commit_says_so(
    project: Project, fake: FakeGitLab
) -> None:
    project.write({"gate.yaml": POLICY + RULE, "counts.yaml": counts(1500)})
    project.pipeline({"status": True})
    base = project.commit()
    fake.people.versions = [(base, instant(hours=-2))]
    fake.people.labelled("grace", "add", "gate-override", instant(hours=-1))
    fake.plant("grace", "Gate-Override: the fix")
    blocked = project.request(base, GITLAB_TOKEN=TOKEN)
    fake.people.groups = {"acme/sre": {"grace"}}
    shipped = project.request(base, GITLAB_TOKEN=TOKEN)

    assert (blocked.gate, shipped.gate) == ("FAIL 10", "PASS")
    assert shipped.json("decision.json")["override"]["approved_by"] == "@grace"
    assert [(revision, told["state"]) for revision, told in fake.statuses] == [
        (base, "pending"),
        (base, "failed"),
        (base, "pending"),
        (base, "success"),
    ]
    assert fake.statuses[-1][1]["description"].startswith("BLOCK (overridden: exit code 0)")
    assert any("BLOCK (overridden: exit code 0)" in note.body for note in fake.notes)


def test_a_note_that_is_refused_is_a_warning_and_no_verdict(
    project: Project, fake: FakeGitLab
) -> None:
    fake.faults = {"create": [refused(403, "403 Forbidden")]}

    outcome = project.request(project.git("rev-parse", "HEAD"), GITLAB_TOKEN=TOKEN)

    assert outcome.gate == "PASS"
    assert "warning: no comment: cannot write the note" in outcome.told
