"""The entries of ``slos``: an SLO with its place, or the files that hold SLOs."""

from dataclasses import dataclass
from typing import Final

import yaml

from gate.config.slo_schema import WINDOW
from gate.parsing.reader import Reader
from gate.parsing.schema import Field, Object, Values
from gate.parsing.values import GLOB
from gate.slo.objective import Denominator, Slo
from gate.slo.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An SLO, and where it is written."""

    slo: Slo
    node: yaml.Node
    reader: Reader
    """Of the file that it is written in."""
    imported: bool = False
    """That is a file of another tool, with its expressions in PromQL."""

    def note(self, message: str) -> None:
        """Note a mistake where the SLO is written."""
        self.reader.note(self.node, f"{self.slo.name}: {message}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FromFiles:
    """An entry that names SLO files."""

    pattern: str
    """A glob, from the policy's folder."""
    window: tuple[Window, Denominator] | None
    """Of SLOs whose files name none."""
    values: Values
    """Where it says so."""


FROM: Final = Object(
    {
        "from": Field(
            schema=GLOB,
            doc="Files of OpenSLO, Sloth, Pyrra or slo-generator, from this file's folder.",
            required=True,
        ),
        "window": Field(
            schema=WINDOW, doc="Of SLOs whose files say none. Default: Sloth's 30d, else required."
        ),
    },
    lambda values, _: FromFiles(
        pattern=values.get("from"), window=values.get("window"), values=values
    ),
)
