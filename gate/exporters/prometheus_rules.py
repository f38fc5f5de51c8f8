"""Recording rules that make long windows cheap, and multiwindow multi-burn-rate alerts.

The error ratio over a window is that of the events in it, never a mean of ratios.
https://sre.google/workbook/alerting-on-slos/
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from gate.dataclass import dataclass
from gate.exporters import Exported, NotExportableError, counted, each, yaml_text
from gate.measure import rule_labels
from gate.policy.policy import Policy
from gate.policy.rule_settings import Effect
from gate.promql.expression import (
    EVERY,
    FINGERPRINT,
    fingerprint,
    recorded_events,
    rule_expressions,
    rule_name,
)
from gate.promql.selectors import matchers
from gate.slo.objective import RatioSlo, RollingWindow, Slo
from gate.slo.quantities import decimal, format_duration

_RATIO: Final = "gate:slo_errors:ratio"
_REMAINING: Final = "gate:slo_budget_remaining:ratio"
_OBJECTIVE: Final = "gate:slo_objective:ratio"
_ON: Final = "on (service, slo)"
_SEVERITIES: Final = {Effect.BLOCK: "page", Effect.WARN: "ticket"}


def export(policy: Policy) -> Exported:
    """Write a rule file with a group for every SLO whose events can be counted in slices."""
    groups, remarks = each(policy.slos, lambda slo: _group(policy, slo))
    return Exported(text=yaml_text({"groups": groups}) if groups else None, remarks=remarks)


def merge(texts: Iterable[str]) -> str:
    """Return one rule file with the groups of several."""
    import yaml  # noqa: PLC0415 - for several policies only

    return yaml_text(
        {"groups": [group for text in texts for group in yaml.safe_load(text)["groups"]]}
    )


def _group(policy: Policy, slo: Slo) -> tuple[dict[str, Any], tuple[str, ...]]:
    ratio, sli = counted(slo)
    if ratio.slices is not None:
        raise NotExportableError("a recording rule cannot add up timeslices")
    texts = rule_expressions(sli.roles, sli.lacking)
    if not texts:
        raise NotExportableError("its count over a window is not the sum of counts over the parts")
    rules = _Rules(policy=policy, slo=ratio, texts=texts)
    group = {
        "name": f"gate-{policy.service}-{slo.name}",
        "interval": format_duration(EVERY),
        "rules": [*rules.counts(), *rules.ratios(), *rules.budget(), *rules.alerts()],
    }
    rolling = isinstance(ratio.window, RollingWindow)
    calendar = (
        () if rolling else ("a recording rule cannot calculate what is left of a calendar window",)
    )
    return group, (*sli.notes, *calendar)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    """The rules of one SLO."""

    policy: Policy
    slo: RatioSlo
    texts: Mapping[str, str]
    """The counted expressions by role."""

    @property
    def labels(self) -> dict[str, str]:
        return rule_labels(self.policy.service, self.slo.name)

    def counts(self) -> Iterator[dict[str, Any]]:
        """Yield the recording rules of the counts, which the gate itself looks for."""
        for role, text in self.texts.items():
            labels = {**self.labels, FINGERPRINT: fingerprint(text)}
            yield {"record": rule_name(role), "expr": text, "labels": labels}

    def ratios(self) -> Iterator[dict[str, Any]]:
        """Yield the error ratio over every window that an alert or the budget needs."""
        windows = {length for rule in self.policy.burn_rates for length in (rule.long, rule.short)}
        if isinstance(self.slo.window, RollingWindow):
            windows.add(self.slo.window.duration)
        for window in map(format_duration, sorted(windows)):
            labels = {**self.labels, "window": window}
            yield {"record": _RATIO, "expr": self._ratio(window), "labels": labels}

    def budget(self) -> Iterator[dict[str, Any]]:
        """Yield the objective, and the remaining budget of a rolling window."""
        objective = f"vector({decimal(self.slo.objective)})"
        yield {"record": _OBJECTIVE, "expr": objective, "labels": self.labels}
        if isinstance(self.slo.window, RollingWindow):
            ratio = self._recorded(format_duration(self.slo.window.duration))
            left = f"1 - {ratio} / {decimal(self.slo.budget)}"
            yield {"record": _REMAINING, "expr": left, "labels": self.labels}

    def alerts(self) -> Iterator[dict[str, Any]]:
        """Yield an alert for every burn-rate rule of the policy."""
        for rule in self.policy.burn_rates:
            long, short = format_duration(rule.long), format_duration(rule.short)
            bound = decimal(rule.rate * self.slo.budget)
            summary = (
                f"{self.slo.name} of {self.policy.service} burns its budget at {decimal(rule.rate)}"
                f" or faster, over {long} and over {short}"
            )
            yield {
                "alert": "GateBudgetBurn",
                "expr": f"{self._recorded(long)} >= {bound}"
                f" and {_ON} {self._recorded(short)} >= {bound}",
                "labels": {
                    **self.labels,
                    "severity": _SEVERITIES[rule.effect],
                    "long": long,
                    "short": short,
                },
                "annotations": {"summary": summary},
            }

    def _recorded(self, window: str) -> str:
        return f"{_RATIO}{{{matchers({**self.labels, 'window': window})}}}"

    def _ratio(self, window: str) -> str:
        counts = {
            role: f"sum({window.join(recorded_events(role, text, self.labels))})"
            for role, text in self.texts.items()
        }
        total = counts.get("total") or f"({counts['good']} + {counts['bad']})"
        bad = counts.get("bad") or f"({total} - {counts['good']})"
        # Without events, the ratio is absent instead of NaN.
        return f"{bad} / ({total} > 0)"
