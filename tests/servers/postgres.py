"""A real PostgreSQL server on the loopback, whose data last as long as the tests."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.parse import quote

import psycopg2
import psycopg2.extensions
import trustme

from tests.servers.processes import free_port, missing

OWNER = "owner"
"""The superuser, who may connect without a password."""
READER = "reader"
"""May read what it is granted, and nothing else."""
PASSWORD = "pässword/of the reader@1"
"""With characters that an address must escape."""
_OTHER_USER = "postgres"
"""PostgreSQL does not run as root."""
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "20",
    "autovacuum": "off",
    "ssl": "on",
    "timezone": "Asia/Kathmandu",  # a session must set its own
    "log_min_messages": "fatal",
}
_HOSTS = f"""
local all {OWNER} trust
host all,replication {OWNER} 127.0.0.1/32 trust
hostssl rejected all 127.0.0.1/32 scram-sha-256
host rejected all 127.0.0.1/32 reject
host all all 127.0.0.1/32 scram-sha-256
local all all scram-sha-256
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A server that is up."""

    port: int
    folder: Path
    """The folder of its socket."""
    database: str = "postgres"

    @property
    def url(self) -> str:
        """The address, without a user."""
        return f"postgresql://127.0.0.1:{self.port}/{self.database}"

    @property
    def reader_url(self) -> str:
        """The address of the reader, with the password, and without TLS, which takes time."""
        login = f"{READER}:{quote(PASSWORD, safe='')}"
        return self.url.replace("//", f"//{login}@") + "?sslmode=disable"

    @property
    def authority(self) -> Path:
        """The PEM file of the authority that signed the certificate of the server."""
        return self.folder / "authority.pem"

    @contextmanager
    def connected(self) -> Iterator[psycopg2.extensions.connection]:
        """Connect as the superuser while the block lasts; each statement is a transaction."""
        connection = psycopg2.connect(
            host="127.0.0.1", port=self.port, user=OWNER, dbname=self.database
        )
        connection.autocommit = True
        try:
            yield connection
        finally:
            connection.close()

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as the superuser; return the rows of the last."""
        with self.connected() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def load(
        self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[object]]
    ) -> None:
        """Create a table that the reader may read, and fill it."""
        listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        places = ", ".join(["%s"] * len(columns))
        self.run(f"DROP TABLE IF EXISTS {table}", f"CREATE TABLE {table} ({listed})")
        with self.connected() as connection, connection.cursor() as cursor:
            for start in range(0, len(rows), 1000):
                part = [cursor.mogrify(f"({places})", row) for row in rows[start : start + 1000]]
                cursor.execute(f"INSERT INTO {table} VALUES ".encode() + b",".join(part))
        self.run(f"GRANT SELECT ON {table} TO {READER}")


def programs() -> Path:
    """Return the folder of initdb and pg_ctl; skip the test where there is none."""
    # Debian and Ubuntu put them beside each other by version, and not into the PATH.
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name)
    for folder in reversed(folders):
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    program = shutil.which("initdb")
    return Path(program).parent if program else missing("postgresql")


def _certify(folder: Path, data: Path) -> None:
    """Give the server a certificate for the loopback."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(folder / "authority.pem")
    certificate.private_key_pem.write_to_path(data / "server.key")
    certificate.cert_chain_pems[0].write_to_path(data / "server.crt")
    (data / "server.key").chmod(0o600)
    if os.geteuid() == 0:
        shutil.chown(data / "server.key", _OTHER_USER)


RUNNING: list["Postgres"] = []
"""The server of the session, for those who cannot be given a fixture."""


@contextmanager
def postgres(*, settings: Mapping[str, str] | None = None) -> Iterator[Postgres]:
    """Run a server while the block lasts, with a superuser and a reader."""
    with _folder() as folder:
        data, server = folder / "data", Postgres(port=free_port(), folder=folder)
        _call("initdb", "-D", str(data), "-A", "trust", "-U", OWNER, "--no-sync", *_PLAIN)
        (data / "pg_hba.conf").write_text(_HOSTS, encoding="utf-8")
        _certify(folder, data)
        with _running(server, {**_SETTINGS, **(settings or {})}):
            server.run(f"CREATE ROLE {READER} LOGIN PASSWORD '{PASSWORD}'")
            RUNNING.append(server)
            yield server
            RUNNING.remove(server)


@contextmanager
def replica(primary: Postgres) -> Iterator[Postgres]:
    """Run a replica of a server while the block lasts; it waits for no statement of its own."""
    with _folder() as folder:
        server = Postgres(port=free_port(), folder=folder)
        source = ["-h", "127.0.0.1", "-p", str(primary.port), "-U", OWNER]
        _call("pg_basebackup", "-D", str(folder / "data"), "-R", "-c", "fast", "--no-sync", *source)
        with _running(server, {**_SETTINGS, "max_standby_streaming_delay": "0"}):
            yield server


_PLAIN = ("--no-locale", "-E", "UTF8")


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(mkdtemp(prefix="gate-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, _OTHER_USER)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(server: Postgres, settings: Mapping[str, str]) -> Iterator[None]:
    data, log = str(server.folder / "data"), str(server.folder / "log")
    options = " ".join(
        ["-c listen_addresses=127.0.0.1", f"-p {server.port}", f"-k {server.folder}"]
        + [f"-c {name}={value}" for name, value in settings.items()]
    )
    _call("pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start")
    try:
        yield
    finally:
        _call("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


def _call(program: str, *arguments: str) -> None:
    """Run a program of the server, as a user other than root."""
    as_user = ["runuser", "-u", _OTHER_USER, "--"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*as_user, str(programs() / program), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd="/",
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{program}: {done.stderr.decode(errors='replace')}")
