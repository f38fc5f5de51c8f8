"""The lines that ``gate presets`` prints about a preset."""

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Final

from gate.backends import registration
from gate.backends.records import Records
from gate.config.preset import INSTANT, KINDS, ROLES, Family, Preset, PresetIndicator, Texts, fill
from gate.promql.buckets import Boundary, Buckets
from gate.promql.expression import read_expression
from gate.reporters.ansi import hang, wrap
from gate.slo.indicator import Histogram
from gate.slo.quantities import Threshold, decimal, parse_threshold

_LABEL: Final = 21
"""The number of columns for the longest kind's name."""
_INDENT: Final = "  "


def list_lines(presets: Mapping[str, Preset], width: int) -> list[str]:
    """Return a paragraph for each preset: its name, its title, and its indicators."""
    label = max(map(len, presets))
    lines = []
    for name, preset in presets.items():
        kinds = [kind for kind in KINDS if preset.indicators[kind].families]
        text = f"{preset.title} ({preset.backend}): {', '.join(kinds)}"
        lines += hang(name, text, label_width=label, width=width)
    return [*lines, "", "gate presets show NAME shows the queries, caveats and sources of each."]


def server_lines(name: str, preset: Preset, width: int) -> list[str]:
    """Return all kinds of one server, including those without a signal."""
    lines = [f"{name}: {preset.title}", *wrap(preset.about, width), ""]
    for kind, indicator in preset.indicators.items():
        text = indicator.about if indicator.families else f"no signal: {indicator.about}"
        lines += hang(kind, text, label_width=_LABEL, width=width)
    if preset.records is not None:
        lines += ["", f"{_INDENT}backend: {{{', '.join(_block(name, preset.records))}}}"]
    return [*lines, *_lists([("Caveats", preset.notes), ("Sources", preset.sources)], width)]


def _block(name: str, records: Records) -> Iterator[str]:
    """Yield the keys that a backend block needs to count such rows."""
    yield f"type: {records.backend}"
    fields = registration(records.backend).block.fields
    yield from (f"{key}: ..." for key, own in fields.items() if own.required)
    yield f"records: {name}"


def indicator_lines(server: str, preset: Preset, kind: str, width: int) -> list[str]:
    """Return the definition of one indicator, its form in a policy, its caveats and sources."""
    indicator = preset.indicators[kind]
    head = [f"{server}/{kind}: {preset.title}", *wrap(indicator.about, width)]
    if not indicator.families:
        return [*head, "", f"{preset.title} has no such signal."]
    required = [*preset.requires, *indicator.requires]
    sli = [f"preset: {server}/{kind}"]
    sli += [f"threshold: {indicator.threshold}"] if indicator.threshold else []
    required_options = [
        f"{key}: {option.usual(key)}"
        for key, option in indicator.options.items()
        if option.default is None
    ]
    sli += [f"options: {{{', '.join(required_options)}}}"] if required_options else []
    sli += [f"labels: {{{', '.join(f'{label}: ...' for label in required)}}}"] if required else []
    return [
        *head,
        "",
        f"{_INDENT}sli: {{{', '.join(sli)}}}",
        *(
            line
            for place, family in enumerate(indicator.families)
            for line in _family(place, family, preset, indicator, width)
        ),
        *_options(indicator, width),
        *_lists(
            [
                ("Labels to select by", (", ".join(preset.labels),) if preset.labels else ()),
                ("Caveats", (*indicator.notes, *preset.notes)),
                ("Sources", (*indicator.sources, *preset.sources)),
            ],
            width,
        ),
    ]


def _family(
    place: int, family: Family, preset: Preset, indicator: PresetIndicator, width: int
) -> Iterator[str]:
    yield ""
    yield from wrap(_head(place, preset), width)
    for role, query in _queries(family, preset, indicator).items():
        # On one line of any length: a line break within a string would change its meaning.
        yield f"{_INDENT}{role:{_ROLE}}  {query}"
    rows = {"column": family.column} if family.column is not None else {}
    if family.column is not None or family.histogram is not None:
        rows["is good"] = f"at most the threshold{_in_unit(family)}"
    if family.boundaries:
        rows["boundaries"] = " ".join(map(decimal, family.boundaries)) + " by default"
    for label, text in rows.items():
        yield from (
            _INDENT + line for line in hang(label, text, label_width=_ROLE, width=width - 2)
        )


_ROLE: Final = 10
_WINDOW: Final = "30d"
_PROMQL: Final = (
    f"Counts (over a window of {_WINDOW}; the labels of the policy are added to each selector)"
)


def _head(place: int, preset: Preset) -> str:
    if place:
        return "Otherwise, under an older name"
    return _PROMQL if registration(preset.backend).promql else "Counts"


def _queries(family: Family, preset: Preset, indicator: PresetIndicator) -> dict[str, str]:
    """Return the queries by role, for the threshold and options in the example."""
    texts = {key: option.texts(option.usual(key)) for key, option in indicator.options.items()}
    expressions = dict(family.expressions)
    if family.unit is not None:
        threshold = _threshold(indicator).in_unit(family.unit)
        texts["threshold"] = dict.fromkeys(ROLES, decimal(threshold))
        if family.histogram is not None:
            expressions = _of_histogram(family, texts, threshold)
    filled = {role: fill(text, role, texts) for role, text in expressions.items()}
    if not registration(preset.backend).promql:
        return {role: text.strip() for role, text in filled.items()}
    return {
        role: read_expression(text, None, gauge=role in INSTANT).over(_WINDOW)
        for role, text in filled.items()
    }


def _threshold(indicator: PresetIndicator) -> Threshold:
    written = indicator.threshold or ""
    return parse_threshold(written) or Threshold(Fraction(written), is_time=False)


def _of_histogram(family: Family, texts: Texts, threshold: Fraction) -> dict[str, str]:
    """Return the expressions of a histogram that has the threshold as a boundary."""
    histogram = Histogram(
        good=fill(family.histogram or "", "good", texts),
        total=fill(family.histogram or "", "total", texts),
        threshold=threshold,
        unit=family.unit or "",
    )
    sli = Buckets.of(histogram, None).up_to((Boundary(value=threshold, texts=()),))
    return {"good": sli.good or "", "total": sli.total or ""}


def _in_unit(family: Family) -> str:
    return f", in {family.unit}" if family.unit else ""


def _options(indicator: PresetIndicator, width: int) -> Iterator[str]:
    if indicator.options:
        yield from ("", "Options")
    for key, option in indicator.options.items():
        choices = " | ".join(option.choices) or f"a text of the form {option.pattern}"
        unless = f"default {option.default}" if option.default else "must be given"
        text = f"{choices}; {unless}: {option.about}"
        yield from (_INDENT + line for line in hang(key, text, label_width=10, width=width - 2))


def _lists(lists: Iterable[tuple[str, tuple[str, ...]]], width: int) -> Iterator[str]:
    for title, entries in lists:
        if entries:
            yield from ("", title)
        for entry in entries:
            yield from hang(f"{_INDENT}-", entry, label_width=3, width=width)
