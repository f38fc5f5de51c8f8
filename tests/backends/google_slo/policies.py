"""Policies over a fake of Google Cloud Monitoring, and what the command says of them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from gate.backends import open_backend
from gate.backends.google_slo.settings import GoogleSloSettings
from gate.backends.platforms.backend import PlatformHistoryBackend
from gate.measure import Answer, CountRequest, Counts, Limits, Unmeasured
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.backends.prometheus.played import AT
from tests.command import Result, gate
from tests.servers.google_monitoring import TOKEN, FakeMonitoring, FakeSlo, Samples, every, served

MINUTE = timedelta(minutes=1)
HOUR = 60 * MINUTE
DAY = 24 * HOUR
MONTH = 30 * DAY
NAME = "Chat availability"


def slo(**more: Any) -> FakeSlo:
    """Return an SLO with 1,000 events each minute of an hour, of which one has failed."""
    samples = every(MINUTE, AT - HOUR, AT, good=999, bad=1)
    return FakeSlo(**{"samples": Samples(samples), **more})


def span(length: timedelta, at: datetime = AT) -> Span:
    return Span(at - length, at)


@contextmanager
def opened(fake: FakeMonitoring) -> Iterator[PlatformHistoryBackend]:
    """Open the backend that a policy would open, while the fake is served."""
    with served(fake) as url:
        settings = GoogleSloSettings(project="acme-prod", url=url, bearer=TOKEN, retries=0)
        backend = open_backend(settings, Limits(timeout=timedelta(seconds=20)))
        assert isinstance(backend, PlatformHistoryBackend)
        yield backend


def ask(
    fake: FakeMonitoring, *windows: timedelta, name: str = NAME, at: datetime = AT
) -> list[Answer]:
    """Return the answers for windows that end at the instant; the first is the SLO's own."""
    requests = [
        CountRequest(sli=Sli(slo=name), span=span(length, at), probe=not place)
        for place, length in enumerate(windows or (HOUR,))
    ]
    with opened(fake) as backend:
        return backend.measure(requests, at)


def counts(fake: FakeMonitoring, *windows: timedelta, **more: Any) -> Counts:
    """Return the first answer, which must be a count."""
    answer = ask(fake, *windows, **more)[0]
    assert isinstance(answer, Counts), answer
    return answer


def total_and_bad(answer: Counts) -> tuple[float, float]:
    return float(answer.total), float(answer.bad)


def refused(fake: FakeMonitoring, *windows: timedelta, **more: Any) -> Unmeasured:
    """Return the first answer, which must be none."""
    answer = ask(fake, *windows, **more)[0]
    assert isinstance(answer, Unmeasured), answer
    return answer


@dataclass(frozen=True, kw_only=True)
class Commands:
    """Runs commands on a policy."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=lambda: {"TOKEN": TOKEN, "NO_PROXY": "*"})

    def write(self, url: str, slos: Sequence[Mapping[str, Any]] | None = None, **more: Any) -> None:
        own = {"name": "availability", "objective": "99%", "window": "30d", "sli": {"slo": NAME}}
        backend = {"type": "google-slo", "project": "acme-prod", "url": url}
        policy = {
            "version": 1,
            "service": "chat",
            "backend": {**backend, "auth": {"bearer": "${TOKEN}"}, "retries": 0},
            "slos": [own] if slos is None else list(slos),
            "tiers": [
                {"name": "healthy", "remaining": "> 50%", "allow": "all"},
                {"name": "exhausted", "otherwise": True, "allow": ["rollback"]},
            ],
            **more,
        }
        (self.folder / "gate.yaml").write_text(yaml.safe_dump(policy), encoding="utf-8")

    def run(self, *arguments: str, at: datetime = AT) -> Result:
        words = [*arguments, "gate.yaml", "--at", at.isoformat()]
        return gate(*words, cwd=self.folder, env=self.environ)

    def decision(self, at: datetime = AT) -> tuple[int, dict[str, Any]]:
        """Return the exit code of a check, and what its decision says of the only policy."""
        done = self.run("check", "--change=canary", "--format=json", at=at)
        (policy,) = json.loads(done.stdout)["policies"]
        return done.exit_code, dict(policy)
