"""A server that says of itself what ClickHouse says, and answers statements as it is told.

For what the real engine will not do: half answers, refusals, pages of a proxy.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from gate.backends.clickhouse.server_settings import NEEDED
from tests.backends.loopback import send

SETTINGS = {**NEEDED, "additional_table_filters": "{}", "additional_result_filter": ""}


def answer(rows: list[list[Any]], types: tuple[str, ...] = ("UInt64",), **more: Any) -> bytes:
    meta = [{"name": f"c{place}", "type": name} for place, name in enumerate(types)]
    return json.dumps({"meta": meta, "data": rows, "rows": len(rows), **more}).encode()


def about_itself(
    version: str = "26.5.1.1",
    readonly: str = "2",
    **settings: str,
) -> bytes:
    """Answer the first question: of the table only the engine is told, and no column."""
    values = {**SETTINGS, "readonly": readonly, **settings}
    listed = [[name, value, 0] for name, value in values.items()]
    now = str(int(time.time() * 1_000_000))
    return answer(
        [[version, "gate", now, listed, "MergeTree", None]],
        ("String", "String", "Int64", "Array(Tuple(String, String, UInt8))", "String", "Array(T)"),
    )


Respond = Callable[[BaseHTTPRequestHandler, str], None]


class FakeServer:
    """Says of itself what every server says, and answers the statements as it is told."""

    def __init__(self, respond: Respond, itself: bytes | None = None) -> None:
        self.respond, self.itself = respond, itself or about_itself()
        self.statements = list[str]()
        self.parameters = list[Mapping[str, list[str]]]()

    def __call__(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        statement = body.decode()
        self.statements.append(statement)
        self.parameters.append(parse_qs(urlsplit(handler.path).query, keep_blank_values=True))
        if statement.startswith("SELECT version(), "):
            send(handler, self.itself)
        else:
            self.respond(handler, statement)


def sending(body: bytes, status: int = 200, **headers: str) -> Respond:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler, _: send(handler, body, status=status, headers=named)


def in_turn(responses: Iterator[Respond]) -> Respond:
    def respond(handler: BaseHTTPRequestHandler, statement: str) -> None:
        next(responses)(handler, statement)

    return respond


def exception(code: int, words: str) -> Respond:
    return sending(
        f"Code: {code}. DB::Exception: {words} (version 26.5.1.1 (official build))\n".encode(),
        500,
        X_ClickHouse_Exception_Code=str(code),
    )
