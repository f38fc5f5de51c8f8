"""The events that a part of an expression counts over the window, or why it counts no events."""

from dataclasses import field, replace
from typing import Final

from gate.dataclass import dataclass
from gate.promql.facts import (
    ABOVE_ZERO,
    ADDING,
    COUNTERS,
    LABELLING,
    LEVELS,
    MANY_TO_ONE,
    NEVER_NEGATIVE,
    RATES,
    ROUNDING,
    SORTING,
    CountFacts,
    family,
    is_now,
    is_single,
    is_weight,
    is_zero,
)
from gate.promql.grammar import ExpressionError
from gate.promql.refusals import reason
from gate.promql.syntax import ExpressionTree, Node, NodeKind

_OF_HISTOGRAMS: Final = "histogram_count"
"""The function that returns the events of native histograms, whose increases are histograms."""
_SCALING: Final = frozenset({"*", "/", "%", "^", "or"})
_NO_COUNTER: Final = (
    'is neither a counter such as requests_total{code="500"} nor a sum(...) of such; write what it'
    " counts over a window, such as sum(increase(requests_total[$window]))"
)


@dataclass(slots=True, kw_only=True)
class CountReader:
    """Reads an expression as a number of events, and collects the edits that it needs."""

    tree: ExpressionTree
    edits: dict[int, str] = field(default_factory=dict)
    """The replacement texts of tokens, by the position of the token."""
    calls: list[Node] = field(default_factory=list)
    """The parts that count, each over the window."""
    bounds: list[Node] = field(default_factory=list)
    """Comparisons with 0 that ``clamp_min(..., 0)`` replaces, innermost first."""
    facts: dict[range, CountFacts] = field(default_factory=dict)
    """The facts about each part that counts, by its position."""
    of_counters: bool = False
    """Whether the parts are counters without a window, whose increase is counted."""
    levels: bool = False
    """Whether means of gauges are read, too."""
    offset: str = ""
    """The offset of the whole expression, as it is written."""

    def text(self, node: Node) -> str:
        """Return the text of a part with its edits."""
        written = {place: self.tree.tokens[place].text for place in node.span} | {
            place: text for place, text in self.edits.items() if place in node.span
        }
        for bound in self.bounds:
            if bound.span.start in node.span and bound.span.stop <= node.span.stop:
                written[bound.span.start] = f"clamp_min({written[bound.span.start]}"
                written[bound.children[0].span.stop] = ", 0)"
        return "".join(written.values()).strip()

    def read(self, node: Node) -> CountFacts:
        """Return the facts about a part that counts.

        Raises:
            ExpressionError: it counts no events over the window.
        """
        self.facts[node.span] = facts = self._facts(node)
        return facts

    def _facts(self, node: Node) -> CountFacts:
        match node.kind:
            case NodeKind.SELECTOR if self.of_counters and not node.words:
                return self._counter(node)
            case NodeKind.BRACKETS:
                return self.read(node.children[0])
            case NodeKind.AGGREGATION if node.name == "sum" and len(node.children) == 1:
                return self.read(node.children[0]).grouped(node)
            case NodeKind.CALL:
                return self._call(node)
            case NodeKind.OPERATION:
                return self._operation(node)
            case _:
                raise self._refused(node)

    def _call(self, node: Node) -> CountFacts:
        arguments = node.children
        counting = RATES | COUNTERS | (LEVELS if self.levels else frozenset())
        if node.name in counting and len(arguments) == 1 and not self.of_counters:
            return self._counted(node, arguments[0])
        if node.name == _OF_HISTOGRAMS and len(arguments) == 1 and not self.of_counters:
            return self.read(arguments[0])
        if node.name in LABELLING and arguments:
            facts = self.read(arguments[0])
            self._unwrap(node)
            if node.name in SORTING:
                return facts
            change = "".join(self.tree.text(argument) for argument in arguments[1:])
            return replace(facts, labels=None, replaced=facts.replaced + change)
        if node.name == "clamp_min" and [child.inner.name for child in arguments[1:]] == ["0"]:
            facts = self.read(arguments[0])
            if facts.positive:
                self._unwrap(node)
            return replace(facts, positive=True)
        if node.name in ROUNDING and arguments:
            return self._rounded(node)
        raise self._refused(node)

    def _counter(self, node: Node) -> CountFacts:
        first, last = node.span.start, node.span.stop - 1
        self.edits[last] = f"{self.tree.tokens[last].text}[$window])"
        self.edits[first] = f"increase({self.edits.get(first, self.tree.tokens[first].text)}"
        self.calls.append(node)
        return CountFacts(positive=True)

    def _counted(self, node: Node, argument: Node) -> CountFacts:
        ranged = argument.inner
        windows = [part for part in node.walk() if part.name == "$window"]
        if ranged.kind is not NodeKind.RANGE or windows != [ranged] or not is_now(ranged):
            raise self._refused(node)
        for call in self.calls[:1]:
            if family(call) != family(node):
                message = f"is {family(node)}, and another part is {family(call)}: no number of"
                raise self.tree.error(node, f"{message} events follows from both")
        if not self.calls:
            self.offset = ranged.shift
        elif ranged.shift != self.offset:
            message = "is of another time than the other parts; give all of them the same offset"
            raise self.tree.error(node, message)
        if node.name in RATES:
            self.edits[node.span.start] = "increase"
        self.calls.append(node)
        return CountFacts(positive=node.name in NEVER_NEGATIVE)

    def _rounded(self, node: Node) -> CountFacts:
        facts = self.read(node.children[0])
        if not facts.single or self.calls[0].name not in COUNTERS:
            raise self._refused(node)
        if not all(map(is_weight, node.children[1:])):  # round(..., 100) loses up to 50 events
            raise self._refused(node)
        return facts

    def _operation(self, node: Node) -> CountFacts:
        left, right = node.children
        if not MANY_TO_ONE.isdisjoint(node.words) or "bool" in node.words:
            raise self._refused(node)
        if node.name in ADDING:
            return self._added(node)
        if node.name == "or":
            return self._united(left, right)
        if node.name == "*" and is_weight(left):
            return self.read(right)
        if node.name in ABOVE_ZERO and right.inner.name == "0":
            return self._guarded(node)
        if node.name not in _SCALING:
            self.read(left)  # its own error says more than the comparison
        raise self._refused(node)

    def _added(self, node: Node) -> CountFacts:
        left, right = (self.read(child) for child in node.children)
        labels = {left.labels, right.labels}
        alike = len(labels) == 1 or (None in labels and frozenset() not in labels)
        if not node.words and not (alike and left.replaced == right.replaced):
            message = (
                f"`{node.name}` matches both sides by their labels, and these differ, so that"
                " nothing is counted; write sum(...) on both sides"
            )
            raise ExpressionError(message, place=self.tree.operator(node).at)
        positive = node.name == "+" and left.positive and right.positive
        return replace(left, positive=positive)

    def _united(self, left: Node, right: Node) -> CountFacts:
        if is_zero(left):
            message = "is always there, so that nothing after `or` is ever counted; write it last"
            raise self.tree.error(left, message)
        facts = self.read(left)
        if is_zero(right):
            return facts if is_single(right) else replace(facts, labels=None)
        other = self.read(right)
        if facts.replaced != other.replaced:
            message = "has other labels than what is before `or`; replace them after both"
            raise self.tree.error(right, message)
        labels = facts.labels if facts.labels == other.labels else None
        return replace(facts, labels=labels, positive=facts.positive and other.positive)

    def _guarded(self, node: Node) -> CountFacts:
        """Remove a comparison with 0 that only drops zeros.

        A value that may be below 0, which the comparison would drop, becomes 0.
        """
        left = node.children[0]
        facts = self.read(left)
        for place in range(left.span.stop, node.span.stop):
            self.edits[place] = ""
        if facts.positive or node.name == "!=":
            return facts
        self.bounds.append(node)
        return replace(facts, positive=True)

    def _unwrap(self, node: Node) -> None:
        """Keep only the first argument of a function, in brackets."""
        argument = node.children[0]
        opening = next(place for place in node.span if self.tree.tokens[place].text == "(")
        for place in range(node.span.start, opening):
            self.edits[place] = ""
        for place in range(argument.span.stop, node.span.stop - 1):
            self.edits[place] = ""

    def _refused(self, node: Node) -> ExpressionError:
        if self.of_counters:
            return self.tree.error(node, _NO_COUNTER)
        return reason(self.tree, node)
