"""The presets that ship with the gate, by name. A file is read only when something names it."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

from gate.config.preset_schema import INDICATOR, KINDS, PRESET, Preset, PresetIndicator
from gate.parsing.files import Folder, Imports
from gate.parsing.reader import Reader, compose
from gate.parsing.schema import Object

_FOLDER: Final = Path(__file__).parent.parent / "presets"


_RECORDED: Final = _FOLDER / "recorded"


T = TypeVar("T")


@cache
def preset_names() -> tuple[str, ...]:
    """Return the name of every preset file, in order."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


@cache
def load_preset(name: str) -> Preset:
    """Read one of `preset_names`.

    Raises:
        UnreadableError: the file says something wrong; ours are held to it by tests.
    """
    return _load(_FOLDER, name, PRESET)


@cache
def load_recorded(name: str) -> PresetIndicator:
    """Read how a tool's recorded series are counted.

    Raises:
        UnreadableError: as `load_preset`.
    """
    return _load(_RECORDED, name, INDICATOR)


def record_names() -> list[str]:
    """Return the presets that know the rows of a log."""
    return [name for name in preset_names() if load_preset(name).records is not None]


def measurable() -> Iterator[tuple[str, Preset, PresetIndicator]]:
    """Yield every indicator that can be measured, as ``vllm/errors``, with its preset."""
    for name in preset_names():
        preset = load_preset(name)
        for kind in KINDS:
            if preset.indicators[kind].families:
                yield f"{name}/{kind}", preset, preset.indicators[kind]


def _load(folder: Path, name: str, schema: Object[T]) -> T:
    text = (folder / f"{name}.yaml").read_text(encoding="utf-8")
    reader = Reader(file=f"{name}.yaml", environ={}, imports=Imports(tree=Folder(folder)))
    return schema.read(compose(text, reader), reader)
