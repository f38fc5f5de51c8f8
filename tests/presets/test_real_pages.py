"""The presets held against pages and logs that real servers wrote under load (tests/presets/pages).

Each page names its version and command. The requests were valid, streamed, too long, for a model
that is not there, or given up midway; the counts below are those of a plain script of each page.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Final

import pytest

from gate.config.preset import Family, PresetIndicator, fill
from gate.config.presets import load_preset
from gate.promql.expression import read_expression, read_selector
from gate.promql.selectors import Selector

PAGES: Final = Path(__file__).parent / "pages"
SAMPLE: Final = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+")
LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
SERVERS: Final = {
    "dynamo": ("dynamo-frontend-1.4.2",),
    "kserve": ("kserve-0.21.0", "vllm-0.32.0-cpu"),
    "litellm": ("litellm-1.106.12",),
    "llama-cpp": ("llama-server-debian-sid",),
    "ray-serve": ("ray-serve-2.60.0",),
    "sglang-gateway": ("sglang-router",),
    "vllm": ("vllm-0.32.0-cpu", "vllm-0.32.0-cpu-overload"),
    "vllm-router-rust": ("vllm-router-0.1.17",),
}
"""The pages of each preset's server."""
NOT_THERE: Final = {
    "dynamo": {
        "nv_llm_http_service_.*": "the names of the first versions",
        "dynamo_frontend_model_ready": "on no page of 1.4.2, as a note says",
    },
    "kserve": {"kserve_.*": "what its monitors make of vLLM's names on a cluster"},
    "litellm": {"litellm_guardrail_requests_total": "no guardrail was set up"},
    "llama-cpp": {},
    "sglang-gateway": {"smg_router_(ttft_seconds_bucket|tokens_total)": "no worker spoke gRPC"},
    "ray-serve": {
        "ray_vllm.*": "the application had no engine of vLLM",
        "ray_serve_num_http_requests": "the name of 2.52",
    },
    "vllm": {"vllm:time_per_output_token_seconds.*": "the name before 0.13"},
    "vllm-router-rust": {},
}
"""Metrics that a preset names and its page lacks, by a pattern of the metric, and why."""
SCRAPED: Final = {"up"}
"""Metrics that Prometheus adds itself; it adds the labels job and instance, too."""


@dataclass
class Metric:
    """The samples of one name on a page."""

    labels: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def read_pages(names: tuple[str, ...]) -> dict[str, Metric]:
    metrics: dict[str, Metric] = defaultdict(Metric)
    for name in names:
        lines = (PAGES / f"{name}.prom").read_text(encoding="utf-8").splitlines()
        assert [line.startswith("#") for line in lines[:3]] == [True, True, False], name
        for line in lines[2:]:
            sample = SAMPLE.fullmatch(line)
            assert sample is not None, line
            for label, value in LABEL.findall(sample[2] or ""):
                metrics[sample[1]].labels[label].add(value)
            for label in ("job", "instance"):
                metrics[sample[1]].labels[label].add("")
    return metrics


def written(indicator: PresetIndicator) -> Iterator[tuple[Family, dict[str, dict[str, str]]]]:
    """Yield each family with the default of every option, and with each other choice of one."""
    defaults = {
        key: dict(option.texts(option.default))
        for key, option in indicator.options.items()
        if option.default is not None
    }
    for family in indicator.families:
        yield family, defaults
        for key, option in indicator.options.items():
            for choice in option.choices:
                yield family, {**defaults, key: dict(option.texts(choice))}


def selectors(family: Family, texts: dict[str, dict[str, str]]) -> Iterator[Selector]:
    for role, text in family.expressions.items():
        expression = read_expression(fill(text, role, texts), None, gauge=role == "gauge")
        yield from map(Selector.read, expression.selectors)
    if family.histogram is not None:
        for role in ("good", "total"):
            name, braces = read_selector(fill(family.histogram, role, texts), {})
            yield Selector.read(f"{name}_bucket{braces}")


def flaws(server: str, metrics: dict[str, Metric], kinds: dict[str, PresetIndicator]) -> set[str]:
    found = set()
    for kind, indicator in kinds.items():
        for family, texts in written(indicator):
            for selector in selectors(family, texts):
                absent = any(re.fullmatch(one, selector.name) for one in NOT_THERE[server])
                if selector.name in SCRAPED or absent:
                    continue
                if selector.name not in metrics:
                    found.add(f"{kind}: no page has {selector.name}")
                    continue
                metric = metrics[selector.name]
                found |= {
                    f"{kind}: {selector.name} has no label {matcher.label}"
                    for matcher in selector.matchers
                    if matcher.label not in metric.labels
                }
                have = {Fraction(le) for le in metric.labels.get("le", ()) if le != "+Inf"}
                if family.histogram is not None:
                    found |= {
                        f"{kind}: {selector.name} has no boundary {float(boundary)}"
                        for boundary in set(family.boundaries) - have
                    }
    return found


