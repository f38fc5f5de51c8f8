"""Request logs in a store of objects: what is listed and read, and what is refused."""

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from time import monotonic
from urllib.parse import unquote

import duckdb
import pytest
import requests
from obstore.store import MemoryStore

from gate.backends import open_backend
from gate.backends.logs.backend import LogsBackend
from gate.backends.logs.database import opened
from gate.backends.logs.objects import ObjectFiles
from gate.backends.logs.path_columns import parse_path
from gate.backends.logs.prepare import prepare
from gate.backends.logs.stores import BucketUrl
from gate.measure import Cause, Counts, Limits, MeasurementError
from gate.measure.remedies import hint_for
from gate.slo.indicator import Sli
from tests.backends.logs.stored import HOURS, Stored, content, day, rows_of, stored
from tests.backends.logs.written import AT, DAY, FAILED, FORMATS, counts, refused, request, settings
from tests.servers.stores import SIGNED, ObjectServer

Answered = tuple[int, Mapping[str, str], bytes]


@pytest.fixture
def store(s3_server: ObjectServer, tmp_path: Path) -> Iterator[Stored]:
    with stored(s3_server, tmp_path) as made:
        yield made


@pytest.mark.variants(4)
@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_read(store: Stored, form: str) -> None:
    for part in ("a", "b"):
        store.put(f"logs/{part}.{form}", rows_of(1))

    assert counts(store.ask(f"logs/*.{form}", window=3 * DAY)) == (2 * HOURS, 2)


def test_one_object_may_be_named(store: Stored) -> None:
    store.put("logs/a.csv", rows_of(1))
    store.put("logs/b.csv", rows_of(1))

    assert counts(store.ask("logs/a.csv", window=3 * DAY)) == (HOURS, 1)
    assert store.front.listings() == []
    reason = refused(store.ask("logs/c.csv"), Cause.BACKEND_ERROR)
    path = f"s3://{store.bucket.name}/logs/c.csv"
    assert reason == f"no file matches {path}{hint_for('no-log-files')}"


NAMES = ("a[1]", "a*", "a?", "it's", "sp ace", "ünï", "a%20b", "a#b", "a+b")


def test_a_name_means_itself(store: Stored) -> None:
    text = content(store.folder, "x.csv", rows_of(1))
    for name in ("ax", *NAMES):
        store.bucket.put(f"logs/{name}.csv", text)

    number = 1 + len(NAMES)
    assert counts(store.ask("logs/*.csv", window=3 * DAY)) == (number * HOURS, number)
    assert store.front.objects() == {f"logs/{name}.csv" for name in ("ax", *NAMES)}


def test_only_the_days_of_the_window_are_listed_and_read(store: Stored) -> None:
    store.put_days(range(40))
    store.put("logs/other/a.jsonl", rows_of(1))

    # Of the day before the window a row may be filed under the day of another zone.
    assert counts(store.ask("logs/dt=*/*.jsonl", window=2 * DAY)) == (2 * HOURS, 2)
    read = {f"logs/dt={day(ago)}/a.jsonl" for ago in range(4)}
    assert store.front.objects() == read
    folders = {f"logs/dt={day(ago)}/" for ago in range(4)}
    assert set(store.front.listings()) == {"logs/"} | folders


def test_a_path_without_a_time_is_read_whole(store: Stored) -> None:
    for ago in range(5):
        store.put(f"logs/run={ago}/a.jsonl", rows_of(ago))

    assert counts(store.ask("logs/run=*/*.jsonl", window=DAY)) == (HOURS, 1)
    assert len(store.front.objects()) == 5
    assert set(store.front.listings()) == {"logs/"}


