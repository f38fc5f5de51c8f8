"""A session of a Spark Connect server: its settings, and its complete answers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from gate.backends.spark.connection import SparkConnection, not_whole
from gate.backends.sql.engine import Row
from gate.measure import Cause, MeasurementError
from gate.measure.remedies import hint_for

if TYPE_CHECKING:
    from pyspark.sql.connect.proto import types_pb2

SETTINGS: Final[Mapping[str, str]] = {
    "spark.sql.session.timeZone": "UTC",
    # An overflow, a bad cast and a division by zero are errors instead of NULL.
    "spark.sql.ansi.enabled": "true",
    # A deleted or damaged file is an error; its rows are not just missing.
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.sql.files.ignoreCorruptFiles": "false",
    # The meaning of quotes, names, ${...} and TIMESTAMP in SQL.
    "spark.sql.caseSensitive": "false",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    "spark.sql.variable.substitute": "false",
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.parser.quotedRegexColumnNames": "false",
    "spark.sql.ansi.doubleQuotedIdentifiers": "false",
    # Sail treats partitions as rows.
    "spark.sql.optimizer.metadataOnly": "false",
}
"""The settings that affect what a statement counts, with their required values."""


class SparkSession:
    """The session of one run; it begins with the first query."""

    def __init__(self, connection: SparkConnection) -> None:
        self._connection = connection
        self._protocol = connection.protocol
        self._running: str | None = None
        self._begun = False
        self._read = dict[tuple[str, int], int]()

    @property
    def scanned(self) -> int | None:
        """The bytes that all statements have read; None: the server does not report them."""
        return sum(self._read.values()) or None

    def version(self) -> str | None:
        """Return the version of Spark; None: the server has none."""
        question = self._protocol.AnalyzePlanRequest.SparkVersion()
        try:
            answer = self._analyze("", spark_version=question)
        except MeasurementError as error:
            if error.cause is Cause.INVALID:  # Sail asks the Python installation beside it
                return None
            raise
        return str(answer.spark_version.version)

    def schema(self, statement: str) -> "Sequence[types_pb2.DataType.StructField]":
        """Return the columns of a statement's result, without running it."""
        question = self._protocol.AnalyzePlanRequest.Schema(plan=self._plan(statement))
        return list(self._analyze(statement, schema=question).schema.schema.struct.fields)

    def costs(self, statement: str) -> str:
        """Return the plan of a statement with its statistics, without running it."""
        explain = self._protocol.AnalyzePlanRequest.Explain
        question = explain(plan=self._plan(statement), explain_mode=explain.EXPLAIN_MODE_COST)
        return str(self._analyze(statement, explain=question).explain.explain_string)

    def rows(self, statement: str) -> list[Row]:
        """Run a statement; an answer that may be incomplete is an error.

        If the time ends without an answer, this asks the server to stop.
        """
        self._begin()
        operation = self._running = str(uuid4())
        try:
            rows = list(self._rows(operation, statement))
        except BaseException:
            self._interrupt(operation)
            raise
        finally:
            self._running = None
        return rows

    def close(self) -> None:
        """End the session, and its running statements."""
        if self._running is not None:
            self._interrupt(self._running)
        if self._begun:
            request = self._connection.request("ReleaseSessionRequest")
            self._connection.part("ReleaseSession", request)
        self._connection.close()

    def _rows(self, operation: str, statement: str) -> Iterator[Row]:
        import pyarrow as pa  # noqa: PLC0415 - with the protocol only

        reattach = self._protocol.ReattachOptions(reattachable=True)
        request = self._connection.request(
            "ExecutePlanRequest", plan=self._plan(statement), operation_id=operation
        )
        request.request_options.add(reattach_options=reattach)
        count = 0
        for response in self._connection.stream(operation, request, statement):
            for stage in response.execution_progress.stages:
                self._read[operation, stage.stage_id] = stage.input_bytes_read
            if not response.HasField("arrow_batch"):
                continue
            answer = response.arrow_batch
            with pa.ipc.open_stream(answer.data) as batches:
                rows = [row for batch in batches for row in _rows_of(batch)]
            begins = answer.start_offset if answer.HasField("start_offset") else count
            if len(rows) != answer.row_count or begins != count:
                raise not_whole()
            count += len(rows)
            yield from rows

    def _begin(self) -> None:
        """Set the session's settings to their required values, and check them."""
        if self._begun:
            return
        config = self._protocol.ConfigRequest
        pairs = [self._protocol.KeyValue(key=key, value=SETTINGS[key]) for key in SETTINGS]
        # A setting that cannot be set is not yet a failure: it may already have its value.
        change = config.Operation(set=config.Set(pairs=pairs, silent=True))
        question = config.Operation(get_option=config.GetOption(keys=list(SETTINGS)))
        self._configure(change)
        self._begun = True
        answer = self._configure(question)
        # A server that does not know a setting does not follow it either.
        values = {pair.key: pair.value for pair in answer.pairs if pair.HasField("value")}
        for key, value in SETTINGS.items():
            if values.get(key, value).lower() != value.lower():
                reason = (
                    f"Spark cannot be queried: its setting {key} is {values[key]}, and stays so"
                )
                raise MeasurementError(Cause.BACKEND_ERROR, reason + hint_for("spark-setting"))

    def _configure(self, operation: object) -> Any:
        request = self._connection.request("ConfigRequest", operation=operation)
        return self._connection.ask("Config", request)

    def _analyze(self, statement: str, **question: object) -> Any:
        self._begin()
        request = self._connection.request("AnalyzePlanRequest", **question)
        return self._connection.ask("AnalyzePlan", request, statement)

    def _plan(self, statement: str) -> Any:
        """Return a statement as a relation: only queries can be relations."""
        relation = self._protocol.Relation
        common = self._protocol.RelationCommon(plan_id=0)
        sql = self._protocol.SQL(query=statement)
        return self._protocol.Plan(root=relation(common=common, sql=sql))

    def _interrupt(self, operation: str) -> None:
        interrupt = "InterruptRequest"
        kind = getattr(self._protocol, interrupt).INTERRUPT_TYPE_OPERATION_ID
        request = self._connection.request(interrupt, interrupt_type=kind, operation_id=operation)
        self._connection.part("Interrupt", request)


def _rows_of(batch: Any) -> Iterator[Row]:
    return zip(*map(_values, batch.columns), strict=True)


def _values(column: Any) -> list[Any]:
    """Return Python's values; a decimal without fractional digits is an integer."""
    values = column.to_pylist()
    if getattr(column.type, "scale", None) != 0:
        return list(values)
    return [None if value is None else int(value) for value in values]
