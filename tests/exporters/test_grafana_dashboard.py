"""The exported dashboard: as Grafana's SDK makes it, and its queries asked of a real Prometheus."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from gate.errors import UsageError
from gate.exporters import export_policy
from tests.exporters.policies import AVAILABILITY, read_policy
from tests.servers.history import truth
from tests.servers.metrics import Server
from tests.servers.series import END

PEAK = (
    "{name: peak, objective: 99.9%, window: 30d, sli: {"
    """bad: 'llm_requests_total{service="peak",code="500"}',"""
    """ total: 'llm_requests_total{service="peak"}'}}"""
)


def board(folder: Path, *slos: str) -> dict[str, Any]:
    text = export_policy("grafana-dashboard", read_policy(folder, *slos)).text
    assert text is not None
    document: dict[str, Any] = json.loads(text)
    return document


def panels(document: dict[str, Any]) -> dict[str, list[str]]:
    """Return the queries of each panel, by its title."""
    found: list[dict[str, Any]] = document["panels"]
    return {one["title"]: [t["expr"] for t in one.get("targets") or ()] for one in found}


def test_burn_rates_stand_beside_the_sli_and_what_is_left_before_both(tmp_path: Path) -> None:
    document = board(tmp_path, AVAILABILITY)

    row, left, burn, sli = document["panels"]
    assert row["title"] == "availability: 99.9% over 30d"
    assert [one["title"] for one in (left, burn, sli)] == ["Budget left", "Burn rate", "SLI"]
    assert left["gridPos"]["y"] == burn["gridPos"]["y"] == sli["gridPos"]["y"]
    assert sum(one["gridPos"]["w"] for one in (left, burn, sli)) == 24
    assert [target["legendFormat"] for target in burn["targets"]] == [
        *("5m", "30m", "1h", "2h", "6h", "1d", "3d")
    ]
    assert document["uid"] == "gate-chat"
    assert {one["datasource"]["uid"] for one in (left, burn, sli)} == {"${datasource}"}


def test_what_is_left_of_a_calendar_window_is_not_a_panel_but_a_remark(tmp_path: Path) -> None:
    policy = read_policy(tmp_path, AVAILABILITY.replace("30d", "{calendar: month}"))
    exported = export_policy("grafana-dashboard", policy)

    assert "Budget left" not in str(exported.text)
    assert exported.remarks == (
        "availability: a query cannot calculate what is left of a calendar window; run gate status",
    )


@pytest.mark.slow
def test_every_query_gives_one_series_on_a_real_prometheus_and_the_budget_is_right(
    tmp_path: Path, history_prometheus: Server
) -> None:
    queries = panels(board(tmp_path, PEAK))
    values = {
        query: one_value(history_prometheus.url, query)
        for texts in queries.values()
        for query in texts
    }

    (left,) = queries["Budget left"]
    events = truth("peak", END - (END.replace(month=10, day=2)))
    assert values[left] == pytest.approx(1 - events.bad / events.total / 0.001, abs=0.001)
    assert all(value >= 0 for query, value in values.items() if query != left)


def one_value(url: str, query: str) -> float:
    form = {"query": query, "time": str(END.timestamp())}
    answer = requests.post(f"{url}/api/v1/query", data=form, timeout=60)
    answer.raise_for_status()
    (series,) = answer.json()["data"]["result"]
    return float(series["value"][1])


def test_without_the_sdk_the_package_to_install_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "grafana_foundation_sdk.cog.encoder", None)

    with pytest.raises(UsageError, match=r"pip install 'error-budget-gate\[dashboards\]'"):
        export_policy("grafana-dashboard", read_policy(tmp_path, AVAILABILITY))