@pytest.mark.variants(4)
@pytest.mark.parametrize(
    ("key", "path", "read"),
    [
        ("logs/{0:%Y/%m/%d}/a.csv", "logs/{%Y/%m/%d}/*.csv", 4),
        ("logs/{0:%Y-%m-%d}.csv", "logs/{%Y-%m-%d}.csv", 4),
        # Of 11 h two days and an hour before the window nothing can be in it.
        ("y={0:%Y}/m={0:%m}/d={0:%d}/h={0:%H}/m=00/a.csv", "y=*/m=*/d=*/h=*/*/a.csv", 3),
        ("model=x/date={0:%Y%m%d}/a.csv", "model=*/date=*/a.csv", 4),
        ("logs/event_date={0:%Y-%m-%d}/a.csv", "logs/event_date={%Y-%m-%d}/a.csv", 4),
        ("year={0:%Y}/month={0:%m}/day={0:%d}/a.csv", "year=*/month=*/day=*/a.csv", 4),
        ("ds={0:%Y-%m-%d-%H}/a.csv", "ds=*/a.csv", 3),
    ],
)
def test_a_time_in_the_path_may_be_written_in_many_ways(
    store: Stored, key: str, path: str, read: int
) -> None:
    for ago in range(6):
        store.put(key.format(AT.replace(hour=11) - ago * DAY), rows_of(ago))

    assert counts(store.ask(path, window=2 * DAY)) == (2 * HOURS, 2)
    assert len(store.front.objects()) == read


def test_every_page_of_a_listing_is_read(store: Stored) -> None:
    for part in range(8):
        store.put(f"logs/dt={day(1)}/{part}.csv", rows_of(1))

    assert counts(store.ask("logs/dt=*/*.csv", window=3 * DAY)) == (8 * HOURS, 8)


def test_without_a_page_nothing_is_counted(store: Stored) -> None:
    for part in range(8):
        store.put(f"logs/dt={day(1)}/{part}.csv", rows_of(1))
    store.front.instead = lambda _, path, __: _fails(503) if "continuation" in path else None

    reason = refused(store.ask("logs/dt=*/*.csv", window=3 * DAY), Cause.BACKEND_ERROR)

    folder = f"s3://{store.bucket.name}/logs/dt={day(1)}/"
    error = "the store answers with an error (SlowDown 503)"
    assert reason == f"listing {folder} failed: {error}{hint_for('store-failed')}"


def _fails(status: int, code: str = "SlowDown") -> Answered:
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>secret words</Message></Error>"
    return status, {"Content-Type": "application/xml"}, text.encode()


@pytest.mark.parametrize(
    ("status", "code", "words", "hint"),
    [
        (403, "AccessDenied", "denies access", "store-access"),
        (400, "ExpiredToken", "says that the credentials have expired", "store-login"),
        (403, "RequestTimeTooSkewed", "says that this machine's clock is wrong", "store-clock"),
        (301, "PermanentRedirect", "is in another region", "store-region"),
        (400, "AuthorizationHeaderMalformed", "is in another region", "store-region"),
        (403, "InvalidAccessKeyId", "does not accept the credentials", "store-login"),
        (403, "SignatureDoesNotMatch", "does not accept the credentials", "store-login"),
        (401, "Unauthorized", "does not accept the credentials", "store-login"),
        (404, "NoSuchBucket", "does not exist", "no-bucket"),
    ],
)
def test_a_refusal_of_the_store_says_what_to_do(
    store: Stored, status: int, code: str, words: str, hint: str
) -> None:
    store.front.instead = lambda *_: _fails(status, code)

    reason = refused(store.ask("logs/*.csv"), Cause.BACKEND_ERROR)

    assert words in reason
    assert reason.endswith(hint_for(hint))
    assert "secret words" not in reason


@pytest.mark.variants(3)
@pytest.mark.parametrize(
    ("status", "code", "words", "hint"),
    [
        (403, "InvalidObjectState", "has archived an object", "archived-object"),
        (403, "AccessDenied", "denies access", "store-access"),
        (404, "NoSuchKey", "was there and is gone", "changed-object"),
        (412, "PreconditionFailed", "has changed since it was listed", "changed-object"),
        (416, "InvalidRange", "answers with an error (InvalidRange 416)", "store-failed"),
    ],
)
def test_an_object_that_cannot_be_read_spoils_the_count(
    store: Stored, status: int, code: str, words: str, hint: str
) -> None:
    for form in ("jsonl", "parquet", "csv.gz"):
        _refuse_one(store, form, _fails(status, code), words, hint)


