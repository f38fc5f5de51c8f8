"""Writes docs/policy.md, the reference of the policy file.

Keys, types and descriptions come from the schema, whose texts are the ``doc=`` of the fields in
gate/config and gate/backends. Examples and what is said of whole blocks are in policy.yaml beside
this file, the rest of the page in policy.frame.md.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from docs.reference.blocks import Block, Schema, blocks, slug
from docs.reference.text import filled
from gate.cli.schema import policy_schema
from gate.measure.remedies import REMEDIES

SOURCE = Path(__file__).with_name("policy.yaml")
TARGET = Path(__file__).parent.parent / "policy.md"
FRAME = Path(__file__).with_name("policy.frame.md")
"""The page without its blocks, which stand in the place of `BLOCKS`."""
BLOCKS = "<!-- blocks -->\n"
KINDS = {
    "30d": "duration",
    "99.9%": "share",
    "> 50%": "condition",
    "UTC": "time zone",
    "2026-12-20": "date or time",
    "2026-11-20T14:00:00Z": "time",
    "2026-01-03T12:00": "local time",
    "@ada": "approver",
    "50000 USD": "amount",
    "slos/*.yaml": "glob",
    "incidents/*.yaml": "glob",
    "evals/*.json": "glob",
    "10%": "share",
    "2.5s": "duration or number",
    "%d/%m/%Y %H:%M:%S": "text",
    "requests": "text",
    "50GB": "bytes",
}
"""First example of a schema -> what the value is called."""
_DEFAULT = re.compile(r" ?Default: (.+)\.$")


@dataclass
class Row:
    """One key of a block."""

    key: str
    value: str
    default: str
    """Empty: there is none. ``required``."""
    doc: str


@dataclass
class Section:
    """What the page says of one block beside its keys."""

    at: str
    examples: list[str]
    about: str = ""
    title: str = ""
    elsewhere: list[str] | None = None
    """Keys whose examples are under the blocks that they have."""


@cache
def source() -> dict[str, Any]:
    """Return what policy.yaml says."""
    said: dict[str, Any] = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    return said


def sections() -> list[Section]:
    """Return what the page says of each block, in its order."""
    return [
        Section(
            examples=[entry["example"]], **{key: entry[key] for key in entry if key != "example"}
        )
        if "example" in entry
        else Section(**entry)
        for entry in source()["sections"]
    ]


@cache
def shown_schema() -> dict[str, Any]:
    """Return the schema of the policy file, with the keys of each backend once.

    An entry of ``backends`` has the keys of a ``backend`` block: only those that it has beside them
    are described with it.
    """
    schema = policy_schema()
    properties = schema["properties"]
    single = {key for form in properties["backend"]["oneOf"] for key in form["properties"]}
    entries = properties["backends"]["additionalProperties"]["oneOf"]
    beside = [key for key in entries[0]["properties"] if key not in single]
    kinds = [form["properties"]["type"]["const"] for form in entries]
    properties["backends"]["additionalProperties"] = {
        "type": "object",
        "properties": {
            "type": {"description": "Type of the backend.", "enum": kinds},
            **{key: entries[0]["properties"][key] for key in beside},
        },
        "required": ["type"],
        "additionalProperties": {},
    }
    return schema


def all_blocks() -> list[Block]:
    """Return every block of the policy file."""
    return blocks(shown_schema())


def rows(block: Block) -> Iterator[Row]:
    """Yield the keys of a block."""
    for key, schema in block.schema["properties"].items():
        doc = schema.get("description", "")
        default = _DEFAULT.search(doc)
        if block.at.rpartition(": ")[2] == "on" and key in REMEDIES:
            doc = f"[{REMEDIES[key].title}](troubleshooting.md#{key})."
        required = key in block.schema["required"]
        links = list(_links(block.inner.get(key, [])))
        yield Row(
            key=key,
            value=" or ".join(dict.fromkeys(_kinds(schema, key, links))),
            default="required" if required else (default[1] if default else ""),
            doc=_DEFAULT.sub("", doc),
        )


def _links(places: list[str]) -> Iterator[str]:
    for at in places:
        name = at.rpartition(": ")[2] if len(places) > 1 else "block"
        yield f"[{name}](#{slug(at)})"


def _of_block(schema: Schema, key: str, links: list[str]) -> Iterator[str]:
    others = schema.get("additionalProperties")
    if isinstance(others, dict) and "properties" in others and "properties" not in schema:
        (at,) = (block.at for block in all_blocks() if block.schema == others)
        yield f"map of names to [blocks](#{slug(at)})"
    elif "properties" not in schema:
        inner = " or ".join(_kinds(schema["additionalProperties"], key, links))
        yield f"map of names to {_plural(inner)}"
    elif len(links) == 1:
        yield from links
    else:
        (at,) = (block.at for block in all_blocks() if block.schema == schema)
        yield from (link for link in links if link.endswith(f"(#{slug(at)})"))


def _kinds(schema: Schema, key: str, links: list[str]) -> Iterator[str]:
    """Yield the forms that a value may have, in words."""
    if "const" in schema:
        yield f"`{schema['const']}`"
    elif "enum" in schema:
        words = list(dict.fromkeys(str(word) for word in schema["enum"]))
        yield ", ".join(f"`{word}`" for word in words) if len(words) < 8 else "a known name"
    elif forms := (schema.get("anyOf") or ("properties" not in schema and schema.get("oneOf"))):
        for form in forms:
            yield from _kinds(form, key, links)
    elif schema.get("type") == "array":
        inner = " or ".join(dict.fromkeys(_kinds(schema["items"], key, links)))
        yield f"list of {_plural(inner)}"
    elif schema.get("type") == "object":
        yield from _of_block(schema, key, links)
    elif key in {"name", "service"} or not schema.keys() & {"type", "examples"}:
        yield "text"
    else:
        yield _scalar(schema, key)


_OF_CLASSES = {"allow", "warn", "except"}


def _scalar(schema: Schema, key: str) -> str:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if examples := schema.get("examples"):
        return KINDS[str(examples[0])]
    if "boolean" in kinds and "minLength" not in schema:
        return "`true` or `false`"
    if "integer" in kinds:
        return "whole number"
    if "number" in kinds and "minLength" not in schema:
        return "number"
    return "class" if key in _OF_CLASSES else "text"


def _plural(kind: str) -> str:
    if kind.startswith(("[", "list of ")):
        return kind.replace("[block]", "[blocks]").replace("list of", "lists of")
    return {"class": "classes", "text": "texts", "glob": "globs", "approver": "approvers"}.get(
        kind, kind
    )


def render() -> str:
    """Return the page."""
    text = ""
    for section, block in zip(sections(), all_blocks(), strict=True):
        assert section.at == block.at, (section.at, block.at)
        level = "##" if block.at.count(": ") < 1 or block.at.startswith("backend: ") else "###"
        text += f"{level} {section.title or section.at}\n\n"
        text += f"{filled(section.about)}\n\n" if section.about else ""
        for example in section.examples:
            text += f"```yaml\n{example}```\n\n"
        text += "| Key | Value | Default | Meaning |\n|---|---|---|---|\n"
        for row in rows(block):
            cells = (f"`{row.key}`", row.value, row.default, row.doc.replace("|", "\\|"))
            text += f"| {' | '.join(cells)} |\n"
        text += "\n"
    return FRAME.read_text(encoding="utf-8").replace(BLOCKS, text)


def main() -> None:
    """Write the page."""
    TARGET.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
