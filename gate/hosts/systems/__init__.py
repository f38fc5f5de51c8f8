"""Detect where the gate runs, from the environment and the event file alone."""

from collections.abc import Callable, Mapping
from typing import Final

from gate.decision.decision import Context
from gate.hosts.systems.environ import Environ
from gate.hosts.systems.github import github
from gate.hosts.systems.variables import buildkite, circleci, gitlab, jenkins

Detect = Callable[[Environ], Context | None]
"""A function that returns the context of its CI system, or None if that does not run."""


def detect(environ: Environ, system: str = "auto") -> Context:
    """Return the context of this run.

    Args:
        environ: the environment.
        system: a key of `SYSTEMS` (no other system is tried), ``none``, or ``auto``.
    """
    candidates = (
        SYSTEMS.values() if system == "auto" else [SYSTEMS[system]] if system in SYSTEMS else []
    )
    for candidate in candidates:
        context = candidate(environ)
        if context is not None:
            return context
    return Context(system="shell" if system == "auto" else system)


SYSTEMS: Final[Mapping[str, Detect]] = {
    "github": github,
    "gitlab": gitlab,
    "buildkite": buildkite,
    "jenkins": jenkins,
    "circleci": circleci,
}
"""The systems by the name for ``--ci``, in the order in which they are tried."""
