"""The settings of the backend, and the keys of the policy's ``backend`` block for it."""

import glob
from collections.abc import Mapping
from datetime import timedelta, tzinfo
from pathlib import Path
from typing import ClassVar, Final

from gate.dataclass import dataclass
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader, shown
from gate.parsing.values import CONNECTION, DURATION, ZONE
from gate.slo.quantities import parse_duration

_EVERY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationsSettings:
    """The place of the results of an evaluation that runs regularly."""

    kind: ClassVar[str] = "evaluations"

    path: str
    """A file or a glob; relative to the policy file's folder."""
    directory: Path
    """The folder of the policy file."""
    every: timedelta = _EVERY
    """The interval between due runs."""
    time_zone: tzinfo | None = None
    """The time zone of times in the files without one; None: such a file has no time."""
    written: str | None = None
    """The path with its variables, for messages; None: it has none."""

    @property
    def pattern(self) -> str:
        """The glob, relative to the working folder."""
        return str(Path(glob.escape(str(self.directory))) / self.path)

    @property
    def shown_pattern(self) -> str:
        """The glob for people, with its variables."""
        return str(self.directory / (self.written or self.path))


def _build_settings(values: Values, reader: Reader) -> EvaluationsSettings:
    path, as_written = values.get("path"), shown(values.node("path"))
    return EvaluationsSettings(
        path=path,
        directory=reader.directory,
        written=None if as_written == path else as_written,
        **values.only("every", "time_zone"),
    )


def usual_age(words: Mapping[str, str]) -> timedelta:
    """Return the usual age of a run: one interval, and half as much again to run and to be late."""
    try:
        every = parse_duration(words.get("every", ""))
    except ValueError:
        every = _EVERY
    return every * 3 / 2


BLOCK: Final = Object(
    {
        "path": Field(
            schema=CONNECTION,
            doc="File or glob of the result files, relative to this file's folder.",
            required=True,
            example="evals/history/**/*.json",
        ),
        "every": Field(
            schema=DURATION,
            doc="How often a run is due. Default: 24h.",
            example="24h",
        ),
        "time_zone": Field(
            schema=ZONE,
            doc="Time zone of times in the files that have none.",
            example="UTC",
        ),
    },
    _build_settings,
)
"""The keys of ``backend`` in a policy file."""
