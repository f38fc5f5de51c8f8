"""An SLO platform in one file, JSON that says what is answered. Nothing in gate/ knows it.

Each entry of the list ``slos`` has ``name``, ``promises`` (pairs of window in days and objective),
and ``share`` (bad and error) or ``counts`` (bad and total), over every window; ``windows`` may have
a share or counts for windows of so many seconds. ``down`` is why the platform answers nothing.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar, Final, cast
from unittest.mock import patch

from gate.backends import BACKENDS, Starter
from gate.backends.platforms.backend import PlatformBackend
from gate.backends.platforms.platform import Question
from gate.backends.platforms.registering import platform_registration
from gate.measure import (
    Answer,
    Backend,
    Cause,
    Counts,
    Definition,
    Evidence,
    Granted,
    MeasurementError,
    Promise,
    Share,
    Unmeasured,
)
from gate.measure.diagnosis import Check, CheckResult
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader
from gate.parsing.values import TEXT
from gate.slo.indicator import Sli
from gate.slo.objective import RollingWindow

KIND: Final = "toy-platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyPlatformSettings:
    """A file."""

    kind: ClassVar[str] = KIND

    path: Path


@dataclass
class ToyPlatform:
    """Answers from the file, which is read at every question."""

    path: Path
    title: str = "Toy"

    def begin(self) -> None:
        pass

    def define(self, slis: Sequence[Sli]) -> list[Definition | Unmeasured]:
        return [self._definition(sli) for sli in slis]

    def answer(self, questions: Sequence[Question], at: datetime) -> list[Answer]:
        return [self._answer(question, at) for question in questions]

    def examine(self) -> list[CheckResult]:
        self._slos()
        return [CheckResult(check=Check.REACH)]

    def _slos(self) -> Mapping[str, Any]:
        document = json.loads(self.path.read_text(encoding="utf-8"))
        if "down" in document:
            raise MeasurementError(Cause.BACKEND_ERROR, document["down"])
        return {slo["name"]: slo for slo in document["slos"]}

    def _definition(self, sli: Sli) -> Definition | Unmeasured:
        slo = self._slos().get(str(sli.slo))
        if slo is None:
            reason = f'Toy has no SLO "{sli.slo}"'
            return Unmeasured(cause=Cause.NO_DATA, reason=reason)
        return Definition(
            id=f"id-{slo['name']}",
            name=slo["name"],
            promises=tuple(
                Promise(
                    window=RollingWindow(timedelta(days=days)), objective=Fraction(objective) / 100
                )
                for days, objective in slo["promises"]
            ),
            granted=Granted(slo.get("granted", "events")),
            to_date=slo.get("to_date", False),
            no_data="left out",
            notes=tuple(slo.get("notes", ())),
        )

    def _answer(self, question: Question, at: datetime) -> Answer:
        slo = self._slos()[question.definition.name]
        seconds = f"{question.span.length.total_seconds():g}"
        told = slo if question.main else slo.get("windows", {}).get(seconds)
        if told is None:
            reason = "Toy counts no window of this length"
            return Unmeasured(cause=Cause.NO_DATA, reason=reason)
        evidence = Evidence(query="toy", newest=at, coverage=Fraction(1))
        if "share" in told:
            bad, error = map(Fraction, told["share"])
            return Share(bad=bad, error=error, evidence=evidence)
        bad, total = map(Fraction, told["counts"])
        return Counts(bad=bad, total=total, evidence=evidence)


def _build_settings(values: Values, reader: Reader) -> ToyPlatformSettings:
    return ToyPlatformSettings(path=reader.directory / values.get("path"))


REGISTRATION: Final = platform_registration(
    ToyPlatformSettings,
    block=Object(
        {"path": Field(schema=TEXT, doc="A file of what is answered.", required=True)},
        _build_settings,
    ),
    backend=lambda settings, _limits: PlatformBackend(ToyPlatform(settings.path)),
    secrets=lambda _settings: (),
    files=lambda settings: (str(settings.path),),
    public=frozenset({"path"}),
    starter=Starter(
        block="backend: {type: toy-platform, path: answers.json}\n",
        slos="slos:\n  - {name: availability, from: platform}\n",
        advice="write answers.json",
    ),
    keeps_history=False,
)


@contextmanager
def registered() -> Iterator[None]:
    """Let the gate know the type ``toy-platform``."""
    with patch.dict(cast("dict[str, str]", BACKENDS), {KIND: __name__}):
        yield


def opened(path: Path) -> Backend:
    return cast("Backend", PlatformBackend(ToyPlatform(path)))
