"""Cut a report to the maximum length of a host, so that the rest still renders."""

import re
from dataclasses import field
from typing import Final

from gate.dataclass import dataclass

_FENCE: Final = re.compile(r" {0,3}(?P<marks>`{3,}|~{3,})(?P<rest>.*)")
_TAG: Final = re.compile(r"<(?P<end>/?)(?P<name>details|summary|pre|code)\b[^>]*>", re.IGNORECASE)


def truncate(text: str, limit: int, pointer: str) -> str:
    """Return the text, or as many of its lines as fit with the pointer after them.

    Folded details and blocks of code that are open at the cut are closed.

    Args:
        text: Markdown.
        limit: the maximum number of characters of the result; more than the pointer has.
        pointer: Markdown that says where the whole report is.
    """
    if len(text) <= limit:
        return text
    kept, tail, read, nesting = 0, pointer, 0, _Nesting()
    for line in text.splitlines(keepends=True):
        read += len(line)
        nesting.read(line)
        after = "".join(f"\n\n{part}" for part in (nesting.end(), pointer) if part)
        if read + len(after) <= limit:
            kept, tail = read, after
    return text[:kept].rstrip("\n") + tail


@dataclass(slots=True)
class _Nesting:
    """The blocks that are open after the lines that were read."""

    fence: str = ""
    tags: list[str] = field(default_factory=list)

    def read(self, line: str) -> None:
        fence = None if "pre" in self.tags else _FENCE.match(line)
        if fence is not None:
            self._pass(fence["marks"], fence["rest"].strip())
        elif not self.fence:
            for tag in _TAG.finditer(line):
                self._meet(tag["name"].lower(), ends=bool(tag["end"]))

    def end(self) -> str:
        """Return the text that closes all open blocks, the innermost first."""
        return "\n".join(filter(None, (self.fence, *(f"</{tag}>" for tag in self.tags[::-1]))))

    def _pass(self, marks: str, rest: str) -> None:
        if not self.fence:
            self.fence = marks
        elif marks.startswith(self.fence) and not rest:
            self.fence = ""

    def _meet(self, tag: str, *, ends: bool) -> None:
        if not ends:
            self.tags.append(tag)
        elif tag in self.tags:
            while self.tags.pop() != tag:
                pass
