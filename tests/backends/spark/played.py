"""A Spark Connect server that plays what a real one does only on a bad day."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

from gate.backends.spark.connection import load_protocol


class Fails(Exception):
    """The failure in which a call ends."""

    def __init__(self, status: str, text: str = "", **details: str) -> None:
        super().__init__(status, text)
        self.status, self.text, self.details = status, text, details


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A part of an answer: rows of one number."""

    rows: Sequence[int]
    count: int | None = None
    """How many it says it has; None: as many as it has."""
    start: int | None = None
    """How many come before it, as it says; None: it does not say it."""


@dataclass(frozen=True, slots=True)
class Complete:
    """The last part of an answer."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table: names, and the protocol's names of types."""

    types: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Progress:
    """How many bytes each stage of the query has read so far."""

    read: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Conditions:
    """An answer that every given expression is a condition: true or false of a row."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a statement would be run."""

    text: str


Part = Batch | Complete | Progress
Stream = Callable[[], Iterator[Part]]
"""Yields the parts of an answer; raises `Fails`."""


def stream(*parts: Part | Fails) -> Stream:
    """Return what yields these parts; a failure among them is raised."""

    def parts_of() -> Iterator[Part]:
        for part in parts:
            if isinstance(part, Fails):
                raise part
            yield part

    return parts_of


@dataclass(slots=True, kw_only=True)
class Script:
    """The behaviour of the server, and the requests that it has seen."""

    streams: Sequence[Stream] = ()
    """For each call that asks for rows, in order; the last one for all that follow."""
    analyzed: Sequence[Columns | Conditions | Plan | Fails] = ()
    """For each call that asks for a schema or the like: an answer, or what it fails with."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """The settings that no request can change."""
    version: str = "4.3.0"
    sessions: Sequence[str] = ("first",)
    """The session's name on the server, at each answer; the last one from then on."""
    name_of: str = "{stream}.{number}"
    """The name of each part of an answer, by its stream and its place there."""
    deaf: bool = False
    """Whether interrupts fail."""
    calls: list[tuple[str, Any, dict[str, str]]] = field(default_factory=list)
    """Method, request and metadata of each."""

    def requests(self, method: str) -> list[Any]:
        return [request for name, request, _ in self.calls if name == method]


def _message(protocol: Any, part: Part) -> Any:
    response = protocol.ExecutePlanResponse
    if isinstance(part, Complete):
        return response(result_complete=response.ResultComplete())
    if isinstance(part, Progress):
        progress = response.ExecutionProgress()
        for stage, read in part.read.items():
            progress.stages.add(stage_id=stage, input_bytes_read=read)
        return response(execution_progress=progress)
    import pyarrow as pa  # noqa: PLC0415 - as in the engine

    rows = pa.RecordBatch.from_pylist([{"n": row} for row in part.rows])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_batch(rows)
    count = len(part.rows) if part.count is None else part.count
    data = sink.getvalue().to_pybytes()
    arrow = response.ArrowBatch(row_count=count, data=data, start_offset=part.start)
    return response(arrow_batch=arrow)


def _analyzed(protocol: Any, answer: Columns | Plan) -> Any:
    if isinstance(answer, Plan):
        explain = protocol.AnalyzePlanResponse.Explain(explain_string=answer.text)
        return protocol.AnalyzePlanResponse(explain=explain)
    return _schema(protocol, answer)


def _schema(protocol: Any, columns: Columns) -> Any:
    struct = protocol.DataType.Struct()
    for name, kind in columns.types.items():
        data_type = protocol.DataType()
        getattr(data_type, kind).SetInParent()
        struct.fields.add(name=name, data_type=data_type)
    response = protocol.AnalyzePlanResponse
    return response(schema=response.Schema(schema=protocol.DataType(struct=struct)))


