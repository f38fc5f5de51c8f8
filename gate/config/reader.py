"""Reading YAML with places: each value knows its line and column, each mistake is collected."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from gate.errors import Mistake

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)
_TEXT = "tag:yaml.org,2002:str"
_START = yaml.Mark("", 0, 0, 0, "", 0)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # PyYAML may be built without libyaml


class UnreadableError(Exception):
    """A value could not be read. The mistake has been noted: go on with the next value."""


@dataclass(slots=True, kw_only=True)
class Reader:
    """One file being read, and what was wrong with it so far."""

    file: str
    """As the user gave it; for messages."""
    environ: Mapping[str, str]
    offline: bool = False
    """Only look at the file: an environment variable or a file that is missing is a warning."""
    mistakes: list[Mistake] = field(default_factory=list)

    @property
    def directory(self) -> Path:
        """The folder that relative paths in the file start from."""
        return Path(self.file).parent

    def note(self, node: yaml.Node, message: str, *, fatal: bool = True) -> None:
        """Note a mistake at a value, and go on."""
        mark = node.start_mark
        self.mistakes.append(
            Mistake(
                file=self.file,
                line=mark.line + 1,
                column=mark.column + 1,
                message=message,
                fatal=fatal,
            )
        )

    def fail(self, node: yaml.Node, message: str, *, fatal: bool = True) -> UnreadableError:
        """Note a mistake and return the error to raise, since there is no value."""
        self.note(node, message, fatal=fatal)
        return UnreadableError(message)

    def expand(self, node: yaml.ScalarNode) -> str:
        """Return the scalar's text with every ``${NAME}`` or ``${NAME:-default}`` filled in."""

        def value(found: re.Match[str]) -> str:
            name = _NAME.fullmatch(found[1])
            if name is None:
                raise self.fail(node, f"{found[0]} names no environment variable; write ${{NAME}}")
            if (value := self.environ.get(name[1])) or name[2] is not None:
                return value or name[2]
            message = f"the environment variable {name[1]} is not set"
            raise self.fail(node, message, fatal=not self.offline)

        return _VARIABLE.sub(value, node.value)


def compose(text: str, reader: Reader) -> yaml.Node:
    """Parse one YAML document into nodes.

    Raises:
        UnreadableError: no YAML, or nothing in it; the mistake is noted.
    """
    try:
        node = yaml.compose(text, _LOADER)
    except yaml.YAMLError as error:
        raise _syntax(error, text, reader) from error
    if node is None:
        raise reader.fail(yaml.ScalarNode(_TEXT, "", _START), "the file is empty")
    return node


def _syntax(error: yaml.YAMLError, text: str, reader: Reader) -> UnreadableError:
    mark = getattr(error, "problem_mark", None) or _START
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    advice = ""
    if re.search(r":\s*[<>]=?\s*[-+0-9.]+\s*%?", line):
        advice = "; put the comparison in quotes"
    elif "\t" in line[: len(line) - len(line.lstrip())]:
        advice = "; indent with spaces, not tabs"
    return reader.fail(yaml.ScalarNode(_TEXT, "", mark), f"no YAML: {problem}{advice}")


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean ...?`` with the nearest known name, or the known names."""
    from difflib import get_close_matches  # noqa: PLC0415 - costs 5 ms, needed for mistakes only

    names = sorted(str(name) for name in known)
    close = get_close_matches(word, names, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(names)}"
