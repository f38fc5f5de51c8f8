"""The blocks ``backend`` and ``backends`` of a policy file."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final, Generic, TypeVar

import yaml

from gate.backends import BACKEND, BACKENDS, Settings
from gate.config.class_checks import word_pairs
from gate.config.rules_schema import ON_HERE
from gate.dataclass import dataclass
from gate.measure import Cause
from gate.parsing.numbers import SHARE
from gate.parsing.objects import Field, Object, TaggedUnion, Values
from gate.parsing.reader import Reader, UnreadableError
from gate.parsing.schema import Anything, JsonSchema, ValueSchema, pairs
from gate.parsing.values import DURATION, NAME
from gate.policy.policy import DEFAULT_GUARDS, Action
from gate.slo.objective import NO_OWN_GUARDS, OwnGuards

T = TypeVar("T")
EXAMPLE: Final = '{type: prometheus, url: "http://prometheus:9090"}'
"""A ``backend`` block."""
GUARDS: Final = ("max_age", "min_coverage", "coverage_floor")
OF_POLICY: Final = {
    "max_age": Field(
        schema=DURATION,
        doc="Age above which the newest sample of its SLOs is stale. Default: the policy's max_age;"
        " for evaluations, 1.5 times every.",
        example="36h",
    ),
    "min_coverage": Field(
        schema=SHARE,
        doc="Share of the window with data below which the coverage of its SLOs is low. Default:"
        " the policy's min_coverage.",
        example="80%",
    ),
    "coverage_floor": Field(
        schema=SHARE,
        doc="Share below which the budgets of its SLOs are unknown. Default: the policy's"
        " coverage_floor; at most min_coverage.",
        example="40%",
    ),
    "on": ON_HERE,
}
"""The keys of an entry of ``backends`` that are settings of the policy, not of the connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedBackend(Generic[T]):
    """An entry of ``backends``."""

    settings: T
    """The settings of the backend's connection."""
    guards: OwnGuards
    actions: Mapping[Cause, Action]


def _build(block: Object[T], values: Values, reader: Reader) -> NamedBackend[T]:
    own = Values(
        values={key: value for key, value in values.values.items() if key not in OF_POLICY},
        nodes=values.nodes,
    )
    guards = OwnGuards(**values.only(*GUARDS))
    return NamedBackend(
        settings=block.build(own, reader), guards=guards, actions=values.get("on", {})
    )


class _NamedBlocks(Mapping[str, Object[NamedBackend[Settings]]]):
    """The keys of an entry by its type; looking one up imports that backend's package."""

    def __getitem__(self, kind: str) -> Object[NamedBackend[Settings]]:
        return _with_policy(BACKEND.blocks[kind])

    def __iter__(self) -> Iterator[str]:
        return iter(BACKENDS)

    def __len__(self) -> int:
        return len(BACKENDS)


def _with_policy(block: Object[T]) -> Object[NamedBackend[T]]:
    return Object(
        {**block.fields, **OF_POLICY},
        partial(_build, block),
        others=block.others,
        rules=block.rules,
        check=block.check,
        first=block.first,
        elsewhere=block.elsewhere,
    )


@dataclass(frozen=True, slots=True)
class _Named(Generic[T]):
    """The backends of a policy by name; SLOs refer to these names."""

    entry: ValueSchema[NamedBackend[T]]

    def read(self, node: yaml.Node, reader: Reader) -> dict[str, NamedBackend[T]]:
        """Return the entries by name; a mistake in one entry does not hide mistakes in others."""
        entries, whole = dict[str, NamedBackend[T]](), True
        given = pairs(node, reader)
        for key, child in given:
            if key.value == "type" and isinstance(child, yaml.ScalarNode):
                message = "backends has a name for each backend; for a single one, write backend: "
                raise reader.fail(key, f"{message}{{type: {child.value}, ...}}")
        for key, child in given:
            try:
                name = NAME.read(key, reader)
                entries[name] = self.entry.read(child, reader)
            except UnreadableError:
                whole = False
        if not entries and whole:
            raise reader.fail(node, f"backends has no entry{reader.form()}")
        if not whole:
            raise UnreadableError
        return entries

    def schema(self) -> JsonSchema:
        """Return an object with any names."""
        return {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": self.entry.schema(),
        }


NAMED_BACKENDS: Final = _Named(TaggedUnion("type", _NamedBlocks()))
_UNREAD: Final = Field(schema=Anything(), doc="Not read or opened here.")
UNOPENED_BACKENDS: Final[_Named[Values]] = _Named(
    _with_policy(Object({"type": _UNREAD}, lambda values, _: values, others=_UNREAD))
)
"""The same types, without their connections: such a backend is not opened."""


def check_one_place(values: Values, reader: Reader) -> bool:
    """Note a missing backend, or one in two places; return whether there is exactly one place."""
    if "backend" not in values.nodes and "backends" not in values.nodes:
        message = f"the key 'backend' is missing; add backend: {EXAMPLE}"
        reader.note(values.node(), message)
        return False
    keys = [key for key, _ in word_pairs(values.node()) if key.value in {"backend", "backends"}]
    if len({key.value for key in keys}) <= 1:
        return True
    first, second = keys[0], next(key for key in keys if key.value != keys[0].value)
    line = reader.above + first.start_mark.line + 1
    reader.note(
        second,
        f"{second.value!r} does not go with {first.value!r} on line {line}; write every backend as"
        " an entry of backends, and name it on each SLO",
    )
    return False


def check_backends(values: Values, reader: Reader) -> bool:
    """Note each coverage floor above the coverage that SLOs need; return whether all are sound."""
    whole = True
    least = values.get("min_coverage", DEFAULT_GUARDS.min_coverage)
    entries: Mapping[str, NamedBackend[Any]] = values.get("backends", {})
    for key, node in word_pairs(values.nodes.get("backends")):
        own = entries[key.value].guards if key.value in entries else NO_OWN_GUARDS
        needed = least if own.min_coverage is None else own.min_coverage
        if own.coverage_floor is not None and own.coverage_floor > needed:
            (floor,) = [child for name, child in word_pairs(node) if name.value == "coverage_floor"]
            share = f"{float(needed * 100):g}%"
            reader.note(floor, f"coverage_floor must not be above min_coverage, which is {share}")
            whole = False
    return whole
