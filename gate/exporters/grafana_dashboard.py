"""A Grafana dashboard: for every SLO its burn rate, its SLI, and its remaining budget.

It is built with Grafana's own foundation SDK: https://github.com/grafana/grafana-foundation-sdk
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from gate.errors import UsageError
from gate.exporters import CountedIndicator, Exported, NotExportableError, counted, each
from gate.policy.policy import Policy
from gate.slo.objective import RatioSlo, RollingWindow, Slo
from gate.slo.quantities import decimal, format_duration

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.dashboard import Dashboard
    from grafana_foundation_sdk.builders.stat import Panel as Stat
    from grafana_foundation_sdk.builders.timeseries import Panel as Timeseries
    from grafana_foundation_sdk.models.dashboard import DataSourceRef

DashboardRow = tuple[str, Sequence["Stat | Timeseries"]]
"""The title of a row, and its panels."""
_SOURCE: Final = "datasource"
_PRESENT: Final = (timedelta(hours=1), timedelta(hours=6))
"""The window of the burn rates that are shown if the policy has no burn-rate rules."""
_SLI: Final = "5m"
_WIDTHS: Final = (4, 10, 10)
_HEIGHT: Final = 8


def export(policy: Policy) -> Exported:
    """Write the dashboard as JSON, to be imported or provisioned.

    Raises:
        UsageError: the SDK is not installed.
    """
    try:
        from grafana_foundation_sdk.cog.encoder import JSONEncoder  # noqa: PLC0415 - an extra
    except ImportError:
        message = "a dashboard needs Grafana's SDK: pip install 'error-budget-gate[dashboards]'"
        raise UsageError(message) from None
    rows, remarks = each(policy.slos, lambda slo: _row(policy, slo))
    if not rows:
        return Exported(text=None, remarks=remarks)
    document = _dashboard(policy, rows).build()
    text = json.dumps(document, cls=JSONEncoder, indent=2, ensure_ascii=False)
    return Exported(text=f"{text}\n", remarks=remarks)


def _dashboard(policy: Policy, rows: Sequence[DashboardRow]) -> "Dashboard":
    from grafana_foundation_sdk.builders import dashboard  # noqa: PLC0415 - as above

    board = (
        dashboard.Dashboard(f"Error budgets of {policy.service}")
        .uid(f"gate-{policy.service}"[:40])
        .tags(["gate", "slo"])
        .refresh("1m")
        .time("now-7d", "now")
        .with_variable(dashboard.DatasourceVariable(_SOURCE).label("Prometheus").type("prometheus"))
    )
    for title, panels in rows:
        board = board.with_row(dashboard.Row(title))
        for panel in panels:
            board = board.with_panel(panel)
    return board


def _row(policy: Policy, slo: Slo) -> tuple[DashboardRow, tuple[str, ...]]:
    ratio, sli = counted(slo)
    if ratio.slices is not None:
        raise NotExportableError("timeslices cannot be shown by one query")
    burns = [length for rule in policy.burn_rates for length in (rule.long, rule.short)]
    windows = sorted(set(burns or _PRESENT))
    panels: list[Stat | Timeseries] = [_burn_rates(ratio, sli, windows), _good_share(ratio, sli)]
    remarks = sli.notes
    if isinstance(ratio.window, RollingWindow):
        panels.insert(0, _budget(ratio, sli, ratio.window))
    else:
        remarks = (
            *remarks,
            "a query cannot calculate what is left of a calendar window; run gate status",
        )
    return (f"{slo.name}: {decimal(ratio.objective * 100)}% over {ratio.window}", panels), remarks


def _errors(sli: CountedIndicator, window: str) -> str:
    return f"({sli.bad(window)}) / ({sli.total(window)} > 0)"


def _budget(slo: RatioSlo, sli: CountedIndicator, window: RollingWindow) -> "Stat":
    from grafana_foundation_sdk.builders import dashboard, prometheus, stat  # noqa: PLC0415 - as above
    from grafana_foundation_sdk.models.dashboard import Threshold, ThresholdsMode  # noqa: PLC0415 - as above

    left = f"1 - ({_errors(sli, format_duration(window.duration))}) / {decimal(slo.budget)}"
    colors = {None: "red", 0.0: "orange", 0.5: "green"}
    steps = [Threshold(value=value, color=color) for value, color in colors.items()]
    return (
        stat.Panel()
        .title("Budget left")
        .span(_WIDTHS[0])
        .height(_HEIGHT)
        .unit("percentunit")
        .decimals(1)
        .no_value("not measured")
        .thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        .datasource(_reference())
        .with_target(prometheus.Dataquery().expr(left).instant().ref_id("A"))
    )


def _burn_rates(slo: RatioSlo, sli: CountedIndicator, windows: list[timedelta]) -> "Timeseries":
    panel = _timeseries("Burn rate", "short").min(0)
    for place, window in enumerate(map(format_duration, windows)):
        rate = f"({_errors(sli, window)}) / {decimal(slo.budget)}"
        panel = _with(panel, place, rate, window)
    return panel


def _good_share(slo: RatioSlo, sli: CountedIndicator) -> "Timeseries":
    panel = _timeseries("SLI", "percentunit").max(1)
    panel = _with(panel, 0, f"1 - {_errors(sli, _SLI)}", f"good, {_SLI}")
    return _with(panel, 1, f"vector({decimal(slo.objective)})", "objective")


def _timeseries(title: str, unit: str) -> "Timeseries":
    from grafana_foundation_sdk.builders import timeseries  # noqa: PLC0415 - as above

    panel = timeseries.Panel().title(title).unit(unit).span(_WIDTHS[1]).height(_HEIGHT)
    return panel.datasource(_reference())


def _with(panel: "Timeseries", place: int, query: str, legend: str) -> "Timeseries":
    from grafana_foundation_sdk.builders import prometheus  # noqa: PLC0415 - as above

    target = prometheus.Dataquery().expr(query).range().legend_format(legend)
    return panel.with_target(target.ref_id(chr(ord("A") + place)))


def _reference() -> "DataSourceRef":
    from grafana_foundation_sdk.models.dashboard import DataSourceRef  # noqa: PLC0415 - as above

    return DataSourceRef(type_val="prometheus", uid=f"${{{_SOURCE}}}")
