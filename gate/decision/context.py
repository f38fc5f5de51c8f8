"""Where and on what a decision was asked for, as far as the place tells."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a CI system says of its run. None: it does not say."""

    system: str
    """``github``, ``gitlab``, ``buildkite``, ``jenkins``, ``circleci``, or ``shell``."""
    repository: str | None = None
    """``acme/chat``."""
    revision: str | None = None
    """The commit that would ship; on a pull request its head, not the trial merge."""
    branch: str | None = None
    """That the change comes from."""
    base: str | None = None
    """A commit or branch that the change is compared with; None: there is none."""
    pull_request: int | None = None
    """Its number; of a merge request its iid."""
    title: str | None = None
    labels: Sequence[str] | None = ()
    """Of the pull request; None: there is one, but its labels are not known here."""
    author: str | None = None
    """Whose change it is."""
    actor: str | None = None
    """Who or what started this run."""
    no_secrets: bool = False
    """The run is one of a fork or of Dependabot: it has no secrets, and its token only reads."""
    environment: str | None = None
    """That the change would ship to; the user says it."""
    url: str | None = None
    """The page of the run."""
    folder: str = ""
    """That the run works in, from the top of the repository; empty: the top, or not known."""
    frozen: bool = False
    """The CI system itself says that deploys are frozen (GitLab's CI_DEPLOY_FREEZE)."""