def _refuse_one(store: Stored, form: str, answer: Answered, *said: str) -> None:
    words, hint = said
    store.front.instead = lambda *_: None
    for part in ("a", "b"):
        store.put(f"logs/{part}.{form}", rows_of(1))
    store.front.instead = lambda _, path, __: answer if f"b.{form}" in path else None

    reason = refused(store.ask(f"logs/*.{form}"), Cause.BACKEND_ERROR)

    assert words in reason
    assert reason.endswith(hint_for(hint))


@pytest.mark.parametrize("path", ["logs/dt=*/*.csv", "logs/a.csv"])
def test_a_refusal_spoils_whatever_is_looked_for(store: Stored, path: str) -> None:
    store.front.instead = lambda *_: _fails(403, "AccessDenied")

    reason = refused(store.ask(path), Cause.BACKEND_ERROR)

    assert "denies access" in reason


def test_a_listing_that_is_none_spoils_the_count(store: Stored) -> None:
    store.front.instead = lambda *_: (200, {"Content-Type": "text/html"}, b"Please log in")

    reason = refused(store.ask("logs/*.csv"), Cause.BACKEND_ERROR)

    assert "failed: its answer cannot be read (GenericError)" in reason


def test_a_part_that_is_shorter_than_requested_spoils_the_count(store: Stored) -> None:
    store.put("logs/a.jsonl", rows_of(1))
    text = content(store.folder, "a.jsonl", rows_of(1))

    def shorten(_: str, path: str, __: object) -> Answered | None:
        if "list-type" in path:
            return None
        answer = requests.get(store.bucket.server.url + path, headers=SIGNED, timeout=30)
        headers = {name: answer.headers[name] for name in ("ETag", "Last-Modified")}
        headers["Content-Range"] = f"bytes 0-{len(text) - 1}/{len(text)}"
        return 206, headers, text[:-200]

    store.front.instead = shorten
    reason = refused(store.ask("logs/*.jsonl"), Cause.BACKEND_ERROR)

    sent, size = len(text) - 200, len(text)
    path = f"s3://{store.bucket.name}/logs/a.jsonl"
    assert reason == f"the store sent {sent} of {size} bytes of {path}{hint_for('store-failed')}"


def test_a_folder_that_may_not_be_listed_spoils_the_count(store: Stored) -> None:
    store.put_days(range(3))
    denied = day(1)
    store.front.instead = lambda _, path, __: (
        _fails(403, "AccessDenied") if f"dt={denied}" in unquote(path) else None
    )

    reason = refused(store.ask("logs/dt=*/*.jsonl"), Cause.BACKEND_ERROR)

    assert reason.startswith(f"listing s3://{store.bucket.name}/logs/dt={denied}/ failed")


def test_an_object_that_changes_after_the_listing_spoils_the_count(store: Stored) -> None:
    store.put("logs/a.jsonl", rows_of(1))

    def change(_: str, path: str, __: object) -> None:
        if "list-type" not in path:
            store.put("logs/a.jsonl", rows_of(1)[:5])

    store.front.instead = change

    assert "has changed since it was listed" in refused(
        store.ask("logs/*.jsonl"), Cause.BACKEND_ERROR
    )


@pytest.mark.parametrize("tag", ['"another"', None])
def test_a_store_that_knows_no_conditions_is_not_believed(store: Stored, tag: str | None) -> None:
    store.put("logs/a.jsonl", rows_of(1))
    text = content(store.folder, "a.jsonl", rows_of(1))
    headers = {
        "Content-Range": f"bytes 0-{len(text) - 1}/{len(text)}",
        "Last-Modified": "Sun, 29 Nov 2026 19:00:00 GMT",
        **({"ETag": tag} if tag else {}),
    }
    store.front.instead = lambda _, path, __: None if "list-type" in path else (206, headers, text)

    refused(store.ask("logs/*.jsonl"), Cause.BACKEND_ERROR)


