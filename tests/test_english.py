"""Texts for users and developers are written in plain English: a list of phrases that are not.

Readers stumbled over each of these. The list holds phrases that have a plain alternative in every
sentence; it says which.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent

BANNED: Final = {
    r"(?<!\b[Tt]here )\b(is|are|was|were) no\b"
    r"(?! (more|worse|(?!numb|wond|matt|memb|serv)[a-z]+er)\b)": "is not a valid ...",
    r"\bno (YAML|UTF-8)\b(?! (file|text|document))": "not valid YAML",
    r"\bstands? (twice|there|here)\b": "duplicate; is",
    r"\bforetold\b|\bforetell": "predict",
    r"\b(tells?|told|telling) (\w+ ){0,4}apart\b": "distinguish, separate, group",
    r"\bcannot be told\b": "is not known; has no answer",  # "cannot tell" is a verdict
    r"\bso few\b|\bso many\b|\bso long at most\b": "too few; at most",
    r"\bless is known\b": "limited data",
    r"\bnot looked at\b": "not checked",
    r"\ball the same\b": "anyway",
    r"\bof now\b": "current, recent",
    r"\bsays? nothing of\b": "does not mention",
    r"[0-9}] %(?![A-Za-z0-9(])": "99.9%, without a blank",
    r"\b[Ww]here there (is|are|was|were) (no|none)\b": "without ...; if no ...",
    r"\breason why there (is|are) (no|none)\b": "the reason why nothing was measured",
    r"\bwhat there is (to|in|of)\b": "the results, everything",
    r"\bof which (any|some|no)thing is known\b": "with known data; unknown",
    r"\bNone: nothing is known\b": "None: unknown",
    r"\bis told (by|to|of|with)\b": "is asked to; is reported",
    r"\bput to (the|an?|what)\b": "compared with, matched with",
    r"\b[Ll]ooked at\b": "examined, checked",
    r"\btak(es|en|ing) for\b(?! granted)": "count as, read as, mistake for",
    r"\blet(s|ting)? (\w+ ){0,3}through\b": "allow, accept",
    r"\b[Nn]othing is known (of|about|since)\b": "is unknown; there is no data on",
    r"\bwhat (was|is) asked\b": "the request",
    r"\bas (it|they) stands?\b": "as it is",
    r"\b(to|can|cannot|could) be had\b": "is available, is missing",
    r"\bbe (it|they) (an?|the|in|with|on|of)\b": "whether, even",
    r"\bblot(s|ted|ting)? (\w+ )?out\b": "redact",
    r"\b[Hh]eld against\b": "compared with, used against",
    r"\b[Ll]ikewise\b": "also, in the same way",
    r"\bstands? for\b": "means, represents",
    r"\bstands? (in|behind|beside|after|before|between|under|side|outside)\b": "is",
    r"\bin the place of\b": "instead of, in place of",
    r"\bsays? something wrong\b": "is not valid",
    r"\bput together\b": "combine, merge",
}
"""Patterns, and what may be written instead."""
MARKDOWN: Final = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/**/*.md")
YAML: Final = ("policies/*.yaml", "gate/presets/*.yaml")
OPENING: Final = re.compile(r"\A(Of|From|By) (a|an|the|its|each|all|any|this|one) ")
"""A docstring or a help text that begins so is half a sentence."""
CLIPPED: Final = re.compile(
    r"\A(What|Of|Those|That|So many|So much|Likewise|(By|In|On|Over) which|As \w+ has)\b.*\.\Z",
    re.DOTALL,
)
"""A docstring that begins so has no subject of its own."""
CLIPPED_LINE: Final = re.compile(
    r'^ *"""((?:What|Of|Those|That|So many|So much|Likewise|(?:By|In|On|Over) which)\b.*)',
    re.MULTILINE,
)
"""The same in a file of tests, which is searched as a text because parsing all of them is slow."""
CLIPPED_ENTRY: Final = re.compile(
    r"^ +\w+: (of|that|whose|what|which of|(by|in|on|over) which|how (many|much|often))\b.*$",
    re.MULTILINE,
)
"""The description of a parameter or of an error that begins so has no noun of its own."""


@cache
def strings() -> tuple[tuple[str, str], ...]:
    """Return each string of the program, docstrings too, with its file and line.

    The values of an f-string are written as ``{}``.
    """
    return tuple(
        (f"{path.relative_to(ROOT)}:{line}", text)
        for path in sorted((ROOT / "gate").rglob("*.py"))
        for line, text in _strings(ast.parse(path.read_text(encoding="utf-8")))
    )


