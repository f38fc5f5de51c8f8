"""The page model: what a command shows, in plain data that says nothing about how it looks.

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
"""The ``keep`` of a column that stays even where it does not fit."""
Fact = tuple[str, str]
"""A label and the sentence behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell of a table."""

    text: str
    tone: Verdict | None = None
    """The verdict whose colour repeats what the text says; None for no colour."""
    strong: bool = False
    """Whether it is what a reader looks for first."""
    ascii: str | None = None
    """The text where only ASCII can be written; None to escape the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Generic[TableRow]):
    """A column of a table, made from rows of one kind."""

    title: str
    cell: Callable[[TableRow], str | Cell]
    right: bool = True
    """Numbers are aligned to the right."""
    keep: int
    """If not all fit, the lowest is left out first; what it says is in the details too."""
    share: int | None = None
    """Given: a column of words, which wraps where it would take more than this part of the width.
    """
    secondary: bool = False
    """Whether a table that cannot fit itself to the reader's width leaves it out at once."""
    drawing: bool = False
    """Whether it draws the numbers of the column before it; read alone it comes after all others.
    """
    beside: bool = False
    """Whether it stays beside the column before it, in whatever order the columns are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTable:
    """A table in the order of reading."""

    columns: tuple[Column[Any], ...]
    rows: tuple[tuple[Cell, ...], ...]
    """Each with a cell for each column."""
    tones: tuple[Verdict, ...] = ()
    """The tones of each row the verdict that its colour repeats; empty: the rows have no colour."""


def tabulate(rows: Iterable[TableRow], columns: Sequence[Column[TableRow]]) -> DataTable:
    """Return the table of these columns with a row for each of these."""
    return DataTable(
        columns=tuple(columns),
        rows=tuple(tuple(_cell(column.cell(row)) for column in columns) for row in rows),
    )


def _cell(content: str | Cell) -> Cell:
    return content if isinstance(content, Cell) else Cell(text=content)


@dataclass(frozen=True, slots=True)
class Facts:
    """Labelled sentences; a label that comes again belongs to the one before."""

    facts: tuple[Fact, ...]
    small: bool = False
    """Whether they say where the page comes from, for those who need to know."""
    leading: frozenset[str] | None = None
    """The labels that the shortest form of the page shows; None: all of them."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One or more sentences."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellCommand:
    """A labelled command for a shell, to be copied, and what it is good for."""

    label: str
    command: str
    purpose: str = ""
    """Behind it in parentheses; empty: the command says enough."""

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
    """Whether it leads to where a terminal or a log is shown, so that these leave it out."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture made of text, drawn as wide as there is room."""

    draw: Callable[[int, bool], list[str]]
    """Makes its lines from the columns that it may take, and whether only ASCII can be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preformatted:
    """A picture made of text that has a width of its own."""

    text: str
    ascii: str
    """The same where only ASCII can be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How something came out, what was seen, and more about it."""

    verdict: Verdict
    label: str
    text: str
    facts: tuple[Fact, ...] = ()
    marks: tuple["Mark", ...] = ()
    """Details of the mistake; these have no marks of their own."""


@dataclass(frozen=True, slots=True)
class Marks:
    """A list of how things came out."""

    marks: tuple[Mark, ...]


class Badge(NamedTuple):
    """The most important thing, so that nobody overlooks it."""

    verdict: Verdict
    """How bad it is, for a sign and a colour."""
    word: str
    """In capitals what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a page with a heading of its own."""

    title: str
    blocks: tuple["Block", ...]
    badge: Badge | None = None
    tail: str = ""
    """The text of the heading after the title, with its separator."""
    full_title: str | None = None
    """The title for readers who do not know which page it is on; None: the title says enough."""
    compact: bool = False
    """Whether its blocks belong together closely, as a picture and its legend."""
    pressing: bool = True
    """Whether a format that cannot fold sections away has to show it anyway."""
    folded: bool = False
    """Whether a format that can fold sections away shows no more than its heading at first."""

    def extended(self, *blocks: "Block") -> "Section":
        """Return it with more below."""
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
    """All that a command shows."""

    sections: tuple[Section, ...]
    closing: tuple[Block, ...]
    """Blocks about all sections, and the origin of the page."""
    title: str | None = None
    badge: Badge | None = None
    """Beside the title: what the sections come to together."""
    introduction: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A result in the two forms from which every format is written; each is made when needed."""

    page: Callable[[], Page]
    """For people."""
    document: Callable[[], dict[str, object]]
    """For programs."""


def said(*blocks: Content) -> tuple[Content, ...]:
    """Return the blocks that say anything: facts and tables without content are left out."""
    return tuple(block for block in blocks if not _empty(block))


def _empty(block: Block) -> bool:
    if isinstance(block, Facts):
        return not block.facts
    return isinstance(block, DataTable) and not block.rows
