"""What comes of an export: a text, and what could not be put into it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from gate.slo.objective import Slo

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A document in another tool's format."""

    text: str | None
    """None: not one SLO could be written."""
    remarks: tuple[str, ...] = ()
    """What was left out, and what its reader must know: a sentence each."""


class NotExportableError(Exception):
    """An SLO cannot be said in the format; the text is the reason."""


def each(
    slos: Iterable[Slo], write: Callable[[Slo], tuple[T, tuple[str, ...]]]
) -> tuple[list[T], tuple[str, ...]]:
    """Write every SLO that can be written; return these, and the remarks about all."""
    written, remarks = list[T](), list[str]()
    for slo in slos:
        try:
            one, notes = write(slo)
        except NotExportableError as error:
            remarks.append(f"{slo.name} is left out: {error}")
            continue
        written.append(one)
        remarks += [f"{slo.name}: {note}" for note in notes]
    return written, tuple(remarks)


def yaml_text(*documents: Any) -> str:
    """Write YAML documents, their keys in the order given, no line folded."""
    import yaml  # noqa: PLC0415 - the dashboard needs none

    return yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, width=100_000)
