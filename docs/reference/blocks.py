"""The blocks of the policy file, as its JSON Schema has them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Schema = Mapping[str, Any]


@dataclass
class Block:
    """One block of keys."""

    at: str
    """Keys from the top of the file: ``slos: window``; empty for the whole file."""
    schema: Schema
    inner: dict[str, list[str]] = field(default_factory=dict)
    """Key -> the blocks that its value may be."""

    @property
    def anchor(self) -> str:
        """The anchor of its section."""
        return slug(self.at)


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives a heading without markup."""
    return heading.lower().replace(":", "").replace(" ", "-")


def alternatives(schema: Schema) -> Iterator[Schema]:
    """Yield the forms that a value may have, without lists around them."""
    forms = schema.get("anyOf") or schema.get("oneOf")
    if forms and "properties" not in schema:
        for form in forms:
            yield from alternatives(form)
    elif schema.get("type") == "array":
        yield from alternatives(schema["items"])
    else:
        yield schema


def blocks(schema: Schema, at: str = "") -> list[Block]:
    """Return every block within a value, in the order of the schema; equal ones once."""
    listed: list[Block] = []
    for form in alternatives(schema):
        if "properties" in form:
            name = _name(form, at)
            block = Block(at=name, schema=form)
            listed.append(block)
            for key, value in form["properties"].items():
                listed += _below(key, value, block, listed)
        others = form.get("additionalProperties")
        if isinstance(others, Mapping) and (below := blocks(others, f"{at}: {_key(at)}")):
            listed += below
    return listed


def _key(at: str) -> str:
    """Return the placeholders of the names that a user chooses in a block."""
    return "NAME" if at == "backends" else "CLASS"


def _name(form: Schema, at: str) -> str:
    tags = [entry["const"] for entry in form["properties"].values() if "const" in entry]
    if tags:
        return f"{at}: {tags[0]}"
    if at == "tiers: require: CLASS":
        return f"tiers: require: {form['required'][0]}"
    return f"{at}: from" if "from" in form["required"] and at == "slos" else at


def _below(key: str, value: Schema, block: Block, listed: list[Block]) -> list[Block]:
    """Return the blocks below a key, but for what another place has already."""
    new, direct, elsewhere = list[Block](), list(alternatives(value)), dict[str, str]()
    for inner in blocks(value, f"{block.at}: {key}".removeprefix(": ")):
        same = next((other for other in listed if other.schema == inner.schema), None)
        if inner.schema in direct:
            block.inner.setdefault(key, []).append((same or inner).at)
        if same is None:
            new.append(inner)
        else:
            elsewhere[inner.at] = same.at
    for inner in new:
        for places in inner.inner.values():
            places[:] = [elsewhere.get(at, at) for at in places]
    return new


def used(
    value: Any, schema: Schema, listed: list[Block]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each key that a value has: the block that it belongs to, its name, and who has it."""
    if isinstance(value, list):
        for item in value:
            yield from used(item, schema, listed)
        return
    if not isinstance(value, dict):
        return
    form = next(form for form in alternatives(schema) if _fits(value, form))
    at = next((block.at for block in listed if block.schema == form), None)
    properties, others = form.get("properties", {}), form.get("additionalProperties")
    for key, inner in value.items():
        if key in properties and at is not None:
            yield at, key, value
        below = properties.get(key, others)
        if isinstance(below, Mapping):
            yield from used(inner, below, listed)


def _fits(value: Mapping[str, Any], form: Schema) -> bool:
    properties = form.get("properties")
    if properties is None:
        return isinstance(form.get("additionalProperties"), Mapping)
    tagged = all(
        value.get(key) == entry["const"] for key, entry in properties.items() if "const" in entry
    )
    keys = value.keys() <= properties.keys() or isinstance(form["additionalProperties"], Mapping)
    return tagged and keys
