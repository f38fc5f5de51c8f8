"""The reasons why a part of an expression counts no events over the window, with corrections."""

from collections.abc import Mapping
from typing import Final

from gate.promql.grammar import ExpressionError
from gate.promql.syntax import ExpressionTree, Node, NodeKind

_NO_COUNT: Final = "does not count events over the window"
_WRITE: Final = (
    f"{_NO_COUNT}; write a sum of increase(...), rate(...), sum_over_time(...) or"
    " count_over_time(...), each over [$window]"
)
_COUNTING: Final = frozenset({"rate", "increase", "sum_over_time", "count_over_time"})
_SUM: Final = "write sum(...)"
_BY_LABELS: Final = (
    "keeps or drops all events of the window by what there is at its end; leave it out, and select"
    " events by their labels"
)
_AGGREGATIONS: Final[Mapping[str, str]] = {
    "avg": f"is a mean over series, not a count of events; {_SUM} instead of avg(...)",
    "max": f"is the largest of several counts and leaves the others out; {_SUM}",
    "min": f"is the smallest of several counts and leaves the others out; {_SUM}",
    "count": f"counts series, not events; {_SUM} of what each of them counts",
    "topk": f"leaves out series and their events; {_SUM}",
    "bottomk": f"leaves out series and their events; {_SUM}",
}
_CALLS: Final[Mapping[str, str]] = {
    "avg_over_time": "is a mean over time, not a count; where each sample counts as an event, write"
    " sum_over_time(...)",
    "histogram_quantile": "is a quantile, not a count; what is slower than a bound is counted by"
    ' the bound\'s bucket: sum(increase(NAME_count[$window])) - sum(increase(NAME_bucket{le="0.5"}'
    "[$window]))",
    "irate": "is the rate between the last two samples, not over the window; write rate(...)",
    "idelta": "is the change between the last two samples, not over the window; write"
    " increase(...)",
    "increase_pure": "is VictoriaMetrics' own; write increase(...), which checks first values",
    "rate_prometheus": "is VictoriaMetrics' own; write rate(...)",
    "increase_prometheus": "is VictoriaMetrics' own; write increase(...)",
    "changes": "counts samples that differ, and one of them may mean many events; write"
    " increase(...)",
    "resets": "counts restarts of a counter; write increase(...) of what counts the events",
    "delta": "is for gauges, and takes a restart for a negative count; write increase(...)",
    "max_over_time": "is the largest sample, not a count; write sum_over_time(...)",
    "min_over_time": "is the smallest sample, not a count; write sum_over_time(...)",
    "last_over_time": "is the last sample, not what happened over the window; write increase(...)"
    " of a counter, or sum_over_time(...) of a gauge",
    "quantile_over_time": "is a quantile of the samples, not a count; write count_over_time(...) of"
    " those beyond a bound",
    "clamp_max": "caps a count, and the events above the cap are lost; leave the cap out",
    "clamp_min": "raises a count to a number that nobody counted; write clamp_min(..., 0) or leave"
    " it out",
    "round": "rounds before everything is added up, or rounds a rate; write round(sum(increase("
    "...)))",
    "vector": "is a fixed number, not a count; after `or`, vector(0) is allowed",
}
_NUMBERS: Final = {"0": "is a number, not a series; write vector(0), which is allowed after `or`"}
_OPERATORS: Final[Mapping[str, str]] = {
    "and": _BY_LABELS,
    "unless": _BY_LABELS,
    "/": "makes a share of two counts, which is not a count; give each count by itself",
    "*": "makes a multiple of a count, which is not a number of events; leave the factor out",
    "+": "copies one side to many series; aggregate both sides with sum(...)",
    "-": "copies one side to many series; aggregate both sides with sum(...)",
    "or": "joins something that is not a count; after it, another count or vector(0) is allowed",
}
_COMPARED: Final = "leaves out counts by their size; only `> 0` and `>= 0` leave out no event"
_COMPARISONS: Final = frozenset({"==", "!=", "<", "<=", ">", ">="})
_ROUNDING: Final = frozenset({"ceil", "floor"})


def reason(tree: ExpressionTree, node: Node) -> ExpressionError:
    """Return why a part does not count events, with the part, its position and a correction."""
    if node.kind is NodeKind.OPERATION:
        message = _OPERATORS.get(node.name, _COMPARED if node.name in _COMPARISONS else _WRITE)
        return ExpressionError(f"`{node.name}` {message}", place=tree.operator(node).at)
    message = _WRITE
    if node.kind is NodeKind.AGGREGATION:
        message = _AGGREGATIONS.get(node.name, _WRITE)
    elif node.kind is NodeKind.CALL:
        message = _of_call(node)
    elif node.kind is NodeKind.SELECTOR and not node.words:
        message = f"is a value at one instant; write increase({tree.shown(node)}[$window])"
    elif node.kind is NodeKind.RANGE and not node.words:
        message = "has samples that are not counted; write increase(...) around it"
    elif node.kind is NodeKind.NUMBER:
        message = _NUMBERS.get(node.name, f"is a fixed number, which {_NO_COUNT}")
    return tree.error(node, message)


def _of_call(node: Node) -> str:
    small = node.name.lower()
    if node.name in _COUNTING:
        return _of_window(node)
    if small in _COUNTING:
        return f"is not PromQL, where functions have small letters; write {small}(...)"
    return _CALLS.get("round" if node.name in _ROUNDING else node.name, _WRITE)


def _of_window(node: Node) -> str:
    """Return the error in the range of a function that counts."""
    moved = [word for part in node.walk() for word in ("offset", "@") if word in part.words]
    if moved:
        return (
            f"is of another time than the window; leave out `{moved[0]}` (an offset of"
            " at most 1h is allowed after [$window])"
        )
    ranged = node.children[0].inner if len(node.children) == 1 else node
    if ranged.kind is not NodeKind.RANGE:
        return "has no range; write [$window] behind the metric"
    if ranged.name != "$window":
        return f"is over {ranged.name}, not over the window; write [$window]"
    return f"{_NO_COUNT}: it has a window within a window; write [$window] once"
