"""The indicator that a preset and its options in a policy define."""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from gate.backends.records import preset_names
from gate.config.preset import (
    ALIASES,
    ALL_FAILURES,
    KINDS,
    ROLES,
    Family,
    Option,
    Preset,
    PresetIndicator,
    Texts,
    fill,
)
from gate.config.presets import find_preset, load_recorded
from gate.errors import nearest
from gate.parsing.numbers import threshold_in
from gate.parsing.objects import Values
from gate.parsing.reader import Reader, UnreadableError, written
from gate.slo.indicator import Bucket, Histogram, Sli
from gate.slo.quantities import around, decimal


def expand(values: Values, reader: Reader) -> Sli:
    """Return the indicator of a preset, with its threshold, labels and options.

    Raises:
        UnreadableError: an unknown preset, a server without such a signal, or missing or wrong
            keys.
    """
    name, preset, indicator = _find(values, reader)
    if not all(
        # Each of these notes its own mistakes, so that one mistake does not hide the others.
        [
            _check_labels(values, (*preset.requires, *indicator.requires), reader),
            _check_threshold(values, name, indicator, reader),
            _check_options(values, name, indicator, reader),
        ]
    ):
        raise UnreadableError
    _warn_of_labels(values, preset, indicator, reader)
    if reader.offline:
        _warn_of_boundary(values, preset, indicator.families[0], reader)
    chosen = values.get("options", {})
    some = indicator is not preset.indicators[ALL_FAILURES]
    ways = (chosen, *indicator.with_health_checks(chosen))
    families = [
        [
            replace(_sli(family, indicator.texts(way), values, preset, reader), some_failures=some)
            for family in indicator.families
        ]
        for way in ways
    ]
    counted, *unfiltered = [replace(first, older=tuple(older)) for first, *older in families]
    return replace(counted, preset=name, unfiltered=next(iter(unfiltered), None))


def expand_recorded(values: Values, reader: Reader) -> Sli:
    """Return the indicator that another tool's recording rules have computed already.

    Raises:
        UnreadableError: a label that identifies its SLOs is missing.
    """
    indicator = load_recorded(values.get("recorded"))
    if not _check_labels(values, indicator.requires, reader):
        raise UnreadableError
    first, *older = [
        _of_expressions(family, {}, values.get("labels")) for family in indicator.families
    ]
    return replace(first, older=tuple(older))


def _find(values: Values, reader: Reader) -> tuple[str, Preset, PresetIndicator]:
    node, given = values.node("preset"), values.get("preset")
    server, _, kind = given.partition("/")
    shown_server, _, shown_kind = written(node).partition("/")
    preset = find_preset(server, reader.presets)
    if preset is None:
        if server in reader.presets:
            raise UnreadableError  # the mistakes in its file have been noted already
        hint = _preset_hint(shown_server, [*preset_names(), *reader.presets])
        raise reader.fail(node, f"there is no preset {shown_server!r}{hint}")
    kind = ALIASES.get(kind, kind)
    if kind not in KINDS:
        raise reader.fail(node, _no_indicator(server, shown_kind, preset))
    indicator = preset.indicators[kind]
    if not indicator.families:
        raise reader.fail(node, f"{preset.title} has no signal for {kind}: {indicator.about}")
    return f"{server}/{kind}", preset, indicator


def _preset_hint(name: str, names: Collection[str]) -> str:
    """Return a hint: the preset that was probably meant, the list of all, or the form of a name."""
    first, _, kind = re.sub("[^A-Za-z0-9-]+", "/", name).partition("/")
    hint = f"; write {first}/{kind or ALL_FAILURES}" if first in names else nearest(name, names)
    if "known:" not in hint:
        return hint
    return "; write a server and an indicator, such as vllm/errors (gate presets lists all)"


def _no_indicator(server: str, kind: str, preset: Preset) -> str:
    """Say that a preset has no indicator of this name, and suggest one of its own."""
    own = [name for name in KINDS if preset.indicators[name].families]
    names = [f"{server}/{name}" for name in own]
    if not kind:
        return f"the indicator is missing; write one of: {', '.join(names)}"
    hint = nearest(kind, [*own, *(alias for alias, name in ALIASES.items() if name in own)])
    if "did you mean" not in hint:
        hint = f"; it has: {', '.join(names)}"
    return f"{server} has no indicator {kind!r}{hint}"


def _check_labels(values: Values, required: tuple[str, ...], reader: Reader) -> bool:
    missing = [label for label in required if label not in values.get("labels", {})]
    for label in missing:
        message = f"the label {label!r} is missing; add labels: {{{label}: ...}}"
        reader.note(values.node("labels"), message)
    return not missing


