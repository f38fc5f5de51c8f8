"""The language of indicators for CloudWatch: sums and differences of metrics with dimensions.

``AWS/Bedrock Invocations{ModelId="m"} + AWS/Bedrock InvocationThrottles{ModelId="m"}``: namespace
and name of a metric, all its dimensions exactly as they were published, and the statistic if it is
not Sum. A number with ``*`` before a metric is the cost of one unit. Text with blanks or other
characters is in quotes.
"""

import re
from fractions import Fraction
from typing import Final

from gate.backends.cloudwatch.metrics import (
    STATISTICS,
    SUM,
    WORD,
    Metric,
    MetricStatistic,
    Term,
    Total,
)
from gate.errors import nearest

_OTHERS: Final = re.compile(
    r"Average|Minimum|Maximum|IQM|p[0-9.]+|(?:tm|wm|tc|ts)[0-9.]+|(?:TM|WM|PR|TC|TS)\(.*", re.DOTALL
)
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html"""
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?(?=\s*\*)")
_QUOTED: Final = re.compile(r""""((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'""", re.DOTALL)
_BLANKS: Final = re.compile(r"\s*")
_PLAIN: Final = re.compile(r"[ -~]*[!-~][ -~]*")
"""ASCII without control characters, and at least one character that is not a blank."""
_LONGEST: Final = {"namespace": 255, "name": 255, "dimension": 255, "value": 1024}
_MOST_DIMENSIONS: Final = 30
_MATH: Final = (
    "metric math is not evaluated, as CloudWatch answers an expression in part without saying so;"
    " write metrics with + or - between them"
)
_EXAMPLE: Final = 'AWS/Bedrock Invocations{ModelId="anthropic.claude-sonnet-4"}'


class SelectorError(ValueError):
    """A mistake in a text: its column, the reason, and the remedy."""


def read_sum(text: str, role: str = "") -> Total:
    """Read a sum of metrics.

    Args:
        text: the text in a policy.
        role: the role of the sum in the indicator, for messages.

    Raises:
        SelectorError: the text is not such a sum.
    """
    return _Scanner(role, text).sum()


def read_metric(text: str, role: str) -> Metric:
    """Read a single metric; the arguments and errors are those of `read_sum`."""
    scanner = _Scanner(role, text)
    metric = scanner.metric()
    scanner.end(f"{role} is one metric, without a statistic and without + or -")
    return metric


