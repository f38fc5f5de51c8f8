"""The webhooks of Flagger: what each end of the gate does to the canary.

Flagger's load tester runs ``bash -c CMD``, and answers 200 where that ends with 0, else 500. What
an answer means is a matter of the webhook (https://docs.flagger.app/usage/webhooks).
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tests.rollouts.manifests import CODES, Pod, one

LOADTESTER, CANARY = "flagger/loadtester.yaml", "flagger/canary.yaml"
MINUTES: Final = 60
"""For which the canary is watched."""


def webhooks() -> dict[str, dict[str, Any]]:
    """Return the webhooks of the Canary by their types."""
    listed = one(CANARY, "Canary", "chat")["spec"]["analysis"]["webhooks"]
    return {webhook["type"]: webhook for webhook in listed}


@pytest.fixture
def pod(tmp_path: Path) -> Pod:
    made = Pod.of(LOADTESTER, tmp_path)
    made.environ |= {"GATE_STATE": str(tmp_path), "GATE_POLICY": str(tmp_path / "gate.yaml")}
    return made


def begin(pod: Pod, minutes: int) -> datetime:
    """Have the canary begun so many minutes ago, with a minute; return when that was."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    began = now - timedelta(minutes=minutes)
    (pod.folder / "chat.began").write_text(f"{began.timestamp():.0f}\n")
    return began


@pytest.fixture
def begun(pod: Pod) -> Pod:
    """Return a load tester whose canary began long ago."""
    begin(pod, 3 * MINUTES)
    return pod


def answer(pod: Pod, kind: str) -> int:
    """Answer a webhook as the load tester does."""
    known = webhooks()
    # No example has it: it asks what confirm-promotion asks.
    like = "confirm-promotion" if kind == "confirm-traffic-increase" else kind
    metadata = known[like]["metadata"]
    assert metadata["type"] == "bash", "the load tester does not wait for other types"
    words = metadata["cmd"].replace(like, kind).split()
    assert words[:2] == ["bash", "/gate/scripts/hook.sh"]
    return 200 if pod.run("bash", "hook.sh", *words[2:]).returncode == 0 else 500


@pytest.mark.variants(11)
@pytest.mark.parametrize("code", CODES)
def test_a_rollout_begins_when_the_gate_allows_it_and_waits_until_then(pod: Pod, code: int) -> None:
    pod.ends(code)

    assert answer(pod, "confirm-rollout") == (200 if code in (0, 11) else 500)
    assert pod.calls() == [f"check {pod.folder}/gate.yaml --change canary --timeout 10s"]


@pytest.mark.variants(10)
@pytest.mark.parametrize("code", CODES)
def test_the_rollback_hook_is_the_other_way_round_and_fires_on_10_only(
    begun: Pod, code: int
) -> None:
    begun.ends(code)

    assert answer(begun, "rollback") == (200 if code == 10 else 500)
    assert len(begun.calls()) == 1


@pytest.mark.variants(8)
@pytest.mark.parametrize("code", CODES)
def test_only_a_bad_canary_fails_a_check_since_failed_checks_add_up_to_a_rollback(
    begun: Pod, code: int
) -> None:
    begun.ends(code)

    assert answer(begun, "rollout") == (500 if code == 10 else 200)
    assert len(begun.calls()) == 1


@pytest.mark.variants(8)
@pytest.mark.parametrize("kind", ["confirm-promotion", "confirm-traffic-increase"])
@pytest.mark.parametrize("code", CODES)
def test_only_a_healthy_canary_goes_on_and_anything_else_halts(
    begun: Pod, code: int, kind: str
) -> None:
    begun.ends(code)

    assert answer(begun, kind) == (200 if code == 0 else 500)
    assert len(begun.calls()) == 1


@pytest.mark.variants(8)
@pytest.mark.parametrize("kind", ["rollout", "rollback", "confirm-promotion"])
@pytest.mark.parametrize("ago, seen", [(3, 1), (30, 28), (61, 59), (62, 60), (180, 60)])
def test_a_look_is_at_all_that_has_settled_since_the_canary_began(
    pod: Pod, kind: str, ago: int, seen: int
) -> None:
    began = begin(pod, ago)
    pod.ends(3)

    answer(pod, kind)

    (called,) = pod.calls()
    # A minute may have passed since it was said when the canary began.
    *rest, lasting, timeout, seconds = called.split()
    assert lasting in (f"{seen}m", f"{min(seen + 1, MINUTES)}m")
    traffic = ["--canary", "app=chat", "--baseline", "app=chat-primary"]
    at = ["--at", f"{began:%Y-%m-%dT%H:%M:%SZ}"]
    assert rest == ["watch", str(pod.folder / "gate.yaml"), *traffic, *at, "--for"]
    assert (timeout, seconds) == ("--timeout", "10s")


@pytest.mark.parametrize("kind", ["confirm-promotion", "confirm-traffic-increase"])
def test_a_canary_is_not_promoted_before_the_whole_time_has_passed(pod: Pod, kind: str) -> None:
    begin(pod, MINUTES)
    pod.ends(0)
    assert answer(pod, kind) == 500
    assert answer(pod, "rollback") == 500

    begin(pod, MINUTES + 2)

    assert answer(pod, kind) == 200


