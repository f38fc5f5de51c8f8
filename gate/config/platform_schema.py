"""The entries of ``slos`` whose objective and window an SLO platform has."""

from dataclasses import replace
from typing import Final

from gate.config.sli_schema import SLI
from gate.config.slo_schema import GUARDS, SLO, DeclaredSlo, own_guards
from gate.config.window_schema import WINDOW
from gate.parsing.objects import Field, Object, Values, build_as
from gate.parsing.reader import Reader
from gate.parsing.schema import Choice, Scalar
from gate.parsing.values import (
    OBJECTIVE,
)
from gate.slo.indicator import Sli
from gate.slo.objective import (
    Denominator,
    PlatformSlo,
)

PLATFORM: Final = "platform"
"""Where an SLO is from whose objective and window its platform has."""


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
            doc="platform: objective and window are those that the SLO platform has.",
            required=True,
            example=PLATFORM,
        ),
        **{
            key: SLO.fields[key]
            for key in ("name", "sla", "backend", "min_events", *GUARDS, "on", "advisory")
        },
        "sli": Field(
            schema=_OF_PLATFORM,
            doc="The SLO of the platform. Default: slo: NAME.",
            example="{slo: Chat availability}",
        ),
        "objective": Field(
            schema=OBJECTIVE,
            doc="Which objective is meant, where the platform has several. Default: its only one.",
            example="99.9%",
        ),
        "window": Field(
            schema=WINDOW,
            doc="Which window is meant, where the platform has several. Default: its only one.",
            example="30d",
        ),
    },
    _declare_platform_slo,
)
