"""The names that an indicator may have, in the spellings in which a server may store them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from gate.backends.prometheus.resolve import first_expression
from gate.promql.buckets import Buckets
from gate.promql.expression import read_expression, read_selector
from gate.promql.names import is_divisible, respelled
from gate.promql.selectors import Selector
from gate.slo.indicator import Sli

_ROLES: Final = ("total", "good", "bad", "spent", "gauge")


def one_gauge(sli: Sli) -> Sli:
    """Return a gauge that has, at each instant, the value of the newest name present then.

    Raises:
        ExpressionError: an expression of it cannot be read.
    """
    names = all_names(sli)
    if len(names) == 1:
        return sli
    texts = [
        read_expression(name.gauge or "", name.labels, gauge=True).over("$window") for name in names
    ]
    union = " or ".join(f"({text})" for text in texts)
    return replace(names[0], gauge=union, labels=None)


def all_names(sli: Sli) -> tuple[Sli, ...]:
    """Return an indicator under each of its names, in each of their spellings, the newest first."""
    names = [replace(name, older=()) for name in (sli, *sli.older)] if sli.older else [sli]
    return tuple(spelled for name in names for spelled in _spellings(name))


def _spellings(name: Sli) -> Iterator[Sli]:
    """Yield a name, and its spelling without colons if it has any."""
    yield name
    if name.histogram is not None:
        good, total = respelled(name.histogram.good), respelled(name.histogram.total)
        histogram = replace(name.histogram, good=good, total=total)
        if histogram != name.histogram:
            yield replace(name, histogram=histogram)
        return
    texts = {role: text for role in _ROLES if (text := getattr(name, role)) is not None}
    # Called for each window of each instant of a backtest; most names have no colon.
    others: dict[str, Any] = {
        role: respelled(text) if ":" in text else text for role, text in texts.items()
    }
    if others != texts:
        yield replace(name, **others)


def roles_of(name: Sli) -> frozenset[str]:
    """Return the roles to ask for so that the counts of several names can be added up."""
    if name.histogram is not None:
        return frozenset({"good", "total"})
    roles = {role for role in _ROLES if getattr(name, role) is not None}
    # The total and the bad events determine the good ones.
    return frozenset(roles - {"good"} if {"bad", "total"} <= roles else roles)


def is_merging(name: Sli) -> bool:
    """Return whether events that a newer name has counted can be excluded from a name's counts.

    Raises:
        ExpressionError: an expression of it cannot be read.
    """
    if name.histogram is not None:
        return True
    texts = [getattr(name, role) for role in roles_of(name)]
    read_texts = [read_expression(text, name.labels).over("$window") for text in texts]
    return name.gauge is None and all(map(is_divisible, read_texts))


def selectors_of(name: Sli) -> tuple[str, ...]:
    """Return the selectors of series that exist whenever a process exports a name."""
    if name.histogram is not None:
        return (Buckets.of(name.histogram, name.labels).presence,)
    return first_expression(name).selectors


def shown_name(name: Sli) -> str:
    """Return a name in the form for people."""
    if name.histogram is not None:
        return read_selector(name.histogram.total, name.labels or {})[0]
    return " + ".join(Selector.read(selector).name for selector in first_expression(name).selectors)
