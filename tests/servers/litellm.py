"""A real LiteLLM proxy, with a file of its payloads and an upstream that streams slowly."""

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from uuid import uuid4

import yaml

from tests.servers.processes import free_port, missing, running

KEY: Final = "sk-5b0d1cf4a8e94f3bb1f0c8a7d2e6913f"
"""A key of this test alone; LiteLLM refuses short ones."""
CHECKS_EVERY: Final = 3
"""Seconds between the proxy's own background health checks."""
PATIENCE: Final = 240.0
"""Seconds that the proxy may take to become ready; it takes 10 on an idle machine."""
CHUNKS, PAUSE = 20, 0.25
"""How many parts the slow upstream sends, and the seconds between two of them."""

_CALLBACK: Final = """
import json, os
from litellm.integrations.custom_logger import CustomLogger

class Payloads(CustomLogger):
    def write(self, kwargs):
        payload = kwargs.get("standard_logging_object")
        if payload:
            with open(os.environ["PAYLOADS"], "a") as file:
                file.write(json.dumps(payload, default=str) + "\\n")

    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        self.write(kwargs)

    async def async_log_failure_event(self, kwargs, response_obj, start_time, end_time):
        self.write(kwargs)

payloads = Payloads()
"""
"""A callback as LiteLLM's documentation has it: https://docs.litellm.ai/docs/observability/custom_callback"""

_SPEND_LOGS: Final = """
import json, os
import psycopg2
from litellm.proxy.db.db_spend_update_writer import DBSpendUpdateWriter
from litellm.proxy.hooks.proxy_track_cost_callback import ProxyDBLogger

async def insert(self, payload, **_rest):
    row = {key: json.dumps(value) if isinstance(value, (dict, list)) else value
           for key, value in payload.items()}
    columns, places = ", ".join(f'"{key}"' for key in row), ", ".join(["%s"] * len(row))
    with psycopg2.connect(os.environ["SPEND_LOGS"]) as connection, connection.cursor() as cursor:
        cursor.execute("SET TimeZone = 'UTC'")
        cursor.execute(f'INSERT INTO "LiteLLM_SpendLogs" ({columns}) VALUES ({places})'
                       " ON CONFLICT DO NOTHING", list(row.values()))

DBSpendUpdateWriter._insert_spend_log_to_db = insert
spend_logs = ProxyDBLogger()
"""
"""LiteLLM's own logger of requests to its database, whose last step alone is another: Prisma, which
takes a row to PostgreSQL, downloads its engine from a host that tests must not need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A LiteLLM proxy that is up."""

    url: str
    payloads: Path
    """JSON lines: each payload that LiteLLM logged."""


def program(variable: str, folder: str, path: str) -> str:
    """Return the path of a program that tests/install-llm.sh installs; skip where it is not."""
    installed = Path(__file__).parents[2] / ".servers" / folder
    for place in (os.environ.get(variable, ""), *map(str, installed.glob(path))):
        if place and os.access(place, os.X_OK):
            return place
    remedy = f"make test-llm installs it, and {variable} may name it instead"
    return missing(folder, remedy, "GATE_REQUIRE_LLM")


def configuration(upstream: int, closed: int, *callbacks: str) -> dict[str, object]:
    """Return the configuration: models by the outcome that they have.

    Args:
        upstream: the port of an upstream that streams slowly.
        closed: a port that nobody listens on.
        callbacks: more of them.
    """
    mocks = {
        "answered": "Hello.",
        "limited": "litellm.RateLimitError",
        "broken": "litellm.InternalServerError",
    }
    models = {name: {"mock_response": text} for name, text in mocks.items()}
    models |= {
        name: {"api_base": f"http://127.0.0.1:{closed}/v1"} for name in ("dead", "saved", "lost")
    }
    models["slow"] = {"api_base": f"http://127.0.0.1:{upstream}/v1"}
    model = {"model": "openai/gpt-4o", "api_key": "none"}
    return {
        "model_list": [
            {"model_name": name, "litellm_params": {**model, **more}}
            for name, more in models.items()
        ],
        "litellm_settings": {
            "callbacks": ["prometheus", "payloads.payloads", *callbacks],
            "num_retries": 0,
            "fallbacks": [{"saved": ["answered"]}, {"lost": ["broken"]}],
        },
        # A deployment that fails would otherwise be left alone for a while, and answer 429.
        "router_settings": {"disable_cooldowns": True, "num_retries": 0},
        "general_settings": {
            "background_health_checks": True,
            "health_check_interval": CHECKS_EVERY,
        },
    }


@contextmanager
def litellm(folder: Path, spend_logs: str | None = None) -> Iterator[Proxy]:
    """Run a LiteLLM proxy while the block lasts.

    Args:
        folder: for its files.
        spend_logs: the address of a database that has the table LiteLLM_SpendLogs; None: the proxy
            has no database.
    """
    command, port = program("GATE_LITELLM", "litellm", "bin/litellm"), free_port()
    payloads = folder / "payloads.jsonl"
    (folder / "payloads.py").write_text(_CALLBACK, encoding="utf-8")
    (folder / "spend_logs.py").write_text(_SPEND_LOGS, encoding="utf-8")
    callbacks = ["spend_logs.spend_logs"] if spend_logs else []
    url = f"http://127.0.0.1:{port}"
    with _upstream() as upstream:
        config = folder / "config.yaml"
        document = configuration(upstream, free_port(), *callbacks)
        config.write_text(yaml.safe_dump(document), encoding="utf-8")
        words = [command, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
        with running(
            [*words, "--telemetry", "False"],
            f"{url}/health/liveliness",
            folder / "log",
            {**_environment(payloads), "SPEND_LOGS": spend_logs or ""},
            PATIENCE,
        ):
            yield Proxy(url=url, payloads=payloads)


def _environment(payloads: Path) -> Mapping[str, str]:
    local = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MASTER_KEY": KEY}
    return {**os.environ, **local, "PAYLOADS": str(payloads)}


class _Slow(BaseHTTPRequestHandler):
    """Streams an answer of OpenAI's form: https://platform.openai.com/docs/api-reference/chat-streaming."""

    def do_POST(self) -> None:
        """Stream the parts, until the client is gone."""
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            answer = f"chatcmpl-{uuid4()}"
            for place in range(CHUNKS):
                self._send(json.dumps(_chunk(answer, place)))
                time.sleep(PAUSE)
            self._send("[DONE]")
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _send(self, data: str) -> None:
        self.wfile.write(f"data: {data}\n\n".encode())
        self.wfile.flush()

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


def _chunk(answer: str, place: int) -> dict[str, object]:
    last = place == CHUNKS - 1
    choice = {"index": 0, "delta": {"content": "word "}, "finish_reason": "stop" if last else None}
    return {
        "id": answer,
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o",
        "choices": [choice],
    }


@contextmanager
def _upstream() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Slow)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
