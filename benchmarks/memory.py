"""The most memory that commands which look back need, with 10 and with 100 SLOs.

python -m benchmarks.memory

Each looks at a month in steps of five minutes on a Prometheus: by one backend, and by two that a
policy names, each with half of the SLOs. If memory is bounded by a batch, 100 SLOs take as much as
10. Cohorts are groups of failures by one of ten routes, in steps of four hours.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from benchmarks.history import AT, SLOS, write_series
from benchmarks.measuring import gate, machine, run
from benchmarks.policies import slo, write_policy
from tests.servers.metrics import backfill, prometheus
from tests.servers.series import END

FEW: Final = 10
ROUTES: Final = 10
SCRAPE: Final = 1800
"""Seconds between two samples of the routes: eight in a step of four hours."""
SCRAPES: Final = 30 * 24 * 3600 // SCRAPE
HISTORY: Final = ("--last", "30d", "--step", "5m")
COMMANDS: Final[dict[str, tuple[str, ...]]] = {
    "incidents": ("incidents", *HISTORY),
    "review": ("review", "--periods", "1"),
    "forecast": ("forecast",),
    "anomalies": ("anomalies", "--last", "30d", "--step", "5m"),
    "report": ("report", *HISTORY, "--format", "html"),
    "report-as-json": ("report", *HISTORY, "--format", "json"),
    "report-as-text": ("report", *HISTORY, "--format", "markdown"),
    "check": ("check", "--change", "canary", "--dry-run"),
    "cohorts": ("cohorts", "--by", "route", "--last", "30d"),
}
RULES: Final = {
    "postmortems": {"share": "20%", "known_incidents": "incidents/*.yaml"},
    "control_charts": {"effect": "warn", "last": "30d", "step": "5m", "baseline": "15d"},
}
"""Rules of `check` that look back: without them it fetches no history unless it blocks."""


RECORD: Final = """
- id: INC-1
  title: The queue ran full
  service: chat
  start: 2026-10-02T00:00:00Z
  end: 2026-10-02T01:00:00Z
  status: open
"""


def write_routes(path: Path) -> None:
    """Write two counters for each of ten routes of each model."""
    end = int(END.timestamp())
    times = [end - SCRAPE * (SCRAPES - tick) for tick in range(SCRAPES + 1)]
    with path.open("w", encoding="utf-8") as file:
        for model in range(SLOS):
            for route in range(ROUTES):
                for code, each in (("200", 100), ("500", route)):
                    labels = f'model="m{model}",route="r{route}",code="{code}"'
                    for tick, time in enumerate(times):
                        file.write(f"llm_routes_total{{{labels}}} {tick * each} {time}\n")
        file.write("# EOF\n")


def policy(path: Path, url: str, count: int, sources: int, name: str) -> Path:
    """Write a policy with so many SLOs, of one backend or of several with the same server."""
    slos = [slo(f"m{model}", f'model="m{model}"', 'code="500"') for model in range(count)]
    more: dict[str, Any] = dict(RULES) if name == "check" else {}
    for place, each in enumerate(slos):
        if name == "cohorts":
            sli = each["sli"]
            each["sli"] = {role: sli[role].replace("requests", "routes") for role in sli}
        if sources > 1:
            each["backend"] = f"p{place % sources}"
    backend = {"type": "prometheus", "url": url}
    if sources > 1:
        more["backends"] = {f"p{place}": backend for place in range(sources)}
    return write_policy(path, None if sources > 1 else backend, slos, **more)


def main() -> None:
    """Print a row for each command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("commands", nargs="*", default=[*COMMANDS], help="by default all")
    asked = parser.parse_args().commands
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "incidents").mkdir()
        (folder / "incidents" / "1.yaml").write_text(RECORD)
        for written, write in (("history.om", write_series), ("routes.om", write_routes)):
            write(folder / written)
            backfill(folder / written, folder / "data", seconds=900)
        with prometheus(folder / "server", folder / "data") as server:
            for command in asked:
                for sources in (1, 2):
                    row = []
                    for count in (FEW, SLOS):
                        path = folder / f"{command}-{sources}-{count}.yaml"
                        policy(path, server.url, count, sources, command)
                        first, *options = COMMANDS[command]
                        arguments = (first, str(path), "--at", AT, "--timeout", "300s")
                        json = () if "--format" in options else ("--format", "json")
                        taken = run(gate(*arguments, *options, *json), output=folder / "output")
                        seconds = f"{taken.seconds:.1f} s"
                        row.append(f"{count} SLOs {taken.megabytes:5.1f} MB ({seconds})")
                    print(f"{command:14} {sources} backends: {', '.join(row)}", flush=True)
    print(f"at the end {machine()}", file=sys.stderr)


if __name__ == "__main__":
    main()
