"""Backends in memory, and policies that name them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

from gate.backends import Settings
from gate.backends.static import StaticSettings
from gate.config.load import PolicyFile
from gate.decision.decision import PolicySource
from gate.measure import (
    Answer,
    Backend,
    Cause,
    CountRequest,
    Counts,
    Evidence,
    Limits,
    Spent,
    Unmeasured,
)
from tests.config.texts import policy, sound

AT = datetime(2026, 11, 1, tzinfo=UTC)
TIERS = """\
tiers:
  - {name: healthy, remaining: "> 50%", allow: all}
  - {name: caution, remaining: "> 10%", allow: [canary, rollback], warn: [bug-fix]}
  - name: exhausted
    otherwise: true
    allow: [rollback, security-patch]
    require: {security-patch: [shadow]}
claims: allowed
"""
EVIDENCE = Evidence(query="asked")


def counts(total: float | Fraction, bad: float) -> Counts:
    return Counts(total=Fraction(total), bad=Fraction(bad), evidence=EVIDENCE)


def spent(amount: float) -> Spent:
    return Spent(amount=Fraction(amount), evidence=EVIDENCE)


def unmeasured(cause: Cause) -> Unmeasured:
    return Unmeasured(cause=cause, reason=f"it is {cause}")


@dataclass(slots=True)
class Memory:
    """A backend that answers by an indicator's text, and remembers what it was asked."""

    answers: Mapping[str, Answer]
    asked: list[tuple[list[CountRequest], datetime]] = field(default_factory=list)

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        self.asked.append((list(requests), at))
        return [self.answers[str(r.sli.bad or r.sli.spent)] for r in requests]


@dataclass(slots=True)
class Raising:
    """A backend with a fault."""

    error: BaseException

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:  # noqa: ARG002
        raise self.error


@dataclass(slots=True)
class Answering:
    """A backend that answers whatever it is told to, fitting or not."""

    answer: Callable[[Sequence[CountRequest]], list[Answer]]

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:  # noqa: ARG002
        return self.answer(requests)


def slo(name: str, *, budget: str = "objective: 99.9%", more: str = "") -> str:
    """Return an SLO whose bad events are named as it is: with 1,000,000 events 1,000 may fail."""
    sli = f"sli: {{bad: {name}, total: total}}" if "objective" in budget else ""
    return f"  - {{name: {name}, {', '.join(filter(None, [budget, 'window: 30d', sli, more]))}}}\n"


def file(service: str, *slos: str, more: str = "") -> PolicyFile:
    """Return a policy as if it had been read; its service names its backend."""
    text = policy(
        head=f"version: 1\nservice: {service}\n",
        slos="slos:\n" + "".join(slos),
        tiers=TIERS,
        more=more,
    )
    return PolicyFile(
        policy=sound(text),
        settings=StaticSettings(path=Path(service)),
        source=PolicySource(path=f"{service}.yaml", sha256="0" * 64, revision=None, modified=False),
        warnings=(),
    )


@dataclass(slots=True)
class Opening:
    """Opens the backend that the policy's service names, and remembers with which limits."""

    backends: Mapping[str, Backend]
    opened: list[tuple[str, Limits]] = field(default_factory=list)

    def __call__(self, settings: Settings, limits: Limits) -> Backend:
        assert isinstance(settings, StaticSettings)
        self.opened.append((settings.path.name, limits))
        return self.backends[settings.path.name]
