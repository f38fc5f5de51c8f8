"""Connection strings, what of them is secret, and TLS."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from gate.backends.spark.connection import SparkConnection
from gate.backends.spark.engine import SparkEngine
from gate.backends.spark.session import SparkSession
from gate.backends.spark.settings import SparkAddress, SparkSettings, files, parse_address, secrets
from gate.backends.sql.settings import TableSettings
from gate.measure import MeasurementError
from tests.backends.spark.played import Complete, Script, playing, stream
from tests.cli.installed import POLICY
from tests.command import Run

TABLE = TableSettings(table="requests", timestamp="ts")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("sc://spark", SparkAddress(target="spark:15002", secure=False)),
        (
            " sc://spark.corp.example:443/ ",
            SparkAddress(target="spark.corp.example:443", secure=False),
        ),
        ("sc://[::1]:15002", SparkAddress(target="[::1]:15002", secure=False)),
        ("sc://a/;use_ssl=true", SparkAddress(target="a:15002", secure=True)),
        ("sc://a/;use_ssl=False;", SparkAddress(target="a:15002", secure=False)),
        # A token is not sent in the clear, but to this machine.
        ("sc://a/;token=x%3Dy", SparkAddress(target="a:15002", secure=True, token="x=y")),
        (
            "sc://localhost/;token=x",
            SparkAddress(target="localhost:15002", secure=False, token="x"),
        ),
        (
            "sc://a:443/;token=x;X-Databricks-Cluster-Id=1; user_id = ci ;user_agent=night",
            SparkAddress(
                target="a:443",
                secure=True,
                token="x",
                user="ci",
                agent="night",
                headers={"x-databricks-cluster-id": "1"},
            ),
        ),
    ],
)
def test_connection_string_is_read_as_sparks_own_client_does(
    text: str, address: SparkAddress
) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http://spark:15002", "write sc://spark:15002"),
        ("spark:15002", "write sc://spark:15002"),
        ("sc://", "write sc://spark:15002"),
        ("sc://a:0", "write sc://spark:15002"),
        ("sc://a:70000", "write sc://spark:15002"),
        ("sc://$SPARK_HOST:1", r"\$SPARK_HOST is not filled in; write \$\{SPARK_HOST\}"),
        ("sc://a/token=s3cret", "not of the form /;name=value"),
        ("sc://a/;s3cret", "not of the form /;name=value"),
        ("sc://a/;use_ssl=yes", "use_ssl is true or false"),
        ("sc://a/;use_ssl=false;token=s3cret", "a token is sent over TLS only; remove use_ssl"),
        ("sc://a/;session_id=s3cret", "remove session_id from the url"),
    ],
)
def test_text_that_is_not_a_connection_string_is_refused_without_repeating_it(
    text: str, words: str
) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        parse_address(text)

    assert "s3cret" not in str(refused.value)


def test_token_that_stands_apart_makes_it_tls_too() -> None:
    assert parse_address("sc://a", login=True).secure
    assert not parse_address("sc://127.0.0.1", login=True).secure
    with pytest.raises(ValueError, match="over TLS only"):
        parse_address("sc://a/;use_ssl=false", login=True)


def test_tokens_and_headers_with_such_names_are_secret() -> None:
    address = parse_address("sc://a/;token=one%3D;x-api-key=two;x-tenant=blue")
    apart = SparkSettings(address=parse_address("sc://a"), token="three", table=TABLE)

    assert secrets(SparkSettings(address=address, table=TABLE)) == ("one=", "two", "one%3D")
    assert secrets(apart) == ("three",)
    assert not [word for word in ("one", "two", "blue") if word in repr(address)]
    assert "three" not in repr(apart)


def test_certificates_are_files_that_a_change_must_not_bring() -> None:
    settings = SparkSettings(
        address=parse_address("sc://a/;use_ssl=true"), ca=Path("ca*.pem"), table=TABLE
    )

    assert files(settings) == ("ca[*].pem",)


# TLS


@contextmanager
def protected(host: str, authority: trustme.CA, *, client: bool = False) -> Iterator[str]:
    certificate = authority.issue_cert(host)

    def credentials() -> Any:
        import grpc  # noqa: PLC0415 - when the protocol has silenced it

        chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
        pair = (certificate.private_key_pem.bytes(), chain)
        root = authority.cert_pem.bytes() if client else None
        return grpc.ssl_server_credentials([pair], root, client)

    with playing(Script(streams=[stream(Complete())]), credentials) as url:
        yield url.replace("127.0.0.1", "localhost")


def ask(url: str, ca: Path | None = None, cert: Path | None = None) -> list[Any]:
    address = parse_address(f"{url}/;use_ssl=true")
    settings = SparkSettings(address=address, table=TABLE, ca=ca, cert=cert)
    engine = SparkEngine(SparkSession(SparkConnection(settings, timedelta(seconds=10))))
    try:
        return engine.rows("SELECT 1 AS n")
    finally:
        engine.close()


def test_own_authority_is_trusted_where_the_policy_names_it(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with protected("localhost", authority) as url:
        assert ask(url, ca=tmp_path / "ca.pem") == []
        with pytest.raises(MeasurementError, match=r"not trusted; set backend\.tls\.ca"):
            ask(url)


def test_certificate_of_another_host_is_not_accepted(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with (
        protected("spark.corp.example", authority) as url,
        pytest.raises(MeasurementError, match="for another host; write a host name"),
    ):
        ask(url, ca=tmp_path / "ca.pem")


def test_client_shows_its_certificate(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    authority.issue_cert("client").private_key_and_cert_chain_pem.write_to_path(
        str(tmp_path / "both.pem")
    )
    with protected("localhost", authority, client=True) as url:
        assert ask(url, ca=tmp_path / "ca.pem", cert=tmp_path / "both.pem") == []


def test_certificate_file_that_is_gone_is_reported(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match=r"ca\.pem cannot be read; check the files"):
        ask("sc://localhost:1", ca=tmp_path / "ca.pem")


# The policy


BLOCKS = [
    ("url: sc://a/;token=s3cret", "token must not be in the file; write token=${NAME}"),
    ("url: http://a", "not the address of a Spark Connect server; write sc://spark:15002"),
    ("url: sc://a/;use_ssl=false, token: '${T}'", "a token is sent over TLS only"),
    ("url: 'sc://a/;token=${T}', token: '${T}'", "the url has a token, too; remove one of the two"),
    ("url: sc://a, tls: {ca: ca.pem}", "tls is for a server that speaks TLS; add use_ssl=true"),
]


@pytest.mark.parametrize(("block", "words"), BLOCKS)
def test_block_that_cannot_be_is_refused_with_its_remedy(
    block: str, words: str, gate: Run, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").touch()
    text = POLICY.replace(
        "{type: static, path: counts.yaml}",
        f"{{type: spark, {block}, table: t, timestamp: ts}}",
    )
    (tmp_path / "gate.yaml").write_text(
        text.replace("window: 30d}", "window: 30d, sli: {bad: status >= 500}}"), encoding="utf-8"
    )

    result = gate("validate", "gate.yaml", env={"T": "s3cret"})

    assert result.exit_code == 2
    assert words in result.stdout
    assert "s3cret" not in result.stdout + result.stderr