def _strings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.JoinedStr):
            values = (v.value if isinstance(v, ast.Constant) else "{}" for v in node.values)
            yield node.lineno, "".join(map(str, values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        else:
            yield from _strings(node)


def offences(text: str) -> list[str]:
    """Return the banned phrases of a text, each with what may be written instead."""
    flat = " ".join(text.split())
    return [
        f"{match.group()!r}; instead: {instead}"
        for pattern, instead in BANNED.items()
        for match in re.finditer(pattern, flat)
    ]


def prose(text: str) -> Iterator[tuple[int, str]]:
    """Yield the paragraphs of a page with their first lines, without its blocks of code."""
    kept = re.sub(
        r"^```.*?^```", lambda m: "\n" * m.group().count("\n"), text, flags=re.MULTILINE | re.DOTALL
    )
    line = 1
    for paragraph in re.split(r"\n(?=\s*\n|\|)", kept):
        yield line, re.sub(r"`[^`]*`", "``", paragraph)
        line += paragraph.count("\n") + 1


def test_no_text_of_the_program_has_a_banned_phrase() -> None:
    found = [f"{place}: {offence}" for place, text in strings() for offence in offences(text)]
    assert found == []


def test_no_docstring_or_help_text_is_half_a_sentence() -> None:
    found = [f"{place}: {text.splitlines()[0]}" for place, text in strings() if OPENING.match(text)]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "What is asked at once.",
        "Of the events, the bad ones.",
        "Those that count.",
        "That GitHub lists.",
        "So many steps may be missing.",
        "Likewise.",
        "In which it is looked for rows.",
        "As Prometheus has it.",
    ],
)
def test_a_clipped_docstring_is_found(text: str) -> None:
    assert CLIPPED.match(text)


def test_no_docstring_is_clipped() -> None:
    found = [f"{place}: {text.splitlines()[0]}" for place, text in strings() if CLIPPED.match(text)]
    assert found == []


def test_no_docstring_of_the_tests_is_clipped() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {clipped}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for clipped in CLIPPED_LINE.findall(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize("text", ["Of all runs.", "What is read.", "Likewise.", "In which it is."])
def test_a_clipped_docstring_of_a_test_is_found(text: str) -> None:
    assert CLIPPED_LINE.findall(f'def one() -> None:\n    """{text}"""\n') == [f'{text}"""']


@pytest.mark.parametrize(
    "text",
    [
        "Return it.\n\n    Args:\n        slo: of the policy.",
        "Return it.\n\n    Args:\n        request: what was requested.\n        at: the instant.",
        "Return it.\n\n    Args:\n        most: how many there may be.",
        "Return it.\n\n    Raises:\n        UsageError: that a file is missing.",
    ],
)
def test_a_clipped_description_of_a_parameter_is_found(text: str) -> None:
    assert CLIPPED_ENTRY.search(text)


def test_no_description_of_a_parameter_is_clipped() -> None:
    found = [
        f"{place}: {match.group().strip()}"
        for place, text in strings()
        for match in CLIPPED_ENTRY.finditer(text)
        if "Args:" in text or "Raises:" in text
    ]
    assert found == []


def test_no_page_has_a_banned_phrase() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {offence}"
        for pattern in (*MARKDOWN, *YAML)
        for path in sorted(ROOT.glob(pattern))
        for line, paragraph in prose(path.read_text(encoding="utf-8"))
        for offence in offences(paragraph)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "'yesterday' is no instant",
        "this is no UTF-8 text",
        "the key 'window' stands twice",
        "a budget is measured, not foretold",
        "so many values are told apart",
        "which text counts cannot be told",
        "99.9 % of requests",
        "the server tells them no further apart",
        "it counts all the same",
        "0 where there are no groups",
        "a result, or the reason why there is none",
        "return what there is to say of the server",
        "the share of the time of which nothing is known",
        "the oldest first; None: nothing is known of it",
        "on a timeout the server is told to stop",
        "the context that is put to the incidents",
        "in the time looked at",
        "an answer that is taken for zero",
        "rollbacks are let through",
        "nothing is known of this step",
        "the answer to what was asked",
        "a text as it stands",
        "a part of the list cannot be had",
        "refuse a file, be it a link",
        "secrets are blotted out",
        "the bound is held against the tiers",
        "the second one likewise",
        "a selector stands for its sum",
        "the name stands in quotes",
        "a rule in the place of the default",
        "the file says something wrong",
        "parts are put together",
    ],
)
def test_what_readers_stumbled_over_is_found(text: str) -> None:
    assert offences(text)


@pytest.mark.parametrize(
    "text",
    [
        "there is no data for this step",
        "the token is no longer valid",
        "'yesterday' is not a valid time",
        "--at must not be later than now",
        "99.9% of requests",
        "nothing was measured",
        "keeps or drops events by what there is at its end",
        "look at the traffic again",
        "a value that must not be taken for granted",
        "no label stands out",
        "the queries that the server accepts",
    ],
)
def test_plain_sentences_are_left_alone(text: str) -> None:
    assert offences(text) == []