@pytest.mark.parametrize("form", ["jsonl", "jsonl.gz", "csv.gz", "parquet", "jsonl.zst", "csv.zst"])
def test_an_object_that_was_uploaded_in_part_is_refused(store: Stored, form: str) -> None:
    store.put(f"logs/a.{form}", rows_of(1))
    whole = content(store.folder, f"b.{form}", rows_of(1))
    store.bucket.put(f"logs/b.{form}", whole[:-20])

    reason = refused(store.ask(f"logs/*.{form}"), Cause.BACKEND_ERROR)

    assert reason.endswith(hint_for("damaged-log"))


def test_an_empty_object_has_no_rows(store: Stored) -> None:
    store.put("logs/a.jsonl", rows_of(1))
    store.bucket.put("logs/b.jsonl", b"")

    assert counts(store.ask("logs/*.jsonl", window=3 * DAY)) == (HOURS, 1)


def test_marks_and_what_is_not_data_yet_are_left_out(store: Stored) -> None:
    store.put(f"logs/dt={day(1)}/a.jsonl", rows_of(1))
    for key in (f"dt={day(1)}/_SUCCESS", "_SUCCESS", f"dt={day(1)}/"):
        store.bucket.put(f"logs/{key}", b"")
    for key in ("_temporary/0", ".hive-staging"):
        store.put(f"logs/dt={day(1)}/{key}/b.jsonl", rows_of(1))

    assert counts(store.ask("logs/dt=*/**", window=3 * DAY)) == (HOURS, 1)


def test_a_time_without_a_partition_has_no_data(store: Stored) -> None:
    store.put_days(range(30, 33))

    reason = refused(store.ask("logs/dt=*/*.jsonl"), Cause.NO_DATA)

    path = f"s3://{store.bucket.name}/logs/dt=*/*.jsonl"
    assert reason == (
        f"{path} has no partition of the time from 2026-10-30 12:00 to 2026-10-31 12:00 UTC"
        + hint_for("no-partition")
    )


def test_a_day_without_a_partition_is_reported_and_lowers_the_coverage(store: Stored) -> None:
    store.put_days(range(3))
    store.put_days(range(4, 6))

    answer = store.ask("logs/dt=*/*.jsonl", window=5 * DAY, probe=True)

    assert isinstance(answer, Counts)
    assert f"no partition of {day(3)}" in answer.evidence.notes
    assert answer.evidence.coverage is not None
    assert answer.evidence.coverage < 0.85
    assert [doubt.cause for doubt in answer.evidence.suspicions] == [Cause.LOST]


def test_many_missing_days_are_shortened(store: Stored) -> None:
    store.put_days(range(1))
    store.put_days(range(20, 21))

    answer = store.ask("logs/dt=*/*.jsonl", window=15 * DAY)

    assert isinstance(answer, Counts)
    assert answer.evidence.notes[-1].endswith(f"{day(10)} and 9 more")


def test_it_is_reported_how_much_was_read(store: Stored) -> None:
    store.put_days(range(10), "logs/dt={day}/a.parquet")

    answer = store.ask("logs/dt=*/*.parquet", window=2 * DAY)

    assert isinstance(answer, Counts)
    sizes = [len(content(store.folder, "a.parquet", rows_of(ago))) for ago in range(4)]
    read, size = (f"{number / 1000:.3g} KB" for number in (store.front.received, sum(sizes)))
    days = f"of {day(3)} to {day(0)}"
    assert answer.evidence.notes == (f"{read} read of 4 objects of {size}, {days}",)


def test_more_than_may_be_read_is_refused_before_it_is_read(store: Stored) -> None:
    store.put_days(range(10))
    size = 3 * len(content(store.folder, "a.jsonl", rows_of(1)))
    path = f"s3://{store.bucket.name}/logs/dt=*/*.jsonl"
    chosen = settings(store.folder, path=path)

    def measure(most: int) -> object:
        limits = Limits(timeout=timedelta(seconds=30), max_scan=most)
        return open_backend(chosen, limits).measure([request(window=DAY)], AT)[0]

    assert counts(measure(size)) == (HOURS, 1)  # type: ignore[arg-type]
    store.front.seen.clear()
    reason = refused(measure(size - 1), Cause.BACKEND_ERROR)  # type: ignore[arg-type]
    assert reason.startswith("the 3 objects hold ")
    assert reason.endswith(hint_for("large-scan"))
    assert store.front.objects() == set()


