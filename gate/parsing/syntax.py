"""The remedy for a text that is not valid YAML; a parser only names what it expected.

The positions of the parser are moved to the actual mistake: to the bracket or quote that is never
closed, instead of the line where the parser noticed it.
"""

import re
from collections.abc import Callable
from typing import Final

import yaml

from gate.dataclass import dataclass

_WORD: Final = re.compile(r"[^\s,\]}#]+")
_COMPARISON: Final = re.compile(r"[<>]=?\s*[-+0-9.]+\s*%?")
_NO_BLANK: Final = re.compile(r"(\s*(?:- +)?)([A-Za-z_][\w-]*):([^\s:].*)")
"""A key whose colon has no blank after it, so that YAML reads it as a single word."""
_VARIABLE: Final = re.compile(r"[^\s,\[{\"']*\$\{[^}]*\}[^\s,}\]]*")
_CLOSING: Final = {"{": "}", "[": "]"}
_QUOTED: Final = re.compile(r""""(?:\\.|[^"\\])*"|'(?:[^']|'')*'|(?<!\S)#.*""")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    """The message of a parser, with the text around it."""

    lines: list[str]
    context: str
    problem: str
    mark: yaml.Mark
    """The position where the parser noticed the mistake."""
    opened: yaml.Mark
    """The start of the construct that it was reading."""

    @property
    def line(self) -> str:
        """The line where the parser noticed the mistake; empty at the end of the file."""
        return self.line_at(self.mark.line)

    @property
    def rest(self) -> str:
        """The rest of that line."""
        return self.line[self.mark.column :]

    def line_at(self, number: int) -> str:
        """Return a line, counted from 0; empty after the last one."""
        return self.lines[number] if 0 <= number < len(self.lines) else ""

    def unclosed(self) -> tuple[int, int] | None:
        """Return line and column of the innermost bracket that is never closed; None if all are."""
        text = _QUOTED.sub(lambda part: " " * len(part[0]), "\n".join(self.lines))
        opened = list[int]()
        for bracket in re.finditer(r"[{}\[\]]", text):
            if bracket[0] in _CLOSING:
                opened.append(bracket.start())
            elif opened and bracket[0] == _CLOSING[text[opened[-1]]]:
                opened.pop()
        if not opened:
            return None
        line = text.count("\n", 0, opened[-1])
        return line, opened[-1] - (text.rfind("\n", 0, opened[-1]) + 1)


_Advice = tuple[yaml.Mark, str] | None
"""A function that returns the place of a mistake and the remedy; None: another mistake."""


def explain(error: yaml.MarkedYAMLError, text: str) -> tuple[yaml.Mark, str]:
    """Return the place where a text is not valid YAML, with the mistake or its remedy."""
    mark = error.problem_mark or _mark(0, 0)
    failure = _Failure(
        lines=text.splitlines(),
        context=error.context or "",
        problem=error.problem or "",
        mark=mark,
        opened=error.context_mark or mark,
    )
    for rule in _RULES:
        if (advice := rule(failure)) is not None:
            return advice
    return mark, ", ".join(part for part in (failure.context, failure.problem) if part)


def _mark(line: int, column: int) -> yaml.Mark:
    return yaml.Mark("", 0, line, column, "", 0)


def _quotes(word: str) -> str:
    return f"put {word} in quotes: {word!r}" if '"' in word else f'put {word} in quotes: "{word}"'


def _comparison(failure: _Failure) -> _Advice:
    comparison = next(
        (
            match
            for match in _COMPARISON.finditer(failure.line)
            if match.start() <= failure.mark.column < match.end()
        ),
        None,
    )
    if comparison is None:
        return None
    return _mark(failure.mark.line, comparison.start()), _quotes(comparison[0].strip())


def _tab(failure: _Failure) -> _Advice:
    if "tab character" in failure.problem:
        return failure.mark, "use spaces, not tabs"
    return None


