"""The block of a policy that requires an evaluation."""

import posixpath
import re
from typing import Final

import yaml

from gate.dataclass import dataclass
from gate.parsing.numbers import ABOVE_NONE, ABOVE_ZERO, FROM_ONE
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader, decode
from gate.parsing.schema import Choice, JsonSchema, ListOf, Scalar, Union
from gate.parsing.values import DURATION, NAME, TEXT
from gate.policy.requirements import EvaluationRequirement

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def _digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise ValueError(
            f"{text!r} is not a hash of case ids: 64 hexadecimal digits in lower case, as gate"
            " evaluation prints them"
        )
    return text


def _result_files(text: str) -> str:
    pattern = posixpath.normpath(text)
    if pattern.startswith(("/", "~")) or "\\" in text or re.match("[A-Za-z]:", text):
        raise ValueError(
            f"{text!r} is not a valid path; write it from the folder that gate runs in, with /:"
            " evals/*.json"
        )
    return pattern


_FILE: Final = Scalar(
    _result_files,
    {
        **TEXT.json,
        "pattern": r"^(?![/~]|[A-Za-z]:)[^\\]+$",
        "examples": ["evals/*.json"],
    },
)
_FILES: Final = Union(
    Scalar(lambda text: (_result_files(text),), _FILE.json), ListOf(_FILE, at_least=1)
)


@dataclass(frozen=True, slots=True)
class ResultSource:
    """The place of the result files."""

    files: tuple[str, ...]
    artifact: str | None = None
    """The name of a CI artifact; None: the files are on this machine."""


_ARTIFACT: Final = Object(
    {
        "artifact": Field(
            schema=TEXT,
            doc="Name of a CI artifact of this commit; on GitLab the name of the job.",
            required=True,
            example="evaluation-results",
        ),
        "files": Field(
            schema=_FILES,
            doc="Globs of the result files in it.",
            required=True,
            example='"*.json"',
        ),
    },
    lambda values, _: ResultSource(values.get("files"), values.get("artifact")),
)


class FilesOrArtifact:
    """The place of result files: globs of files on this machine, or a CI artifact."""

    def read(self, node: yaml.Node, reader: Reader) -> ResultSource:
        """Return the globs, and the name of the artifact."""
        if isinstance(node, yaml.MappingNode):
            return _ARTIFACT.read(node, reader)
        return ResultSource(_FILES.read(node, reader))

    def schema(self) -> JsonSchema:
        """Return the schema of all three forms."""
        return {"anyOf": [*_FILES.schema()["anyOf"], _ARTIFACT.schema()]}


class _CaseIds:
    """The ids of the cases: a list, or a file with one id on each line."""

    def read(self, node: yaml.Node, reader: Reader) -> frozenset[str]:
        """Return the ids: at least one, without duplicates."""
        if isinstance(node, yaml.ScalarNode):
            ids = _lines(node, reader)
        else:
            ids = ListOf(TEXT, at_least=1).read(node, reader)
        twice = sorted({case_id for case_id in ids if ids.count(case_id) > 1})[:1]
        if twice:
            raise reader.fail(node, f"the case {twice[0]!r} is duplicated; remove one of the two")
        return frozenset(ids)

    def schema(self) -> JsonSchema:
        """Return the schema of both forms."""
        return {"anyOf": [TEXT.schema(), ListOf(TEXT, at_least=1).schema()]}


def _lines(node: yaml.ScalarNode, reader: Reader) -> tuple[str, ...]:
    """Return the lines of a file beside the policy, which is hashed and pinned like the policy."""
    name = TEXT.read(node, reader)
    if set(name) & set("*?\\") or posixpath.isabs(name):
        message = f"{name!r} is not the name of one file; write it from this file's folder, with /"
        raise reader.fail(node, message)
    files = reader.imports.find(name)
    if not files:
        where = "paths start from this file's folder"
        raise reader.fail(node, f"there is no file {name!r}; {where}")
    try:
        text = decode(reader.imports.read(files[0]), reader.beside(files[0]))
    except OSError as error:
        raise reader.fail(node, f"{files[0]} cannot be read: {error.strerror}") from error
    lines = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not lines:
        raise reader.fail(node, f"{files[0]} has no case; write one id on each line")
    return lines


