"""The server as a whole: its kind and version, its clock, how long it keeps data."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from gate.backends.prometheus.doctor.library import Library, Question
from gate.slo.diagnosis import Check, Level, Symptom
from gate.slo.duration import format_duration, parse_duration

BUILD: Final = Question("status/buildinfo")
RUNTIME: Final = Question("status/runtimeinfo")
CLOCK: Final = Question("query", (("query", "time()"), ("nocache", "1")))
"""Without a time, at the server's own; VictoriaMetrics would move it back but for the second."""
QUESTIONS: Final = (BUILD, RUNTIME, CLOCK)
_TOLERATED: Final = timedelta(seconds=10)
_LOOKBACK: Final = timedelta(minutes=5)
"""What is older is not seen at an instant, unless the server is told otherwise."""
_YEAR: Final = timedelta(days=365)
"""As Prometheus has it: https://pkg.go.dev/github.com/prometheus/common/model#Duration."""
_VERSION: Final = re.compile(r"([0-9]+)\.([0-9]+)")

Version = tuple[int, int]


def version_of(library: Library) -> Version | None:
    """Return a Prometheus's version; None: it is none, or does not tell.

    Mimir tells its own as ``application``, Thanos's begins with 0, and VictoriaMetrics tells none,
    or one of Prometheus without the Go version that it was built with.
    """
    facts = library.facts(BUILD)
    found = _VERSION.match(str(facts.get("version", "")))
    if found is None or "application" in facts or "goVersion" not in facts or found[1] == "0":
        return None
    return int(found[1]), int(found[2])


def retention_of(library: Library) -> timedelta | None:
    """Return how long the server keeps data at most; None: it does not tell, or has no limit."""
    text = str(library.facts(RUNTIME).get("storageRetention", "")).partition(" ")[0]
    try:
        if text.endswith("y"):
            return int(text[:-1]) * _YEAR
        return parse_duration(text)
    except (ValueError, OverflowError):
        return None


def server_symptoms(library: Library) -> Iterator[Symptom]:
    """Yield what the server says of itself."""
    yield Symptom(check=Check.VERSION, says=_name(library), looked_at=f"/api/v1/{BUILD.name}")
    retention = retention_of(library)
    if retention is not None:
        says = f"keeps {format_duration(retention)}"
        yield Symptom(check=Check.RETENTION, says=says, looked_at=f"/api/v1/{RUNTIME.name}")
    yield from _clock(library)


def _name(library: Library) -> str:
    facts, version = library.facts(BUILD), version_of(library)
    if version is not None:
        return f"Prometheus {facts['version']}"
    if "application" in facts:
        return f"{facts['application']} {facts.get('version', '')}".rstrip()
    return "a server that does not tell its version"


def _clock(library: Library) -> Iterator[Symptom]:
    told, query = library.told(CLOCK), "time()"
    seconds = _seconds(library.data(CLOCK))
    if told is None or seconds is None:
        yield Symptom(
            check=Check.REACH,
            level=Level.FAULT,
            says=f"the clock could not be looked at: {library.failure(CLOCK) or 'no time came'}",
            remedy="see whether the server runs and lets queries through by GET",
            looked_at=query,
        )
        return
    early, late = told.sent.timestamp() - seconds, seconds - told.received.timestamp()
    off = timedelta(seconds=max(early, late, 0))
    shown = f"{off.total_seconds():,.0f} s"
    if off <= _TOLERATED:
        yield Symptom(check=Check.CLOCK, says=f"clock within {shown} of ours", looked_at=query)
        return
    side = "behind" if early > late else "ahead of"
    yield Symptom(
        check=Check.CLOCK,
        level=Level.FAULT if off > _LOOKBACK else Level.DOUBT,
        says=f"the server's clock is {shown} {side} ours",
        remedy="set both by NTP: windows end at our time, samples carry the server's",
        looked_at=query,
    )


def _seconds(data: object) -> float | None:
    """Read the answer to time(): a scalar, or a vector of one in VictoriaMetrics."""
    match data:
        case {"resultType": "scalar", "result": [_, str(text)]}:
            pass
        case {"resultType": "vector", "result": [{"value": [_, str(text)]}]}:
            pass
        case _:
            return None
    try:
        return float(text)
    except ValueError:
        return None