def _swallowed(failure: _Failure) -> _Advice:
    """Find a quote that ends where the next one should begin."""
    text = "\n".join(failure.lines)
    noticed = sum(len(line) + 1 for line in failure.lines[: failure.mark.line])
    for part in _QUOTED.finditer(text):
        line = text.count("\n", 0, part.start())
        odd = failure.line_at(line).replace('\\"', "").count('"') % 2
        if part[0][0] == '"' and odd and part.end() == noticed + failure.mark.column:
            column = part.start() - (text.rfind("\n", 0, part.start()) + 1)
            return _mark(line, column), 'this quote is never closed; add the missing "'
    return None


def _reserved(failure: _Failure) -> _Advice:
    if "cannot start any token" not in failure.problem:
        return None
    if failure.rest.startswith("\t") or not failure.rest:
        return failure.mark, "use spaces, not tabs"
    word = _WORD.match(failure.rest)
    return failure.mark, _quotes(word[0] if word else failure.rest[0])


def _variable(failure: _Failure) -> _Advice:
    for variable in _VARIABLE.finditer(failure.line):
        if variable.start() <= failure.mark.column <= variable.end() and "flow" in failure.context:
            return _mark(failure.mark.line, variable.start()), _quotes(variable[0])
    return None


def _alias(failure: _Failure) -> _Advice:
    if "alias" not in f"{failure.context} {failure.problem}":
        return None
    start = failure.opened if failure.context else failure.mark
    word = _WORD.match(failure.line_at(start.line), start.column)
    shown = word[0] if word else "*"
    return start, f"YAML reads {shown} as an alias, which is not defined; {_quotes(shown)}"


def _no_colon(failure: _Failure) -> _Advice:
    simple = "simple key" in failure.context
    if not simple and "mapping values" not in failure.problem:
        return None
    last = failure.opened.line if simple else failure.mark.line
    for number in (last, last - 1):
        if key := _NO_BLANK.fullmatch(failure.line_at(number)):
            message = f"a space is missing after the colon; write {key[2]}: {key[3].strip()}"
            return _mark(number, len(key[1])), message
    if simple:
        return failure.opened, "this line has no colon; a key is written as key: value"
    if ": " in failure.line[: failure.mark.column]:
        return failure.mark, "the value contains a colon and a space; put the value in quotes"
    return failure.mark, (
        "this line is indented further than the keys around it; keys of a block begin in the"
        " same column"
    )


def _unclosed(failure: _Failure) -> _Advice:
    if "end of stream" in failure.problem and "quoted" in failure.context:
        return failure.opened, "this quote is never closed"
    if "parsing a flow" not in failure.context:
        return None
    if (place := failure.unclosed()) is not None:
        bracket = failure.line_at(place[0])[place[1]]
        message = f"this {bracket} is never closed; add the missing {_CLOSING[bracket]}"
        return _mark(*place), message
    return failure.mark, (
        "expected a comma or the closing bracket here; separate entries by commas, and put text"
        " with a colon, comma, bracket or brace in quotes"
    )


def _misplaced(failure: _Failure) -> _Advice:
    if "another document" in failure.problem:
        message = "a second document begins here; one file holds one document: remove ---"
        return failure.mark, message
    if "escape" in failure.problem:
        return failure.mark, "a backslash in double quotes begins an escape; use single quotes"
    return None


def _in_block(failure: _Failure) -> _Advice:
    if "parsing a block" not in failure.context:
        return None
    if failure.rest[:1] in {"}", "]", ","}:
        return failure.mark, f"this {failure.rest[0]} belongs to no list or block; remove it"
    if failure.line[: failure.mark.column].strip(" -"):
        message = "text follows a finished value; put the whole value in one pair of quotes"
        return failure.mark, message
    what = (
        "entries of a list begin with - " if "'-'" in failure.problem else "keys of a block begin "
    )
    return failure.mark, f"the indentation does not fit; {what}in the same column"


_RULES: Final[tuple[Callable[[_Failure], _Advice], ...]] = (
    *(
        _tab,
        _swallowed,
        _comparison,
        _reserved,
        _variable,
        _alias,
        _no_colon,
        _unclosed,
        _misplaced,
        _in_block,
    ),
)
"""The first that matches has the advice."""