def _build_evaluation(values: Values, reader: Reader) -> EvaluationRequirement:
    compared = "not_worse_than" in values.values
    if "base_from" in values.values and not compared:
        message = "base_from is only used with not_worse_than; add not_worse_than: base"
        raise reader.fail(values.node("base_from"), message)
    if len(values.given("case_ids", "case_digest")) > 1:
        message = "'case_ids' and 'case_digest' say the same; remove one of the two"
        raise reader.fail(values.node("case_digest"), message)
    case_ids, cases = values.get("case_ids"), values.get("cases")
    if case_ids is not None and cases is not None and cases > len(case_ids):
        message = (
            f"cases is {cases:,}, and case_ids has only {len(case_ids):,}: it could never be met;"
            f" write cases: {len(case_ids)}"
        )
        raise reader.fail(values.node("cases"), message)
    if values.get("at_least") == 1 and cases is None:
        message = "no number of cases proves that all of them pass; add cases: how many are enough"
        raise reader.fail(values.node("at_least"), message)
    source, base = values.get("from"), values.get("base_from", ResultSource(()))
    return EvaluationRequirement(
        name=values.get("evaluation"),
        files=source.files,
        artifact=source.artifact,
        base_files=base.files,
        base_artifact=base.artifact,
        not_worse_than_base=compared,
        **values.only(
            *("at_least", "cases", "max_age", "metric", "score"),
            *("case_ids", "case_digest", "repeats"),
        ),
    )


EVALUATION: Final = Object(
    {
        "evaluation": Field(
            schema=NAME,
            doc="Name of the evaluation, and of its metric unless metric says another.",
            required=True,
            example="faithfulness",
        ),
        "from": Field(
            schema=FilesOrArtifact(),
            doc="Globs of its result files, from the folder that gate runs in, or a CI artifact.",
            required=True,
            example='"evals/*.json"',
        ),
        "at_least": Field(
            schema=ABOVE_NONE,
            doc="Share of the distinct cases that must pass.",
            required=True,
            example="95%",
        ),
        "cases": Field(
            schema=FROM_ONE,
            doc="Number of distinct cases from which the measured share itself is compared."
            " Default: the 95% interval of the share decides.",
            example="200",
        ),
        "max_age": Field(
            schema=DURATION,
            doc="How long ago the evaluation may have run. Default: any time.",
            example="24h",
        ),
        "not_worse_than": Field(
            schema=Choice(("base",)),
            doc="base: compare case by case with the results of the commit before the change.",
            example="base",
        ),
        "base_from": Field(
            schema=FilesOrArtifact(),
            doc="Globs of the result files of the base, or its artifact. Default: those of from.",
            example='"evals-base/*.json"',
        ),
        "metric": Field(
            schema=TEXT,
            doc="Metric, scorer or column that counts, or all for every check of a case."
            " Default: the evaluation's name.",
            example='"exact_match,none"',
        ),
        "score": Field(
            schema=ABOVE_ZERO,
            doc="Score that a case needs to pass, above 0. Default: as the tool says.",
            example="0.8",
        ),
        "case_ids": Field(
            schema=_CaseIds(),
            doc="Ids of exactly the cases that must be there, or a file with one id on each line,"
            " relative to this file's folder. Default: any cases.",
            example="golden-set.txt",
        ),
        "case_digest": Field(
            schema=Scalar(_digest, {"type": "string", "pattern": f"^{_DIGEST.pattern}$"}),
            doc="Hash of the ids of the cases, as gate evaluation prints it. Default: any cases.",
            example="4f1c0a6f7e9b2d3c8a5e4b7f6d1c2a3b9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b",
        ),
        "repeats": Field(
            schema=FROM_ONE,
            doc="How many times each case is run; it passes if all of them pass. Default: 1.",
            example="3",
        ),
    },
    _build_evaluation,
)
