"""The report of 20 SLOs over 90 days: how long beyond its queries, how large, how much memory.

python -m benchmarks.reporting
"""

import random
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from benchmarks.measuring import gate, machine, run
from benchmarks.policies import slo, write_policy
from gate.analysis.incidents import IncidentOptions
from gate.analysis.report.run import gather_report
from gate.analysis.report.words import FORMATS, render_report
from gate.backends import Settings, open_backend
from gate.check.options import Options
from gate.config.load import load
from gate.measure import Answer, CountRequest, Limits
from gate.measure.history import SeriesAnswer, SeriesRequest
from gate.reporters.ansi import Style
from tests.servers.metrics import backfill, prometheus
from tests.servers.series import END

T = TypeVar("T")
SLOS = 20
DAYS = 90
SCRAPE = timedelta(minutes=2)
TIMEOUT = timedelta(minutes=5)


def write_series(path: Path) -> None:
    """Write two counters for each service; failures are steady, with a bad hour now and then."""
    chance = random.Random(90)
    start, ticks = int((END - timedelta(days=DAYS)).timestamp()), timedelta(days=DAYS) // SCRAPE
    with path.open("w", encoding="utf-8") as file:
        for service in range(SLOS):
            bad_hours = {chance.randrange(DAYS * 24) for _ in range(DAYS // 6)}
            totals, total, failed = [], 0, 0
            for tick in range(ticks + 1):
                hour = tick * SCRAPE // timedelta(hours=1)
                total += 600
                failed += chance.randrange(30 if hour in bad_hours else 1, 60) // 30
                totals.append((total - failed, failed, start + int(tick * SCRAPE.total_seconds())))
            for place, code in ((0, "200"), (1, "500")):
                head = f'llm_requests_total{{service="s{service}",code="{code}"}} '
                file.writelines(f"{head}{row[place]} {row[2]}\n" for row in totals)
        file.write("# EOF\n")


class Timed:
    """A backend that adds up how long it is waited for."""

    def __init__(self, settings: Settings, limits: Limits) -> None:
        self._backend = open_backend(settings, limits)
        self.seconds = 0.0

    def measure(self, requests: list[CountRequest], at: object) -> list[Answer]:
        """Count."""
        return self._waited(lambda: self._backend.measure(requests, at))

    def history(self, requests: list[SeriesRequest]) -> list[SeriesAnswer]:
        """Tell what happened when."""
        return self._waited(lambda: self._backend.history(requests))

    def _waited(self, answer: Callable[[], T]) -> T:
        begin = time.perf_counter()
        try:
            return answer()
        finally:
            self.seconds += time.perf_counter() - begin


def main() -> None:
    """Make the report once in this process, for its parts, and once as a user does."""
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_series(folder / "history.om")
        backfill(folder / "history.om", folder / "data")
        with prometheus(folder / "server", folder / "data") as server:
            slos = [slo(f"s{n}", f'service="s{n}"', 'code="500"') for n in range(SLOS)]
            backend = {"type": "prometheus", "url": server.url}
            policy = write_policy(folder / "policy.yaml", backend, slos)
            parts(policy)
            whole(policy, folder)


def parts(policy: Path) -> None:
    """Print how long the queries, what is made of them, and each format take."""
    opened: list[Timed] = []

    def opening(settings: Settings, limits: Limits) -> Timed:
        opened.append(Timed(settings, limits))
        return opened[-1]

    asked = IncidentOptions(
        at=END,
        last=timedelta(days=DAYS),
        step=timedelta(minutes=5),
        threshold=Fraction(6),
        timeout=TIMEOUT,
    )
    begin = time.perf_counter()
    made = gather_report(
        [load(str(policy), {})], Options(at=END, timeout=TIMEOUT), asked, open_with=opening
    )
    seconds = time.perf_counter() - begin
    waited = sum(one.seconds for one in opened)
    print(f"queries {waited:.2f} s, what is made of them {seconds - waited:.2f} s")
    for format_ in FORMATS:
        begin = time.perf_counter()
        text = render_report(format_, made, Style())
        seconds = time.perf_counter() - begin
        print(f"{format_}: {seconds:.2f} s, {len(text.encode()) / 1e6:.2f} MB")


def whole(policy: Path, folder: Path) -> None:
    """Print what the command takes in all."""
    page = str(folder / "report.html")
    asked = ["report", str(policy), "--at", END.isoformat(), "--last", f"{DAYS}d", "-o", page]
    taken = run(gate(*asked, "--timeout", "5m"))
    print(f"gate report: {taken.seconds:.2f} s, {taken.megabytes:.0f} MB of memory")


if __name__ == "__main__":
    main()
