"""Shadows whose truth is known, judged by real servers."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from gate.backends import open_backend
from gate.backends.prometheus.settings import PrometheusSettings
from gate.check.shadow import judge_shadows
from gate.measure import Limits
from gate.policy.requirements import RequirementResult, RequirementState, ShadowRequirement
from tests.command import gate
from tests.config.texts import policy, sound
from tests.servers.metrics import backfill, prometheus, victoria
from tests.servers.series import END
from tests.servers.shadows import truth, write_metrics

pytestmark = pytest.mark.slow

MET, NOT_MET, UNDECIDED = (
    RequirementState.MET,
    RequirementState.NOT_MET,
    RequirementState.UNDECIDED,
)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Run both servers with the six hours; return their addresses."""
    folder = tmp_path_factory.mktemp("shadows")
    text = folder / "shadows.om"
    write_metrics(text)
    backfill(text, folder / "blocks")
    with (
        prometheus(folder / "prometheus", folder / "blocks") as first,
        victoria(folder / "victoria", text) as second,
    ):
        yield {"prometheus": first.url, "victoria": second.url}


@pytest.fixture(params=["prometheus", "victoria"])
def url(request: pytest.FixtureRequest, servers: dict[str, str]) -> str:
    return servers[request.param]


def slos(service: str, window: str = "30d") -> str:
    """Return an SLO of 99% on a service."""
    selector = f'llm_requests_total{{service="{service}"'
    return (
        f"slos:\n  - name: availability\n    objective: 99%\n    window: {window}\n    sli:\n"
        f"      bad: '{selector},code=\"500\"}}'\n      total: '{selector}}}'\n"
    )


def judge(url: str, service: str, at: datetime = END, **fields: Any) -> RequirementResult:
    """Judge a service of 99%, of whose budget the shadow may use half more."""
    given: dict[str, Any] = {
        "by": "deployment",
        "candidate": "shadow",
        "against": "live",
        "slos": (),
        "margin": Fraction(1, 2),
        "lasting": timedelta(hours=1),
    }
    wanted = ShadowRequirement(**given | fields)
    backend = open_backend(PrometheusSettings(url=url), Limits(timeout=timedelta(seconds=30)))
    return judge_shadows(sound(policy(slos=slos(service))), [wanted], backend, at)[wanted]


@pytest.mark.parametrize(
    ("service", "state", "words"),
    [
        ("equal", MET, "0.1% of 60,000 requests of deployment=shadow failed, and 0.1% of 60,000"),
        ("mirrored-in-part", MET, "0.1% of 6,000 requests of deployment=shadow failed"),
        ("never-failing", MET, "0% of 60,000 requests of deployment=shadow failed"),
        ("outage", MET, "4.26% of 60,000 requests of deployment=shadow failed, and 4.26% of"),
        ("worse", NOT_MET, "2% of 6,000 requests of deployment=shadow failed, and 0.1% of 60,000"),
        ("scarce", UNDECIDED, "1% of 600 requests of deployment=shadow failed, and 0.1% of"),
        ("young", UNDECIDED, "deployment=shadow has run since 2026-10-31 23:55 UTC only"),
        ("gone", UNDECIDED, "there is no data on deployment=shadow since 2026-10-31 23:40 UTC"),
        ("hole", UNDECIDED, "deployment=shadow has no requests from 2026-10-31 23:20 to 23:"),
        ("not-mirrored", UNDECIDED, "there is no data on deployment=shadow since 2026-10-31 23:30"),
        ("never-born", MET, "0% of 60,000 requests of deployment=shadow failed, and 0.1% of"),
        ("neither-born", MET, "0% of 60,000 requests of deployment=shadow failed, and 0% of"),
        ("born-late", UNDECIDED, "(with most clients: ask for each set of labels once)"),
        ("misspelt", UNDECIDED, "no request of the last 1h has deployment=shadow"),
    ],
)
def test_each_shadow_is_judged_as_it_was(
    url: str, service: str, state: RequirementState, words: str
) -> None:
    result = judge(url, service)

    assert result.state is state, result.reason
    assert words in result.reason
    if state is MET or service == "worse":
        (live, live_bad), (shadow, shadow_bad) = truth(service)
        assert result.facts["live_requests"] == pytest.approx(live)
        assert result.facts["live_bad"] == pytest.approx(live_bad)
        assert result.facts["shadow_requests"] == pytest.approx(shadow)
        assert result.facts["shadow_bad"] == pytest.approx(shadow_bad)
        excess = shadow_bad / shadow - live_bad / live
        assert result.facts["excess"] == pytest.approx(excess, abs=1e-9)