@pytest.mark.parametrize(
    "kind, status", [("rollback", 500), ("confirm-promotion", 500), ("rollout", 200)]
)
def test_there_is_nothing_to_look_at_yet_in_the_first_minutes(
    pod: Pod, kind: str, status: int
) -> None:
    pod.ends(10)
    for ago in (-1, 0, 1):
        begin(pod, ago)
        assert answer(pod, kind) == status
    assert pod.calls() == []


@pytest.mark.variants(13)
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("kind", ["rollback", "confirm-promotion", "confirm-traffic-increase"])
def test_a_canary_of_which_nobody_knows_when_it_began_is_neither_rolled_back_nor_promoted(
    pod: Pod, kind: str, code: int
) -> None:
    pod.ends(code)

    assert answer(pod, kind) == 500
    assert pod.calls() == []


def test_a_begin_that_was_lost_begins_the_watch_anew(pod: Pod) -> None:
    pod.ends(10)

    assert answer(pod, "rollout") == 200
    assert pod.calls() == []
    assert_begun_now(pod)


def test_the_watch_begins_right_before_the_canary_gets_traffic(begun: Pod) -> None:
    assert answer(begun, "pre-rollout") == 200

    assert begun.calls() == []
    assert_begun_now(begun)


def assert_begun_now(pod: Pod) -> None:
    """Assert that the watch begins with the next minute."""
    began = datetime.fromtimestamp(int((pod.folder / "chat.began").read_text()), UTC)
    assert began.second == 0
    assert timedelta(minutes=-1) < began - datetime.now(UTC) <= timedelta(minutes=1)


def test_the_next_rollout_knows_nothing_of_the_last_one(begun: Pod) -> None:
    # Flagger calls the rollback hook before the pre-rollout hook of the next rollout.
    begun.ends(0)
    assert answer(begun, "confirm-rollout") == 200

    begun.ends(10)

    assert answer(begun, "rollback") == 500


def test_an_unknown_webhook_and_a_missing_gate_are_answered_with_500(begun: Pod) -> None:
    unknown = ("bash", "hook.sh", "promote", "canary", "app", "chat", "chat-primary", "60")
    assert begun.run(*unknown).returncode == 2
    (begun.folder / "bin" / "gate").unlink()
    begun.environ["PATH"] = f"{begun.folder}/bin:/usr/bin:/bin"
    for kind in ("confirm-rollout", "rollback", "confirm-promotion"):
        assert answer(begun, kind) == 500
    assert answer(begun, "rollout") == 200


@pytest.mark.variants(1)
@pytest.mark.parametrize("on_term", [3, 143])
def test_a_gate_that_does_not_answer_in_time_can_not_tell(begun: Pod, on_term: int) -> None:
    begun.waits(on_term)
    begun.environ["GATE_SECONDS"] = "0.5"

    kinds = ("confirm-rollout", "rollback", "rollout", "confirm-promotion")
    assert [answer(begun, kind) for kind in kinds] == [500, 500, 200, 500]


def test_the_canary_keeps_a_small_share_until_it_is_promoted_and_has_every_hook() -> None:
    analysis = one(CANARY, "Canary", "chat")["spec"]["analysis"]

    assert analysis["maxWeight"] == analysis["stepWeight"] <= 10
    assert set(webhooks()) == {
        *("confirm-rollout", "pre-rollout", "rollback", "rollout", "confirm-promotion"),
    }
    for kind, webhook in webhooks().items():
        assert webhook["metadata"]["cmd"].split()[2] == kind


def test_the_timeouts_of_one_turn_are_shorter_than_the_interval_and_than_the_load_testers() -> None:
    analysis = one(CANARY, "Canary", "chat")["spec"]["analysis"]
    (container,) = one(LOADTESTER, "Deployment", "gate-loadtester")["spec"]["template"]["spec"][
        "containers"
    ]

    assert analysis["interval"] == "1m"
    seconds = {kind: int(hook["timeout"].removesuffix("s")) for kind, hook in webhooks().items()}
    # Flagger asks for the confirmation of a rollout before the turns of the analysis.
    assert sum(seconds.values()) - seconds["confirm-rollout"] <= 60
    longest = 15 + 2  # after which the gate is ended, and then killed
    assert min(taken for kind, taken in seconds.items() if kind != "pre-rollout") > longest
    assert "-timeout=1m" in container["args"]


def test_only_flagger_reaches_the_load_tester_which_runs_what_it_is_sent() -> None:
    policy = one(LOADTESTER, "NetworkPolicy", "gate-loadtester")["spec"]
    deployment = one(LOADTESTER, "Deployment", "gate-loadtester")["spec"]

    assert policy["podSelector"] == deployment["selector"]
    assert policy["policyTypes"] == ["Ingress"]
    (rule,) = policy["ingress"]
    (sender,) = rule["from"]
    assert sender["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "flagger"}
    assert "namespaceSelector" in sender
