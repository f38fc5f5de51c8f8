"""The HTTP interface of ClickHouse in front of chdb, which is ClickHouse's engine as a library.

Run by the Python that has chdb, which is not that of the tests, with ``PORT FOLDER USERS``; USERS
is JSON: by name the password, the profile and ``readonly``. Each request has a connection of its
own, in which the profile is set, then ``readonly``, then the settings of the address: so it is the
engine that refuses what a user may not change. Rights do not exist in chdb; a user's ``denied``
tables are refused here, with ClickHouse's own words.
"""

import base64
import json
import re
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import chdb

PORT, FOLDER, USERS = int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
PARAMETERS = {"query", "query_id", "default_format", "wait_end_of_query", "database"}
STATUSES = {
    # https://github.com/ClickHouse/ClickHouse/blob/master/src/Server/HTTP/exceptionCodeToHTTPStatus.cpp
    194: 401,
    **dict.fromkeys((192, 193, 497, 516), 403),
    **dict.fromkeys((6, 36, 38, 41, 44, 53, 62, 72, 117, 427), 400),
    **dict.fromkeys((46, 47, 50, 56, 60, 63, 73, 81, 115, 511), 404),
    48: 501,
    159: 408,
    209: 503,
}
REFUSED = (
    "Code: 516. DB::Exception: {}: Authentication failed: password is incorrect, or there is no"
    " user with such name. (AUTHENTICATION_FAILED) (version 26.9.2.1 (official build))\n"
)
DENIED = (
    "Code: 497. DB::Exception: {}: Not enough privileges. To execute this query, it's necessary to"
    " have the grant SELECT(ts, status) ON default.{}. (ACCESS_DENIED) (version 26.9.2.1)\n"
)
kept_open = chdb.connect(FOLDER)
lock = threading.Lock()


def literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def engine_id(own: str) -> str:
    """Return the engine's id of a statement that still runs under an id of a client."""
    with lock:
        text = str(
            kept_open.query(
                "SELECT query_id FROM system.processes"
                f" WHERE query LIKE '%/* {own} */%' AND query NOT LIKE '%system.processes%'",
                "TSV",
            )
        )
    return text.strip()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *_args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.answer(200, b"Ok.\n")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        query = urllib.parse.urlsplit(self.path).query
        parameters = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        user = self.login()
        if user is None:
            return
        statement = body.decode()
        for table in USERS[user].get("denied", ()):
            if re.search(rf"\b{table}\b", statement) and "system." not in statement:
                self.refuse(497, DENIED.format(user, table))
                return
        if killed := re.search(r"query_id = '([^']*)'", statement):
            statement = statement.replace(killed[1], engine_id(killed[1]))
        settings = {key: parameters[key] for key in parameters.keys() - PARAMETERS}
        self.run(USERS[user], statement, settings, parameters)

    def login(self) -> str | None:
        user, password = "default", ""
        login = self.headers.get("Authorization", "")
        if login.startswith("Basic "):
            user, _, password = base64.b64decode(login[6:]).decode().partition(":")
        if user not in USERS or USERS[user].get("password", "") != password:
            self.refuse(516, REFUSED.format(user))
            return None
        return user

    def run(
        self,
        user: dict[str, Any],
        statement: str,
        settings: dict[str, str],
        parameters: dict[str, str],
    ) -> None:
        form = parameters.get("default_format", "TabSeparated")
        with lock:
            connection = chdb.connect(FOLDER)
        try:
            for name, value in user.get("profile", {}).items():
                connection.query(f"SET {name} = {literal(value)}")
            if user.get("readonly"):
                connection.query(f"SET readonly = {user['readonly']}")
            if parameters.get("database"):
                connection.query(f"USE `{parameters['database']}`")
            for name, value in sorted(settings.items()):
                connection.query(f"SET {name} = {literal(value)}")
            begun = time.monotonic()
            tagged = f"/* {parameters.get('query_id', '')} */ {statement}"
            result = connection.query(tagged, form)
            self.whole(result, form, time.monotonic() - begun)
        except RuntimeError as error:
            # What the engine had written before is in front of its next answer.
            part = connection.query("SELECT 1", "Null")
            self.failed(str(error).strip(), part.bytes() if part else b"", parameters)
        finally:
            with lock:
                connection.close()

    def whole(self, result: Any, form: str, seconds: float) -> None:
        summary = {
            "read_rows": str(result.storage_rows_read()),
            "read_bytes": str(result.storage_bytes_read()),
            "elapsed_ns": str(int(seconds * 1e9)),
        }
        headers = {
            "Content-Type": "application/json; charset=UTF-8" if "JSON" in form else "text/plain",
            "X-ClickHouse-Summary": json.dumps(summary),
        }
        self.answer(200, result.bytes() if result.size() else b"", headers)

    def failed(self, words: str, part: bytes, parameters: dict[str, str]) -> None:
        said = re.search(r"Code: (\d+)", words)
        code = int(said[1]) if said else 0
        if part and parameters.get("wait_end_of_query") != "1":
            self.answer(200, part + f"{words} (version 26.9.2.1)\n".encode())
        else:
            self.refuse(code, f"{words} (version 26.9.2.1 (official build))\n")

    def refuse(self, code: int, words: str) -> None:
        headers = {"X-ClickHouse-Exception-Code": str(code)}
        self.answer(STATUSES.get(code, 500), words.encode(), headers)

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("X-ClickHouse-Timezone", "UTC")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_args: object) -> None:
        """A client that hangs up is what some tests are about."""


Server(("127.0.0.1", PORT), Handler).serve_forever()