def test_a_label_that_no_series_has_is_named_with_those_that_there_are(url: str) -> None:
    result = judge(url, "equal", by="deploymnt")

    assert result.state is UNDECIDED
    assert "has the label deploymnt; there are: deployment" in result.reason
    assert result.reason.endswith("; correct by or pair_by, or the indicator of the SLO")


def test_a_shadow_may_be_judged_by_a_shorter_and_by_a_longer_time(url: str) -> None:
    for minutes in (20, 45, 300):
        result = judge(url, "equal", lasting=timedelta(minutes=minutes))
        (requests, _), _ = truth("equal", minutes)

        assert result.state is MET, result.reason
        assert result.facts["live_requests"] == pytest.approx(requests, rel=1e-3)


@pytest.mark.parametrize("seconds", [25, 40])
def test_an_instant_between_two_scrapes_gives_the_same(url: str, seconds: int) -> None:
    # Six failures, one in each ten minutes: of some steps, the server has not seen them.
    at = END - timedelta(seconds=seconds, microseconds=1)
    (_, _), (_, bad) = truth("mirrored-in-part")

    result = judge(url, "mirrored-in-part", at)

    assert result.state is MET, result.reason
    assert result.facts["shadow_bad"] == pytest.approx(bad, abs=0.2)


def test_pairing_needs_request_logs(url: str) -> None:
    result = judge(url, "equal", pair_by="request_id")

    assert result.state is UNDECIDED
    assert "only in request logs" in result.reason


def test_a_server_that_does_not_answer_is_undecided_with_what_to_do() -> None:
    result = judge("http://127.0.0.1:1", "equal")

    assert result.state is UNDECIDED
    assert result.reason.startswith("availability: ")
    assert "; check" in result.reason


@pytest.mark.parametrize(
    ("service", "code", "words"),
    [
        ("equal", 0, "the excess is at most 0.0364% (95% confidence), and 0.5% is allowed"),
        ("worse", 10, "the excess is at least 1.57% (95% confidence), and 0.5% is allowed"),
        ("scarce", 3, "cannot tell yet: 1% of 600 requests of deployment=shadow failed"),
        ("young", 3, "check again after 2026-11-01 00:55 UTC"),
    ],
)
def test_the_command_allows_blocks_or_waits(
    url: str, service: str, code: int, words: str, tmp_path: Path
) -> None:
    shadow = "{by: deployment, candidate: shadow, against: live, margin: 50%, for: 1h}"
    tiers = (
        "tiers:\n  - name: healthy\n    remaining: '> 0%'\n    allow: all\n"
        f"    require: {{model-update: [{{shadow: {shadow}}}]}}\n"
        "  - {name: exhausted, otherwise: true, allow: [rollback]}\n"
    )
    text = policy(
        backend=f"backend: {{type: prometheus, url: '{url}'}}\n",
        slos=slos(service, "5h"),
        tiers=tiers,
    )
    (tmp_path / "gate.yaml").write_text(text, encoding="utf-8")
    when = ("--at", END.isoformat(), "--policy-ref", "none")

    done = gate("check", "--change", "model-update", *when, cwd=tmp_path)

    assert done.exit_code == code, done.stdout + done.stderr
    assert words in " ".join(done.stdout.split())
