"""The nodes of a YAML file: the contents of a block, and the place of a character in a value."""

import re
from collections.abc import Iterator, Sequence

import yaml

_PREFIX = "tag:yaml.org,2002:"
_MERGE = f"{_PREFIX}merge"
_SCALARS = frozenset(
    f"{_PREFIX}{name}"
    for name in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value")
)
_TAG = re.compile(r"(?:^|[\s,\[{(])!", re.MULTILINE)
"""The start of a tag outside of quotes and expressions."""


def odd_tags(node: yaml.Node, text: str) -> Iterator[tuple[yaml.Node, str]]:
    """Yield the values of a document with a tag that plain YAML does not have.

    Args:
        node: the document.
        text: the text of the whole file.

    Returns:
        Each value, and its tag as it is written: ``!foo``, ``!!python/name:x``.
    """
    if not _TAG.search(text):
        return
    waiting, visited = [node], set[int]()
    while waiting:
        current = waiting.pop()
        if id(current) in visited:  # an alias
            continue
        visited.add(id(current))
        if isinstance(current, yaml.MappingNode):
            usual = current.tag == f"{_PREFIX}map"
            waiting += [part for pair in current.value for part in pair]
        elif isinstance(current, yaml.SequenceNode):
            usual = current.tag == f"{_PREFIX}seq"
            waiting += current.value
        else:
            usual = current.tag in _SCALARS
        if not usual:
            tag = current.tag
            yield current, f"!!{tag.removeprefix(_PREFIX)}" if tag.startswith(_PREFIX) else tag


def merged(node: yaml.MappingNode) -> tuple[list[tuple[yaml.Node, yaml.Node]], Sequence[yaml.Node]]:
    """Return the keys of a block, with those that ``<<`` merges; its own keys come first.

    If several of them have a key, the first one counts: https://yaml.org/type/merge.html

    Returns:
        The keys and values, and the values of ``<<`` that are not blocks.
    """
    entries = [pair for pair in node.value if pair[0].tag != _MERGE]
    taken = {str(key.value) for key, _ in entries}
    queue, visited, others = _merges(node), {id(node)}, list[yaml.Node]()
    while queue:
        block = queue.pop(0)
        if id(block) in visited:  # named again, or in a cycle
            continue
        visited.add(id(block))
        if isinstance(block, yaml.SequenceNode):
            queue[:0] = block.value
        elif isinstance(block, yaml.MappingNode):
            queue[:0] = _merges(block)
            for key, child in block.value:
                if (
                    key.tag != _MERGE
                    and isinstance(key, yaml.ScalarNode)
                    and key.value not in taken
                ):
                    taken.add(key.value)
                    entries.append((key, child))
        else:
            others.append(block)
    return entries, others


def _merges(node: yaml.MappingNode) -> list[yaml.Node]:
    return [child for key, child in node.value if key.tag == _MERGE]


def mark_in(node: yaml.Node, text: str, place: int) -> yaml.Mark:
    """Return the position in the file of a character of a scalar.

    The characters of the value are searched one after another in the source text, so that quotes,
    indentation and escapes are skipped.

    Args:
        node: the value.
        text: the text of the whole file.
        place: the number of the value's characters before it.

    Returns:
        The start of the value if the character is not found.
    """
    end, lines = node.end_mark, text.split("\n")
    line, column = node.start_mark.line, node.start_mark.column
    style = getattr(node, "style", None)
    if style in {"|", ">"}:
        line, column = line + 1, 0
    elif style:
        column += 1  # the opening quote
    mark = line, column
    for character in filter(lambda character: not character.isspace(), node.value[: place + 1]):
        while lines[line][column : column + 1] != character:
            line, column = (line, column + 1) if lines[line][column:] else (line + 1, 0)
            if (line, column) >= (end.line, end.column) or line == len(lines):
                return node.start_mark
        mark = line, column
        column += 1
    return yaml.Mark("", 0, *mark, "", 0)


NULL = "tag:yaml.org,2002:null"


def child_at(node: yaml.Node, *path: str | int) -> yaml.Node:
    """Return the node under these keys and indices, which all exist.

    Args:
        node: a node of a readable file.
        path: keys of blocks, and indices in lists, from 0.
    """
    for step in path:
        if isinstance(step, int):
            node = node.value[step]
        else:
            node = next(child for key, child in node.value if key.value == step)
    return node


def kind_of(node: yaml.Node) -> str:
    """Say what a value is, for a message."""
    if isinstance(node, yaml.MappingNode):
        return "a block of keys"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return "an empty value" if node.tag == NULL else "a single value"
