"""The quick starts: their commands print what they show, on a real Prometheus and on request logs.

GATE_WRITE_DOCS=1 writes what the commands print into the pages.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import gate
from tests.servers.metrics import backfill, prometheus
from tests.servers.series import END, LAST, START, STEP, Counter, write_openmetrics

pytestmark = pytest.mark.real

DOCS = Path(__file__).parent.parent / "docs"
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
MONTH = range(LAST - 30 * 24 * 60 + 1, LAST + 1)
"""The window of the policies; a day of data is before it."""
BAD_HOUR = range(LAST - 9 * 24 * 60, LAST - 9 * 24 * 60 + 60)
"""Nine days ago."""
REQUESTS, FAILED = 1_000_000, 620


def spread(total: int, ticks: range) -> list[int]:
    """Return the events of each tick of the history: so many, evenly over some of the ticks."""
    events, size = [0] * (LAST + 1), len(ticks)
    for place, tick in enumerate(ticks, start=1):
        events[tick] = total * place // size - total * (place - 1) // size
    return events


def steady(total: int) -> list[int]:
    """Return so many events in the window, and as many a day before it."""
    before = spread(total // 30, range(1, MONTH[0]))
    return [sum(both) for both in zip(before, spread(total, MONTH), strict=True)]


@pytest.fixture(scope="module")
def vllm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a Prometheus that has scraped a vLLM for a month, and yield its address."""
    folder = tmp_path_factory.mktemp("vllm")
    requests = 'handler="/v1/chat/completions",method="POST",status='
    model = 'engine="0",model_name="llama-3.3-70b"'
    first_token = "vllm:time_to_first_token_seconds"
    up_to = {"0.5": 700_000, "1.0": 900_000, "2.5": 980_000, "5.0": 995_000, "+Inf": REQUESTS}
    counters = [
        Counter(
            name="http_requests_total", labels=f'{requests}"2xx"', events=steady(REQUESTS - FAILED)
        ),
        Counter(
            name="http_requests_total", labels=f'{requests}"5xx"', events=spread(FAILED, BAD_HOUR)
        ),
        *(
            Counter(
                name=f"{first_token}_bucket",
                labels=f'{model},le="{boundary}"',
                events=steady(count),
            )
            for boundary, count in up_to.items()
        ),
        Counter(name=f"{first_token}_count", labels=model, events=steady(REQUESTS)),
    ]
    with (folder / "history.om").open("w", encoding="utf-8") as file:
        write_openmetrics(counters, file)
    backfill(folder / "history.om", folder / "data")
    with prometheus(folder / "server", folder / "data") as server:
        yield server.url


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with logs of a month, two requests a minute, of which one model is slow."""
    folder = tmp_path_factory.mktemp("logs")
    (folder / "logs").mkdir()
    for day in range(31):
        with (folder / "logs" / f"{START.date().replace(day=1 + day)}.jsonl").open("w") as file:
            for tick in range(day * 24 * 60 + 1, (day + 1) * 24 * 60 + 1):
                for model in ("llama-3.3-70b", "mistral-small-3"):
                    late = model == "mistral-small-3" and tick % 20 == 7
                    row = {
                        "ts": (START + tick * STEP).strftime("%Y-%m-%dT%H:%M:%SZ"),
                        "model": model,
                        "status": 500 if tick % 4000 == 1 else 200,
                        "ttft_ms": 3100 if late or tick % 100 == 0 else 200 + tick % 800,
                    }
                    file.write(json.dumps(row) + "\n")
    return folder


def printed(block: str, folder: Path, variables: dict[str, str]) -> str:
    """Return a block of commands with what they print now.

    A line of three dots stands for the rest of what the command before it prints.
    """
    shown, code = "", 0
    for command, before in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
        output = ""
        if command == "echo $?":
            output = f"{code}\n"
        elif command.startswith("gate "):
            words = command.split()[1:]
            instant = () if words[0] in {"init", "validate"} else ("--at", END.isoformat())
            done = gate(*words, *instant, cwd=folder, env={"COLUMNS": "100", **variables})
            code = done.exit_code
            progress = r"^gate: measuring .*\n"
            output = re.sub(progress, "", done.stderr, flags=re.MULTILINE) + done.stdout
        lines = [line.rstrip() for line in output.rstrip().splitlines()]
        kept = before.splitlines()
        if "..." in kept:
            lines = [*lines[: kept.index("...")], "..."]
        shown += "\n".join((f"$ {command}", *lines)) + "\n"
    return shown


def hold(page: Path, folder: Path, variables: dict[str, str]) -> None:
    """Assert that the commands of a page print what it shows."""
    text = page.read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    now = [printed(block, folder, variables) for block in blocks]
    if os.environ.get("GATE_WRITE_DOCS"):
        fresh = iter(now)
        page.write_text(
            BLOCK.sub(lambda _: f"```console\n{next(fresh)}```", text), encoding="utf-8"
        )
        return
    assert blocks
    assert now == blocks, "write it with GATE_WRITE_DOCS=1"


def test_with_prometheus_each_command_prints_what_the_page_shows(tmp_path: Path, vllm: str) -> None:
    page = DOCS / "quick-start-prometheus.md"

    hold(page, tmp_path, {"PROMETHEUS_URL": vllm})

    assert f"{FAILED} of {REQUESTS:,}" in page.read_text(encoding="utf-8")


def test_with_logs_each_command_prints_what_the_page_shows(logs: Path) -> None:
    page = DOCS / "quick-start-logs.md"
    (policy,) = re.findall(
        r"```yaml\n# gate.yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL
    )
    (logs / "gate.yaml").write_text(policy, encoding="utf-8")

    hold(page, logs, {})

    texts = (path.read_text(encoding="utf-8") for path in logs.glob("logs/*"))
    rows = [json.loads(line) for text in texts for line in text.splitlines()]
    within = [
        row for row in rows if row["ts"] > f"{START + (MONTH[0] - 1) * STEP:%Y-%m-%dT%H:%M:%SZ}"
    ]
    failed = sum(row["status"] >= 500 for row in within)
    assert f"{failed} of {len(within):,}" in page.read_text(encoding="utf-8")
