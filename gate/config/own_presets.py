"""A policy's own preset files, in the same format as the built-in ones.

They are treated like the policy itself: they are part of its hash, and are read from the same
commit.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

import yaml

from gate.backends import registration
from gate.backends.records import OWN_NAME, preset_names
from gate.config.preset import INSTANT, Family, Preset, Texts, fill
from gate.config.presets import PRESET
from gate.errors import PolicyError
from gate.parsing.files import Folder, Imports, read_bytes
from gate.parsing.nodes import child_at
from gate.parsing.reader import Reader, UnreadableError, after, compose, decode
from gate.parsing.schema import pairs
from gate.parsing.values import GLOBS
from gate.promql.expression import read_expression, read_selector
from gate.promql.grammar import ExpressionError


def read_own_presets(
    patterns: Sequence[str], node: yaml.Node, reader: Reader
) -> Mapping[str, Preset]:
    """Read the files, and put each into ``reader.presets`` under its name without ``.yaml``.

    Args:
        patterns: globs, relative to the policy's folder.
        node: the place in the policy that names them.
        reader: the reader of the policy.

    Raises:
        UnreadableError: a file is missing, cannot be read, is not valid, or has the name of another
            preset. Every mistake is noted, and a preset that cannot be read is None in
            ``reader.presets``.
    """
    files, whole = dict[str, None](), True
    for pattern in patterns:
        matches = reader.imports.find(pattern)
        files |= dict.fromkeys(matches)
        if not matches:
            reader.note(node, f"no file matches {pattern!r}")
            whole = False
    for file in files:
        try:
            _add(file, node, reader)
        except UnreadableError:
            whole = False
    if not whole:
        raise UnreadableError
    return reader.presets


def _add(file: str, node: yaml.Node, reader: Reader) -> None:
    beside, name = reader.beside(file), PurePosixPath(file).stem
    if not re.fullmatch(OWN_NAME, name):
        message = "the name of a preset is that of its file: lower-case words with - between them"
        raise beside.fail(after(""), f"{message}, such as our-gateway.yaml")
    if name in reader.presets or name in preset_names():
        whose = "another file of the policy" if name in reader.presets else "the gate itself"
        message = f"{whose} has a preset {name!r}; give this file another name"
        raise beside.fail(after(""), message)
    reader.presets[name] = None
    try:
        text = decode(reader.imports.read(file), beside)
    except OSError as error:
        raise reader.fail(node, f"{file} cannot be read: {error.strerror}") from error
    root = compose(text, beside)
    preset = PRESET.read(root, beside)
    if registration(preset.backend).promql:
        _check_promql(preset, root, beside)
    reader.presets[name] = preset


def _check_promql(preset: Preset, root: yaml.Node, reader: Reader) -> None:
    """Read every expression with each choice of each option, as the tests do for built-in presets.

    Raises:
        UnreadableError: an expression is not valid; the mistake is noted at its place.
    """
    for kind, indicator in preset.indicators.items():
        for place, family in enumerate(indicator.families):
            for texts in indicator.variants():
                try:
                    _read_promql(family, texts)
                except _NoPromqlError as error:
                    node = child_at(root, "indicators", kind, "families", place, error.key)
                    raise reader.fail(node, f"{kind}: {error.key}: {error}") from error


class _NoPromqlError(Exception):
    def __init__(self, key: str, reason: ExpressionError) -> None:
        super().__init__(str(reason))
        self.key = key


def _read_promql(family: Family, texts: Texts) -> None:
    key = "histogram"
    try:
        if family.histogram is not None:
            read_selector(fill(family.histogram, "good", texts), {})
            read_selector(fill(family.histogram, "total", texts), {})
        for key, text in family.expressions.items():
            read_expression(fill(text, key, texts), None, gauge=key in INSTANT)
    except ExpressionError as error:
        raise _NoPromqlError(key, error) from error


def presets_beside(policy: str, pattern: str) -> Mapping[str, Preset]:
    """Return the presets of the files that match a glob, relative to the folder of a new policy.

    Raises:
        PolicyError: no file matches, or a file cannot be read or is not valid.
    """
    reader = _reader(policy)
    with suppress(UnreadableError):
        node = after("")
        read_own_presets(
            GLOBS.read(yaml.ScalarNode(node.tag, pattern, node.start_mark), reader), node, reader
        )
    return _sound(reader)


def presets_of(policy: str) -> Mapping[str, Preset]:
    """Return the presets that a policy file refers to, whatever else is wrong with it.

    Raises:
        PolicyError: the policy or a preset file cannot be read, or what they say about presets is
            not valid.
    """
    raw, reader = read_bytes(policy), _reader(policy)
    with suppress(UnreadableError):
        for key, node in pairs(compose(decode(raw, reader), reader), reader):
            if key.value == "presets":
                read_own_presets(GLOBS.read(node, reader), node, reader)
    return _sound(reader)


def _reader(policy: str) -> Reader:
    imports = Imports(tree=Folder(Path(policy).parent))
    return Reader(file=policy, environ={}, imports=imports, offline=True)


def _sound(reader: Reader) -> Mapping[str, Preset]:
    if reader.mistakes:
        raise PolicyError(tuple(sorted(set(reader.mistakes))))
    return reader.presets
