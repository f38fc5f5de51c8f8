"""A failure of Spark, or of the way to it, is an error with a remedy, and never half an answer."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gate.backends.spark.connection import _AGAIN, load_protocol
from gate.errors import UsageError
from gate.measure import Cause, MeasurementError
from tests.backends.spark.opened import opened
from tests.backends.spark.played import (
    Batch,
    Columns,
    Complete,
    Fails,
    Part,
    Script,
    Stream,
    playing,
    stream,
)
from tests.command import heeding_interrupts
from tests.servers.processes import free_port


def refused(url: str, timeout: float = 20.0) -> MeasurementError:
    with opened(url, timeout) as engine, pytest.raises(MeasurementError) as refusal:
        engine.rows("SELECT 1 / x AS n FROM r")
    return refusal.value


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.backends.spark.connection._AGAIN", (0.01, 0.02))


FAILURES = [
    (Fails("UNAUTHENTICATED", "Invalid token"), "does not accept the login", "set backend.token"),
    (Fails("PERMISSION_DENIED", "no"), "the login may not do this", "grant the login"),
    (Fails("UNIMPLEMENTED", "Method not found"), "another kind of server", "check the port"),
    (Fails("RESOURCE_EXHAUSTED", "full"), "at its limits", "check the state of the cluster"),
    (Fails("UNAVAILABLE", "cluster is starting"), "it is not available", "run the check again"),
    (Fails("UNAVAILABLE", "Socket closed"), "it hung up", "use_ssl=true"),
    (
        Fails("INTERNAL", "[INVALID_HANDLE.SESSION_CLOSED] closed", errorClass="INVALID_HANDLE"),
        "the session has ended",
        "driver's log",
    ),
    (
        Fails(
            "INTERNAL", "[OPERATION_CANCELED] x SQLSTATE: HY008", errorClass="OPERATION_CANCELED"
        ),
        "somebody has cancelled the query",
        "limit of the cluster",
    ),
    (
        Fails("INTERNAL", "[X.Y] no right on `secret`", errorClass="X.Y", sqlState="42501"),
        "the login may not do this",
        "grant the login",
    ),
    (
        Fails("INTERNAL", "Job aborted: ExecutorLostFailure (executor 1 exited)"),
        "a part of the cluster was lost",
        "more memory",
    ),
    (
        Fails("INTERNAL", "[FAILED_READ_FILE] s3://x", errorClass="FAILED_READ_FILE.NO_HINT"),
        "a file cannot be read",
        "repair the table",
    ),
    (
        Fails(
            "INTERNAL", "[SOME_ERROR] of 4711 'Smith'", errorClass="SOME_ERROR", sqlState="XX000"
        ),
        "it failed (SOME_ERROR)",
        "driver's log",
    ),
    (
        Fails("INTERNAL", "cannot open 'Smith' 4711\nat java.lang.Thread"),
        "it failed (INTERNAL, cannot open ... ...)",
        "driver's log",
    ),
]


@pytest.mark.variants(10)
@pytest.mark.parametrize(("failure", "words", "remedy"), FAILURES, ids=str)
def test_failure_of_a_query_has_a_sentence_and_a_remedy(
    failure: Fails, words: str, remedy: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with playing(Script(streams=[stream(failure)])) as url:
        error = refused(url)

    assert error.cause is Cause.BACKEND_ERROR
    assert error.reason.startswith("Spark cannot be queried: ")
    assert words in error.reason
    assert remedy in error.reason
    assert not [word for word in ("Smith", "4711", "secret", "java") if word in error.reason]
    assert capfd.readouterr() == ("", "")


MISFITS = [
    (
        Fails("INTERNAL", "[X] 'Smith'", errorClass="CAST_INVALID_INPUT", sqlState="22018"),
        "CAST_IN",
    ),
    (Fails("INTERNAL", "divide by zero"), "a wrong type, an overflow or a division by zero"),
    (
        Fails(
            "INTERNAL",
            "[DIVIDE_BY_ZERO] x\n== SQL (line 1, position 8) ==\nSELECT 1 / x\n       ^^^^^\n",
            errorClass="DIVIDE_BY_ZERO",
            sqlState="22012",
        ),
        "(DIVIDE_BY_ZERO in 1 / x)",
    ),
]


@pytest.mark.variants(2)
@pytest.mark.parametrize(("failure", "words"), MISFITS)
def test_value_that_does_not_fit_is_of_the_indicator_alone(failure: Fails, words: str) -> None:
    with playing(Script(streams=[stream(failure)])) as url:
        error = refused(url)

    assert error.cause is Cause.INVALID
    assert words in error.reason
    assert "Smith" not in error.reason


def test_statement_that_spark_refuses_is_a_mistake_in_the_policy() -> None:
    failure = Fails(
        "INTERNAL",
        "[DATATYPE_MISMATCH.X] Cannot resolve a. SQLSTATE: 42K09; line 1 pos 7;\n'Project",
        errorClass="DATATYPE_MISMATCH.X",
        sqlState="42K09",
    )
    with playing(Script(streams=[stream(failure)], analyzed=[failure])) as url:
        error = refused(url)
        with opened(url) as engine:
            words = engine.types("r", ["a"])

    assert error.cause is Cause.INVALID
    assert "Spark refuses the statement: Cannot resolve a; correct the expression" in error.reason
    assert words == ["Cannot resolve a"]


def test_error_that_breaks_the_connection_is_not_about_one_expression() -> None:
    script = Script(analyzed=[Fails("UNAVAILABLE", "down")])
    with (
        playing(script) as url,
        opened(url) as engine,
        pytest.raises(MeasurementError, match="it is not available"),
    ):
        engine.types("r", ["a", "b"])


HALVES = [
    ("ends without its end", [stream(Batch(rows=[1, 2])), stream()]),
    ("ends at once", [stream()]),
    ("has fewer rows than it says", [stream(Batch(rows=[1], count=2), Complete())]),
    ("leaves rows out", [stream(Batch(rows=[1]), Batch(rows=[3], start=2), Complete())]),
]


@pytest.mark.variants(2)
@pytest.mark.parametrize(("_name", "streams"), HALVES, ids=[name for name, _ in HALVES])
def test_answer_that_is_not_whole_is_an_error(_name: str, streams: list[Stream]) -> None:
    with playing(Script(streams=streams)) as url:
        error = refused(url)

    assert error.cause is Cause.BACKEND_ERROR
    assert "Spark's answer is not whole" in error.reason


RESUMED = [
    ("the server pauses", stream(Batch(rows=[1, 2], start=0))),
    (
        "the connection breaks",
        stream(Batch(rows=[1, 2], start=0), Fails("UNAVAILABLE", "Socket closed")),
    ),
    (
        "the cursor is lost",
        stream(
            Batch(rows=[1, 2]),
            Fails("INTERNAL", "x", errorClass="INVALID_CURSOR.DISCONNECTED", sqlState="HY109"),
        ),
    ),
]


@pytest.mark.variants(1)
@pytest.mark.parametrize(("_name", "first"), RESUMED, ids=[name for name, _ in RESUMED])
def test_answer_that_was_interrupted_goes_on_where_it_stopped(_name: str, first: Stream) -> None:
    script = Script(streams=[first, stream(Batch(rows=[3], start=2), Complete())])
    with playing(script) as url, opened(url) as engine:
        rows = engine.rows("SELECT n FROM r")

    assert rows == [(1,), (2,), (3,)]
    (request,) = script.requests("ReattachExecute")
    assert request.last_response_id == "1.0"
    assert request.operation_id == script.requests("ExecutePlan")[0].operation_id


def test_rows_that_come_again_are_not_counted_twice() -> None:
    first = stream(Batch(rows=[1, 2]), Fails("UNAVAILABLE", "closed"))
    script = Script(streams=[first, stream(Batch(rows=[1, 2]), Complete())], name_of="{number}")
    with playing(script) as url:
        assert "Spark's answer is not whole" in refused(url).reason


def test_pause_of_a_server_that_is_still_counting_is_not_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gate.backends.spark.connection._ENDED", 0.0)
    pauses = [stream()] * (len(_AGAIN) + 3)
    script = Script(streams=[*pauses, stream(Batch(rows=[7]), Complete())])
    with playing(script) as url, opened(url) as engine:
        assert engine.rows("SELECT n FROM r") == [(7,)]


def test_types_of_other_expressions_are_not_an_answer() -> None:
    script = Script(analyzed=[Columns({"e0": "boolean"})])
    with (
        playing(script) as url,
        opened(url) as engine,
        pytest.raises(MeasurementError, match="not whole"),
    ):
        engine.types("r", ["a", "b"])


def test_call_is_made_again_where_only_the_connection_broke() -> None:
    script = Script(analyzed=[Fails("UNAVAILABLE", "Socket closed"), Columns({"n": "long"})])
    with playing(script) as url, opened(url) as engine:
        assert [column.type for column in engine.columns("r").values()] == ["bigint"]


def test_server_that_was_started_anew_has_lost_the_settings() -> None:
    script = Script(streams=[stream(Batch(rows=[1]), Complete())], sessions=["a", "a", "b"])
    with playing(script) as url:
        assert "the server was started anew during this run" in refused(url).reason


def test_setting_that_changes_counts_and_stays_is_refused() -> None:
    with playing(Script(settings={"spark.sql.files.ignoreCorruptFiles": "true"})) as url:
        reason = refused(url).reason

    assert "its setting spark.sql.files.ignoreCorruptFiles is true, and stays so" in reason
    assert "docs/backends.md lists the settings" in reason


def test_setting_that_the_server_does_not_know_is_none() -> None:
    script = Script(streams=[stream(Complete())], settings={"spark.sql.timestampType": ""})
    with playing(script) as url, opened(url) as engine:
        assert engine.rows("SELECT 1 AS n") == []


@pytest.mark.slow
def test_query_is_interrupted_on_the_server_when_the_run_ends() -> None:
    def endless() -> Iterator[Part]:
        yield Batch(rows=[1])
        time.sleep(1.5)
        yield Complete()

    script = Script(streams=[endless])
    begun = time.monotonic()
    with playing(script) as url:
        error = refused(url, timeout=0.4)
        assert time.monotonic() - begun < 1.4

    assert error.cause is Cause.BACKEND_ERROR
    assert "Spark gave no answer within 400ms" in error.reason
    (interrupt,) = script.requests("Interrupt")
    assert interrupt.operation_id == script.requests("ExecutePlan")[0].operation_id
    assert len(script.requests("ReleaseSession")) == 1


def test_server_that_hears_no_interrupt_is_not_waited_for() -> None:
    script = Script(streams=[stream(Fails("UNAVAILABLE", "down"))], deaf=True)
    with playing(script) as url:
        assert "it is not available" in refused(url).reason

    assert len(script.requests("Interrupt")) == 1
    assert not script.requests("ReleaseSession")


@pytest.mark.slow
def test_query_is_interrupted_on_the_server_at_ctrl_c() -> None:
    def slow() -> Iterator[Part]:
        threading.Timer(0.1, signal.raise_signal, [signal.SIGINT]).start()
        time.sleep(1)
        yield Complete()

    script = Script(streams=[slow])
    interrupted = pytest.raises(KeyboardInterrupt)
    with playing(script) as url, opened(url) as engine, heeding_interrupts(), interrupted:
        engine.rows("SELECT 1 AS n")

    assert len(script.requests("Interrupt")) == 1


def test_closing_ends_what_another_thread_still_waits_for() -> None:
    asked = threading.Event()

    def slow() -> Iterator[Part]:
        asked.set()
        time.sleep(0.5)
        yield Complete()

    script = Script(streams=[slow])
    with playing(script) as url, ThreadPoolExecutor(1) as thread:
        with opened(url) as engine:
            waiting = thread.submit(engine.rows, "SELECT 1")
            assert asked.wait(10)
        error = waiting.exception(10)

    assert isinstance(error, MeasurementError)
    assert script.requests("Interrupt")


def test_only_queries_are_sent_with_the_login_and_the_program_s_name() -> None:
    script = Script(streams=[stream(Complete())])
    with playing(script) as url:
        more = ";token=h0p;user_id=ci;user_agent=nightly;X-Tenant=blue"
        with opened(f"{url}/{more}") as engine:
            engine.rows("SELECT n FROM r")

    (request,) = script.requests("ExecutePlan")
    assert request.plan.root.sql.query == "SELECT n FROM r"
    assert request.user_context.user_id == "ci"
    assert request.client_type.startswith("nightly gate/")
    for _, _, metadata in script.calls:
        assert metadata["authorization"] == "Bearer h0p"
        assert metadata["x-tenant"] == "blue"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sc://127.0.0.1:{free}", "connection refused; check the host and port"),
        ("sc://nowhere.invalid:15002", "the host name cannot be resolved; check the host name"),
        ("sc://127.0.0.1:{http}", "another kind of server answers; check the port"),
    ],
)
def test_way_to_the_server_has_a_sentence_and_a_remedy(
    url: str, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    class Page(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            error = refused(url.format(free=free_port(), http=server.server_port))
        finally:
            server.shutdown()
            thread.join()

    assert error.cause is Cause.BACKEND_ERROR
    assert words in error.reason
    assert capfd.readouterr() == ("", "")


def test_tls_to_a_server_without_it_says_so() -> None:
    with playing(Script()) as url:
        assert (
            "the TLS handshake failed; if the server speaks no TLS"
            in refused(f"{url}/;use_ssl=true").reason
        )


def test_run_that_has_no_time_left_asks_nothing() -> None:
    script = Script()
    with playing(script) as url:
        assert "no answer within 0s" in refused(url, timeout=0).reason

    assert not script.calls


def test_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)

    with pytest.raises(UsageError, match=r"pip install 'error-budget-gate\[spark\]'"):
        load_protocol()


@pytest.mark.slow
def test_protocol_is_loaded_without_pandas_and_leaves_the_package_as_it_was() -> None:
    program = (
        "import sys; from gate.backends.spark.connection import load_protocol;"
        " protocol = load_protocol(); assert protocol is load_protocol();"
        " protocol.ExecutePlanRequest();"
        " print(sorted(sys.modules.keys() & {'pandas', 'pyspark', 'pyspark.sql'}))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert (done.stdout.split("\n"), done.stderr) == (["[]", ""], "")


def test_old_server_is_doubted() -> None:
    script = Script(version="3.4.1", analyzed=[Columns({"n": "long"})])
    with playing(script) as url, opened(url) as engine:
        (result,) = engine.examine("r")

    assert result.message == "Spark 3.4.1 is older than 3.5, the oldest that is supported"
    assert result.remedy == "use a cluster with Spark 3.5 or newer"
