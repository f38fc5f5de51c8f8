"""The result of a step that ran in this process."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Done:
    """How a step ended."""

    code: int
    outputs: dict[str, str]
    log: str
    summary: str


Do = Callable[..., Done]


def report(done: Done) -> str:
    return Path(done.outputs["report"]).read_text()


def warnings(done: Done) -> list[str]:
    return [line for line in done.log.splitlines() if line.startswith("::warning")]


def read_back(text: str) -> dict[str, str]:
    """Read outputs as the runner does: lines up to the delimiter, which is compared whole."""
    outputs, lines = dict[str, str](), text.split("\n")
    while lines != [""]:
        name, _, delimiter = lines.pop(0).partition("<<")
        end = lines.index(delimiter)
        outputs[name] = "\n".join(lines[:end])
        del lines[: end + 1]
    return outputs
