"""A server repeats the token it was sent, in every spelling, and no output shows it."""

import base64
import html
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote

import pytest

from tests.cli.installed import POLICY
from tests.command import Run

TOKEN = "tok+en/with=odd&ch-9f8e7d"
PATH = "t3nant-0f-acme"
SPELL: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "percent": lambda text: quote(text, safe=""),
    "form": quote_plus,
    "lower percent": lambda text: quote(text, safe="").lower(),
    "twice percent": lambda text: quote(quote(text, safe=""), safe=""),
    "html": lambda text: html.escape(text).replace("+", "&#43;").replace("/", "&#x2F;"),
    "json": lambda text: "".join(f"\\u{ord(char):04x}" for char in text),
    "slashes": lambda text: text.replace("/", "\\/"),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64url of a pair": lambda text: base64.urlsafe_b64encode(f"a:{text}".encode()).decode(),
    "html in base64": lambda text: base64.b64encode(html.escape(text).encode()).decode(),
    "base64 in percent": lambda text: quote(base64.b64encode(text.encode()).decode(), safe=""),
    "capitals": str.upper,
    "base64 in capitals": lambda text: base64.b64encode(text.encode()).decode().upper(),
    "repr": repr,
    "over lines": "\n".join,
    "cut": lambda text: text[: len(text) * 3 // 4] + "...",
    "cut in front": lambda text: "..." + text[len(text) // 4 :],
    "hex": lambda text: text.encode().hex(),
}
FORMATS = ("json", "junit", "sarif", "markdown", "codequality", "github", "gitlab", "terminal")


class _Echo(BaseHTTPRequestHandler):
    spell: Callable[[str], str] = str
    status = 400

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        sent = [self.headers["Authorization"].partition(" ")[2], PATH]
        said = ", ".join(type(self).spell(text) for text in sent)
        body = json.dumps({"status": "error", "errorType": "bad_data", "error": f"not {said} here"})
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Write nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as echo:
        threading.Thread(target=echo.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{echo.server_port}/{PATH}"
        echo.shutdown()


@pytest.mark.parametrize("name", SPELL)
@pytest.mark.parametrize("auth", ['{bearer: "${T}"}', '{username: ada, password: "${T}"}'])
def test_no_format_shows_a_token_that_the_server_repeats(
    gate: Run, tmp_path: Path, server: str, name: str, auth: str
) -> None:
    backend = f'{{type: prometheus, url: "${{U}}", auth: {auth}, retries: 0}}'
    policy = POLICY.replace("{type: static, path: counts.yaml}", backend)
    sli = "window: 30d, sli: {bad: a, total: b}}"
    (tmp_path / "gate.yaml").write_text(policy.replace("window: 30d}", sli), encoding="utf-8")
    _Echo.spell = SPELL[name]
    outputs = [f"--write={form}={form}.out" for form in FORMATS]

    options = ("--change", "canary", *outputs)
    result = gate("check", "gate.yaml", *options, cwd=tmp_path, env={"U": server, "T": TOKEN})

    assert result.exit_code == 3
    texts = [path.read_text(encoding="utf-8") for path in tmp_path.glob("*.out")]
    assert len(texts) == len(FORMATS)
    for text in (result.stdout, result.stderr, *texts):
        for secret in (TOKEN, PATH):
            for shown in (text, unquote(text), html.unescape(text)):
                assert SPELL[name](secret).lower() not in shown.lower()
                assert secret[:12].lower() not in "".join(shown.split()).lower()
