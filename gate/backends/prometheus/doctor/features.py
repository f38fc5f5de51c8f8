"""What an expression asks of a server that older versions cannot do."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from gate.backends.prometheus.doctor.case import Look
from gate.backends.prometheus.doctor.server import Version, version_of
from gate.backends.prometheus.doctor.sight import Sight
from gate.slo.diagnosis import Check, Level, Symptom


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
class Features(Look):
    """Of the expressions of one SLO, by the version that a Prometheus tells."""

    check: ClassVar = Check.VERSION
    texts: tuple[str, ...]

    def symptoms(self, sight: Sight) -> Iterator[Symptom]:
        """Name what the server is too old for."""
        version = version_of(sight.library)
        text = "\n".join(self.texts)
        for feature in _FEATURES:
            if version is not None and version < feature.since and feature.pattern.search(text):
                since, found = (".".join(map(str, v)) for v in (feature.since, version))
                yield Symptom(
                    check=Check.VERSION,
                    level=Level.FAULT,
                    says=f"{feature.name} needs Prometheus {since}, the server is {found}",
                    remedy="update the server, or count by the classic buckets (le)",
                    looked_at=text,
                )
