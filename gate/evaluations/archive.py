"""Zip files of results: Inspect's logs in their default format, and CI artifacts.

Nothing is ever written to disk. A log, ``.eval``, is a zip file of JSON documents. Its members are
compressed with Zstandard, which Python's own zipfile reads from 3.14 on.
"""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any, Final

from gate.evaluations import EvaluationRun, UnreadableResultsError
from gate.evaluations.documents import Flaws, ResultsQuery
from gate.evaluations.inspect_log import is_document, read_log
from gate.evaluations.values import decode, mapping, parse_json

_HEADER: Final = "header.json"
_START: Final = "_journal/start.json"
_SAMPLE: Final = re.compile(r"samples/[^/]+\.json")
_ZSTANDARD: Final = 93
_DAMAGED: Final = "it is a zip file that is damaged or encrypted"
_MEMBER: Final = 64 << 20
"""The maximum size of a member in bytes."""
_UNPACKED: Final = 512 << 20
"""The maximum size of all members together in bytes."""
_MOST: Final = 50_000
"""The maximum number of members in an archive."""


def read(content: bytes, query: ResultsQuery) -> EvaluationRun:
    """Return the run in a log.

    Raises:
        UnreadableResultsError: it is damaged or too large, or no installed package can read it.
    """
    zipfile = _zipfile()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _read(_Members(archive), query)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise UnreadableResultsError(_DAMAGED) from error


def unpacked(content: bytes, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the wanted files of an archive, in the order of their names.

    Raises:
        UnreadableResultsError: it is damaged, encrypted or too large, or has odd names.
    """
    zipfile = _zipfile()
    # Each entry of the directory begins with this, so their number is limited before they are read.
    if content.count(b"PK\x01\x02") > _MOST:
        raise UnreadableResultsError(f"it has more than {_MOST:,} members")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = _Members(archive)
            for name in sorted(members.names):
                _check_name(name)
            _check_twice(members.names)
            files = [name for name in members.names if not name.endswith("/")]
            for name in sorted(filter(wanted, files)):
                yield name, members.content(name)
    except UnreadableResultsError:
        raise
    except Exception as error:
        raise UnreadableResultsError(_DAMAGED) from error


def _check_name(name: str) -> None:
    parts = name.removesuffix("/").split("/")
    if not name.isprintable() or "\\" in name or not {"", ".", ".."}.isdisjoint(parts):
        raise UnreadableResultsError(f"it has a member with the odd name {name!r}")


def _check_twice(names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        raise UnreadableResultsError("two of its members have one name")


def _zipfile() -> ModuleType:
    """Return the module that reads zip files, with Zstandard if that is installed."""
    try:
        from backports.zstd import zipfile as with_zstandard  # noqa: PLC0415 - an extra
    except ImportError:
        import zipfile  # noqa: PLC0415 - for such files only

        return zipfile
    return with_zstandard


class _Members:
    """The documents of an archive, with a maximum total size."""

    def __init__(self, archive: Any) -> None:
        self._archive = archive
        self._left = _UNPACKED
        self.names: list[str] = archive.namelist()

    def document(self, name: str) -> Any:
        """Return a document."""
        return parse_json(decode(self.content(name)))

    def content(self, name: str) -> bytes:
        """Return the content of a member."""
        try:
            with self._archive.open(name) as file:
                raw: bytes = file.read(min(self._left, _MEMBER) + 1)
        except NotImplementedError as error:
            method = self._archive.getinfo(name).compress_type
            raise UnreadableResultsError(_unsupported(method)) from error
        except Exception as error:
            raise UnreadableResultsError(_DAMAGED) from error
        self._left -= len(raw)
        if self._left < 0 or len(raw) > _MEMBER:
            raise UnreadableResultsError("it unpacks to far more data than results have")
        return raw


def _unsupported(method: int) -> str:
    if method == _ZSTANDARD:
        return (
            "it is compressed with Zstandard: install the extra `evaluations`, or let Inspect write"
            " it with --log-format json"
        )
    return f"it is compressed with method {method}, which is not supported"


def _read(members: _Members, query: ResultsQuery) -> EvaluationRun:
    flaws = Flaws()
    _check_twice(members.names)
    if _HEADER in members.names:
        header = mapping(members.document(_HEADER))
    elif _START in members.names:
        # A run that was killed has no header yet; its journal has the plan of the run.
        flaws.add("the run is not finished: it has no header.json")
        header = {"status": "started", **mapping(members.document(_START))}
    else:
        raise UnreadableResultsError("it is a zip file, and not a log of Inspect")
    if not is_document(header):
        raise UnreadableResultsError("its header is not that of a log of Inspect")
    return read_log(header, _samples(members), query, flaws)


def _samples(members: _Members) -> Iterator[Any]:
    for name in members.names:
        if _SAMPLE.fullmatch(name):
            yield members.document(name)