@pytest.mark.parametrize("server", SERVERS)
def test_a_real_page_has_all_that_a_preset_names(server: str) -> None:
    metrics = read_pages(SERVERS[server])
    preset = load_preset(server)

    assert flaws(server, metrics, dict(preset.indicators)) == set()
    labels = {label for metric in metrics.values() for label in metric.labels}
    assert set(preset.labels) <= labels | {"llm_isvc_name", "namespace"}


@pytest.mark.parametrize("server", SERVERS)
def test_what_a_page_lacks_is_listed_only_while_it_lacks_it(server: str) -> None:
    metrics = read_pages(SERVERS[server])
    named = {
        selector.name
        for indicator in load_preset(server).indicators.values()
        for family, texts in written(indicator)
        for selector in selectors(family, texts)
    }
    for pattern in NOT_THERE[server]:
        assert [name for name in metrics if re.fullmatch(pattern, name)] == []
        assert [name for name in named if re.fullmatch(pattern, name)], pattern


def test_a_name_a_label_and_a_boundary_that_no_page_has_are_found() -> None:
    metrics = read_pages(SERVERS["vllm"])
    whole = load_preset("vllm").indicators
    errors, latency = whole["errors"], whole["latency"]
    bent = {
        "errors": PresetIndicator(
            about="",
            families=(
                Family(
                    expressions={
                        "bad": 'http_requests_total{code="500"}',
                        "total": "http_request_total",
                    }
                ),
            ),
        ),
        "latency": PresetIndicator(
            about="",
            families=(
                Family(
                    expressions={},
                    histogram="vllm:e2e_request_latency_seconds",
                    unit="s",
                    boundaries=(Fraction(10), Fraction(11)),
                ),
            ),
        ),
    }
    assert flaws("vllm", metrics, {"errors": errors, "latency": latency}) == set()
    assert flaws("vllm", metrics, bent) == {
        "errors: http_requests_total has no label code",
        "errors: no page has http_request_total",
        "latency: vllm:e2e_request_latency_seconds_bucket has no boundary 11.0",
    }


def samples(page: str) -> list[tuple[str, dict[str, str], float]]:
    """Return each sample of a page: its name, its labels and its value."""
    lines = (PAGES / f"{page}.prom").read_text(encoding="utf-8").splitlines()[2:]
    parsed = [(line, SAMPLE.fullmatch(line)) for line in lines]
    return [
        (sample[1], dict(LABEL.findall(sample[2] or "")), float(line.rpartition(" ")[2]))
        for line, sample in parsed
        if sample is not None
    ]


def counted(page: str, selector: Selector) -> float:
    """Add up the samples that a selector finds; a label that is not there is empty."""
    return sum(
        value
        for name, labels, value in samples(page)
        if name == selector.name
        and all(matcher.matches(labels.get(matcher.label, "")) for matcher in selector.matchers)
    )


def test_litellms_page_is_counted_as_by_hand() -> None:
    """The run had 59 requests that ended in a 500, and one scrape came without a key."""
    page = "litellm-1.106.12"
    errors = load_preset("litellm").indicators["errors"]
    defaults = next(texts for _, texts in written(errors))
    (family,) = errors.families
    by_role: dict[str, list[Selector]] = {}
    for role, text in family.expressions.items():
        expression = read_expression(fill(text, role, defaults), None)
        by_role[role] = [Selector.read(one) for one in expression.selectors]

    failed = [
        (labels, value)
        for name, labels, value in samples(page)
        if name == "litellm_proxy_failed_requests_metric_total"
    ]
    by_hand = sum(v for labels, v in failed if labels["exception_status"] == "500")
    scrapes = sum(v for labels, v in failed if labels["route"] == "/metrics")
    every = sum(
        value
        for name, labels, value in samples(page)
        if name == "litellm_proxy_total_requests_metric_total"
        and labels["route"] == "/v1/chat/completions"
    )
    assert (by_hand, scrapes) == (59, 1)

    bad, keyless = (counted(page, selector) for selector in by_role["bad"])
    assert (bad, keyless) == (59, 0)
    total, keyless = (counted(page, selector) for selector in by_role["total"])
    assert (total, keyless) == (every, 0)


def test_the_routers_pages_are_counted_as_by_hand() -> None:
    """100 requests were sent through each: 81 answered, 19 refused as mistakes of their callers."""
    rust = [Selector.read(f"vllm_router_request{kind}_total") for kind in ("s", "_errors")]
    assert [counted("vllm-router-0.1.17", selector) for selector in rust] == [81, 19]

    gateway = load_preset("sglang-gateway").indicators["errors"]
    defaults = next(texts for _, texts in written(gateway))
    bad = gateway.families[0].expressions["bad"]
    (selector,) = read_expression(fill(bad, "bad", defaults), None).selectors
    # Five were for a model that nobody serves; ten more were too long.
    assert counted("sglang-router", Selector.read(selector)) == 5
