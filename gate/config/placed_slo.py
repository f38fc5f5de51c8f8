"""Where the SLOs of a policy stand: in the file itself, or in files that it names."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Final

import yaml

from gate.config.window_schema import WINDOW
from gate.dataclass import dataclass
from gate.measure import Cause
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader
from gate.parsing.schema import ListOf, MapOf
from gate.parsing.values import (
    GLOB,
    NAME,
    TEXT,
)
from gate.policy.policy import Action
from gate.slo.objective import (
    Denominator,
    Slo,
    Window,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedSlo:
    """An SLO, and where it is written."""

    slo: Slo
    node: yaml.Node
    reader: Reader
    """The reader of the file that it is written in."""
    imported: bool = False
    """That is a file of another tool, with its expressions in PromQL."""
    backend: str = ""
    """The name of its backend, as its entry has it; empty: the entry names none."""
    actions: Mapping[Cause, Action] = field(default_factory=dict)
    """What its own ``on`` says."""

    def note(self, message: str) -> None:
        """Note a mistake where the SLO is written, or the expression with which it begins."""
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
    """A glob, from the policy's folder."""
    window: tuple[Window, Denominator] | None
    """Of SLOs whose files name none."""
    backend: str
    """The name of the backend that counts them; empty: the entry names none."""
    groups: Mapping[str, Sequence[str]]
    """By label, the values that have an SLO each where a file groups by the label."""
    values: Values
    """Where it says so."""


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
                "For Pyrra's grouping: values of the label, each an SLO of its own; '*' stands for"
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
