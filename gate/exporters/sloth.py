"""Sloth's ``prometheus/v1``, from which ``sloth generate`` makes its rules.

https://github.com/slok/sloth/blob/main/pkg/prometheus/api/v1/README.md
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from gate.exporters import Exported, NotExportableError, counted, each, unsaid, yaml_text
from gate.policy.policy import Policy
from gate.slo.objective import RollingWindow, Slo

_PERIOD: Final = RollingWindow(timedelta(days=30))
_WINDOW: Final = "{{.window}}"
_MEAN: Final = (
    "Sloth's own budget is a mean of the ratios of 5 minutes unless its plugin"
    " denominator_corrected_rules is used: it differs where traffic is uneven"
)


def export(policy: Policy) -> Exported:
    """Export the SLOs that Sloth supports to one file: shares of events over 30 days."""
    slos, remarks = each(policy.slos, lambda slo: _slo(policy.service, slo))
    if not slos:
        return Exported(text=None, remarks=remarks)
    document = {"version": "prometheus/v1", "service": policy.service, "slos": slos}
    return Exported(text=yaml_text(document), remarks=(*remarks, _MEAN))


def merge(texts: Iterable[str]) -> str:
    """Return one file with a document for each service, all of which Sloth reads."""
    return "---\n".join(texts)


def _slo(service: str, slo: Slo) -> tuple[dict[str, Any], tuple[str, ...]]:
    ratio, sli = counted(slo)
    if ratio.slices is not None:
        raise NotExportableError("Sloth does not count timeslices")
    if ratio.window != _PERIOD:
        # sloth generate --default-slo-period is a flag, and applies to the whole run.
        raise NotExportableError(f"a Sloth file has no window, and Sloth uses {_PERIOD}")
    written = {
        "name": slo.name,
        "objective": float(ratio.objective * 100),
        "sli": {
            "events": {"error_query": sli.bad(_WINDOW), "total_query": sli.total(_WINDOW)},
        },
        "alerting": {
            "name": f"{service}-{slo.name}",
            "page_alert": {"labels": {"severity": "page"}},
            "ticket_alert": {"labels": {"severity": "ticket"}},
        },
    }
    return written, (*sli.notes, *unsaid(ratio))
