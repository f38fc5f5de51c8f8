"""A channel to a Spark Connect server: calls that end in time, and errors in plain words.

pyspark's own client would retry failures for ten minutes, and print the server's stack traces. The
protocol's messages are the same from Spark 3.5 on:
https://github.com/apache/spark/tree/master/sql/connect/common/src/main/protobuf/spark/connect
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from gate import __version__
from gate.backends.spark.refusals import SparkFailure, failure_of, refusal
from gate.errors import UsageError
from gate.measure import Cause, MeasurementError
from gate.measure.remedies import hint_for
from gate.slo.quantities import format_duration

if TYPE_CHECKING:
    from gate.backends.spark.settings import SparkSettings

_LARGEST: Final = 128 << 20
"""The maximum size of a message in bytes, as in pyspark."""
_AGAIN: Final = (0.2, 1.0)
"""The seconds before a call with a broken connection is repeated."""
_ENDED: Final = 1.0
"""A stream that ends in fewer seconds, without an answer, was not one of the server's pauses."""
_PARTING: Final = 2.0
"""The seconds for the last calls to the server, even if the run has less time left."""

_PACKAGES: Final = ("pyspark", "pyspark.sql", "pyspark.sql.connect")
_LOADING: Final = Lock()
"""A lock, since two backends may be opened at the same time."""


def load_protocol() -> Any:
    """Import the protocol's messages, without output.

    Raises:
        UsageError: the package is not installed.
    """
    # gRPC's core writes to stderr by itself.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        with _LOADING, _bare_packages():
            from pyspark.sql.connect import proto  # noqa: PLC0415 - only where Spark is asked
    except ImportError as error:
        message = "backend type spark needs a package; run pip install 'error-budget-gate[spark]'"
        raise UsageError(message) from error
    return proto


@contextmanager
def _bare_packages() -> Iterator[None]:
    """Make the packages around the protocol empty, unless they are imported already.

    They import pandas, which takes two seconds and 50 MB, and which the protocol does not need.
    """
    spec = None if _PACKAGES[0] in sys.modules else find_spec(_PACKAGES[0])
    folders = list((spec and spec.submodule_search_locations) or ())
    # If the folder is missing, the import itself succeeds or reports the error.
    bare = {name: ModuleType(name) for name in _PACKAGES if folders}
    for name, package in bare.items():
        package.__path__ = [str(Path(folder, *name.split(".")[1:])) for folder in folders]
    sys.modules.update(bare)
    try:
        yield
    finally:
        for name in bare:
            del sys.modules[name]


