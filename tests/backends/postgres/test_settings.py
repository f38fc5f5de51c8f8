"""The block of a PostgreSQL backend: what it takes, what it refuses, and what of it is secret."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gate.backends import files_of, open_backend, secrets_of
from gate.backends.postgres.settings import PostgresSettings, keywords
from gate.backends.sql import registering
from gate.config.load import load
from gate.errors import UsageError
from gate.measure import Limits
from tests.cli.installed import POLICY
from tests.command import gate

TABLE = "table: requests, timestamp: ts"


def read(folder: Path, block: str, environ: dict[str, str] | None = None) -> PostgresSettings:
    """Return the settings of a block, in which the table is given already."""
    sli = "window: 30d, sli: {bad: status >= 500}}"
    policy = POLICY.replace(
        "{type: static, path: counts.yaml}", f"{{type: postgres, {block}, {TABLE}}}"
    )
    path = folder / "gate.yaml"
    path.write_text(policy.replace("window: 30d}", sli), encoding="utf-8")
    settings = load(str(path), environ or {}).settings
    assert isinstance(settings, PostgresSettings)
    return settings


def refused(folder: Path, block: str, environ: dict[str, str] | None = None) -> str:
    """Return what the command says of a block."""
    sli = "window: 30d, sli: {bad: status >= 500}}"
    policy = POLICY.replace(
        "{type: static, path: counts.yaml}", f"{{type: postgres, {block}, {TABLE}}}"
    )
    (folder / "gate.yaml").write_text(policy.replace("window: 30d}", sli), encoding="utf-8")
    done = gate("check", "gate.yaml", "--change", "canary", cwd=folder, env=environ or {})
    assert done.exit_code == 2, done
    return done.stderr


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://gate@db.example:5432/app", "postgresql://gate@db.example:5432/app"),
        ("postgres://db.example/app", "postgres://db.example/app"),
        ("postgresql://[::1]:5432/app", "postgresql://[::1]:5432/app"),
        ("postgresql:///app?host=/run/postgresql", "postgresql:///app?host=%2Frun%2Fpostgresql"),
        (
            "postgresql://a,b/app?target_session_attrs=prefer-standby",
            "postgresql://a,b/app?target_session_attrs=prefer-standby",
        ),
        # As LiteLLM has it, for Prisma.
        ("postgresql://db/app?connection_limit=10&pool_timeout=60", "postgresql://db/app"),
    ],
)
def test_an_address_is_taken_as_libpq_has_it(tmp_path: Path, url: str, expected: str) -> None:
    assert read(tmp_path, f'url: "{url}"').url == expected


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ('url: "mysql://db/app"', "not an address of PostgreSQL; write postgresql://"),
        ('url: "postgresql+psycopg2://db/app"', "not an address of PostgreSQL"),
        ('url: "db.example:5432"', "not an address of PostgreSQL"),
        ('url: "postgresql://[::1/app"', "not a valid address; write postgresql://"),
        ('url: "postgresql://a:secret@db/app"', "a password must not be in the file"),
        ('url: "postgresql://db/app?password=secret"', "remove the parameter password"),
        ('url: "postgresql://db/app?sslrootcert=/x"', "remove the parameter sslrootcert"),
        ('url: "postgresql://db/app?schema=logs"', "write it before the table's name"),
        ('url: "postgresql://db/app?options=-c"', "that is not supported; keep host, port"),
        ('url: "postgresql://db/app", password: secret', "${"),
        ('url: "postgresql://db/app", sslmode: maybe', "'maybe' is not a valid value"),
        ('url: "postgresql://db/app", sslcert: ca.pem', "add sslcert and sslkey"),
        ('url: "postgresql://db/app", sslrootcert: none.pem', "there is no file none.pem"),
        ('url: "postgresql://db/app", timeout: 5s', "an option of the command"),
    ],
)
def test_what_is_wrong_with_a_block_is_reported_without_any_secret(
    tmp_path: Path, block: str, words: str
) -> None:
    said = refused(tmp_path, block)

    assert words in said
    assert "secret" not in said.replace("a secret", "")


def test_a_password_is_masked_as_it_is_and_as_an_address_has_it(tmp_path: Path) -> None:
    environ = {"PASSWORD": "p@ss/wörd x", "URL": "postgresql://ada:s%40fe%2Fly@db/app"}
    key = read(tmp_path, 'url: "postgresql://db/app", password: "${PASSWORD}"', environ)
    whole = read(tmp_path, 'url: "${URL}"', environ)
    part = read(tmp_path, 'url: "postgresql://ada:${PASSWORD}@db/app"', {"PASSWORD": "plain"})

    assert secrets_of(key) == ("p@ss/wörd x", "p%40ss%2Fw%C3%B6rd%20x", "p%40ss%2Fw%C3%B6rd+x")
    assert {"s%40fe%2Fly", "s@fe/ly", environ["URL"]} <= set(secrets_of(whole))
    assert secrets_of(part) == ("plain",)
    assert (key.shown, whole.shown, part.shown) == (
        "postgresql://db/app",
        "${URL}",
        "postgresql://db/app",
    )
    assert "s%40fe" not in repr(whole)
    assert "p@ss" not in repr(key)


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("", {}),
        (", sslmode: require", {"sslmode": "require"}),
        (", sslrootcert: a.pem", {"sslmode": "verify-full", "sslrootcert": "a.pem"}),
        (
            ", sslmode: verify-ca, sslrootcert: a.pem",
            {"sslmode": "verify-ca", "sslrootcert": "a.pem"},
        ),
        (", sslcert: a.pem, sslkey: b.pem", {"sslcert": "a.pem", "sslkey": "b.pem"}),
        (', user: ada, password: "${P}"', {"user": "ada", "password": "word"}),
    ],
)
def test_libpq_is_reported_what_the_block_says(
    tmp_path: Path, block: str, expected: dict[str, Any]
) -> None:
    for name in ("a.pem", "b.pem"):
        (tmp_path / name).touch()
    settings = read(tmp_path, f'url: "postgresql://db/app"{block}', {"P": "word"})

    paths = {name: str(tmp_path / name) for name in ("a.pem", "b.pem")}
    always = {"application_name": "gate", "client_encoding": "UTF8", "options": ""}
    assert keywords(settings) == always | {
        name: paths.get(value, value) for name, value in expected.items()
    }
    assert set(files_of(settings)) == {
        paths[value] for value in expected.values() if value in paths
    }


def test_a_package_that_is_missing_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = read(tmp_path, 'url: "postgresql://db/app"')
    monkeypatch.setattr(
        registering, "find_spec", lambda name: None if name == "psycopg2" else object()
    )
    with pytest.raises(UsageError, match=r"pip install 'psycopg2-binary>=2\.9\.9'$"):
        open_backend(settings, Limits(timeout=timedelta(seconds=1)))
