"""What a policy file says of changes: how their class is recognised, and overrides."""

from datetime import timedelta
from typing import Final

from gate.config.scalars import APPROVER, DURATION, NAME, PATH, TEXT
from gate.config.shapes import Block, Choice, EitherOf, Field, ListOf, MapOf, Scalar
from gate.policy.changes import DEFAULT
from gate.policy.override import LONGEST, OverrideRule
from gate.policy.recognition import Matcher

_NO_OVERRIDE: Final = {"none": OverrideRule(longest=timedelta(0))}

CLASS: Final = Block(
    {
        "description": Field(shape=TEXT, doc="What kind of change this is."),
        "paths": Field(shape=ListOf(PATH), doc="Globs of changed files: prompts/**."),
        "labels": Field(shape=ListOf(TEXT), doc="Labels of the pull request."),
        "branches": Field(shape=ListOf(TEXT), doc="Globs of the branch it comes from."),
        "types": Field(shape=ListOf(NAME), doc="Types of conventional commits: fix."),
        "trailers": Field(shape=MapOf(TEXT), doc="Commit trailers: {Change-Class: canary}."),
        "approved_by": Field(
            shape=ListOf(APPROVER, at_least=1),
            doc="Counts only if one of these, not the author, approved or set the label.",
        ),
    },
    lambda values, _: Matcher(
        paths=values.get("paths", ()),
        labels=values.get("labels", ()),
        branches=values.get("branches", ()),
        types=tuple(name.lower() for name in values.get("types", ())),
        trailers=values.get("trailers", {}),
        approved_by=values.get("approved_by", ()),
    ),
)
CHANGES: Final = Block(
    {"default": Field(shape=NAME, doc=f"What is not recognised. Default: {DEFAULT}.")},
    lambda values, _: dict(values.values),
    others=Field(shape=CLASS, doc="How a class is recognised, without --change; it may be new."),
)

_OVERRIDE: Final = Block(
    {
        "longest": Field(shape=DURATION, doc="Until its end, at most. Default: 24h."),
        "approved_by": Field(
            shape=ListOf(APPROVER, at_least=1),
            doc="Who may. Default: all but the author; by a label, of those who may write.",
        ),
        "label": Field(
            shape=TEXT, doc="Of a pull request; an override where one of these has set it."
        ),
    },
    lambda values, _: OverrideRule(
        longest=values.get("longest", LONGEST),
        approvers=values.get("approved_by", ()),
        label=values.get("label"),
    ),
)
OVERRIDES: Final = EitherOf(
    Scalar(lambda text: _NO_OVERRIDE[Choice(("none",)).parse(text)], Choice(("none",)).schema()),
    _OVERRIDE,
)
