"""Real Prometheus and VictoriaMetrics servers on free ports, each with its data in a folder."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import requests

from tests.servers.history import services
from tests.servers.processes import binary, free_port, running
from tests.servers.series import write_openmetrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that is up."""

    url: str
    """The part before ``/api/v1``."""
    pid: int


def write_history(path: Path, later: timedelta = timedelta(0)) -> None:
    """Write every service's month as one OpenMetrics text, all of it so much later."""
    series = (one for case in services().values() for one in case.series)
    with path.open("w", encoding="utf-8") as file:
        write_openmetrics(series, file, later)


def backfill(text: Path, data: Path, seconds: float = 120) -> None:
    """Make Prometheus blocks of an OpenMetrics text, in so many seconds.

    The flag is hidden. Without it promtool reads the text once per two hours of data:
    https://github.com/prometheus/prometheus/blob/v2.42.0/cmd/promtool/backfill.go
    """
    whole = "--max-block-duration=1500h"
    command = [binary("promtool"), "tsdb", "create-blocks-from", whole, "openmetrics"]
    whole_command = [*command, str(text), str(data)]
    subprocess.run(whole_command, check=True, capture_output=True, timeout=seconds)


def backfill_rules(url: str, rules: Path, data: Path, start: datetime, end: datetime) -> None:
    """Evaluate recording rules every minute, on the server at ``url``, into Prometheus blocks.

    In pieces of 162 hours, the longest of which Prometheus answers 11,000 steps at most.
    """
    span = [f"--start={start.timestamp():.0f}", f"--end={end.timestamp():.0f}"]
    where = [f"--url={url}", f"--output-dir={data}", "--eval-interval=1m"]
    create = [binary("promtool"), "tsdb", "create-blocks-from", "--max-block-duration=162h"]
    command = [*create, "rules", *span, *where, str(rules)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)


@contextmanager
def prometheus(
    folder: Path,
    data: Path,
    config: str = "global: {}\n",
    flags: Sequence[str] = (),
    retention: str = "10y",
) -> Iterator[Server]:
    """Run a Prometheus; ``{port}`` in its configuration becomes its own port.

    Retention is long by default because the history's timestamps are fixed.
    """
    program, port = binary("prometheus"), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    file, url = folder / "prometheus.yml", f"http://127.0.0.1:{port}"
    file.write_text(config.replace("{port}", str(port)), encoding="utf-8")
    command = [
        program,
        f"--config.file={file}",
        f"--storage.tsdb.path={data}",
        f"--storage.tsdb.retention.time={retention}",
        f"--web.listen-address=127.0.0.1:{port}",
        *flags,
    ]
    with running(command, f"{url}/-/ready", folder / "log") as pid:
        yield Server(url=url, pid=pid)


@contextmanager
def victoria(
    folder: Path, text: Path, flags: Sequence[str] = (), seconds: float = 60
) -> Iterator[Server]:
    """Run a VictoriaMetrics that has read an OpenMetrics text, in so many seconds."""
    program, port = binary("victoria-metrics"), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    url = f"http://127.0.0.1:{port}"
    command = [
        program,
        f"-storageDataPath={folder / 'data'}",
        "-retentionPeriod=10y",
        f"-httpListenAddr=127.0.0.1:{port}",
        *flags,
    ]
    with running(command, f"{url}/health", folder / "log") as pid:
        with text.open("rb") as body:
            requests.post(
                f"{url}/api/v1/import/prometheus", data=body, timeout=seconds
            ).raise_for_status()
        requests.get(f"{url}/internal/force_flush", timeout=60).raise_for_status()
        yield Server(url=url, pid=pid)
