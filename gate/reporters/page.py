"""The page model: the output of a command, as plain data without any layout.

The module of each question builds a `Page`; a module in `gate.reporters.PAGES` writes any of them.
No text here is escaped for any format.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from gate.dataclass import dataclass
from gate.policy.findings import Verdict

TableRow = TypeVar("TableRow")
MUST: Final = 9
"""The ``keep`` of a column that stays even if it does not fit."""
Fact = tuple[str, str]
"""A label and its sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell of a table."""

    text: str
    tone: Verdict | None = None
    """The verdict whose colour emphasises the text; None: no colour."""
    strong: bool = False
    """Whether it is the first thing that a reader looks for."""
    ascii: str | None = None
    """The text if only ASCII can be written; None: escape the other text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Generic[TableRow]):
    """A column of a table; its cells are made from rows of one type."""

    title: str
    cell: Callable[[TableRow], str | Cell]
    right: bool = True
    """Whether it is aligned to the right, as numbers are."""
    keep: int
    """If not all columns fit, the one with the lowest value is left out first; its facts are in the
    details, too."""
    share: int | None = None
    """For a column of words: the largest share of the width that it takes before it wraps."""
    secondary: bool = False
    """Whether it is left out at once from a table that cannot adapt to the reader's width."""
    drawing: bool = False
    """Whether it draws the numbers of the column before it; without its colour it comes last."""
    beside: bool = False
    """Whether it stays beside the column before it, in any order of the columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTable:
    """A table in the order of reading."""

    columns: tuple[Column[Any], ...]
    rows: tuple[tuple[Cell, ...], ...]
    """The rows, each with a cell for each column."""
    tones: tuple[Verdict, ...] = ()
    """The verdicts whose colours the rows have; empty: the rows have no colour."""


def tabulate(rows: Iterable[TableRow], columns: Sequence[Column[TableRow]]) -> DataTable:
    """Return the table of these columns, with a row for each of these items."""
    return DataTable(
        columns=tuple(columns),
        rows=tuple(tuple(_cell(column.cell(row)) for column in columns) for row in rows),
    )


def _cell(content: str | Cell) -> Cell:
    return content if isinstance(content, Cell) else Cell(text=content)


@dataclass(frozen=True, slots=True)
class Facts:
    """Labelled sentences; a repeated label belongs to the sentence before it."""

    facts: tuple[Fact, ...]
    small: bool = False
    """Whether they are about the origin of the page, for the few who need to know."""
    leading: frozenset[str] | None = None
    """The labels that the shortest form of the page shows; None: all labels."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One or more sentences."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellCommand:
    """A labelled shell command to copy, with its purpose."""

    label: str
    command: str
    purpose: str = ""
    """The text in parentheses after it; empty: the command is clear by itself."""

    @property
    def text(self) -> str:
        """The command and its purpose."""
        return f"{self.command}  ({self.purpose})" if self.purpose else self.command


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A labelled web address."""

    label: str
    address: str
    elsewhere: bool = False
    """Whether it leads to the place where a terminal or a log is shown, so that these leave it
    out."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture made of text, drawn as wide as the space allows."""

    draw: Callable[[int, bool], list[str]]
    """Returns its lines for a number of columns, and for ASCII only or any characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preformatted:
    """A picture made of text with a fixed width."""

    text: str
    ascii: str
    """The picture for ASCII only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The result of a check, its subject, and more about it."""

    verdict: Verdict
    label: str
    text: str
    facts: tuple[Fact, ...] = ()
    marks: tuple["Mark", ...] = ()
    """Details of the fault; these have no marks of their own."""


@dataclass(frozen=True, slots=True)
class Marks:
    """A list of results of checks."""

    marks: tuple[Mark, ...]


class Badge(NamedTuple):
    """The most important fact, as a badge."""

    verdict: Verdict
    """Its severity, for a sign and a colour."""
    word: str
    """Its word, in capitals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a page with a heading of its own."""

    title: str
    blocks: tuple["Block", ...]
    badge: Badge | None = None
    tail: str = ""
    """The text of the heading after the title, with its separator."""
    full_title: str | None = None
    """The title for readers who do not know the page; None: the title is enough."""
    compact: bool = False
    """Whether its blocks are close together, like a picture and its legend."""
    pressing: bool = True
    """Whether a format that cannot fold sections has to show it anyway."""
    folded: bool = False
    """Whether a format that can fold sections shows only its heading at first."""

    def extended(self, *blocks: "Block") -> "Section":
        """Return the section with more blocks at its end."""
        return replace(self, blocks=(*self.blocks, *blocks))


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """Sections that only some readers open."""

    summary: str
    sections: tuple[Section, ...]
    note: str = ""
    """Details for those who open the section."""


Block: TypeAlias = (
    Facts
    | Paragraph
    | ShellCommand
    | Link
    | Picture
    | Preformatted
    | Marks
    | DataTable
    | Section
    | Folded
)
Content = TypeVar("Content", bound=Block)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The complete output of a command."""

    sections: tuple[Section, ...]
    closing: tuple[Block, ...]
    """Blocks about all sections, and the origin of the page."""
    title: str | None = None
    badge: Badge | None = None
    """The badge beside the title: the result of all sections together."""
    introduction: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A result in the two forms from which every format is written; each is made when needed."""

    page: Callable[[], Page]
    """For people."""
    document: Callable[[], dict[str, object]]
    """For programs."""


def said(*blocks: Content) -> tuple[Content, ...]:
    """Return the blocks with content: empty facts and tables are left out."""
    return tuple(block for block in blocks if not _empty(block))


def _empty(block: Block) -> bool:
    if isinstance(block, Facts):
        return not block.facts
    return isinstance(block, DataTable) and not block.rows
