"""Servers that speak Spark Connect: Sail, which starts at once, and Apache Spark."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.servers.processes import free_port, missing

SERVERS = Path(__file__).parent.parent.parent / ".servers"
PATIENCE = 120.0
"""Seconds that Apache Spark may take to become ready; it takes 4 on an idle machine."""
RUNNING: list[str] = []
"""The address of the session's Sail, once it runs."""


@contextmanager
def sail(folder: Path) -> Iterator[str]:
    """Run Sail while the block lasts; give its address."""
    program = SERVERS / "engines/bin/sail"
    if not program.exists():
        missing("sail", "tests/install-servers.sh installs it")
    port = free_port()
    command = [str(program), "spark", "server", "--ip", "127.0.0.1", "--port", str(port)]
    with _running(command, port, folder / "sail.log"):
        yield f"sc://127.0.0.1:{port}"


@contextmanager
def apache_spark(folder: Path) -> Iterator[str]:
    """Run Apache Spark on this machine while the block lasts; give its address."""
    homes = list(SERVERS.glob("spark/lib/python*/site-packages/pyspark"))
    if not homes:
        missing("Apache Spark", "tests/install-spark.sh installs it")
    port = free_port()
    settings = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": port,
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        # One task for a shuffle, where 200 of them are for a cluster; and no Java that is compiled
        # for each statement, which takes longer than to count a few rows.
        "spark.sql.shuffle.partitions": 1,
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.sql.warehouse.dir": folder / "warehouse",
    }
    server = "org.apache.spark.sql.connect.service.SparkConnectServer"
    command = [str(homes[0] / "bin/spark-submit"), "--master", "local[2]", "--class", server]
    command += [word for key, value in settings.items() for word in ("--conf", f"{key}={value}")]
    command += ["--driver-memory", "1g", "spark-internal"]
    environment = {**os.environ, "SPARK_HOME": str(homes[0]), "SPARK_LOCAL_IP": "127.0.0.1"}
    with _running(command, port, folder / "spark.log", environment, folder):
        yield f"sc://127.0.0.1:{port}"


@contextmanager
def _running(
    command: Sequence[str],
    port: int,
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Iterator[None]:
    with (
        log.open("wb") as out,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment, cwd=folder
        ) as process,
    ):
        try:
            _wait(process, port, log)
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    said = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RuntimeError(f"{process.args!r} did not become ready:\n{said}")
