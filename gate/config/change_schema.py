"""The blocks of a policy about changes: their classes, what is live, and overrides."""

from datetime import timedelta
from typing import Final, get_args

from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader
from gate.parsing.schema import Choice, ListOf, MapOf, Scalar, Union
from gate.parsing.values import APPROVER, BOOLEAN, DURATION, NAME, PATH, TEXT
from gate.policy.changes import DEFAULT_CHANGE, ChangeMatcher, Live, LiveKind
from gate.policy.override import OverrideRule

_NO_OVERRIDE: Final = {"none": OverrideRule(max_duration=timedelta(0))}
_TYPE: Final = Scalar(lambda text: NAME.parse(text).lower(), NAME.json)
_MATCHED: Final = ("paths", "labels", "branches", "types", "trailers", "approved_by")
CLASS: Final = Object(
    {
        "description": Field(schema=TEXT, doc="Kind of change.", example="A new prompt."),
        "paths": Field(
            schema=ListOf(PATH),
            doc="Globs of changed files, from the top of the repository.",
            example='["prompts/**"]',
        ),
        "labels": Field(schema=ListOf(TEXT), doc="Labels of the pull request.", example="[prompt]"),
        "branches": Field(
            schema=ListOf(TEXT),
            doc="Globs of the branch that the change comes from.",
            example='["prompt/*"]',
        ),
        "types": Field(schema=ListOf(_TYPE), doc="Types of conventional commits.", example="[fix]"),
        "trailers": Field(
            schema=MapOf(TEXT),
            doc="Commit trailers, each with the value it must have.",
            example="{Change-Class: canary}",
        ),
        "approved_by": Field(
            schema=ListOf(APPROVER, at_least=1),
            doc="Approvers: one of them, who is not an author, must approve the change or set the"
            " label.",
            example='["@acme/sre", write]',
        ),
    },
    lambda values, _: ChangeMatcher(**values.only(*_MATCHED)),
)
CHANGES: Final = Object(
    {
        "default": Field(
            schema=NAME,
            doc=f"Class of a change that is not recognised. Default: {DEFAULT_CHANGE}.",
            example="full-rollout",
        )
    },
    lambda values, _: dict(values.values),
    others=Field(
        schema=CLASS,
        doc="How this class is recognised if nobody names it; the class may be new.",
        example='{paths: ["prompts/**"]}',
    ),
)


def _build_live(values: Values, reader: Reader) -> Live:
    if len(values.values) != 1:
        names = ", ".join(get_args(LiveKind))
        raise reader.fail(values.node(), f"write exactly one of these keys: {names}")
    (kind,) = (kind for kind in get_args(LiveKind) if kind in values.values)
    return Live(kind, values.get(kind))


LIVE: Final = Object(
    {
        "github-deployments": Field(
            schema=TEXT,
            doc="Environment whose last successful GitHub deployment is live.",
            example="production",
        ),
        "gitlab-environments": Field(
            schema=TEXT,
            doc="Environment whose last successful GitLab deployment is live.",
            example="production",
        ),
        "file": Field(
            schema=TEXT,
            doc="File in which the deploy writes the commit; not tracked by git.",
            example="live.txt",
        ),
    },
    _build_live,
    rules={"minProperties": 1, "maxProperties": 1},
)
_OVERRIDE: Final = Object(
    {
        "max_duration": Field(
            schema=DURATION,
            doc="How long an override may last. Default: 24h.",
            formerly="longest",
            example="8h",
        ),
        "approved_by": Field(
            schema=ListOf(APPROVER, at_least=1),
            doc="Who may approve an override. Default: everyone with write access but the author.",
        ),
        "label": Field(
            schema=TEXT,
            doc="Label of a pull request that overrides the verdict, if an approver has set it.",
            example="gate-override",
        ),
        "confirmed": Field(
            schema=BOOLEAN,
            doc="Whether the code host must confirm the approval. Default: on pull requests.",
            example="true",
        ),
    },
    lambda values, _: OverrideRule(
        approvers=values.get("approved_by", ()), **values.only("max_duration", "label", "confirmed")
    ),
)
OVERRIDES: Final = Union(
    Scalar(lambda text: _NO_OVERRIDE[Choice(("none",)).parse(text)], Choice(("none",)).schema()),
    _OVERRIDE,
)
