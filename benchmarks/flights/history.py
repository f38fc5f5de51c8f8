"""Reads the flights, and writes them as request logs and as counters that were scraped."""

import csv
import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Final

LATE: Final = 60
"""Minutes: a flight that left later has failed."""
BEGIN: Final = datetime(2013, 1, 1, 5, tzinfo=UTC)
END: Final = datetime(2014, 1, 1, 5, tzinfo=UTC)
"""The year at New York City, where flights are planned in local time."""
_SCRAPE: Final = 60


@dataclass(frozen=True, slots=True)
class Flight:
    """A flight, at the minute at which it should have left."""

    time: datetime
    failed: bool
    carrier: str
    origin: str


def read_flights(archive: Path) -> list[Flight]:
    """Return all flights in the order of their planned departures."""
    with zipfile.ZipFile(archive) as opened, opened.open("flights.csv") as file:
        rows = csv.DictReader(io.TextIOWrapper(file, encoding="utf-8"))
        flights = [_flight(row) for row in rows]
    return sorted(flights, key=lambda flight: flight.time)


def _flight(row: dict[str, str]) -> Flight:
    hour = datetime.fromisoformat(row["time_hour"])
    delay = row["dep_delay"]
    return Flight(
        time=hour + timedelta(minutes=float(row["minute"])),
        failed=delay in ("", "NA") or float(delay) > LATE,
        carrier=row["carrier"],
        origin=row["origin"],
    )


def write_logs(flights: Sequence[Flight], folder: Path) -> None:
    """Write a file of JSON lines for each month."""
    folder.mkdir(parents=True)
    for flight in flights:
        row = {
            "time": flight.time.isoformat(),
            "status": "late" if flight.failed else "ok",
            "carrier": flight.carrier,
            "origin": flight.origin,
        }
        with (folder / f"{flight.time:%Y-%m}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def write_counters(flights: Sequence[Flight], path: Path) -> None:
    """Write two counters as a server has them that scraped them at every full minute."""
    by_minute = {
        status: Counter(
            int(flight.time.timestamp())
            for flight in flights
            if flight.failed is (status == "late")
        )
        for status in ("ok", "late")
    }
    lines = chain.from_iterable(_counter(*item) for item in by_minute.items())
    with path.open("w", encoding="utf-8") as file:
        file.write("# TYPE flights counter\n")
        file.writelines(lines)
        file.write("# EOF\n")


def _counter(status: str, events: Counter[int]) -> Iterator[str]:
    count = 0
    for second in range(int(BEGIN.timestamp()), int(END.timestamp()) + 1, _SCRAPE):
        count += events[second]
        yield f'flights_total{{status="{status}"}} {count} {second}\n'
