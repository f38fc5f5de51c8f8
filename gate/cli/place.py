"""Where ``gate check`` runs: the context, and how to find out about the change."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gate.ci.systems import detect
from gate.decision.context import Context
from gate.pipeline.options import nobody
from gate.policy.recognition import Approval, ChangeFacts, Matcher

if TYPE_CHECKING:
    from gate.ci.comments import Commenter
    from gate.ci.github import GitHub
    from gate.ci.gitlab import GitLab


def context_of(system: str, *, base: str | None = None, environment: str | None = None) -> Context:
    """Return the context of this run; ``base`` goes before what the CI system says."""
    context = replace(detect(os.environ, system), environment=environment)
    if context.revision is None:
        context = replace(context, revision=_head())
    return context if base is None else replace(context, base=base)


@dataclass(frozen=True, slots=True)
class Place:
    """Finds out about the change. Git and the network are asked only when a policy needs it."""

    context: Context
    environ: Mapping[str, str]

    def facts(self) -> ChangeFacts:
        """Return what is known of the change."""
        from gate.ci.facts import change_facts  # noqa: PLC0415 - for policies that recognise only
        from gate.ci.git import Checkout  # noqa: PLC0415

        client, pull = self.github(), self.context.pull_request
        ask = None if client is None or pull is None else lambda: client.changed_paths(pull)
        return change_facts(self.context, Checkout(Path.cwd()), ask_paths=ask)

    def approve(self, matcher: Matcher) -> Approval:
        """Return who stands behind what a matcher recognised."""
        client = self.github()
        if client is None:
            return nobody(matcher)
        from gate.ci.approvals import Approvals  # noqa: PLC0415 - as above

        return Approvals(client, self.context)(matcher)

    def commenter(self) -> "Commenter | None":
        """Return who can write comments here; None where nobody can."""
        return self._gitlab() if self.context.system == "gitlab" else self.github()

    def github(self) -> "GitHub | None":
        """Return a client where there is a pull request on GitHub, and a token to ask with."""
        token, repository = self.environ.get("GITHUB_TOKEN"), self.context.repository
        if self.context.system != "github" or not token or not repository:
            return None
        from gate.ci.github import URL, GitHub, GitHubError  # noqa: PLC0415 - as above

        try:
            return GitHub(repository, token, url=self.environ.get("GITHUB_API_URL") or URL)
        except GitHubError:
            return None  # GITHUB_REPOSITORY names none

    def _gitlab(self) -> "GitLab | None":
        """Return a client where there is a token that may write notes; the job's own may not."""
        token, url = self.environ.get("GITLAB_TOKEN"), self.environ.get("CI_API_V4_URL")
        project = self.environ.get("CI_PROJECT_ID") or self.context.repository
        if not token or not url or not project:
            return None
        from gate.ci.gitlab import GitLab  # noqa: PLC0415 - as above

        return GitLab(project, token, url=url, page=self.environ.get("CI_PROJECT_URL", ""))


def _head() -> str | None:
    from gate.ci.git import Checkout, GitError  # noqa: PLC0415 - outside CI only

    try:
        return Checkout(Path.cwd()).head()
    except GitError:
        return None  # not in a checkout: a decision need not be about a commit
