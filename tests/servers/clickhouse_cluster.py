"""Two real ClickHouse servers as a cluster: Debian's 18.16.

tests/install-clickhouse.sh unpacks it.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.servers.processes import free_port, missing, running

FOLDER = Path(__file__).parent.parent.parent / ".servers" / "clickhouse"
PASSWORD = "h0p-of-the-server"
CONFIG = """\
<yandex>
  <logger><level>warning</level><log>{folder}/log</log><errorlog>{folder}/errors</errorlog></logger>
  <listen_host>127.0.0.1</listen_host><http_port>{http}</http_port><tcp_port>{native}</tcp_port>
  <path>{folder}/data/</path><tmp_path>{folder}/tmp/</tmp_path>
  <users_config>users.xml</users_config>
  <default_profile>default</default_profile><default_database>default</default_database>
  <mark_cache_size>5368709120</mark_cache_size>
  <remote_servers><pair>
    <shard><replica><host>127.0.0.1</host><port>{first}</port></replica></shard>
    <shard><replica><host>127.0.0.1</host><port>{second}</port></replica></shard>
  </pair></remote_servers>
</yandex>
"""
USER = (
    "<{name}><password>{password}</password><networks><ip>::/0</ip></networks>"
    "<profile>{name}</profile><quota>default</quota></{name}>"
)
USERS = f"""\
<yandex>
  <profiles>
    <default/>
    <locked><readonly>1</readonly></locked>
    <skipping><readonly>2</readonly><skip_unavailable_shards>1</skip_unavailable_shards></skipping>
  </profiles>
  <users>
    {USER.format(name="default", password="")}
    {USER.format(name="locked", password="")}
    {USER.format(name="skipping", password=PASSWORD)}
  </users>
  <quotas><default/></quotas>
</yandex>
"""
FIRST_ROWS, SECOND_ROWS = 1_000_000, 500_000


@dataclass(frozen=True, slots=True)
class Cluster:
    """The first of two servers, whose table ``d`` is distributed over both."""

    url: str
    native: int
    second: ExitStack
    """Ends the second server when it is closed."""


def ask(url: str, statement: str, user: str = "default", **parameters: str) -> requests.Response:
    """Send a statement without the gate."""
    login = (user, PASSWORD if user == "skipping" else "")
    return requests.post(url, data=statement, params=parameters, auth=login, timeout=30)


@contextmanager
def one_server(folder: Path, ports: dict[str, int]) -> Iterator[str]:
    """Run one of the servers."""
    folder.mkdir()
    (folder / "config.xml").write_text(CONFIG.format(folder=folder, **ports), encoding="utf-8")
    (folder / "users.xml").write_text(USERS, encoding="utf-8")
    libraries = [str(FOLDER / part / "x86_64-linux-gnu") for part in ("usr/lib", "lib")]
    program = str(FOLDER / "usr" / "sbin" / "clickhouse-server")
    url = f"http://127.0.0.1:{ports['http']}"
    with running(
        [program, "server", f"--config-file={folder / 'config.xml'}"],
        f"{url}/ping",
        folder / "output",
        {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(libraries)},
    ):
        yield url


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Run both while the block lasts; skip the test where they are not installed."""
    if not (FOLDER / ".installed").exists():
        missing("the ClickHouse server", "tests/install-clickhouse.sh unpacks it in .servers")
    first, second = free_port(), free_port()
    with ExitStack() as stack:
        shards = {"first": first, "second": second}
        ports = {"http": free_port(), "native": first, **shards}
        url = stack.enter_context(one_server(folder / "first", ports))
        beside = stack.enter_context(ExitStack())
        ports = {"http": free_port(), "native": second, **shards}
        other = beside.enter_context(one_server(folder / "second", ports))
        table = "CREATE TABLE r (ts DateTime, status UInt16) ENGINE = MergeTree ORDER BY ts"
        fill = "INSERT INTO r SELECT toDateTime(1700000000) + number, {} FROM numbers({})"
        for where, status, rows in ((url, 200, FIRST_ROWS), (other, 500, SECOND_ROWS)):
            for statement in (table, fill.format(status, rows)):
                assert ask(where, statement).status_code == 200
        distributed = "CREATE TABLE d AS r ENGINE = Distributed(pair, default, r)"
        assert ask(url, distributed).status_code == 200
        yield Cluster(url, first, beside)
