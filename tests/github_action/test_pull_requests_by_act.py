"""The Action on pull requests: whose policy counts, the comment, forks; run by act."""

import html
from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.installed import POLICY
from tests.github_action.acting import Played, counts, play, step
from tests.github_action.pulls import pull_request
from tests.hosts.test_github_people import labelling
from tests.servers.github import FakeGitHub, github

pytestmark = pytest.mark.slow  # test_by_act.py and test_hostile_texts_by_act.py are not

LOOSE = POLICY.replace('"> 10%", allow: [canary, bug-fix, rollback]', '"> 10%", allow: all')
SECRET = POLICY.replace(
    "type: static, path: counts.yaml", 'type: prometheus, url: "${PROMETHEUS_URL}"'
).replace("window: 30d", "window: 30d, sli: {bad: bad_total, total: all_total}")


@pytest.fixture(scope="module")
def pulled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Played, FakeGitHub]:
    """A pull request that loosens the policy which it is judged by."""
    base = {"gate.yaml": POLICY, "counts.yaml": counts(820)}
    steps = [
        step("pinned", change="model-update"),
        step("as-it-is", change="model-update", policy_ref="none", comment=False),
        step("again", change="canary"),
        step("staging", change="canary", environment="staging"),
    ]
    with github() as fake:
        fake.plant("mallory", "<!-- gate:v1 id=0 -->\nallow")
        played = play(
            tmp_path_factory.mktemp("pull"),
            {"gate.yaml": LOOSE},
            steps,
            event="pull_request",
            payload=pull_request(),
            base=base,
            environ={"GITHUB_API_URL": fake.url},
        )
    return played, fake


def test_a_pull_request_cannot_loosen_its_own_gate(pulled: tuple[Played, FakeGitHub]) -> None:
    played, _ = pulled
    assert played.outputs("pinned")["verdict"] == "block"
    assert played.outputs("as-it-is")["verdict"] == "allow"


def test_a_pull_request_has_one_comment_for_each_environment(
    pulled: tuple[Played, FakeGitHub],
) -> None:
    played, fake = pulled
    _, first, staging = fake.comments
    # The later step made the comment of the first one say what holds now.
    assert first.body.splitlines()[1:] == (played.files["again"]["report"] or "").splitlines()
    assert "ALLOW: canary of chat" in first.body
    assert staging.body.splitlines()[1:] == (played.files["staging"]["report"] or "").splitlines()
    assert [one.split()[0] for one in played.commands()] == ["error", "notice", "notice", "notice"]


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Played, FakeGitHub]:
    """A pull request from a fork: its secrets are empty, and its token only reads."""
    files = {"gate.yaml": SECRET, "open.yaml": POLICY, "counts.yaml": counts(820)}
    steps = [
        step("undecided", change="canary"),
        step("let", change="canary", on_no_secrets="allow"),
        step("open", change="canary", policies="open.yaml"),
    ]
    with github() as fake:
        played = play(
            tmp_path_factory.mktemp("fork"),
            files,
            steps,
            event="pull_request",
            payload=pull_request(repo="mallory/chat"),
            environ={"GITHUB_API_URL": fake.url, "PROMETHEUS_URL": ""},
        )
    return played, fake


@pytest.mark.parametrize(
    ("name", "outcome", "verdict", "code"),
    [
        ("undecided", "failure", "undecided", "3"),
        ("let", "success", "undecided", "0"),
        ("open", "success", "allow", "0"),
    ],
)
def test_a_fork_without_the_secrets_of_the_policy_is_undecided(
    forked: tuple[Played, FakeGitHub], name: str, outcome: str, verdict: str, code: str
) -> None:
    played, _ = forked
    outputs = played.outputs(name)
    assert played.steps[name]["outcome"] == outcome
    assert (outputs["verdict"], outputs["exit-code"]) == (verdict, code)


def test_a_fork_says_what_it_lacks_and_writes_no_comment(
    forked: tuple[Played, FakeGitHub],
) -> None:
    played, fake = forked
    report = html.unescape(played.files["undecided"]["report"] or "")
    assert "<code>PROMETHEUS_URL</code> is not set" in report
    assert played.files["undecided"]["decision"] is None
    assert set(fake.seen) == {"pulls/get"}  # where it goes now, and nothing else
    assert [one.split()[0] for one in played.commands()] == ["error", "notice", "notice"]


def _ago(hours: int) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Played, FakeGitHub]:
    """A pull request of ada's with the label that overrides, in a folder of the repository."""
    rule = "overrides: {label: gate-override, approved_by: ['@acme/sre'], max_duration: 8h}\n"
    files = {"chat/gate.yaml": POLICY + rule, "chat/counts.yaml": counts(820)}
    ours = {"change": "model-update", "directory": "chat", "comment": False, "status": True}
    with github() as fake:
        fake.teams = {("acme", "sre", "grace"): "active"}
        fake.pushes = [("shorter", "a" * 40, _ago(3))]
        setting = labelling(1, "grace", "labeled", "gate-override")
        fake.events = [setting | {"created_at": _ago(2)}]
        fake.plant("grace", "Gate-Override: the fix")
        # The second step comes after a push, to which the label was not given.
        later = [*fake.pushes, ("shorter", "a" * 40, _ago(1))]
        # Each step sets the status twice: pending, and what it came to.
        nothing, push = (lambda: None), (lambda: setattr(fake, "pushes", later))
        fake.before = {"repos/create-commit-status": [nothing, nothing, push]}
        played = play(
            tmp_path_factory.mktemp("labelled"),
            files,
            [step("overridden", **ours), step("pushed", **ours)],
            event="pull_request",
            payload=pull_request(),
            environ={"GITHUB_API_URL": fake.url},
        )
    return played, fake


def test_a_label_of_whom_the_policy_names_lets_a_blocked_change_pass(
    labelled: tuple[Played, FakeGitHub],
) -> None:
    played, fake = labelled
    told = played.outputs("overridden")
    assert played.steps["overridden"]["outcome"] == "success"
    assert (told["verdict"], told["exit-code"]) == ("block", "0")
    assert "BLOCK (overridden: exit code 0)" in (played.files["overridden"]["report"] or "")
    states = [status["state"] for _, status in fake.statuses]
    assert states == ["pending", "success", "pending", "failure"]
    shown = fake.statuses[1][1]["description"]
    assert shown.startswith("BLOCK (overridden: exit code 0): model-update of chat; policy ")


def test_after_another_push_the_label_counts_no_more(labelled: tuple[Played, FakeGitHub]) -> None:
    played, _ = labelled
    assert played.steps["pushed"]["outcome"] == "failure"
    assert played.outputs("pushed")["exit-code"] == "10"
    report = html.unescape(played.files["pushed"]["report"] or "").replace("\u200b", "")
    assert "does not count: @grace set it before this commit was pushed" in report


def test_annotations_name_the_policy_from_the_top_of_the_repository(
    labelled: tuple[Played, FakeGitHub],
) -> None:
    played, _ = labelled
    places = [one.split("file=")[1].split(",")[0] for one in played.commands()]
    assert set(places) == {"chat/gate.yaml"}
