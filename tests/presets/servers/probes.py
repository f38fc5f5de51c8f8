"""The blackbox exporter's probe_success, and Prometheus' own up."""

from tests.presets.exposition import Page, as_go

JOB = {"job": "blackbox"}


def page() -> Page:
    """Return three probes of which one fails, and two scrapes of which one fails."""
    page = Page(format=as_go)
    for instance, success in {"https://a": 1, "https://b": 1, "https://c": 0}.items():
        page.add("probe_success", success, job="blackbox", instance=instance)
    for instance, success in {"vllm-0:8000": 1, "vllm-1:8000": 0}.items():
        page.add("up", success, job="vllm-probes", instance=instance)
    return page


SCRAPES = {"labels": {"job": "vllm-probes"}, "options": {"check": "scrape"}}
EDGE = {"within": 3}
"""Before Prometheus 3 a sample on the window's first instant is in it, one of each series here."""
EXPECTED: dict[str, list[dict[str, object]]] = {
    "errors": [
        {"labels": JOB, "bad": 1, "total": 3, **EDGE},
        {**SCRAPES, "bad": 1, "total": 2, **EDGE},
    ],
    "availability": [{"labels": JOB, "bad": 0, "total": 1}],
    "inference-failures": [
        {"labels": JOB, "spent": 1, **EDGE},
        {**SCRAPES, "spent": 1, **EDGE},
    ],
}