def _check_threshold(values: Values, name: str, indicator: PresetIndicator, reader: Reader) -> bool:
    if values.given("bucket") and indicator.families[0].histogram is None:
        reader.note(
            values.node("bucket"), f"{name} is not a histogram and has no buckets; remove 'bucket'"
        )
        return False
    if bool(values.given("threshold")) == (indicator.threshold is not None):
        return True
    if indicator.threshold is None:
        reader.note(values.node("threshold"), f"{name} does not take a threshold; remove it")
    else:
        message = (
            f"the key 'threshold' is missing; add for example threshold: {indicator.threshold}"
        )
        reader.note(values.node(), message)
    return False


def _check_options(values: Values, name: str, indicator: PresetIndicator, reader: Reader) -> bool:
    given = values.get("options", {})
    entries = reversed(values.node("options").value)  # the first of two duplicate keys counts
    shown = {key.value: written(child) for key, child in entries} if given else {}
    flaws = [
        flaw
        for key, chosen in given.items()
        if (flaw := _option_flaw(key, chosen, shown[key], indicator.options)) is not None
    ]
    flaws += [
        f"the option {key!r} is missing; add options: {{{key}:"
        f" {option.pattern or ' or '.join(option.choices)}}} ({option.about})"
        for key, option in indicator.options.items()
        if option.default is None and key not in given
    ]
    for flaw in flaws:
        reader.note(values.node("options"), f"{name}: {flaw}")
    return not flaws


def _option_flaw(key: str, chosen: str, shown: str, options: Mapping[str, Option]) -> str | None:
    if key not in options:
        if not options:
            return f"no option {key!r}: it has no options"
        return f"no option {key!r}{nearest(key, options)}"
    option = options[key]
    if option.pattern is not None and not re.fullmatch(option.pattern, chosen):
        return f"the option {key!r} does not match {option.pattern}"
    if option.pattern is None and chosen not in option.choices:
        return f"the option {key!r} cannot be {shown!r}{nearest(shown, option.choices)}"
    return None


def _warn_of_labels(
    values: Values, preset: Preset, indicator: PresetIndicator, reader: Reader
) -> None:
    """Warn of a label that is nearly one of the preset's; other labels may come from the scrape."""
    names = {*preset.labels, *preset.requires, *indicator.requires}
    for label in values.get("labels", {}):
        hint = "" if label in names else nearest(label, names)
        if "did you mean" in hint:
            message = f"{preset.title} has no label {label!r}{hint}"
            reader.note(values.node("labels"), message, fatal=False)


def _warn_of_boundary(values: Values, preset: Preset, family: Family, reader: Reader) -> None:
    """Warn of a threshold that is not a default boundary; the live server may have others."""
    if not family.boundaries or values.get("bucket", Bucket.EXACT) != Bucket.EXACT:
        return
    unit = family.unit or ""
    threshold = threshold_in(values, unit, reader)
    if threshold not in family.boundaries:
        near = around(threshold, family.boundaries, unit)
        message = f"by default {preset.title} has no histogram bucket up to this threshold; {near}"
        reader.note(values.node("threshold"), message, fatal=False)


def _sli(family: Family, texts: Texts, values: Values, preset: Preset, reader: Reader) -> Sli:
    labels = values.get("labels")
    if family.unit is None:
        return _of_expressions(family, texts, labels)
    threshold = threshold_in(values, family.unit, reader)
    if family.histogram is None:
        number = {"threshold": dict.fromkeys(ROLES, decimal(threshold))}
        sli = _of_expressions(family, {**texts, **number}, labels)
        return sli if family.column is None else replace(sli, threshold=threshold)
    histogram = Histogram(
        good=fill(family.histogram, "good", texts),
        total=fill(family.histogram, "total", texts),
        threshold=threshold,
        unit=family.unit,
        bucket=values.get("bucket", Bucket.EXACT),
        advice=preset.boundary_flag,
    )
    return Sli(histogram=histogram, labels=labels, notes=family.notes)


def _of_expressions(family: Family, texts: Texts, labels: Mapping[str, str] | None) -> Sli:
    filled = {role: fill(text, role, texts) for role, text in family.expressions.items()}
    return Sli(
        good=filled.get("good"),
        bad=filled.get("bad"),
        total=filled.get("total"),
        gauge=filled.get("gauge"),
        spent=filled.get("spent"),
        column=family.column,
        objective=filled.get("objective"),
        sliced=family.sliced,
        labels=labels,
        notes=family.notes,
    )