class _Service:
    """The calls of the protocol, by their names."""

    def __init__(self, script: Script) -> None:
        self.protocol = load_protocol()
        self.script = script
        self.answered = self.analyzed = self.streamed = 0
        self.values = dict[str, str]()

    def _see(self, method: str, request: Any, context: Any) -> None:
        self.script.calls.append((method, request, dict(context.invocation_metadata())))

    def _signed(self, response: Any) -> Any:
        sessions = self.script.sessions
        response.server_side_session_id = sessions[min(self.answered, len(sessions) - 1)]
        self.answered += 1
        return response

    def Config(self, request: Any, context: Any) -> Any:
        self._see("Config", request, context)
        operation = request.operation
        self.values.update({pair.key: pair.value for pair in operation.set.pairs})
        self.values.update(self.script.settings)
        pairs = [
            self.protocol.KeyValue(key=key, value=self.values.get(key) or None)
            for key in operation.get_option.keys
        ]
        return self._signed(self.protocol.ConfigResponse(pairs=pairs))

    def AnalyzePlan(self, request: Any, context: Any) -> Any:
        self._see("AnalyzePlan", request, context)
        if request.HasField("spark_version"):
            response = self.protocol.AnalyzePlanResponse
            version = response.SparkVersion(version=self.script.version)
            return self._signed(response(spark_version=version))
        analyzed = self.script.analyzed
        answer = analyzed[min(self.analyzed, len(analyzed) - 1)]
        self.analyzed += 1
        if isinstance(answer, Fails):
            _fail(context, answer)
        if isinstance(answer, Conditions):
            number = request.schema.plan.root.sql.query.count(" AS e")
            answer = Columns({f"e{place}": "boolean" for place in range(number)})
        return self._signed(_analyzed(self.protocol, answer))

    def ExecutePlan(self, request: Any, context: Any) -> Iterator[Any]:
        self._see("ExecutePlan", request, context)
        yield from self._stream(context)

    def ReattachExecute(self, request: Any, context: Any) -> Iterator[Any]:
        self._see("ReattachExecute", request, context)
        yield from self._stream(context)

    def _stream(self, context: Any) -> Iterator[Any]:
        parts = self.script.streams[min(self.streamed, len(self.script.streams) - 1)]
        self.streamed += 1
        try:
            for number, part in enumerate(parts()):
                response = _message(self.protocol, part)
                name = self.script.name_of.format(stream=self.streamed, number=number)
                response.response_id = name
                yield self._signed(response)
        except Fails as failure:
            _fail(context, failure)

    def Interrupt(self, request: Any, context: Any) -> Any:
        self._see("Interrupt", request, context)
        if self.script.deaf:
            _fail(context, Fails("UNAVAILABLE", "busy"))
        return self._signed(self.protocol.InterruptResponse())

    def ReleaseSession(self, request: Any, context: Any) -> Any:
        self._see("ReleaseSession", request, context)
        return self._signed(self.protocol.ReleaseSessionResponse())


def _fail(context: Any, failure: Fails) -> NoReturn:
    import grpc  # noqa: PLC0415 - after the protocol, which silences it
    from google.protobuf.any_pb2 import Any as Packed  # noqa: PLC0415 - as above
    from google.rpc import error_details_pb2, status_pb2  # noqa: PLC0415 - as above

    code = grpc.StatusCode[failure.status]
    status = status_pb2.Status(code=code.value[0], message=failure.text)
    if failure.details:
        packed = Packed()
        packed.Pack(error_details_pb2.ErrorInfo(metadata=failure.details))
        status.details.append(packed)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, failure.text)  # which raises
    raise AssertionError


@contextmanager
def playing(script: Script, credentials: Callable[[], Any] | None = None) -> Iterator[str]:
    """Run the server while the block lasts; give its address.

    Args:
        script: what it does.
        credentials: of a server that speaks TLS; made when gRPC has been loaded.
    """
    protocol = load_protocol()
    import grpc  # noqa: PLC0415 - after the protocol, which silences it

    with ThreadPoolExecutor(4) as threads:
        server = grpc.server(threads)
        add = protocol.add_SparkConnectServiceServicer_to_server
        servicer = type("Service", (_Service, protocol.SparkConnectServiceServicer), {})
        add(servicer(script), server)
        place = "127.0.0.1:0"
        if credentials is None:
            port = server.add_insecure_port(place)
        else:
            port = server.add_secure_port(place, credentials())
        server.start()
        try:
            yield f"sc://127.0.0.1:{port}"
        finally:
            server.stop(None).wait()
