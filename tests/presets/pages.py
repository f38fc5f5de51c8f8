"""The servers of this folder as time series: each minute is like the one before."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from tests.presets.exposition import GAUGES, Page

END: Final = datetime(2026, 11, 1, tzinfo=UTC)
HOURS: Final = 6
MINUTES: Final = HOURS * 60
MARK: Final = "fixture"
"""The label by which the servers are told apart; none of them has one of that name."""
_FOLDER: Final = Path(__file__).parent / "servers"
_LEAD: Final = 30
"""Minutes before the window, so that it begins within the data."""
EVERY_MINUTE: Final = range(MINUTES + _LEAD + 1)


def servers() -> dict[str, Any]:
    """Return the modules of this folder's servers, by the name of their preset file."""
    names = sorted(path.stem for path in _FOLDER.glob("*.py") if path.stem != "__init__")
    return {
        name.replace("_", "-"): import_module(f"tests.presets.servers.{name}") for name in names
    }


def write_pages(path: Path) -> None:
    """Write every server's pages as the text that promtool and VictoriaMetrics read."""
    with path.open("w", encoding="utf-8") as file:
        for name, module in servers().items():
            file.writelines(_lines(name, module.page()))
        file.write("# EOF\n")


def _lines(server: str, page: Page) -> Iterator[str]:
    for (name, labels), amount in page.samples.items():
        yield from lines(name, {**dict(labels), MARK: server}, amount)


def lines(
    name: str, labels: Mapping[str, str], amount: float, minutes: range = EVERY_MINUTE
) -> Iterator[str]:
    """Yield a series' samples: a counter that grows by the amount each minute, or a gauge.

    Args:
        name: of the metric.
        labels: its others.
        amount: a minute's growth; of a gauge, its value.
        minutes: when it is scraped; it counts from its first scrape on.
    """
    written = ",".join(f"{key}={json.dumps(value)}" for key, value in labels.items())
    start = int((END - timedelta(minutes=MINUTES + _LEAD)).timestamp())
    for minute in minutes:
        value = amount if name in GAUGES else amount * (minute - minutes[0])
        yield f"{name}{{{written}}} {value:.12g} {start + minute * 60}\n"
