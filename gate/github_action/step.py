"""One step of a GitHub Actions job: its outputs, its summary, and what stands in its log.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
Of Python's own library alone: it is used before anything is installed.
"""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TextIO

from gate.hosts.comments import cut

SUMMARY_BYTES: Final = 1024 * 1024
"""A longer summary is not shown at all."""


_POINTER: Final = "_Cut here: a summary holds no more. The step's output `report` has it whole._"


@dataclass(frozen=True, slots=True)
class Step:
    """What the runner reads of a step. Nothing here raises: reporting never decides."""

    environ: Mapping[str, str]
    log: TextIO

    def say(self, text: str) -> None:
        """Write text to the log as it is; foreign text only within `foreign`."""
        self.log.write(text if text.endswith("\n") else f"{text}\n")
        self.log.flush()

    @contextmanager
    def foreign(self) -> Iterator[None]:
        """Let the runner take nothing for a command while the block lasts, whatever is written."""
        token = secrets.token_hex(16)
        self.say(f"::stop-commands::{token}")
        try:
            yield
        finally:
            self.say(f"\n::{token}::")

    def annotate(self, kind: Literal["error", "warning", "notice"], message: str) -> None:
        """Write a line that stands on the page of the run, too."""
        self.say(f"::{kind} title=gate::{_data(message)}")

    def mask(self, secret: str) -> None:
        """Have a secret blotted out wherever the log would show it."""
        self.say(f"::add-mask::{_data(secret)}")

    def set_outputs(self, outputs: Mapping[str, str]) -> None:
        """Set outputs of the step; of two of one name the later counts."""
        self._append("GITHUB_OUTPUT", "".join(map(_output, outputs.items())))

    def summarize(self, markdown: str) -> None:
        """Add Markdown to the summary of the job, as much as it holds."""
        self._append("GITHUB_STEP_SUMMARY", within(f"{markdown}\n", SUMMARY_BYTES))

    def _append(self, variable: str, text: str) -> None:
        try:
            with Path(self.environ[variable]).open("ab") as file:
                file.write(text.encode("utf-8", "replace"))
        except (KeyError, OSError) as error:
            self.annotate("warning", f"{variable} cannot be written: {error}")


def within(markdown: str, most: int) -> str:
    """Return the Markdown, or as many of its lines as fit into so many bytes of UTF-8."""
    limit = most
    while True:
        text = cut(markdown, limit, _POINTER)
        size = len(text.encode("utf-8", "replace"))
        if size <= most:
            return text
        # No character has more than four bytes, so this ends, at a quarter at the latest.
        limit = limit * most // size


def _output(pair: tuple[str, str]) -> str:
    name, value = pair
    delimiter = secrets.token_hex(16)  # a value that anybody can write cannot end itself
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
