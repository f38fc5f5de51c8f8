"""The presets that ship with the gate, by name. A file is read only when something names it."""

from collections.abc import Iterator
from functools import cache
from typing import Final

from gate.backends.records import PRESETS, preset_names, read_preset
from gate.config.preset_schema import INDICATOR, KINDS, PRESET, Preset, PresetIndicator

_RECORDED: Final = PRESETS / "recorded"


@cache
def load_preset(name: str) -> Preset:
    """Read one of `preset_names`.

    Raises:
        UnreadableError: the file says something wrong; ours are held to it by tests.
    """
    return read_preset(name, PRESET)


@cache
def load_recorded(name: str) -> PresetIndicator:
    """Read how a tool's recorded series are counted.

    Raises:
        UnreadableError: as `load_preset`.
    """
    return read_preset(name, INDICATOR, _RECORDED)


def measurable() -> Iterator[tuple[str, Preset, PresetIndicator]]:
    """Yield every indicator that can be measured, as ``vllm/errors``, with its preset."""
    for name in preset_names():
        preset = load_preset(name)
        for kind in KINDS:
            if preset.indicators[kind].families:
                yield f"{name}/{kind}", preset, preset.indicators[kind]