class SparkConnection:
    """The channel of one run, with its session. Opening it sends nothing.

    Raises:
        UsageError: the package is not installed.
    """

    def __init__(self, settings: "SparkSettings", timeout: timedelta) -> None:
        self.protocol = load_protocol()
        import grpc  # noqa: PLC0415 - with the package above

        self._rpc_error = grpc.RpcError
        self._timeout = timeout
        self._end = monotonic() + timeout.total_seconds()
        self._metadata = settings.metadata()
        options = [("grpc.max_receive_message_length", _LARGEST)]
        if settings.address.secure:
            credentials = grpc.ssl_channel_credentials(*map(_content, _pem_files(settings)))
            self._channel = grpc.secure_channel(settings.address.target, credentials, options)
        else:
            self._channel = grpc.insecure_channel(settings.address.target, options)
        self._stub = self.protocol.SparkConnectServiceStub(self._channel)
        self._head = {
            "session_id": str(uuid4()),
            "user_context": self.protocol.UserContext(user_id=settings.address.user),
            "client_type": f"{settings.address.agent} gate/{__version__}".strip(),
        }
        self._server_side = ""
        self._gone = False

    def request(self, name: str, **fields: object) -> Any:
        """Return a request of this session, by its name in the protocol."""
        return getattr(self.protocol, name)(**self._head, **fields)

    def ask(self, method: str, request: object, statement: str = "") -> Any:
        """Make a call that reads no row.

        Args:
            method: the name of the call in the protocol.
            request: the sent message.
            statement: the SQL in it.

        Raises:
            MeasurementError: the server does not answer.
        """
        waits = iter(_AGAIN)
        while True:
            try:
                response = getattr(self._stub, method)(request, **self._bounds())
            except self._rpc_error as error:
                failure = failure_of(error)
                wait = next(waits, None) if failure.passing else None
                if wait is None:
                    raise self._refusal(failure, statement, reads=False) from None
                sleep(min(wait, self._left()))
            else:
                self._see(response)
                return response

    def stream(self, operation: str, request: object, statement: str) -> Iterator[Any]:
        """Yield all responses to a statement up to the last, which is marked as such.

        A server ends a stream after some minutes, and a connection may break: then the responses
        after the last received one are requested.

        Raises:
            MeasurementError: the answer is missing, or incomplete.
        """
        method, last, lost, seen = "ExecutePlan", "", 0, set[str]()
        while True:
            begun = monotonic()
            try:
                for response in getattr(self._stub, method)(request, **self._bounds()):
                    self._see(response)
                    last, lost = response.response_id, 0
                    if last in seen:  # repeated rows would be counted twice
                        raise not_whole()
                    seen.add(last)
                    if response.HasField("result_complete"):
                        return
                    yield response
            except self._rpc_error as error:
                failure = failure_of(error)
                if not (failure.passing and last):
                    raise self._refusal(failure, statement, reads=True) from None
            lost = lost + 1 if monotonic() - begun < _ENDED else 0
            if lost > len(_AGAIN):
                raise not_whole()
            sleep(min(_AGAIN[lost - 1], self._left()))
            method = "ReattachExecute"
            fields = {"last_response_id": last} if last else {}
            request = self.request("ReattachExecuteRequest", operation_id=operation, **fields)

    def part(self, method: str, request: object) -> None:
        """Make a last call, whose failure has no effect; make none after a failure."""
        if self._gone:
            return
        try:
            getattr(self._stub, method)(request, timeout=_PARTING, metadata=self._metadata)
        except self._rpc_error:
            self._gone = True

    def close(self) -> None:
        """Close the channel; waiting calls end with a refusal."""
        self._gone = True
        self._channel.close()

    def _bounds(self) -> dict[str, object]:
        return {"timeout": self._left(), "metadata": self._metadata}

    def _left(self) -> float:
        """Return the remaining seconds of the run."""
        left = self._end - monotonic()
        if left <= 0:
            raise self._too_late()
        return left

    def _see(self, response: Any) -> None:
        """Check that it is the same session: another one would have none of its settings."""
        answered = response.server_side_session_id
        if self._server_side and answered != self._server_side:
            reason = "Spark cannot be queried: the server was started anew during this run"
            raise MeasurementError(Cause.BACKEND_ERROR, reason + hint_for("spark-session"))
        self._server_side = answered

    def _refusal(self, failure: SparkFailure, statement: str, *, reads: bool) -> MeasurementError:
        if failure.status == "DEADLINE_EXCEEDED":
            return self._too_late()
        return refusal(failure, statement, reads=reads)

    def _too_late(self) -> MeasurementError:
        reason = f"Spark gave no answer within {format_duration(self._timeout)}"
        return MeasurementError(Cause.BACKEND_ERROR, reason + hint_for("spark-slow"))


def not_whole() -> MeasurementError:
    """Return the refusal for an answer that ends too early."""
    reason = "Spark's answer is not whole: it ends before its end"
    return MeasurementError(Cause.BACKEND_ERROR, reason + hint_for("spark-hung-up"))


def _pem_files(settings: "SparkSettings") -> tuple[Path | None, Path | None, Path | None]:
    """Return the files of the authorities, the client's key and its certificate."""
    return settings.ca, settings.key or settings.cert, settings.cert


def _content(file: Path | None) -> bytes | None:
    try:
        return file.read_bytes() if file else None
    except OSError:
        reason = f"Spark cannot be queried: {file} cannot be read"
        raise MeasurementError(Cause.BACKEND_ERROR, reason + hint_for("certificate-file")) from None
