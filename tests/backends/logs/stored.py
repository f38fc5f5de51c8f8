"""Request logs in a bucket, and what was asked of its server."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from gate.measure import Answer
from tests.backends.logs.written import AT, DAY, Row, ask, write
from tests.servers.stores import BucketOfServer, Front, ObjectServer, before

_NUMBERS: Final = count()
HOURS: Final = 24


def day(ago: int) -> str:
    """Return the day so many days before the end of every window."""
    return f"{AT - ago * DAY:%Y-%m-%d}"


def rows_of(ago: int, **more: object) -> list[Row]:
    """Return a row an hour of a day, at half past; the first of them is bad."""
    midnight = AT.replace(hour=0) - ago * DAY
    return [
        {
            "ts": (midnight + timedelta(hours=hour, minutes=30)).isoformat(),
            "status": 200 if hour else 500,
            **more,
        }
        for hour in range(HOURS)
    ]


def content(folder: Path, name: str, rows: Sequence[Row]) -> bytes:
    """Return a file of the format that its name says."""
    return write(folder / f"content-{name}", rows).read_bytes()


class Stored:
    """A bucket behind a proxy."""

    def __init__(self, bucket: BucketOfServer, front: Front, folder: Path) -> None:
        self.bucket, self.front, self.folder = bucket, front, folder

    def put(self, key: str, rows: Sequence[Row]) -> None:
        """Write rows to an object, in the format that its name says."""
        self.bucket.put(key, content(self.folder, key.rpartition("/")[2], rows))

    def put_days(self, days: range, key: str = "logs/dt={day}/a.jsonl") -> None:
        """Write days of `rows_of`."""
        for ago in days:
            self.put(key.format(day=day(ago)), rows_of(ago))

    def ask(self, path: str, *arguments: Any, **more: Any) -> Answer:
        """Count the rows at a path of the bucket."""
        return ask(self.folder, *arguments, path=f"s3://{self.bucket.name}/{path}", **more)


@contextmanager
def stored(server: ObjectServer, folder: Path) -> Iterator[Stored]:
    """Make a bucket, of which the environment says where it is and who asks, for a while."""
    with before(server) as front:
        clean = {
            name: text
            for name, text in os.environ.items()
            if not name.startswith(("AWS_", "AZURE_", "GOOGLE_"))
        }
        said = {
            "AWS_ACCESS_KEY_ID": "key-of-test",
            "AWS_SECRET_ACCESS_KEY": "secret-of-test",
            "AWS_ENDPOINT_URL": front.url,
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "HOME": str(folder),
        }
        with patch.dict(os.environ, clean | said, clear=True):
            yield Stored(server.make(f"logs-of-test-{next(_NUMBERS)}"), front, folder)
