"""Mutated policies: what gate validate refuses, gate check and the JSON Schema refuse, too.

Each mutant changes one place of a policy. What is compared is what the three say about the file: no
backend is asked.
"""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from itertools import islice
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gate.cli.schema import policy_schema
from gate.config.policy_schema import parse
from gate.parsing.files import Folder, Imports
from gate.parsing.reader import Reader
from tests.command import gate
from tests.config.whole import ENVIRON, WHOLE, parsed

FOLDER = Path(__file__).parents[2] / "policies"
READY = sorted({*FOLDER.glob("*.yaml")} - {*FOLDER.glob("*.test.yaml")})
VALUES: tuple[Any, ...] = (None, "", 99.9, -1, "1 month", "zzz", True, [], ["zzz"], {}, {"zzz": 1})
"""Replacements of each value: wrong units, wrong forms, unknown words."""
ONLY_VALIDATE = {
    "is not a change class|no tier|which this tier does not allow": "classes are the policy's own",
    "is not an SLO with|duplicate|no SLO is named|required twice": "names refer to other places",
    "tier must hold|no budget|move this tier": "an order of entries",
    "the key '(sli|total)' is missing": "which keys an indicator needs depends on the backend",
    "backend does not|is for the|reads rows of": "what a backend counts is in another block",
    r"\$window|selector|metric's name|expected here|cannot be read|not a count|closing": "PromQL",
    "no unit|unit of its values|is not a time": "units depend on the name of the metric",
    "preset|option|the label|the key 'threshold'|threshold; remove": "what a preset's file says",
    "valid (time zone|http|address|path|name|date|local time|instant)|no http": "beyond a pattern",
    "auth has either|given together": "the ways to log in, each with keys of its own",
    "does not match YAML": "the endings of several kinds of files",
    "lower than|shorter than|longer than|not be above|a slice|begins|could never be": "two values",
    "base_from is only|add cases: how many|say the same|are the same|there twice": "two values",
    "do not show in less time|cannot be compared": "what is compared is in other blocks",
    "every SLO is advisory|does not go with|is too long|finer than": "two values",
}
"""Mistakes that a schema cannot find, by the words of the message, and why."""


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every value of a document."""
    steps: list[tuple[Any, Any]] = list(value.items()) if isinstance(value, dict) else []
    for step, child in steps or (enumerate(value) if isinstance(value, list) else ()):
        yield (*path, step)
        yield from places(child, (*path, step))


def mutants(document: Any) -> Iterator[tuple[str, str]]:
    """Yield what was changed, and the text: each value removed, its key misspelt, or replaced."""
    for path in places(document):
        *way, last = path
        for change in ("removed", "misspelt", *VALUES):
            mutant = deepcopy(document)
            holder = mutant
            for step in way:
                holder = holder[step]
            if change == "removed":
                del holder[last]
            elif change == "misspelt" and isinstance(last, str):
                holder[f"{last}x"] = holder.pop(last)
            else:
                holder[last] = change
            yield f"{'/'.join(map(str, path))}: {change!r}", json.dumps(mutant)


def refusals(text: str, *, offline: bool) -> list[str]:
    """Return every mistake for which ``gate validate`` (offline) or ``gate check`` ends with 2."""
    imports = Imports(tree=Folder(FOLDER))
    reader = Reader(file="gate.yaml", environ=ENVIRON, imports=imports, offline=offline)
    return [mistake.message for mistake in parse(text.encode(), reader)[1] if mistake.fatal]


@pytest.mark.slow
def test_the_schema_refuses_what_validate_refuses_but_for_what_only_validate_can_know() -> None:
    validator = jsonschema.Draft202012Validator(policy_schema())
    odd = list[str]()
    for what, text in islice(mutants(parsed(WHOLE)), 3, None, 11):
        mistakes, fits = refusals(text, offline=True), validator.is_valid(json.loads(text))
        if not mistakes and not fits:
            odd.append(f"only the schema refuses {what}")
        elif mistakes and fits and not re.search("|".join(ONLY_VALIDATE), mistakes[0]):
            odd.append(f"only validate refuses {what}: {mistakes[0]}")

    assert odd == []


@pytest.mark.variants(1)
@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_validate_and_check_refuse_the_same_mutants(path: Path) -> None:
    document = parsed(path.read_text(encoding="utf-8"))
    chosen = list(islice(mutants(document), 5, None, 17))
    differing = [
        what
        for what, text in chosen
        if bool(refusals(text, offline=True)) != bool(refusals(text, offline=False))
    ]

    assert len(chosen) > 20
    assert differing == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("99.9%", "99.9"),
        ("window: 30d", "window: 1 month"),
        ("bad: errors", "bad: sum(increase(errors[30d]))"),
        ("http://p:9090", "http://p:9090/api/v1"),
        ("otherwise: true", 'remaining: "> 1%"'),
    ],
)
def test_both_commands_end_with_2_for_what_is_wrong_in_the_file(
    tmp_path: Path, right: str, wrong: str
) -> None:
    sound = (
        'version: 1\nservice: chat\nbackend: {type: prometheus, url: "http://p:9090"}\n'
        "slos: [{name: a, objective: 99.9%, window: 30d, sli: {bad: errors, total: all}}]\n"
        "tiers: [{name: rest, otherwise: true, allow: all}]\n"
    )
    (tmp_path / "gate.yaml").write_text(sound)
    assert gate("validate", "gate.yaml", cwd=tmp_path).exit_code == 0

    (tmp_path / "gate.yaml").write_text(sound.replace(right, wrong))
    validated = gate("validate", "gate.yaml", cwd=tmp_path)
    checked = gate("check", "gate.yaml", "--change", "canary", cwd=tmp_path)

    assert (validated.exit_code, checked.exit_code) == (2, 2)
    assert validated.stdout.splitlines()[0] in checked.stderr
