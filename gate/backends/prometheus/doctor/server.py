"""The features of expressions that older versions of a server lack."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar, Final, NamedTuple

from gate.backends.prometheus.client import ALLOW_MORE
from gate.backends.prometheus.doctor.slo_check import (
    CheckAnswers,
    ServerAnswers,
    ServerQuestion,
    SloCheck,
)
from gate.dataclass import dataclass
from gate.http import NO_TIME
from gate.measure.diagnosis import Check, CheckResult, Level
from gate.measure.remedies import with_advice
from gate.slo.quantities import format_duration, parse_duration

Version = tuple[int, int]


class _Feature(NamedTuple):
    name: str
    pattern: re.Pattern[str]
    since: Version


# https://github.com/prometheus/prometheus/blob/main/CHANGELOG.md
_FEATURES: Final = (
    _Feature("last_over_time", re.compile(r"\blast_over_time\b"), (2, 26)),
    _Feature("present_over_time", re.compile(r"\bpresent_over_time\b"), (2, 29)),
    _Feature("native histograms", re.compile(r"\bhistogram_(?:count|sum|fraction)\b"), (2, 40)),
    _Feature("histogram_avg", re.compile(r"\bhistogram_avg\b"), (2, 52)),
    _Feature(
        "histogram_fraction on classic buckets",
        re.compile(r"\bhistogram_fraction\b(?=.*_bucket\b)", re.DOTALL),
        (3, 4),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureCheck(SloCheck):
    """The features in the expressions of one SLO, compared with the version of a Prometheus."""

    check: ClassVar = Check.VERSION
    texts: tuple[str, ...]

    def results(self, answers: CheckAnswers) -> Iterator[CheckResult]:
        """Yield the features for which the server is too old."""
        version = version_of(answers.server)
        text = "\n".join(self.texts)
        for feature in _FEATURES:
            if version is not None and version < feature.since and feature.pattern.search(text):
                since, own = (".".join(map(str, v)) for v in (feature.since, version))
                yield CheckResult(
                    check=Check.VERSION,
                    level=Level.FAULT,
                    message=f"{feature.name} needs Prometheus {since}, the server is {own}",
                    remedy="update the server, or count by the classic buckets (le)",
                    examined=text,
                )


def partial(answers: CheckAnswers) -> CheckResult:
    """Report the warnings of the server about missing data."""
    if not answers.warnings:
        return CheckResult(check=Check.PARTIAL)
    return CheckResult(
        check=Check.PARTIAL,
        level=Level.FAULT,
        message=f"the server warns: {'; '.join(answers.warnings)}",
        remedy="see which store or shard does not answer; its data is missing from the count",
    )


BUILD: Final = ServerQuestion("status/buildinfo")
RUNTIME: Final = ServerQuestion("status/runtimeinfo")
CLOCK: Final = ServerQuestion("query", (("query", "time()"), ("nocache", "1")))
"""A query at the server's own time; VictoriaMetrics would move it back without the second
parameter."""
QUESTIONS: Final = (BUILD, RUNTIME, CLOCK)
_TOLERATED: Final = timedelta(seconds=10)
_LOOKBACK: Final = timedelta(minutes=5)
"""The default look-back of an instant: older samples are not seen."""
_YEAR: Final = timedelta(days=365)
"""A year by Prometheus' definition:
https://pkg.go.dev/github.com/prometheus/common/model#Duration."""
_VERSION: Final = re.compile(r"([0-9]+)\.([0-9]+)")


def version_of(server: ServerAnswers) -> Version | None:
    """Return a Prometheus's version; None: it is another server, or gives no version.

    Mimir gives its own as ``application``, Thanos's begins with 0, and VictoriaMetrics gives none,
    or one of Prometheus without its Go version.
    """
    facts = server.facts(BUILD)
    version = _VERSION.match(str(facts.get("version", "")))
    if version is None or "application" in facts or "goVersion" not in facts or version[1] == "0":
        return None
    return int(version[1]), int(version[2])


def retention_of(server: ServerAnswers) -> timedelta | None:
    """Return the server's retention; None: unknown, or without a limit."""
    text = str(server.facts(RUNTIME).get("storageRetention", "")).partition(" ")[0]
    try:
        if text.endswith("y"):
            return int(text[:-1]) * _YEAR
        return parse_duration(text)
    except (ValueError, OverflowError):
        return None


def server_results(server: ServerAnswers) -> Iterator[CheckResult]:
    """Yield the results about the server itself."""
    yield CheckResult(check=Check.VERSION, message=_name(server), examined=f"/api/v1/{BUILD.name}")
    retention = retention_of(server)
    if retention is not None:
        message = f"keeps {format_duration(retention)}"
        yield CheckResult(
            check=Check.RETENTION, message=message, examined=f"/api/v1/{RUNTIME.name}"
        )
    yield from _clock(server)


def _name(server: ServerAnswers) -> str:
    facts, version = server.facts(BUILD), version_of(server)
    if version is not None:
        return f"Prometheus {facts['version']}"
    if "application" in facts:
        return f"{facts['application']} {facts.get('version', '')}".rstrip()
    return "the server does not report its version"


def _clock(server: ServerAnswers) -> Iterator[CheckResult]:
    answer, query = server.answer(CLOCK), "time()"
    seconds = _seconds(server.data(CLOCK))
    if answer is None or seconds is None:
        reason = (
            "its answer is not a time" if answer else server.failure(CLOCK) or NO_TIME + ALLOW_MORE
        )
        reason, remedy = with_advice(
            reason, "see whether the server runs and accepts queries by GET"
        )
        yield CheckResult(
            check=Check.REACH,
            level=Level.FAULT,
            message=f"the clock could not be checked: {reason}",
            remedy=remedy,
            examined=query,
        )
        return
    early, late = answer.sent.timestamp() - seconds, seconds - answer.received.timestamp()
    off = timedelta(seconds=max(early, late, 0))
    shown = f"{off.total_seconds():,.0f} s"
    if off <= _TOLERATED:
        yield CheckResult(
            check=Check.CLOCK, message=f"clock within {shown} of ours", examined=query
        )
        return
    side = "behind" if early > late else "ahead of"
    yield CheckResult(
        check=Check.CLOCK,
        level=Level.FAULT if off > _LOOKBACK else Level.DOUBT,
        message=f"the server's clock is {shown} {side} ours",
        remedy="set both by NTP: windows end at our time, samples carry the server's",
        examined=query,
    )


def _seconds(data: object) -> float | None:
    """Parse the answer to time(): a scalar, or in VictoriaMetrics a vector with one value."""
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