def test_an_expression_reads_nothing_else(store: Stored) -> None:
    store.put("logs/a.jsonl", rows_of(1))
    store.put("secret/b.jsonl", rows_of(1))
    root = f"s3://{store.bucket.name}/"
    with opened(timedelta(seconds=30), None) as database:
        prepare(database, settings(store.folder, path=f"{root}logs/*.jsonl"), [FAILED], None)

        def texts(name: str) -> int:
            (number,) = database.query(f"SELECT count(*) FROM read_text('{name}')")
            return int(number[0])

        assert texts(f"{root}logs/a.jsonl") == 1
        for name in (f"{root}secret/b.jsonl", f"{root}*/*", f"{root}logs/*"):
            assert texts(name) == 0
        for name in ("/etc/hostname", "/etc/*", "s3://other/a.jsonl"):
            with pytest.raises(duckdb.Error, match="disabled by configuration"):
                texts(name)
        with pytest.raises(duckdb.Error):
            database.query(f"COPY (SELECT 1) TO '{root}logs/new.csv'")
        with pytest.raises(PermissionError):
            database.objects.open(f"{root}logs/a.jsonl", "wb")  # type: ignore[union-attr]
    assert store.front.objects() == {"logs/a.jsonl"}


def test_what_a_run_has_read_can_be_asked_again_and_nothing_else(store: Stored) -> None:
    store.put_days(range(3), "logs/dt={day}/a.parquet")
    store.put("secret/b.parquet", rows_of(1))
    root = f"s3://{store.bucket.name}/"
    chosen = settings(store.folder, path=f"{root}logs/dt=*/*.parquet")
    backend = LogsBackend(chosen, Limits(timeout=timedelta(seconds=30)))

    rows = backend.ask((), (), lambda ready: ready.rows)  # whose connection is closed
    again = backend.again(rows)

    assert again.rows(f"SELECT count(*) FROM {rows.relation(['ts'])}") == [(3 * HOURS,)]
    with pytest.raises(MeasurementError):
        again.rows(f"SELECT count(*) FROM read_parquet('{root}secret/b.parquet')")


def test_columns_that_are_read_anew_are_of_the_same_objects(store: Stored) -> None:
    ids = [{**row, "id": (1 << 53) + place} for place, row in enumerate(rows_of(1))]
    store.put("logs/a.jsonl", [{**row, "id": 1} for row in rows_of(2)])
    store.put("logs/b.jsonl", ids)
    store.put("logs/c.jsonl", [{**row, "id": 1} for row in rows_of(3)])

    answer = store.ask("logs/*.jsonl", Sli(bad=f"id = {(1 << 53) + 1}"), 5 * DAY)

    assert counts(answer) == (3 * HOURS, 1)


def test_older_partitions_that_are_not_available_spoil_the_count(store: Stored) -> None:
    """They would say whether a pause is usual."""
    store.put_days(range(1, 20))
    denied = day(15)
    store.front.instead = lambda _, path, __: (
        _fails(403, "AccessDenied") if f"dt={denied}" in unquote(path) else None
    )

    answer = store.ask("logs/dt=*/*.jsonl", FAILED, 2 * DAY, probe=True)

    assert f"logs/dt={denied}/ failed" in refused(answer, Cause.BACKEND_ERROR)


def test_a_slow_store_ends_with_the_time_of_the_run(store: Stored) -> None:
    store.put("logs/a.jsonl", rows_of(1))
    done = threading.Event()

    def wait(_: str, path: str, __: object) -> None:
        if "list-type" not in path:
            done.wait(20)

    store.front.instead = wait
    begin = monotonic()
    reason = refused(store.ask("logs/*.jsonl", timeout=0.7), Cause.BACKEND_ERROR)
    done.set()

    assert "took longer than" in reason or "does not answer in time" in reason
    assert monotonic() - begin < 5


