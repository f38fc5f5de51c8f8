"""OpenSLO v1: a Service, a DataSource and an SLO for each.

https://github.com/OpenSLO/OpenSLO/blob/main/README.md
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from gate.exporters import (
    CountedIndicator,
    Exported,
    NotExportableError,
    counted,
    each,
    unsaid,
    yaml_text,
)
from gate.policy.policy import Policy
from gate.slo.calendar import Period
from gate.slo.indicator import EmptySlice
from gate.slo.objective import RatioSlo, RollingWindow, Slo, Window
from gate.slo.quantities import format_duration

_VERSION: Final = "openslo/v1"
_SOURCE: Final = "prometheus"
_WINDOW: Final = "{{.window}}"
_PERIODS: Final = {
    Period.DAY: "1d",
    Period.WEEK: "1w",
    Period.MONTH: "1M",
    Period.QUARTER: "1Q",
    Period.YEAR: "1Y",
}
_UNITS: Final = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}


def export(policy: Policy) -> Exported:
    """Write the documents; an SLO keeps its budget when they are read back."""
    documents, remarks = each(policy.slos, lambda slo: _slo(policy.service, slo))
    if not documents:
        return Exported(text=None, remarks=remarks)
    service = _document("Service", policy.service, {"description": f"Owned by {_owners(policy)}"})
    source = _document("DataSource", _SOURCE, {"type": "Prometheus", "connectionDetails": {}})
    return Exported(text=yaml_text(service, source, *documents), remarks=remarks)


def _owners(policy: Policy) -> str:
    return ", ".join(policy.owners) or "no owner named in the policy"


def _document(kind: str, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": _VERSION,
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }


def _slo(service: str, slo: Slo) -> tuple[dict[str, Any], tuple[str, ...]]:
    ratio, sli = counted(slo)
    objective: dict[str, Any] = {"target": float(ratio.objective)}
    if ratio.slices is not None:
        if ratio.slices.empty is not EmptySlice.LEFT_OUT:
            raise NotExportableError(
                "the format cannot express what a slice without events counts as"
            )
        objective["timeSliceTarget"] = float(ratio.slices.target)
        objective["timeSliceWindow"] = _duration(ratio.slices.length)
    spec = {
        "service": service,
        "indicator": {
            "metadata": {"name": f"{slo.name}-sli"},
            "spec": {"ratioMetric": _metric(ratio, sli)},
        },
        "timeWindow": [_time_window(ratio.window)],
        "budgetingMethod": "Occurrences" if ratio.slices is None else "Timeslices",
        "objectives": [objective],
    }
    return _document("SLO", slo.name, spec), (*sli.notes, *unsaid(ratio))


def _metric(slo: RatioSlo, sli: CountedIndicator) -> dict[str, Any]:
    if "gauge" in sli.roles:
        if slo.slices is None or slo.slices.length > _UNITS["m"]:
            # OpenSLO does not define the meaning of a value at an instant for a longer slice.
            raise NotExportableError("the format can express a gauge only with slices of a minute")
        return {"raw": _query(sli.roles["gauge"].over(_WINDOW)), "rawType": "success"}
    part = "good" if "good" in sli.roles and "bad" not in sli.roles else "bad"
    some = sli.roles[part].over(_WINDOW)
    return {"counter": False, part: _query(some), "total": _query(sli.total(_WINDOW))}


def _query(text: str) -> dict[str, Any]:
    return {
        "metricSource": {
            "metricSourceRef": _SOURCE,
            "type": "Prometheus",
            "spec": {"query": text},
        }
    }


def _time_window(window: Window) -> dict[str, Any]:
    if isinstance(window, RollingWindow):
        return {"duration": _duration(window.duration), "isRolling": True}
    return {
        "duration": _PERIODS[window.period],
        "isRolling": False,
        "calendar": {"startTime": str(window.begins), "timeZone": str(window.zone)},
    }


def _duration(length: timedelta) -> str:
    for unit, size in _UNITS.items():
        if not length % size:
            return f"{length // size}{unit}"
    raise NotExportableError(f"{format_duration(length)} is not a duration that OpenSLO has")
