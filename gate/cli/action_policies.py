"""What the GitHub Action has to know of the policies before the command runs."""

import io
import re
from contextlib import redirect_stderr, suppress
from dataclasses import dataclass
from typing import Final

from gate.cli.action_inputs import Inputs
from gate.cli.pinned import Ask, read_pinned
from gate.cli.session import read_file
from gate.config.load import PolicyFile
from gate.errors import PolicyError, UsageError
from gate.settings import PrometheusSettings

_UNSET: Final = re.compile(r"the environment variable (\w+) is not set")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """What the policies say before anything is measured."""

    files: tuple[PolicyFile, ...] = ()
    """Those that could be read."""
    missing: tuple[str, ...] = ()
    """Environment variables that are not set, where they are all that is wrong; else nothing."""


def look(inputs: Inputs, ask: Ask) -> Policies:
    """Read the policies ahead of the command, which says itself what is wrong with them.

    Args:
        inputs: of the step.
        ask: asks GitHub for a policy that the checkout has not.
    """
    files: list[PolicyFile] = []
    mistakes: list[str] = []
    ref = inputs.policy_ref
    with redirect_stderr(io.StringIO()):
        for path in inputs.policies:
            try:
                files.append(read_file(path) if ref is None else read_pinned(path, ref, ask))
            except PolicyError as error:
                mistakes += [one.message for one in error.mistakes if one.fatal]
            except UsageError as error:
                mistakes.append(str(error))
    unset = [_UNSET.fullmatch(mistake) for mistake in mistakes]
    missing = dict.fromkeys(found[1] for found in unset if found)
    return Policies(files=tuple(files), missing=tuple(missing) if all(unset) else ())


def secrets_of(files: tuple[PolicyFile, ...]) -> list[str]:
    """Return secrets that GitHub cannot know, since they are put together here or read in files."""
    found: list[str] = []
    for settings in (file.settings for file in files):
        if isinstance(settings, PrometheusSettings):
            from gate.backends.prometheus.address import address  # noqa: PLC0415 - for it only

            with suppress(UsageError):
                login = address(settings).headers.get("Authorization", "").partition(" ")[2]
                found += filter(None, [login, settings.password])
    return found