def test_a_store_that_is_not_there_cannot_be_reached(
    store: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    reason = refused(store.ask("logs/*.jsonl", timeout=5), Cause.BACKEND_ERROR)

    assert "the store cannot be reached" in reason
    assert reason.endswith(hint_for("store-failed"))


def test_nothing_is_read_after_the_time_of_the_run() -> None:
    files = _holding(b"text", seconds=0)

    with files.open("s3://bucket/a") as opened, pytest.raises(MeasurementError) as caught:
        opened.read(1)

    assert caught.value.reason == "reading the logs took longer than 0s"
    assert files.failure is caught.value


def test_only_what_is_listed_is_there() -> None:
    files = _holding(b"text")

    assert files.exists("s3://bucket/a")
    assert files.isfile("s3://bucket/a")
    assert not files.isfile("s3://bucket/b")
    assert files.glob("s3://bucket/*") == []
    assert files.modified("s3://bucket/a") > AT
    with pytest.raises(FileNotFoundError):
        files.open("s3://bucket/b")


@pytest.mark.slow
def test_threads_that_share_an_object_each_read_what_they_ask_for() -> None:
    # Several buffers of 16 MiB, which DuckDB's threads read at places of their own.
    line = b'{"status": %d, "text": "' + b"x" * 400_000 + b'"}\n'
    store = MemoryStore()
    store.put("a.jsonl", b"".join(line % (500 if n % 5 else 200) for n in range(200)))
    url = BucketUrl("s3", "s3", "bucket", "a.jsonl")
    files = ObjectFiles(store, url, timedelta(seconds=30))
    files.find(parse_path(url.root, url.key), None)

    with duckdb.connect(config={"threads": 4}) as connection:
        connection.register_filesystem(files)
        rows = connection.execute(
            "SELECT count(*), count_if(status = 500) FROM read_json('s3://bucket/a.jsonl',"
            " format = 'newline_delimited', columns = {status: 'INTEGER'})"
        ).fetchall()

    assert rows == [(200, 160)]


def test_what_is_read_on_goes_on_where_the_last_thread_ended() -> None:
    files = _holding(bytes(range(100)))

    with files.open("s3://bucket/a", ahead=10) as opened:
        in_another_thread(lambda: opened.seek(0))
        assert opened.seek(0) == 0
        assert opened.read(10) == bytes(range(10))
        assert in_another_thread(lambda: opened.read(5)) == bytes(range(10, 15))
        assert opened.read(5) == bytes(range(15, 20))
        assert in_another_thread(lambda: opened.seek(50)) == 50
        assert opened.seek(-20, 2) == 80
        assert opened.read(2) == bytes((80, 81))
        assert opened.seek(1, 1) == 83
        assert opened.read() == bytes(range(83, 100))
        assert opened.read(1) == b""
        assert (opened.readable(), opened.seekable(), opened.tell()) == (True, True, 100)


def test_threads_that_seek_apart_read_apart() -> None:
    files = _holding(bytes(range(100)))

    with files.open("s3://bucket/a", ahead=0) as opened:
        barrier = threading.Barrier(4)
        parts: dict[int, bytes] = {}

        def read(place: int) -> None:
            opened.seek(place)
            barrier.wait()
            parts[place] = opened.read(10)

        threads = [threading.Thread(target=read, args=(place,)) for place in (0, 20, 40, 60)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert parts == {place: bytes(range(place, place + 10)) for place in (0, 20, 40, 60)}


def _holding(text: bytes, seconds: float = 30) -> ObjectFiles:
    store = MemoryStore()
    store.put("a", text)
    url = BucketUrl("s3", "s3", "bucket", "a")
    files = ObjectFiles(store, url, timedelta(seconds=seconds))
    files.find(parse_path(url.root, url.key), None)
    return files


def in_another_thread(task: Callable[[], object]) -> object:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(task).result()
