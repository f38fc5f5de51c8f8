"""A policy's promises in the formats of other tools: each format is a module, registered here."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any, Final, TypeVar

from gate.backends import registration
from gate.config.sli_schema import sli_kind
from gate.dataclass import dataclass
from gate.errors import UsageError
from gate.policy.policy import Policy
from gate.promql.buckets import Boundary, Buckets
from gate.promql.expression import Expression, read_expression
from gate.promql.grammar import ExpressionError
from gate.slo.indicator import Bucket, Sli
from gate.slo.objective import CompositeSlo, Denominator, PlatformSlo, RatioSlo, Slo, SpendSlo

EXPORTERS: Final[dict[str, str]] = {
    "openslo": "gate.exporters.openslo",
    "sloth": "gate.exporters.sloth",
    "prometheus-rules": "gate.exporters.prometheus_rules",
    "grafana-dashboard": "gate.exporters.grafana_dashboard",
}
"""The formats by name, each a module with ``export``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A document in the format of another tool."""

    text: str | None
    """None: no SLO could be written."""
    remarks: tuple[str, ...] = ()
    """Sentences about parts that were left out, and about what the reader must know."""


def export_policy(name: str, policy: Policy) -> Exported:
    """Write a policy with a backend that speaks PromQL in a format.

    Raises:
        UsageError: a package that the format needs is not installed.
    """
    exported: Exported = import_module(EXPORTERS[name]).export(policy)
    return exported


def export_policies(name: str, policies: Mapping[str, Policy]) -> Exported:
    """Write several policies as one document of a format; remarks name the policy.

    Args:
        name: the name of the format.
        policies: the policies by the names for remarks; their backends speak PromQL.

    Raises:
        UsageError: a document of this format can have only one policy, or a package is not
            installed.
    """
    merge = getattr(import_module(EXPORTERS[name]), "merge", None)
    if merge is None and len(policies) > 1:
        raise UsageError(f"{name} has a file for each policy; export one at a time")
    exported = {path: export_policy(name, policy) for path, policy in policies.items()}
    texts = [document.text for document in exported.values() if document.text is not None]
    remarks = tuple(
        f"{path}: {remark}" for path, document in exported.items() for remark in document.remarks
    )
    text = merge(texts) if merge is not None and len(texts) > 1 else next(iter(texts), None)
    return Exported(text=text, remarks=remarks)


def by_promql(policy: Policy) -> tuple[Policy, tuple[str, ...]]:
    """Return a policy with only its SLOs that are counted in PromQL, and remarks.

    A composite stays if all its members stay.
    """
    kinds = {name: registration(kind) for name, kind in policy.backends.items()}
    slos, remarks = dict[str, Slo](), list[str]()
    for slo in policy.slos:
        if isinstance(slo, CompositeSlo):
            missing = [member.slo for member in slo.members if member.slo not in slos]
            why = f"its member {missing[0]} is left out" if missing else ""
        else:
            backend, name = kinds[slo.sli.backend], slo.sli.backend
            why = "" if backend.promql else f"its backend {name} ({backend.kind}) has no PromQL"
        if why:
            remarks.append(f"{slo.name} is left out: {why}")
        else:
            slos[slo.name] = slo
    servers = {slo.sli.backend for slo in slos.values() if not isinstance(slo, CompositeSlo)}
    if len(servers) > 1:
        names = ", ".join(sorted(servers))
        remarks.append(f"its SLOs are counted by several servers ({names}); give each its own part")
    return replace(policy, slos=tuple(slos.values())), tuple(remarks)


T = TypeVar("T")


class NotExportableError(Exception):
    """An SLO cannot be expressed in the format; the text is the reason."""


def each(
    slos: Iterable[Slo], write: Callable[[Slo], tuple[T, tuple[str, ...]]]
) -> tuple[list[T], tuple[str, ...]]:
    """Write every SLO that can be written; return these, and the remarks on all."""
    written, remarks = list[T](), list[str]()
    for slo in slos:
        try:
            entry, notes = write(slo)
        except NotExportableError as error:
            remarks.append(f"{slo.name} is left out: {error}")
            continue
        written.append(entry)
        remarks += [f"{slo.name}: {note}" for note in notes]
    return written, tuple(remarks)


def yaml_text(*documents: Any) -> str:
    """Write YAML documents, with their keys in the order given, and without folded lines."""
    import yaml  # noqa: PLC0415 - the dashboard needs none

    return yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, width=100_000)


_LE: Final = "its boundary is matched as clients usually write it; the live server was not queried"
_CALL: Final = re.compile(r"sum\(increase\([^()]*\)\)")
_NOT_SAID: Final = ("sla", "sampled", "min_events")


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedIndicator:
    """A share of events, by the expressions that count them."""

    roles: Mapping[str, Expression]
    """Two of total, good and bad; or the gauge."""
    lacking: tuple[str, ...] = ()
    """The same as for a histogram in `gate.promql.expression.rule_expressions`."""
    notes: tuple[str, ...] = ()

    def bad(self, window: str) -> str:
        """Return the bad events over a window such as ``5m``; absent or 0 without bad events."""
        if "bad" in self.roles:
            text = self.roles["bad"].over(window)
            zero_already = "vector(0)" in text
            return text if zero_already else f"{self._operand('bad', window)} or vector(0)"
        return f"{self._operand('total', window)} - {self._operand('good', window)}"

    def total(self, window: str) -> str:
        """Return all events over a window."""
        if "total" in self.roles:
            return self.roles["total"].over(window)
        return f"{self._operand('good', window)} + ({self.bad(window)})"

    def _operand(self, role: str, window: str) -> str:
        """Write a count such that operators can follow it."""
        text = self.roles[role].over(window)
        return text if _CALL.fullmatch(text) else f"({text})"


def counted(slo: Slo) -> tuple[RatioSlo, CountedIndicator]:
    """Return an SLO whose budget is a share of events, with the expressions that count them.

    Raises:
        NotExportableError: it is another kind of SLO.
    """
    if isinstance(slo, SpendSlo):
        raise NotExportableError("an allowance is not a share of events")
    if isinstance(slo, CompositeSlo):
        raise NotExportableError("a composite has no indicator of its own")
    if isinstance(slo, PlatformSlo):
        raise NotExportableError("its objective and its window are only known to its platform")
    if slo.denominator is not Denominator.PERIOD:
        raise NotExportableError("the format cannot express a budget to date")
    if slo.sli.sliced:
        raise NotExportableError("it is a mean of the ratios of timeslices, not a share of events")
    return slo, _of(slo.sli)


def unsaid(slo: RatioSlo) -> tuple[str, ...]:
    """Return a remark on the settings of an SLO that only the gate supports."""
    keys = [key for key in _NOT_SAID if getattr(slo, key) is not None]
    keys += ["advisory"] if slo.advisory else []
    return (f"the format has no field for {', '.join(keys)}",) if keys else ()


def _of(sli: Sli) -> CountedIndicator:
    lacking, notes = tuple[str, ...](), sli.notes
    try:
        if sli.histogram is not None:
            if sli.histogram.bucket is not Bucket.EXACT:
                reason = "only the live server knows which boundary is used for its threshold"
                raise NotExportableError(f"{reason}; give a threshold that is one")
            buckets = Buckets.of(sli.histogram, sli.labels)
            boundary = Boundary(value=sli.histogram.threshold, texts=())
            lacking, notes = (buckets.lacking(boundary),), (*notes, _LE)
            exact = buckets.up_to((boundary,))
        else:
            exact = sli
        roles = _read(exact, sli.labels if exact is sli else None)
    except ExpressionError as error:
        raise NotExportableError(f"its expression cannot be read: {error}") from error
    if sli.older:
        notes = (*notes, f"written by the newest of its names: {_names(roles)}")
    return CountedIndicator(roles=roles, lacking=lacking, notes=notes)


def _read(sli: Sli, labels: Mapping[str, str] | None) -> dict[str, Expression]:
    if sli_kind(sli) == "gauge":
        return {"gauge": read_expression(sli.gauge or "", labels, gauge=True)}
    texts = {"total": sli.total, "good": sli.good, "bad": sli.bad}
    if sli.total is not None and sli.bad is not None:
        del texts["good"]  # this role follows from the other two
    return {role: read_expression(text, labels) for role, text in texts.items() if text is not None}


def _names(roles: Mapping[str, Expression]) -> str:
    selectors = (selector for expression in roles.values() for selector in expression.selectors)
    return ", ".join(dict.fromkeys(selector.partition("{")[0] for selector in selectors))
