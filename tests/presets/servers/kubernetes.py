"""kube-state-metrics and cAdvisor: restarts, kills for want of memory, and replicas."""

from tests.presets.exposition import Page, as_go

LABELS = {"namespace": "chat"}
RESTARTS, KILLS = 3, 2


def page() -> Page:
    """Return what both count of one minute, beside another namespace."""
    page = Page(format=as_go)
    for namespace, factor in {"chat": 1, "shop": 10}.items():
        pod = {"namespace": namespace, "pod": "vllm-0", "container": "vllm"}
        restarts = "kube_pod_container_status_restarts_total"
        page.add(restarts, factor * RESTARTS, **pod)
        page.add("container_oom_events_total", factor * KILLS, **pod)
    replicas = "kube_deployment_status_replicas_available"
    page.add(replicas, 2, namespace="chat", deployment="vllm")
    page.add(replicas, 0, namespace="chat", deployment="router")
    return page


EXPECTED: dict[str, list[dict[str, object]]] = {
    "availability": [
        {"labels": LABELS, "bad": 1, "total": 1},
        {"labels": {**LABELS, "deployment": "vllm"}, "bad": 0, "total": 1},
    ],
    "inference-failures": [
        {"labels": LABELS, "spent": RESTARTS},
        {"labels": LABELS, "options": {"failures": "oom_kills"}, "spent": KILLS},
    ],
}
