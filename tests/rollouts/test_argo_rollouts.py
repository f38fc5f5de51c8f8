"""The jobs of Argo Rollouts: what each end of the gate does to the rollout.

Argo takes exit code 0 of a job for a success and every other one for a failure, which aborts
(https://argo-rollouts.readthedocs.io/en/stable/analysis/job/).
"""

import json
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

from tests.rollouts.manifests import CODES, Pod, one

ANALYSIS, ROLLOUT = "argo-rollouts/analysis.yaml", "argo-rollouts/rollout.yaml"
WATCHED: Final = {
    "ROLLOUT": "chat",
    "PAUSE_STEP": "2",
    "CANARY": "6f9c",
    "STABLE": "58bd",
    "LABEL": "rollouts_pod_template_hash",
    "FOR": "1h",
    "PAUSE": "0.01",
    "AGAIN": "0.01",
}
PAUSED: Final = {
    "currentStepIndex": 2,
    "currentPodHash": "6f9c",
    "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-11-29T12:00:00Z"}],
}


@dataclass(slots=True)
class Cluster:
    """The API server's handling of a JSON patch of one rollout's status."""

    status: dict[str, Any] = field(default_factory=lambda: json.loads(json.dumps(PAUSED)))
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    broken: int = 0
    """The number of answers that are 500."""
    allowed: bool = True

    def patch(self, operations: list[dict[str, Any]]) -> int:
        """Apply a patch, all of it or nothing (RFC 6902); return the status of the answer."""
        changed = json.loads(json.dumps({"status": self.status}))
        for operation in operations:
            *way, last = operation["path"].split("/")[1:]
            place: Any = changed
            try:
                for step in way:
                    place = place[int(step)] if isinstance(place, list) else place[step]
                key = int(last) if isinstance(place, list) else last
                if operation["op"] == "test" and place[key] != operation["value"]:
                    return 422
                if operation["op"] == "remove":
                    del place[key]
            except (KeyError, IndexError):
                return 422
        self.status = changed["status"]
        return 200


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def pod(tmp_path: Path, cluster: Cluster) -> Iterator[Pod]:
    """Return a pod with a service account, and an API server for it."""

    class Api(BaseHTTPRequestHandler):
        def do_PATCH(self) -> None:
            """Patch the status of the rollout."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            cluster.requests.append((self.path, self.headers["Authorization"]))
            assert self.headers["Content-Type"] == "application/json-patch+json"
            code = 200 if cluster.allowed else 403
            if cluster.broken:
                cluster.broken, code = cluster.broken - 1, 500
            self.send_response(cluster.patch(json.loads(body)) if code == 200 else code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    made = Pod.of(ANALYSIS, tmp_path)
    account = tmp_path / "account"
    account.mkdir()
    (account / "namespace").write_text("production")
    (account / "token").write_text("the-token\n")
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        address = {"KUBERNETES_API": f"http://127.0.0.1:{server.server_port}"}
        made.environ |= WATCHED | address | {"SERVICE_ACCOUNT": str(account), "CHANGE": "canary"}
        yield made
        server.shutdown()
        thread.join()


def goes_on(cluster: Cluster) -> bool:
    return not cluster.status["pauseConditions"]


@pytest.mark.variants(8)
@pytest.mark.parametrize("code", CODES)
def test_the_watch_aborts_on_10_goes_on_on_0_and_leaves_the_rest_to_a_human(
    pod: Pod, cluster: Cluster, code: int
) -> None:
    pod.ends(code)

    done = pod.run("sh", "watch.sh")

    assert (done.returncode, goes_on(cluster)) == {0: (0, True), 10: (10, False)}.get(
        code, (0, False)
    )
    if code not in (0, 10):
        assert f"gate watch ended with {code}" in done.stderr
        assert "stays paused for a human" in done.stderr
        assert cluster.requests == []


def test_the_watch_compares_the_two_versions_by_their_hashes(pod: Pod) -> None:
    pod.ends(3)

    pod.run("sh", "watch.sh")

    canary, stable = ("rollouts_pod_template_hash=6f9c", "rollouts_pod_template_hash=58bd")
    called = f"watch /gate/policy/gate.yaml --for 1h --canary {canary} --baseline {stable}"
    assert pod.calls() == [called]


def test_only_the_pause_of_this_rollout_is_lifted_and_with_its_own_account(
    pod: Pod, cluster: Cluster
) -> None:
    pod.ends(0)

    pod.run("sh", "watch.sh")

    path = "/apis/argoproj.io/v1alpha1/namespaces/production/rollouts/chat/status"
    assert cluster.requests == [(path, "Bearer the-token")]


@pytest.mark.variants(2)
@pytest.mark.parametrize(
    "status",
    [
        {**PAUSED, "currentStepIndex": 0},
        {**PAUSED, "currentStepIndex": 4},
        {**PAUSED, "currentPodHash": "77aa"},
        {**PAUSED, "pauseConditions": [{"reason": "InconclusiveAnalysisRun"}]},
        {"currentStepIndex": 2, "currentPodHash": "6f9c"},
    ],
    ids=["aborted", "promoted by hand", "another version", "another pause", "no pause"],
)
def test_a_rollout_that_was_changed_meanwhile_is_not_promoted(
    pod: Pod, cluster: Cluster, status: dict[str, Any]
) -> None:
    cluster.status = json.loads(json.dumps(status))
    pod.ends(0)

    done = pod.run("sh", "watch.sh")

    assert (done.returncode, cluster.status) == (0, status)
    assert "promote the rollout by hand" in done.stderr


def test_a_pause_of_another_kind_beside_it_stays(pod: Pod, cluster: Cluster) -> None:
    other = {"reason": "InconclusiveAnalysisRun"}
    cluster.status["pauseConditions"].append(other)
    pod.ends(0)

    pod.run("sh", "watch.sh")

    assert cluster.status["pauseConditions"] == [other]


@pytest.mark.variants(1)
@pytest.mark.parametrize("broken, times", [(2, 3), (9, 5)])
def test_an_api_server_that_fails_for_a_moment_is_asked_again(
    pod: Pod, cluster: Cluster, broken: int, times: int
) -> None:
    cluster.broken = broken
    pod.ends(0)

    assert pod.run("sh", "watch.sh").returncode == 0
    assert len(cluster.requests) == times
    assert goes_on(cluster) is (times < 5)


def test_without_the_role_a_human_promotes(pod: Pod, cluster: Cluster) -> None:
    cluster.allowed = False
    pod.ends(0)

    done = pod.run("sh", "watch.sh")

    assert (done.returncode, len(cluster.requests), goes_on(cluster)) == (0, 1, False)
    assert "promote the rollout by hand" in done.stderr


@pytest.mark.variants(4)
@pytest.mark.parametrize("script", ["watch.sh", "check.sh"])
@pytest.mark.parametrize("verdict, code", [(3, 143), (143, 143), (10, 10), (0, 0)])
def test_a_pod_that_is_taken_away_hands_the_signal_on_and_waits_for_the_verdict(
    pod: Pod, script: str, verdict: int, code: int
) -> None:
    pod.waits(on_term=verdict)
    with pod.start("sh", script) as process:
        deadline = time.monotonic() + 20
        while not (pod.folder / "calls.running").exists():
            assert time.monotonic() < deadline, "the gate was not started"
            time.sleep(0.02)

        process.send_signal(signal.SIGTERM)

        process.communicate(timeout=20)
    # 143 is neither a success nor the 10 that makes the job fail, so Kubernetes starts another pod.
    assert process.returncode == code


@pytest.mark.variants(12)
@pytest.mark.parametrize("code", CODES)
def test_the_check_begins_the_rollout_or_aborts_it_or_asks_again(pod: Pod, code: int) -> None:
    # Where the first answer is no verdict, the second one is.
    pod.ends(code, 10)

    done = pod.run("sh", "check.sh")

    decided = {0: 0, 11: 0, 10: 10}
    assert done.returncode == decided.get(code, 10)
    calls = ["check /gate/policy/gate.yaml --change canary"]
    assert pod.calls() == calls * (1 if code in decided else 2)


def test_a_check_that_nobody_can_answer_goes_on_asking_until_it_is_stopped(pod: Pod) -> None:
    pod.ends(3)
    with pod.start("sh", "check.sh") as process:
        deadline = time.monotonic() + 20
        while len(pod.calls()) < 3:
            assert time.monotonic() < deadline, "it does not ask again"
            time.sleep(0.02)
        assert process.poll() is None

        process.send_signal(signal.SIGTERM)

        process.communicate(timeout=20)
    assert process.returncode == 143


def job(called: str) -> dict[str, Any]:
    """Return the job of an AnalysisTemplate, which has one metric."""
    (metric,) = one(ANALYSIS, "AnalysisTemplate", called)["spec"]["metrics"]
    spec: dict[str, Any] = metric["provider"]["job"]["spec"]
    return spec


@pytest.mark.parametrize("called", ["gate-check", "gate-watch"])
def test_a_job_fails_on_exit_code_10_only(called: str) -> None:
    # https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
    spec = job(called)
    fails, evicted, others = spec["podFailurePolicy"]["rules"]

    assert (fails["action"], fails["onExitCodes"]) == (
        "FailJob",
        {"operator": "In", "values": [10]},
    )
    assert evicted["action"] == others["action"] == "Ignore"
    assert others["onExitCodes"] == {"operator": "NotIn", "values": [10]}
    assert "activeDeadlineSeconds" not in spec, "its end would be a failure"
    assert spec["template"]["spec"]["restartPolicy"] == "Never", "the policy needs it"


def test_the_rollout_waits_at_the_step_that_a_healthy_watch_lifts() -> None:
    canary = one(ROLLOUT, "Rollout", "chat")["spec"]["strategy"]["canary"]
    background = canary["analysis"]
    arguments = {argument["name"]: argument for argument in background["args"]}
    step = int(arguments["pause-step"]["value"])

    assert canary["steps"][step] == {"pause": {}}, "a pause with a duration goes on by itself"
    assert background["startingStep"] == step
    assert background["templates"] == [{"templateName": "gate-watch"}]
    template = one(ANALYSIS, "AnalysisTemplate", "gate-watch")["spec"]["args"]
    needed = {argument["name"] for argument in template if "value" not in argument}
    assert needed <= set(arguments) <= {argument["name"] for argument in template}
    before = canary["steps"][0]["analysis"]
    assert before["templates"] == [{"templateName": "gate-check"}]
    assert "setWeight" not in canary["steps"][0], "the gate comes before the traffic"


def test_the_watch_may_change_the_status_of_this_rollout_and_nothing_else() -> None:
    (rule,) = one(ANALYSIS, "Role", "gate-watch")["rules"]

    assert rule == {
        "apiGroups": ["argoproj.io"],
        "resources": ["rollouts/status"],
        "resourceNames": ["chat"],
        "verbs": ["patch"],
    }
    assert job("gate-check")["template"]["spec"]["automountServiceAccountToken"] is False
