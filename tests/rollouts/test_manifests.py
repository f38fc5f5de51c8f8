"""The manifests are what Kubernetes, Argo Rollouts and Flagger take, by their schemas."""

import copy
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema
import kubernetes_validate
import pytest

from tests.rollouts.manifests import documents
from tests.servers.processes import binary, missing

pytestmark = pytest.mark.slow

HERE: Final = Path(__file__).parent
FILES: Final = (
    *("argo-rollouts/analysis.yaml", "argo-rollouts/rollout.yaml"),
    *("flagger/loadtester.yaml", "flagger/canary.yaml"),
)
ARGO: Final = "argoproj.io/v1alpha1"
FLAGGER: Final = "flagger.app/v1beta1"
KUBERNETES: Final = "1.37"

Manifest = dict[str, Any]


def manifests(*versions: str) -> list[Manifest]:
    return [one for name in FILES for one in documents(name) if one["apiVersion"] in versions]


def plain() -> Iterator[Manifest]:
    """Yield what Kubernetes itself takes: also the jobs and pods within the other kinds."""
    for name in FILES:
        for one in documents(name):
            if one["apiVersion"] not in (ARGO, FLAGGER):
                yield one
    for one in manifests(ARGO):
        for metric in one["spec"].get("metrics", ()):
            job = metric["provider"]["job"]
            yield {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job"}, **job}
        if one["kind"] == "Rollout":
            spec = {key: one["spec"][key] for key in ("replicas", "selector", "template")}
            head = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": one["metadata"]}
            yield head | {"spec": spec}


def refused_by_kubernetes(manifest: Manifest) -> str:
    try:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        return str(error)
    return ""


def refused_by_argo(checked: list[Manifest]) -> list[str | None]:
    if not (HERE / "node_modules").is_dir():
        missing("the schemas of Argo Rollouts")
    done = subprocess.run(
        [binary("node"), str(HERE / "validate.mjs")],
        input=json.dumps(checked),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    )
    answers: list[str | None] = json.loads(done.stdout)
    return answers


def test_kubernetes_takes_them_without_an_unknown_key() -> None:
    checked = list(plain())

    assert {one["kind"] for one in checked} >= {
        *("ConfigMap", "Deployment", "Job", "NetworkPolicy", "Role", "RoleBinding", "Service"),
        "ServiceAccount",
    }
    assert [refused_by_kubernetes(one) for one in checked] == [""] * len(checked)


def test_kubernetes_would_refuse_a_misspelt_key() -> None:
    (job, _) = [one for one in plain() if one["kind"] == "Job"]
    job["spec"]["template"]["spec"]["restartPolicyy"] = "Never"
    assert "restartPolicyy" in refused_by_kubernetes(job)


def test_argo_rollouts_takes_them() -> None:
    checked = manifests(ARGO)

    assert [one["kind"] for one in checked] == ["AnalysisTemplate", "AnalysisTemplate", "Rollout"]
    assert refused_by_argo(checked) == [None, None, None]


def test_argo_rollouts_would_refuse_a_metric_without_a_name_and_a_job_without_a_template() -> None:
    template, _, _ = manifests(ARGO)
    nameless, empty = copy.deepcopy(template), copy.deepcopy(template)
    del nameless["spec"]["metrics"][0]["name"]
    del empty["spec"]["metrics"][0]["provider"]["job"]["spec"]["template"]

    first, second = refused_by_argo([nameless, empty])

    assert first is not None
    assert "'name'" in first
    assert second is not None
    assert "'template'" in second


# What https://docs.flagger.app/usage/how-it-works and /usage/webhooks document, of the keys that
# the Canary has; no other key is taken.
_WEBHOOK: Final = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "url"],
    "properties": {
        "name": {"type": "string"},
        "type": {
            "enum": [
                *("confirm-rollout", "pre-rollout", "rollout", "confirm-traffic-increase"),
                *("confirm-promotion", "post-rollout", "rollback", "event"),
            ]
        },
        "url": {"type": "string", "format": "uri", "pattern": "^https?://"},
        "timeout": {"type": "string", "pattern": r"^\d+[smh]$"},
        "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
_ANALYSIS: Final = {
    "type": "object",
    "additionalProperties": False,
    "required": ["interval", "threshold"],
    "properties": {
        "interval": {"type": "string", "pattern": r"^\d+[smh]$"},
        "threshold": {"type": "integer"},
        "maxWeight": {"type": "integer", "maximum": 100},
        "stepWeight": {"type": "integer", "maximum": 100},
        "webhooks": {"type": "array", "items": _WEBHOOK},
    },
}
_CANARY: Final = {
    "type": "object",
    "additionalProperties": False,
    "required": ["targetRef", "service", "analysis"],
    "properties": {
        "targetRef": {
            "type": "object",
            "additionalProperties": False,
            "required": ["apiVersion", "kind", "name"],
            "properties": {key: {"type": "string"} for key in ("apiVersion", "kind", "name")},
        },
        "service": {
            "type": "object",
            "additionalProperties": False,
            "required": ["port"],
            "properties": {"port": {"type": "integer"}},
        },
        "analysis": _ANALYSIS,
    },
}


def test_flagger_takes_the_canary() -> None:
    (canary,) = manifests(FLAGGER)

    assert canary["kind"] == "Canary"
    jsonschema.validate(canary["spec"], _CANARY)


def test_flagger_would_refuse_an_unknown_webhook_and_metadata_that_is_not_a_text() -> None:
    (canary,) = manifests(FLAGGER)
    validator = jsonschema.Draft202012Validator(_CANARY)
    webhook = canary["spec"]["analysis"]["webhooks"][0]
    for broken in ({"type": "confirm"}, {"metadata": {"cmd": 5}}, {"timeout": 20}):
        changed = copy.deepcopy(canary["spec"])
        changed["analysis"]["webhooks"][0] = webhook | broken
        assert not validator.is_valid(changed)
