"""The sources of a policy's SLOs: the file itself, files that it names, or a platform."""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Final

import yaml

from gate.config.sli_schema import SLI
from gate.config.slo_schema import GUARDS, SLO, DeclaredSlo, own_guards
from gate.config.window_schema import WINDOW
from gate.dataclass import dataclass
from gate.measure import Cause
from gate.parsing.numbers import OBJECTIVE
from gate.parsing.objects import Field, Object, Values, build_as
from gate.parsing.reader import Reader
from gate.parsing.schema import Choice, ListOf, MapOf, Scalar
from gate.parsing.values import GLOB, NAME, TEXT
from gate.policy.policy import Action
from gate.slo.indicator import Sli
from gate.slo.objective import Denominator, PlatformSlo, Slo, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedSlo:
    """An SLO, and the place where it is written."""

    slo: Slo
    node: yaml.Node
    reader: Reader
    """The reader of the file that it is written in."""
    imported: bool = False
    """Whether that is a file of another tool, with expressions in PromQL."""
    backend: str = ""
    """The name of its backend in its entry; empty if the entry names none."""
    actions: Mapping[Cause, Action] = field(default_factory=dict)
    """The actions of its own ``on``."""

    def note(self, message: str) -> None:
        """Note a mistake where the SLO is written, or at its first expression."""
        role = message.partition(":")[0]
        expressions = [
            expression
            for key, child in ([] if self.imported else self.node.value)
            if key.value == "sli" and isinstance(child, yaml.MappingNode)
            for name, expression in child.value
            if name.value == role
        ]
        node = expressions[0] if expressions else self.node
        self.reader.note(node, f"{self.slo.name}: {message}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SloFiles:
    """An entry that names SLO files."""

    pattern: str
    """A glob, relative to the policy's folder."""
    window: tuple[Window, Denominator] | None
    """The window of SLOs whose files name none."""
    backend: str
    """The name of the backend that counts them; empty if the entry names none."""
    groups: Mapping[str, Sequence[str]]
    """By label, the values that have an SLO each if a file groups by the label."""
    values: Values
    """The place of these values in the policy."""


FROM: Final = Object(
    {
        "from": Field(
            schema=GLOB,
            doc="Files of OpenSLO, Sloth, Pyrra or slo-generator, relative to this file's folder.",
            required=True,
            example="slos/*.yaml",
        ),
        "window": Field(
            schema=WINDOW,
            doc="Window of SLOs whose files have none. Default: 30d for Sloth, otherwise required.",
        ),
        "backend": Field(
            schema=NAME,
            doc="Name of the entry of backends that counts them. Default: the only one.",
            example="prom",
        ),
        "groups": Field(
            schema=MapOf(ListOf(TEXT, at_least=1)),
            doc=(
                "For Pyrra's grouping: values of the label, each an SLO of its own; '*' means"
                " all others together."
            ),
            example="{handler: [/chat, /embed, '*']}",
        ),
    },
    lambda values, _: SloFiles(
        pattern=values.get("from"),
        window=values.get("window"),
        backend=values.get("backend", ""),
        groups=values.get("groups", {}),
        values=values,
    ),
)
PLATFORM: Final = "platform"
"""The value of a key that an SLO takes from its platform: its objective or its window."""


def _declare_platform_slo(values: Values, reader: Reader) -> DeclaredSlo:
    sli = values.get("sli") or Sli(slo=values.get("name"))
    objective, sla = values.get("objective"), values.get("sla")
    if objective is not None and sla is not None and sla >= objective:
        raise reader.fail(values.node("sla"), "the sla must be lower than the objective")
    window, denominator = values.get("window") or (None, Denominator.PERIOD)
    slo = PlatformSlo(
        sli=sli,
        window=window,
        denominator=denominator,
        guards=own_guards(values, reader),
        **values.only("name", "objective", "sla", "min_events", "advisory"),
    )
    return DeclaredSlo(slo, values.get("backend", ""), values.get("on", {}))


_OF_PLATFORM: Final = Object(
    {
        "slo": replace(SLI.fields["slo"], required=True),
        "group": SLI.fields["group"],
    },
    build_as(Sli),
)
FROM_PLATFORM: Final = Object(
    {
        "from": Field(
            schema=Scalar(Choice((PLATFORM,)).parse, {"const": PLATFORM}),
            doc="platform: take objective and window from the SLO platform.",
            required=True,
            example=PLATFORM,
        ),
        **{
            key: SLO.fields[key]
            for key in ("name", "sla", "backend", "min_events", *GUARDS, "on", "advisory")
        },
        "sli": Field(
            schema=_OF_PLATFORM,
            doc="SLO of the platform. Default: slo: NAME.",
            example="{slo: Chat availability}",
        ),
        "objective": Field(
            schema=OBJECTIVE,
            doc="Objective to use if the SLO has several. Default: its only one.",
            example="99.9%",
        ),
        "window": Field(
            schema=WINDOW,
            doc="Window to use if the SLO has several. Default: its only one.",
            example="30d",
        ),
    },
    _declare_platform_slo,
)
