"""Reading YAML with places: each value knows its line and column, each mistake is collected."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any, Self, TypeVar

import yaml

from gate.dataclass import dataclass
from gate.errors import Mistake
from gate.parsing.credentials import owner
from gate.parsing.files import Imports
from gate.parsing.nodes import mark_in

_VARIABLE = re.compile(r"\$\{([^}]*)(\}?)")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)
_REFERENCE = re.compile(
    r"""\$\{(?:([A-Za-z_]\w*) :?[-?+=]  # with a default, in any way that a shell has
        | (?!\d*,?\d*\}) ([^{}"']*) \})""",  # but not how often something is repeated in a regex
    re.VERBOSE | re.ASCII,
)
"""What its author meant as a variable; ``$window``, ``{x=~"a${"}`` and ``a${2}`` are not."""
OUTSIDE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
"""A variable without a default: the only form in which a secret may stand in a file."""
_FORBIDDEN = yaml.reader.Reader.NON_PRINTABLE
_TEXT = "tag:yaml.org,2002:str"
NULL = "tag:yaml.org,2002:null"
_START = yaml.Mark("", 0, 0, 0, "", 0)
T = TypeVar("T")


class UnreadableError(Exception):
    """A value could not be read. The mistake has been noted: go on with the next value."""


@dataclass(slots=True, kw_only=True)
class Reader:
    """One file being read, and what was wrong with it so far."""

    file: str
    """As the user gave it; for messages."""
    environ: Mapping[str, str]
    imports: Imports
    """The other files that the policy reads."""
    above: int = 0
    """Lines of the file above the text that is read."""
    offline: bool = False
    """Only look at the file: an environment variable or a file that is missing is a warning."""
    mistakes: list[Mistake] = field(default_factory=list)
    presets: dict[str, Any] = field(default_factory=dict)
    """What the policy's own preset files say, by name: each a `gate.config.preset_schema.Preset`,
    or None where the file cannot be read, which its mistakes say."""
    text: str = ""
    """Of the file, once it has been composed."""
    merging: bool = False
    """``<<`` takes keys from another block; in a policy it is a key like any other."""

    @property
    def directory(self) -> Path:
        """The folder that relative paths in the file start from."""
        return Path(self.file).parent

    def beside(self, name: str) -> Self:
        """Return a reader of another file, named from this one's folder; it notes into the same."""
        return replace(self, file=str(self.directory / name), text="")

    def note(
        self, node: yaml.Node, message: str, *, fatal: bool = True, place: int | None = None
    ) -> None:
        """Note a mistake at a value, and go on.

        Args:
            node: the value.
            message: what is wrong.
            fatal: False for a warning.
            place: how many characters of a single value stand before the mistake.
        """
        mark = node.start_mark if place is None else mark_in(node, self.text, place)
        line, column = self.above + mark.line + 1, mark.column + 1
        mistake = Mistake(file=self.file, line=line, column=column, message=message, fatal=fatal)
        self.mistakes.append(mistake)

    def fail(
        self, node: yaml.Node, message: str, *, fatal: bool = True, place: int | None = None
    ) -> UnreadableError:
        """Note a mistake and return the error to raise, since there is no value."""
        self.note(node, message, fatal=fatal, place=place)
        return UnreadableError(message)

    def refuse(self, node: yaml.Node, error: ValueError) -> UnreadableError:
        """Note what an error says of a single value, where in it the error says that it is."""
        return self.fail(node, str(error), place=getattr(error, "place", None))

    def existing(self, node: yaml.Node, name: str) -> Path:
        """Return where a file is that is named from this one's folder.

        Raises:
            UnreadableError: there is none; the mistake is noted, a warning where only this file is
                looked at.
        """
        path = self.directory / name
        if not os.path.isfile(path):  # noqa: PTH113 - False, too, for a name that no file can have
            raise self.fail(node, f"there is no file {shown(node)}", fatal=not self.offline)
        return path

    def expand(self, node: yaml.ScalarNode) -> str:
        """Return the scalar's text with every ``${NAME}`` or ``${NAME:-default}`` filled in.

        Only for settings of a connection: what is filled in may be a secret.

        Raises:
            UnreadableError: a variable is not set, or belongs to the runner; the mistake is noted.
        """

        def value(variable: re.Match[str]) -> str:
            name = _NAME.fullmatch(variable[1]) if variable[2] else None
            if name is None:
                # What stands there instead is not repeated: it may be the secret itself.
                message = "this names no environment variable; write ${NAME} or ${NAME:-default}"
                raise self.fail(node, message)
            if (whose := owner(name[1])) is not None:
                message = (
                    f"${{{name[1]}}} is never filled in: it is a credential of {whose} and not of"
                    " the backend; set a variable of another name for it, and write that one"
                )
                raise self.fail(node, message)
            if (value := self.environ.get(name[1])) or name[2] is not None:
                return value or name[2]
            message = f"the environment variable {name[1]} is not set"
            raise self.fail(node, message, fatal=not self.offline)

        return _VARIABLE.sub(value, node.value)

    def literal(self, node: yaml.ScalarNode, *, key: bool = False) -> str:
        """Return the scalar's text, in which no variable may stand.

        Raises:
            UnreadableError: one does; the mistake is noted.
        """
        variable = _REFERENCE.search(node.value)
        if variable is None:
            return str(node.value)
        message = (
            f"{_without_default(variable)} {'in a key ' if key else ''}is not filled in here:"
            " environment variables may stand only in the settings of the backend's connection;"
            " write the text itself"
        )
        raise self.fail(node, message)


def _without_default(variable: re.Match[str]) -> str:
    """Return a variable as it is written, without what stands beside its name."""
    return f"${{{variable[1] or variable[2]}}}"


def has_variable(text: str) -> bool:
    """Return whether there is anything in a text that looks like a variable."""
    return _VARIABLE.search(text) is not None


def shown(node: yaml.Node) -> str:
    """Return a single value as it stands in the file, without the defaults of its variables."""
    return _VARIABLE.sub(lambda match: f"${{{match[1].partition(':-')[0]}}}", written(node))


def decode(raw: bytes, reader: Reader) -> str:
    """Return a file's text.

    Raises:
        UnreadableError: it is not UTF-8; the mistake is noted.
    """
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig")
        raise reader.fail(after(before), "this is no UTF-8 text") from error


def compose(text: str, reader: Reader) -> yaml.Node:
    """Parse one YAML document into nodes.

    Raises:
        UnreadableError: no YAML, or nothing in it; the mistake is noted.
    """
    node = _parsed(lambda: yaml.compose(text, loader()), text, reader)
    reader.text = text
    if node is None:
        raise reader.fail(after(""), "the file is empty")
    return node


def compose_all(text: str, reader: Reader) -> list[yaml.Node]:
    """Parse YAML documents, with ``---`` between them; empty ones are left out.

    Raises:
        UnreadableError: no YAML, or nothing in it; the mistake is noted.
    """
    nodes = _parsed(lambda: list(yaml.compose_all(text, loader())), text, reader)
    reader.text = text
    documents = [node for node in nodes if node.tag != NULL]
    if not documents:
        raise reader.fail(after(""), "the file is empty")
    return documents


def loader() -> Any:
    """Return the fast loader; PyYAML may be built without libyaml."""
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _parsed(parse: Callable[[], T], text: str, reader: Reader) -> T:
    if character := _FORBIDDEN.search(text):
        message = f"no YAML: the character U+{ord(character[0]):04X} may only stand there escaped"
        raise reader.fail(after(text[: character.start()]), message)
    try:
        return parse()
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, text, reader) from error
    except RecursionError as error:  # of the loader in Python
        raise reader.fail(after(""), "no YAML that can be read: nested too deeply") from error


def written(node: yaml.Node) -> str:
    """Return a single value as it stands in the file; nothing for a list or a block."""
    return node.value if isinstance(node, yaml.ScalarNode) else ""


def after(before: str) -> yaml.Node:
    """Return a node right after a text, for a mistake in what is no node itself."""
    lines = before.split("\n")
    mark = yaml.Mark("", len(before), len(lines) - 1, len(lines[-1]), "", 0)
    return yaml.ScalarNode(_TEXT, "", mark)


def _syntax(error: yaml.MarkedYAMLError, text: str, reader: Reader) -> UnreadableError:
    mark = error.problem_mark or _START
    problem = ", ".join(part for part in (error.context, error.problem) if part)
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    advice = ""
    if re.search(r":\s*[<>]=?\s*[-+0-9.]+\s*%?", line):
        advice = "; put the comparison in quotes"
    elif "\t" in line[: len(line) - len(line.lstrip())]:
        advice = "; indent with spaces, not tabs"
    return reader.fail(yaml.ScalarNode(_TEXT, "", mark), f"no YAML: {problem}{advice}")
