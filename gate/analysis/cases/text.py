"""Write a case into a file of cases, without changing anything else in it."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from gate.errors import UsageError
from gate.parsing.nodes import child_at
from gate.parsing.reader import loader

HEAD: Final = "version: 1\ncases:\n"
"""The beginning of a new file."""
_INDENT: Final = "  "
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/:+-]*")
_BLOCKS: Final = frozenset({"slos", "expect"})
"""The keys whose entries have a line each."""


def with_case(text: str, case: Mapping[str, Any], path: str) -> str:
    """Return the text of a file of cases with one more at the end of its list.

    Args:
        text: the text of a readable file; empty if the file does not exist yet.
        case: the result of `gate.analysis.cases.record.recorded_case`.
        path: the path of the file, for messages.

    Raises:
        UsageError: its list is on one line, so that a line cannot be added.
    """
    if not text:
        return HEAD + "".join(f"{line}\n" for line in _lines(case, _INDENT))
    cases = _cases(text)
    if cases.flow_style:
        raise UsageError(f"{path}: write cases as a list of lines (- name: ...) to add one")
    before, after = _parted(text, cases.end_mark.index)
    new = ["", *_lines(case, " " * cases.start_mark.column)]
    return before + "".join(f"{line}\n" for line in new) + after


def _parted(text: str, end: int) -> tuple[str, str]:
    """Split a text after its last line before a place that is not only a comment."""
    lines = text[:end].split("\n")
    while not lines[-1].strip() or lines[-1].lstrip().startswith("#"):
        lines.pop()
    before = "\n".join(lines)
    return f"{before}\n", text[len(before) :].removeprefix("\n")


def _cases(text: str) -> Any:
    """Return the node of the list of cases."""
    root: Any = yaml.compose(text, loader())
    return child_at(root, "cases")


def _lines(case: Mapping[str, Any], indent: str) -> Iterator[str]:
    lead = f"{indent}- "
    for key, value in case.items():
        if key in _BLOCKS:
            yield f"{lead}{key}:"
            inner = f"{indent}{_INDENT * 2}"
            yield from (f"{inner}{name}: {_written(entry)}" for name, entry in value.items())
        else:
            yield f"{lead}{key}: {_written(value)}"
        lead = f"{indent}{_INDENT}"


def _written(value: object) -> str:
    """Write a value on one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_written(child)}' for key, child in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    plain = _PLAIN.fullmatch(text) and ": " not in text and not text.endswith((":", " "))
    return text if plain else json.dumps(text, ensure_ascii=False)
