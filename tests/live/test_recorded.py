"""Series that other tools have recorded: their rules, evaluated by a real Prometheus."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.live.command import Outcome, check, policy
from tests.servers.fixtures import Data
from tests.servers.history import mean_of_ratios, truth
from tests.servers.metrics import Server, backfill_rules, prometheus
from tests.servers.series import END, START

pytestmark = pytest.mark.slow

MONTH = timedelta(days=30)


def sloth(service: str, expression: str, objective: float = 0.999) -> str:
    """Return the rules of one SLO as Sloth writes them, as far as the gate reads them.

    https://github.com/slok/sloth/blob/main/examples/_gen/getting-started.yml
    """
    labels = f"{{sloth_id: chat-{service}, sloth_service: chat, sloth_slo: {service}"
    return f"""\
  - record: slo:sli_error:ratio_rate5m
    expr: {expression}
    labels: {labels}, sloth_window: 5m}}
  - {{record: "slo:objective:ratio", expr: vector({objective}), labels: {labels}}}}}
"""


def ratio(service: str) -> str:
    every = f'llm_requests_total{{service="{service}"}}'
    failed = f'llm_requests_total{{service="{service}",code="500"}}'
    return f"(sum(rate({failed}[5m]))) / (sum(rate({every}[5m])))"


def rates(record: str, label: str, service: str, code: str) -> str:
    return f"""\
  - record: {record}
    expr: sum(rate(llm_requests_total{{service="{service}"{code}}}[5m]))
    labels: {{{label}: {service}}}
"""


RULES = (
    "groups:\n- name: others\n  interval: 1m\n  rules:\n"
    + sloth("peak", ratio("peak"))
    + sloth("trough", ratio("trough"), 0.995)
    + sloth("idle", ratio("idle"))
    + rates("pyrra_requests:rate5m", "slo", "peak", "")
    + rates("pyrra_errors:rate5m", "slo", "peak", ',code="500"')
    + f"  - record: llm_requests:burnrate5m\n    expr: {ratio('trough')}\n"
    + "    labels: {slo: trough}\n"
    + rates("grafana_slo_total_rate_5m", "grafana_slo_uuid", "peak", "")
    + rates("grafana_slo_success_rate_5m", "grafana_slo_uuid", "peak", ',code="200"')
    + f"  - record: grafana_slo_sli_5m\n    expr: 1 - {ratio('trough')}\n"
    + "    labels: {grafana_slo_uuid: trough}\n"
)


@pytest.fixture(scope="module")
def recorded(
    history_prometheus: Server, history_data: Data, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Give the address of a server on which these rules have run for a month."""
    folder = tmp_path_factory.mktemp("recorded")
    data = folder / "blocks"
    shutil.copytree(history_data.blocks, data)
    (folder / "rules.yml").write_text(RULES)
    backfill_rules(history_prometheus.url, folder / "rules.yml", data, START, END)
    with prometheus(folder / "server", data) as server:
        yield server.url


def slo(name: str, tool: str, labels: dict[str, str], **more: Any) -> dict[str, Any]:
    sli = {"recorded": tool, "labels": labels}
    return {"name": name, "objective": "99.9%", "window": "30d", "sli": sli, **more}


def of_sloth(service: str, **more: Any) -> dict[str, Any]:
    return slo(service, "sloth", {"sloth_service": "chat", "sloth_slo": service}, **more)


def asked(folder: Path, url: str, *slos: dict[str, Any]) -> Outcome:
    return check(policy(folder, url, slos))


@pytest.mark.parametrize("service", ["peak", "trough"])
def test_sloth_counts_every_slice_alike_so_its_budget_is_not_that_of_the_events(
    recorded: str, tmp_path: Path, service: str
) -> None:
    measured = asked(tmp_path, recorded, of_sloth(service)).slos[service]

    expected = mean_of_ratios(service, window=MONTH) / Fraction("0.001")
    assert measured["consumed"] == pytest.approx(float(expected), rel=0.01)
    events = truth(service, MONTH)
    assert abs(measured["consumed"] - events.bad / events.total / 0.001) > 0.3
    assert measured["total"] == pytest.approx(MONTH / timedelta(minutes=5))
    assert measured["notes"][0].startswith("timeslice mean (Sloth)")
    assert measured["status"] == "measured"


def test_another_objective_of_sloths_is_noticed_and_the_policys_decides(
    recorded: str, tmp_path: Path
) -> None:
    outcome = asked(tmp_path, recorded, of_sloth("peak"), of_sloth("trough"))

    said = (
        "the tool that recorded this has the objective 99.5%; the budget is that of the policy's,"
        " 99.9%"
    )
    assert said in outcome.slos["trough"]["notes"]
    assert not [note for note in outcome.slos["peak"]["notes"] if "objective" in note]


def test_an_idle_service_whose_ratios_are_nan_has_no_traffic_and_no_full_budget(
    recorded: str, tmp_path: Path
) -> None:
    outcome = asked(tmp_path, recorded, of_sloth("idle"))

    assert outcome.slos["idle"]["remaining"] is None
    assert [doubt["cause"] for doubt in outcome.slos["idle"]["doubts"]] == ["no_traffic"]
    assert outcome.code == 3


def test_what_sloth_has_not_recorded_is_no_data(recorded: str, tmp_path: Path) -> None:
    outcome = asked(tmp_path, recorded, of_sloth("unheard-of"))

    assert [doubt["cause"] for doubt in outcome.slos["unheard-of"]["doubts"]] == ["no_data"]
    assert outcome.code == 3


@pytest.mark.parametrize(("tool", "label"), [("pyrra", "slo"), ("grafana", "grafana_slo_uuid")])
def test_rates_of_requests_are_weighted_by_traffic(
    recorded: str, tmp_path: Path, tool: str, label: str
) -> None:
    measured = asked(tmp_path, recorded, slo("peak", tool, {label: "peak"})).slos["peak"]

    events = truth("peak", MONTH)
    assert measured["total"] == pytest.approx(events.total, rel=0.002)
    assert measured["bad"] == pytest.approx(events.bad, rel=0.01)
    assert measured["notes"][0].startswith("events by rates of 5 minutes")


@pytest.mark.parametrize(("tool", "label"), [("pyrra", "slo"), ("grafana", "grafana_slo_uuid")])
def test_without_rates_the_ratios_of_five_minutes_are_read_as_ratios(
    recorded: str, tmp_path: Path, tool: str, label: str
) -> None:
    measured = asked(tmp_path, recorded, slo("trough", tool, {label: "trough"})).slos["trough"]

    assert measured["error_ratio"] == pytest.approx(
        float(mean_of_ratios("trough", window=MONTH)), rel=0.01
    )
    assert measured["notes"][0].startswith("timeslice mean")
    assert not [note for note in measured["notes"] if "older name" in note]
