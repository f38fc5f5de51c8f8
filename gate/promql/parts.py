"""The terms of a count: no absent term may hide the others."""

from collections.abc import Iterator
from typing import Final

from gate.promql.counting import Count
from gate.promql.counts import CountReader
from gate.promql.facts import ABOVE_ZERO, ADDING, LABELLING, is_zero
from gate.promql.grammar import ExpressionError
from gate.promql.syntax import Node, NodeKind

_JOINT: Final = (
    "adds up counts one of which may be absent, and then all of it is; write"
    " (sum(...) or vector(0)) {0} (sum(...) or vector(0)), or sum(...) {0} sum(...)"
)
_OTHER: Final = {"+": "-", "-": "+"}


def with_absent_parts(count: Count) -> str:
    """Return a count in which an absent term of a sum counts as 0.

    In PromQL ``a + b`` is empty if b is, and an empty result would look like no failures.

    Raises:
        ExpressionError: it adds up within another function, where the parts are not known.
    """
    node, reader = _open(count.root), count.reader
    bounded = _bounded(node)
    if bounded is not None and reader.facts[bounded.span].single:
        parts = _parts(reader, bounded)
        bounds = "clamp_min({}, 0)" if any(sign == "-" for sign, _ in parts) else "{}"
        return count.text if len(parts) == 1 else bounds.format(_joined(reader, parts))
    parts = _parts(reader, node)
    return count.text if len(parts) == 1 else _joined(reader, parts)


def rest_of(whole: Count, count: Count) -> str | None:
    """Return the part that is subtracted where a count is ``whole - rest``; None: it is not.

    It may be written as ``clamp_min(whole - rest, 0)``, too: for events the rest is never more than
    the whole.
    """
    node, reader = _open(count.root), count.reader
    while (inner := _bounded(node) or _guarded(reader, node)) is not None:
        node = _open(inner)
    summed = node.kind is NodeKind.AGGREGATION
    if summed and _alike(reader, node.children[0]):
        node = _open(node.children[0])
    if not _adds(node) or node.name != "-":
        return None
    left, right = node.children
    if _canonical(reader, left) != _canonical(whole.reader, whole.root):
        return None
    return f"sum({reader.text(right)})" if summed else reader.text(right)


def _parts(reader: CountReader, node: Node, sign: str = "+") -> list[tuple[str, Node]]:
    """Return the terms that are added and subtracted to make a count.

    Raises:
        ExpressionError: something is added up where it cannot be taken apart.
    """
    node = _open(node)
    if _adds(node):
        left, right = node.children
        other = sign if node.name == "+" else _OTHER[sign]
        return [*_parts(reader, left, sign), *_parts(reader, right, other)]
    if (inner := _guarded(reader, node)) is not None:
        return _parts(reader, inner, sign)
    adding = next(filter(_adds, _above_ranges(node)), None)
    if adding is None:
        return [(sign, node)]
    if node.kind is NodeKind.AGGREGATION:
        (inner,) = node.children
        parts = _parts(reader, inner, sign)
        if _alike(reader, inner) or all(reader.facts[part.span].single for _, part in parts):
            return parts
    operator = reader.tree.operator(adding)
    message = _JOINT.format(operator.text)
    raise ExpressionError(f"`{operator.text}` {message}", place=operator.at)


def _joined(reader: CountReader, parts: list[tuple[str, Node]]) -> str:
    """Write a sum in which an absent term is 0; a term with labels is summed up, to match the 0."""
    text = ""
    for sign, node in parts:
        single = reader.facts[node.span].single
        part = reader.text(node) if single else f"sum({reader.text(node)})"
        text += f" {sign} ({part} or vector(0))" if text else f"({part} or vector(0))"
    return text


def _open(node: Node) -> Node:
    """Return a part without brackets and without functions that change only its labels."""
    node = node.inner
    while node.kind is NodeKind.CALL and node.name in LABELLING:
        node = node.children[0].inner
    return node


def _adds(node: Node) -> bool:
    return node.kind is NodeKind.OPERATION and node.name in ADDING


def _bounded(node: Node) -> Node | None:
    """Return the argument of ``clamp_min(..., 0)`` or of ``> 0``."""
    if node.kind is NodeKind.CALL and node.name == "clamp_min":
        return node.children[0]
    if node.kind is NodeKind.OPERATION and node.name in ABOVE_ZERO:
        return node.children[0]
    return None


def _guarded(reader: CountReader, node: Node) -> Node | None:
    """Return a part without ``or vector(0)`` or a redundant bound at 0; None: it has neither."""
    if node.kind is NodeKind.OPERATION and node.name == "or" and is_zero(node.children[1]):
        return node.children[0]
    bounded = _bounded(node)
    if bounded is not None and (node.name == "!=" or reader.facts[bounded.span].positive):
        return bounded
    return None


def _above_ranges(node: Node) -> Iterator[Node]:
    """Yield a part and its parts, except those that are counted over a range."""
    if node.kind is not NodeKind.RANGE:
        yield node
        for child in node.children:
            yield from _above_ranges(child)


def _alike(reader: CountReader, node: Node) -> bool:
    """Return whether all terms are counts of one selector, whose series are the same."""
    leaves, queue = list[Node](), [_open(node)]
    while queue:
        part = queue.pop()
        if _adds(part):
            queue += [child.inner for child in part.children]
        else:
            leaves.append(part)
    counted = {_squeezed(reader, leaf.children[0].inner) for leaf in leaves if leaf.children}
    return len(counted) == 1 and all(leaf in reader.calls for leaf in leaves)


def _canonical(reader: CountReader, node: Node) -> str:
    """Return a text that two counts share only if they are the same number."""
    node = _open(node)
    if (inner := _guarded(reader, node)) is not None:
        return _canonical(reader, inner)
    if _adds(node):
        left, right = (_canonical(reader, child) for child in node.children)
        return f"({left}{node.name}{right})"
    if node.kind is NodeKind.AGGREGATION:
        inner = _open(node.children[0])
        text = _canonical(reader, inner)
        return text if inner in reader.calls else f"sum({text})"
    return _squeezed(reader, node)


def _squeezed(reader: CountReader, node: Node) -> str:
    return reader.tree.text(node).replace(" ", "")
