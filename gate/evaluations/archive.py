"""Inspect's logs as it writes them by default: ``.eval``, a zip file of JSON documents.

Its members are compressed with Zstandard, which Python's own zipfile reads from 3.14 on.
"""

import io
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Final

from gate.evaluations import EvaluationRun, UnreadableResultsError
from gate.evaluations.documents import Flaws, ResultsQuery, decode, mapping, parse_json
from gate.evaluations.inspect_log import is_document, read_log

_HEADER: Final = "header.json"
_START: Final = "_journal/start.json"
_SAMPLE: Final = re.compile(r"samples/[^/]+\.json")
_ZSTANDARD: Final = 93
_DAMAGED: Final = "it is a zip file that is damaged or encrypted"
_MEMBER: Final = 64 << 20
"""Bytes that a member may have."""
_UNPACKED: Final = 512 << 20
"""Bytes that all members may have together."""


def read(content: bytes, query: ResultsQuery) -> EvaluationRun:
    """Return what a log says.

    Raises:
        UnreadableResultsError: it is damaged or too large, or nothing is installed that reads it.
    """
    zipfile = _zipfile()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _read(_Members(archive), query)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise UnreadableResultsError(_DAMAGED) from error


def _zipfile() -> ModuleType:
    """Return the module that reads zip files, with Zstandard where that is installed."""
    try:
        from backports.zstd import zipfile as with_zstandard  # noqa: PLC0415 - an extra
    except ImportError:
        import zipfile  # noqa: PLC0415 - for such files only

        return zipfile
    return with_zstandard


class _Members:
    """The documents of an archive, of which all together have a largest size."""

    def __init__(self, archive: Any) -> None:
        self._archive = archive
        self._left = _UNPACKED
        self.names: list[str] = archive.namelist()

    def document(self, name: str) -> Any:
        """Return a document."""
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
            raise UnreadableResultsError("it unpacks to far more than results have")
        return parse_json(decode(raw))


def _unsupported(method: int) -> str:
    if method == _ZSTANDARD:
        return (
            "it is compressed with Zstandard: install the extra `evaluations`, or let Inspect write"
            " it with --log-format json"
        )
    return f"it is compressed with method {method}, which is not supported"


def _read(members: _Members, query: ResultsQuery) -> EvaluationRun:
    flaws = Flaws()
    if len(set(members.names)) < len(members.names):
        raise UnreadableResultsError("two of its members have one name")
    if _HEADER in members.names:
        header = mapping(members.document(_HEADER))
    elif _START in members.names:
        # A run that was killed has no header yet; its journal says what was to be run.
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
