"""Requests in a table of a Spark cluster, which counts them in one scan, over Spark Connect."""

from typing import TYPE_CHECKING, Final

from gate.backends.spark.settings import BLOCK, SparkSettings, files, secrets
from gate.backends.sql.registering import SQLGLOT, sql_registration, sql_starter
from gate.measure import Limits

if TYPE_CHECKING:
    from gate.backends.sql.engine import Engine


def _engine(settings: SparkSettings, limits: Limits) -> "Engine":
    from gate.backends.spark.connection import SparkConnection  # noqa: PLC0415 - imports pyspark
    from gate.backends.spark.engine import SparkEngine  # noqa: PLC0415
    from gate.backends.spark.session import SparkSession  # noqa: PLC0415

    return SparkEngine(SparkSession(SparkConnection(settings, limits.timeout)))


REGISTRATION: Final = sql_registration(
    SparkSettings,
    block=BLOCK,
    engine=_engine,
    packages=SQLGLOT,  # the connection itself says whether pyspark is missing
    secrets=secrets,
    files=files,
    public=frozenset({"tls.ca", "tls.cert", "tls.key", *BLOCK.fields}) - {"url", "token", "tls"},
    starter=sql_starter(
        "Spark",
        server="""\
backend:
  type: spark
  url: sc://spark:15002         # Spark Connect; with ;use_ssl=true where the server speaks TLS
  # token: "$${SPARK_TOKEN}"
""",
        table="""\
  table: logs.requests          # or catalog.schema.table, or files: parquet.`/data/requests`
  timestamp: timestamp          # the column of the time
  # time_zone: Europe/Berlin    # of a TIMESTAMP_NTZ
""",
        table_of_preset="  table: logs.requests\n",
        advice="set the url, and table and columns if yours differ",
    ),
)