class _Scanner:
    """Reads a text from left to right."""

    def __init__(self, role: str, text: str) -> None:
        self._role, self._text, self._place = role, text, 0

    def sum(self) -> Total:
        """Read the whole text."""
        terms = [self._term(Fraction(1))]
        while (sign := self._next()) in {"+", "-"}:
            self._place += 1
            term = self._term(Fraction(1 if sign == "+" else -1))
            if term.counted in [earlier.counted for earlier in terms]:
                raise self._mistake(f"{term.counted} is already in this sum; remove it")
            terms.append(term)
        self.end("the sum ends here; write + or - before the next metric")
        return tuple(terms)

    def metric(self) -> Metric:
        """Read a namespace, a name and the dimensions."""
        start = self._skip()
        namespace = self._name("namespace", f"write {_EXAMPLE}")
        if namespace.startswith(":"):
            raise self._mistake("a namespace does not begin with a colon", start)
        if namespace.upper() == "SELECT":
            raise self._mistake(_MATH, start)
        name = self._name("name", f"after the namespace {namespace} write the metric's name")
        return Metric(namespace=namespace, name=name, dimensions=self._dimensions())

    def end(self, message: str) -> None:
        """Check that the text ends here."""
        character = self._next()
        if character in {"*", "/", "("}:
            raise self._mistake(_MATH)
        if character:
            raise self._mistake(message)

    def _term(self, sign: Fraction) -> Term:
        number = _NUMBER.match(self._text, self._skip())
        if number:
            self._place = number.end()
            if not Fraction(number[0]):
                raise self._mistake(
                    "a factor of 0 counts nothing; remove the metric", number.start()
                )
            self._place = self._skip() + 1
        metric = self.metric()
        return Term(
            counted=MetricStatistic(metric=metric, statistic=self._statistic()),
            factor=sign * Fraction(number[0] if number else 1),
        )

    def _statistic(self) -> str:
        start = self._skip()
        if self._next() in {"", "+", "-", "*", "/", "("}:
            return SUM
        word = WORD.match(self._text, start)
        if word is None:
            return SUM  # the end of the sum reports the mistake here
        text = self._text[start : word.end()]
        if text in STATISTICS:
            self._place = word.end()
            return text
        if _OTHERS.fullmatch(self._text[start:].partition(" ")[0]):
            raise self._mistake(
                f"{text} does not add up over time; write Sum or SampleCount, or for a latency"
                " column and threshold"
            )
        raise self._mistake(f"{text!r} is not a statistic{nearest(text, STATISTICS)}")

    def _dimensions(self) -> tuple[tuple[str, str], ...]:
        if self._next() != "{":
            return ()
        opened = self._place
        self._place += 1
        pairs = dict[str, str]()
        while self._next() != "}":
            if not self._next():
                raise self._mistake("this brace is not closed; add }", opened)
            start = self._place
            name = self._name("dimension", 'write a dimension: ModelId="..."')
            if name in pairs:
                raise self._mistake(f"the dimension {name} is given twice; remove one", start)
            self._equals()
            pairs[name] = self._value(name)
            if self._next() == ",":
                self._place += 1
            elif self._next() not in {"}", ""}:
                raise self._mistake("write a comma between two dimensions, or } after the last")
        self._place += 1
        if len(pairs) > _MOST_DIMENSIONS:
            raise self._mistake(f"a metric has at most {_MOST_DIMENSIONS} dimensions", opened)
        return tuple(sorted(pairs.items()))

    def _equals(self) -> None:
        start = self._skip()
        operator = re.compile(r"[=!~<>:]*").match(self._text, start)
        text = operator[0] if operator else ""
        if text != "=":
            shown = f"CloudWatch does not have {text}" if text else "'=' is missing"
            raise self._mistake(
                f'{shown}; a dimension has one value: Name="value"; name each metric, and add them'
                " up with +"
            )
        self._place = start + 1

    def _value(self, name: str) -> str:
        start = self._skip()
        if not _QUOTED.match(self._text, start):
            raise self._mistake(f'the value of {name} needs quotes: {name}="..."')
        return self._name("value", "")

    def _name(self, kind: str, remedy: str) -> str:
        """Read a word, or a text in quotes."""
        start = self._skip()
        if quoted := _QUOTED.match(self._text, start):
            text = re.sub(r"\\(.)", r"\1", quoted[1] or quoted[2] or "", flags=re.DOTALL)
            self._place = quoted.end()
        elif word := WORD.match(self._text, start):
            text, self._place = word[0], word.end()
        else:
            raise self._mistake(
                _MATH if self._next() in {"(", "*"} else f"the {kind} is missing; {remedy}"
            )
        if not _PLAIN.fullmatch(text):
            raise self._mistake(f"a {kind} has ASCII characters, and not only blanks", start)
        if len(text) > _LONGEST[kind]:
            raise self._mistake(f"a {kind} has at most {_LONGEST[kind]} characters", start)
        return text

    def _skip(self) -> int:
        """Return the index of the next character that is not a blank."""
        blanks = _BLANKS.match(self._text, self._place)
        self._place = blanks.end() if blanks else self._place
        return self._place

    def _next(self) -> str:
        place = self._skip()
        return self._text[place : place + 1]

    def _mistake(self, message: str, place: int | None = None) -> SelectorError:
        """Return a mistake, at a place or at the current position."""
        column = (self._place if place is None else place) + 1
        lead = f"{self._role}: " if self._role else ""
        return SelectorError(f"{lead}column {column} of {_cut(self._text)}: {message}")


def _cut(text: str, most: int = 60) -> str:
    return repr(text if len(text) <= most else f"{text[:most]}...")
