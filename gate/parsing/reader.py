"""Read YAML with positions: each value knows its line and column, each mistake is collected."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any, Self, TypeVar

import yaml

from gate.dataclass import dataclass
from gate.errors import Mistake
from gate.parsing.files import Imports
from gate.parsing.nodes import NULL, mark_in, odd_tags

VARIABLE = re.compile(r"\$\{([^}]*)(\}?)")
_FORBIDDEN = yaml.reader.Reader.NON_PRINTABLE
_TEXT = "tag:yaml.org,2002:str"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""The start of a file in UTF-16."""
EMPTY = "the file is empty"
"""The mistake of an empty file."""
T = TypeVar("T")


class UnreadableError(Exception):
    """A value cannot be read. The mistake has been noted: go on with the next value."""


@dataclass(slots=True, kw_only=True)
class Reader:
    """A file that is being read, and its mistakes so far."""

    file: str
    """The path as the user gave it, for messages."""
    environ: Mapping[str, str]
    imports: Imports
    """The other files that the policy reads."""
    above: int = 0
    """The number of lines in the file before the text."""
    offline: bool = False
    """Whether to check only the file: a missing environment variable or file is then a warning."""
    mistakes: list[Mistake] = field(default_factory=list)
    presets: dict[str, Any] = field(default_factory=dict)
    """The presets of the policy's own preset files, by name: each a `gate.config.preset.Preset`, or
    None if its file cannot be read, whose mistakes have been noted."""
    text: str = ""
    """The text of the file, once it has been composed."""
    key: str = ""
    """The key of the value that is being read; empty for the whole document."""
    example: str = ""
    """The example of a valid value for this key, as YAML on one line; empty if the key's name is
    enough."""
    merging: bool = False
    """Whether ``<<`` takes keys from another block; in a policy it is an ordinary key."""

    @property
    def directory(self) -> Path:
        """The folder that relative paths in the file start from."""
        return Path(self.file).parent

    def beside(self, name: str) -> Self:
        """Return a reader of another file, named from this folder, with the same mistakes."""
        return replace(self, file=str(self.directory / name), text="", key="", example="")

    def note(
        self,
        node: yaml.Node,
        message: str,
        *,
        fatal: bool = True,
        place: int | None = None,
        unset: str = "",
    ) -> None:
        """Note a mistake at a value, and go on.

        Args:
            node: the value.
            message: the description of the mistake.
            fatal: False for a warning.
            place: the number of characters in a scalar before the mistake.
            unset: the environment variable that is not set, if that is the mistake.
        """
        mark = node.start_mark if place is None else mark_in(node, self.text, place)
        line, column = self.above + mark.line + 1, mark.column + 1
        self.mistakes.append(
            Mistake(
                file=self.file,
                line=line,
                column=column,
                message=message,
                fatal=fatal,
                unset=unset,
            )
        )

    def fail(
        self, node: yaml.Node, message: str, *, fatal: bool = True, place: int | None = None
    ) -> UnreadableError:
        """Note a mistake, and return the error to raise for the missing value."""
        self.note(node, message, fatal=fatal, place=place)
        return UnreadableError(message)

    def refuse(self, node: yaml.Node, error: ValueError) -> UnreadableError:
        """Note the error of a scalar, at the place in it that the error gives."""
        return self.fail(node, str(error), place=getattr(error, "place", None))

    def form(self, example: str = "") -> str:
        """Return the form of the value that is being read, as the end of a message.

        Args:
            example: a better one than the key's own.
        """
        shown_example = example or self.example
        return f"; write {self.key}: {shown_example}" if self.key and shown_example else ""

    def existing(self, node: yaml.Node, name: str) -> Path:
        """Return the path of a file that is named from this folder.

        Raises:
            UnreadableError: no such file; it is noted as a mistake, or as a warning if only this
                file is checked.
        """
        path = self.directory / name
        if not os.path.isfile(path):  # noqa: PTH113 - False, too, for a name that no file can have
            where = f"paths start from the folder of {Path(self.file).name}"
            message = f"there is no file {shown(node)}; {where}"
            raise self.fail(node, message, fatal=not self.offline)
        return path


