"""A ClickHouse server in a policy: how it is reached, and what of that nobody reads."""

from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gate.backends.clickhouse.client import ClickHouseClient
from gate.backends.clickhouse.engine import ClickHouseEngine
from gate.backends.clickhouse.settings import ClickHouseSettings, files, login_headers, secrets
from gate.errors import UsageError
from gate.measure import Limits, MeasurementError
from tests.servers.clickhouse import REQUESTS

PASSWORD = "pass:wörd/1"
PAIR = b64encode(f"ada:{PASSWORD}".encode()).decode()


def settings(**more: Any) -> ClickHouseSettings:
    return ClickHouseSettings(**{"url": "https://ch.example:8443", "table": REQUESTS, **more})


def headers(**more: Any) -> dict[str, str]:
    made = settings(**more)
    return login_headers(made, urlsplit(made.url))


def test_login_comes_from_the_keys_or_the_address() -> None:
    basic = {"Authorization": f"Basic {PAIR}"}

    assert headers(user="ada", password=PASSWORD) == basic
    assert headers(url="https://ada:pass%3Aw%C3%B6rd%2F1@ch.example") == basic
    assert headers(url="https://bob:x@ch.example", user="ada", password=PASSWORD) == basic
    default = b64encode(f"default:{PASSWORD}".encode()).decode()
    assert headers(password=PASSWORD) == {"Authorization": f"Basic {default}"}
    assert headers() == {}
    assert headers(user="ada", cert=Path("c.pem")) == {
        "X-ClickHouse-User": "ada",
        "X-ClickHouse-SSL-Certificate-Auth": "on",
    }


def test_password_is_secret_in_every_form() -> None:
    assert set(secrets(settings(user="ada", password=PASSWORD))) == {PASSWORD, PAIR}
    of_url = secrets(settings(url="https://ada:pass%3Aw%C3%B6rd%2F1@ch.example"))
    assert set(of_url) == {PASSWORD, PAIR, "pass%3Aw%C3%B6rd%2F1"}
    assert secrets(settings(user="ada")) == ()
    assert secrets(settings(url="http://[", password=PASSWORD)) != ()


def test_address_from_a_variable_is_masked_unless_it_says_nothing() -> None:
    url = "https://ch.example/t3nant-9f8e/x"

    assert set(secrets(settings(url=url, shown="${CLICKHOUSE_URL}"))) == {url, "t3nant-9f8e"}
    assert secrets(settings(url=url)) == ()
    assert secrets(settings(url="http://clickhouse:8123", shown="${CLICKHOUSE_URL}")) == ()


def test_address_is_shown_without_login_and_path() -> None:
    assert (
        ClickHouseClient(settings(url="https://ada:x@ch.example:8443/a")).shown
        == "https://ch.example:8443"
    )
    assert ClickHouseClient(settings(shown="${CLICKHOUSE_URL}")).shown == "${CLICKHOUSE_URL}"


def test_url_that_cannot_be_read_is_refused_without_its_text() -> None:
    with pytest.raises(UsageError, match="the url of the ClickHouse server cannot be read"):
        ClickHouseClient(settings(url="http://ada:secret@["))


def test_files_are_the_certificates() -> None:
    made = settings(ca=Path("ca.pem"), cert=Path("client.pem"))

    assert files(made) == ("ca.pem", "client.pem")
    assert ClickHouseClient(made).shown == "https://ch.example:8443"


def test_expressions_are_parsed_in_the_dialect_of_clickhouse() -> None:
    engine = ClickHouseEngine(settings(), Limits(timeout=timedelta(seconds=1)))

    parsed = engine.parse("bad", "status >= 500 AND startsWith(id, 'x')")
    assert parsed.columns == {"status", "id"}
    with pytest.raises(MeasurementError, match="count"):
        engine.parse("bad", "count(status) > 5")
