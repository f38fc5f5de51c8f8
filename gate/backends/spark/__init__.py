"""Requests in a table of a Spark cluster, which counts them in one scan, over Spark Connect."""

from typing import TYPE_CHECKING, Final

from gate.backends import Registration, Starter
from gate.backends.spark.settings import BLOCK, SparkSettings, files, secrets
from gate.backends.sql.settings import mistake_in_sql
from gate.measure import Backend, Limits

if TYPE_CHECKING:
    from gate.backends.sql.engine import Engine
    from gate.measure.diagnosis import Doctor


def _engine(settings: SparkSettings, limits: Limits) -> "Engine":
    from gate.backends.spark.connection import SparkConnection  # noqa: PLC0415 - imports pyspark
    from gate.backends.spark.engine import SparkEngine  # noqa: PLC0415
    from gate.backends.spark.session import SparkSession  # noqa: PLC0415

    return SparkEngine(SparkSession(SparkConnection(settings, limits.timeout)))


def _open(settings: SparkSettings, limits: Limits) -> Backend:
    from gate.backends.sql.backend import SqlBackend  # noqa: PLC0415 - a policy is read without it

    return SqlBackend(lambda: _engine(settings, limits), settings.table, limits)


def _open_doctor(settings: SparkSettings, limits: Limits) -> "Doctor":
    from gate.backends.sql.doctor import SqlDoctor  # noqa: PLC0415 - as above

    return SqlDoctor(lambda: _engine(settings, limits), settings.table, limits)


_URL: Final = """\
backend:
  type: spark
  url: sc://spark:15002         # Spark Connect; with ;use_ssl=true where the server speaks TLS
  # token: "$${SPARK_TOKEN}"
"""
_STARTER: Final = Starter(
    block=f"""\
{_URL}\
  table: logs.requests          # or catalog.schema.table, or files: parquet.`/data/requests`
  timestamp: timestamp          # the column that says when
  # time_zone: Europe/Berlin    # of a TIMESTAMP_NTZ

""",
    block_for_preset=f"{_URL}  table: logs.requests\n  records: $preset\n\n",
    slos="""\
slos:
  - name: availability
    objective: 99.9%          # 0.1% of requests may fail
    window: 30d
    sli:
      bad: status >= 500      # in Spark's own SQL
  - name: latency
    objective: 95%            # a P95 objective: 95% of requests are fast enough
    window: 30d
    sli:
      column: latency_ms
      threshold: 2000
""",
    advice="set the url, and table and columns if yours differ",
)
REGISTRATION: Final = Registration(
    settings=SparkSettings,
    block=BLOCK,
    open=_open,
    open_doctor=_open_doctor,
    secrets=secrets,
    files=files,
    public=frozenset({"tls.ca", "tls.cert", "tls.key", *BLOCK.fields}) - {"url", "token", "tls"},
    starter=_STARTER,
    indicators=frozenset({"ratio", "threshold", "spent"}),
    keeps_history=True,
    promql=False,
    reads_rows=True,
    mistake_in=mistake_in_sql("spark"),
    max_age=lambda _: None,
)