def has_variable(text: str) -> bool:
    """Return whether a text contains anything that looks like a variable."""
    return VARIABLE.search(text) is not None


def shown(node: yaml.Node) -> str:
    """Return a scalar as it is in the file, without the defaults of its variables."""
    return VARIABLE.sub(lambda match: f"${{{match[1].partition(':-')[0]}}}", written(node))


def decode(raw: bytes, reader: Reader) -> str:
    """Return a file's text.

    Raises:
        UnreadableError: it is not UTF-8; the mistake is noted.
    """
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig")
        if raw.startswith(_UTF_16):
            what = "the file is in UTF-16"
        else:
            what = f"the file is not UTF-8 text: the byte 0x{raw[error.start]:02X} is here"
        message = f"{what}; save it as UTF-8 in your editor"
        raise reader.fail(after(before), message) from error


def compose(text: str, reader: Reader) -> yaml.Node:
    """Parse one YAML document into nodes.

    Raises:
        UnreadableError: it is not valid YAML, or empty; the mistake is noted.
    """
    node = _parsed(lambda: yaml.compose(text, loader()), text, reader)
    reader.text = text
    if node is None:
        raise reader.fail(after(""), EMPTY)
    _refuse_tags([node], text, reader)
    return node


def compose_all(text: str, reader: Reader) -> list[yaml.Node]:
    """Parse YAML documents, with ``---`` between them; empty ones are left out.

    Raises:
        UnreadableError: it is not valid YAML, or empty; the mistake is noted.
    """
    nodes = _parsed(lambda: list(yaml.compose_all(text, loader())), text, reader)
    reader.text = text
    documents = [node for node in nodes if node.tag != NULL]
    if not documents:
        raise reader.fail(after(""), EMPTY)
    _refuse_tags(documents, text, reader)
    return documents


def _refuse_tags(documents: list[yaml.Node], text: str, reader: Reader) -> None:
    """Refuse values with a type of their own, which YAML leaves to programs."""
    odd = [(node, tag) for document in documents for node, tag in odd_tags(document, text)]
    for node, tag in odd:
        reader.note(node, f"the YAML tag {tag} is not supported; remove it and write plain YAML")
    if odd:
        raise UnreadableError


def loader() -> Any:
    """Return the fast loader; PyYAML may be built without libyaml."""
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _parsed(parse: Callable[[], T], text: str, reader: Reader) -> T:
    if character := _FORBIDDEN.search(text):
        code = ord(character[0])
        if not code:
            message = "the file seems to be in UTF-16; save it as UTF-8 in your editor"
            raise reader.fail(after(text[: character.start()]), message)
        escape = f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}"  # noqa: PLR2004 - a byte
        message = (
            f"not valid YAML: the character U+{code:04X} is not allowed; remove it, or write"
            f" {escape} in double quotes"
        )
        raise reader.fail(after(text[: character.start()]), message)
    try:
        return parse()
    except yaml.MarkedYAMLError as error:
        from gate.parsing.syntax import explain  # noqa: PLC0415 - for mistakes only

        mark, message = explain(error, text)
        node = yaml.ScalarNode(_TEXT, "", mark)
        raise reader.fail(node, f"not valid YAML: {message}") from error
    except RecursionError as error:  # from the loader in Python
        message = "not valid YAML: lists or blocks are nested too deeply"
        raise reader.fail(after(""), message) from error


def written(node: yaml.Node) -> str:
    """Return a scalar as it is in the file; empty for a list or a block."""
    return node.value if isinstance(node, yaml.ScalarNode) else ""


def after(before: str) -> yaml.Node:
    """Return a node right after a text, for a mistake outside of nodes."""
    lines = before.split("\n")
    mark = yaml.Mark("", len(before), len(lines) - 1, len(lines[-1]), "", 0)
    return yaml.ScalarNode(_TEXT, "", mark)
