"""The environment of ``gate check``: its context, and the facts about the change."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from gate.check.options import RequirementResults, no_label, nobody
from gate.config.load import PolicyFile
from gate.dataclass import dataclass
from gate.decision.decision import Context
from gate.git.repository import working_folder
from gate.hosts.pinning import AUTO
from gate.hosts.systems import detect
from gate.measure import Backend
from gate.policy.authors import Authors, Right
from gate.policy.changes import Approval, ChangeFacts, ChangeMatcher, Live
from gate.policy.override import Labelled, OverrideRule, named
from gate.policy.policy import Policy
from gate.policy.requirements import ShadowRequirement

if TYPE_CHECKING:
    from gate.hosts.artifacts import ArtifactHost
    from gate.hosts.base import BaseFinder
    from gate.hosts.git import Checkout
    from gate.hosts.github import GitHub
    from gate.hosts.gitlab import GitLab
    from gate.hosts.pinning.policies import PolicyReader
    from gate.hosts.pulls import ChangeHost

_ANNOTATING: Final = frozenset({"github", "gitlab"})
"""The systems that show a finding at a file, which they look for from the top of the repository."""

_NO_TOKEN: Final = {
    "github": "CI artifacts cannot be read without a token; set GITHUB_TOKEN, with the permission"
    " actions: read",
    "gitlab": "CI artifacts cannot be read without a token; set GITLAB_TOKEN, with the role"
    " Reporter and the scope read_api",
}
_ELSEWHERE: Final = (
    "CI artifacts are read on GitHub and GitLab only; let a step bring the files here, and name"
    " their paths in the policy"
)


def context_of(system: str, *, base: str | None = None, environment: str | None = None) -> Context:
    """Return the context of this run; ``base`` overrides what the CI system says."""
    context = detect(os.environ, system)
    return replace(
        context,
        environment=environment,
        base=base or context.base,
        base_from="--base" if base else None,
        revision=context.revision or _git(lambda checkout: checkout.head(), context),
        folder=prefix_of(context) if context.system in _ANNOTATING else "",
    )


def prefix_of(context: Context) -> str:
    """Return the working folder from the top of git's checkout; empty: the top, or unknown."""
    return _git(lambda checkout: checkout.prefix(), context) or ""


@dataclass(frozen=True, slots=True)
class CiEnvironment:
    """The source of facts about the change; git and the network are asked only if necessary."""

    context: Context
    environ: Mapping[str, str]
    log: str | None = None
    """The log of this gate's recorded decisions."""
    services: tuple[str, ...] = ()
    """The services whose decisions count in the log."""

    def about(self, files: Iterable[PolicyFile]) -> "CiEnvironment":
        """Return the environment for the services of these policies."""
        return replace(self, services=tuple(file.policy.service for file in files))

    def facts(self, live: Live | None) -> ChangeFacts:
        """Return the known facts about the change, compared with the live commit of a policy."""
        from gate.hosts.change_facts import FactFinder  # noqa: PLC0415 - for such policies only

        checkout = self._checkout()
        return FactFinder(self.context, checkout, self._changes(), self._bases(checkout))(live)

    def evaluations(self, policy: Policy, at: datetime) -> RequirementResults:
        """Check the evaluations that the tiers of a policy require."""
        from gate.check.evidence import EvidenceFinder  # noqa: PLC0415 - for such policies only
        from gate.cli.keys import verifying_key  # noqa: PLC0415 - as above

        checkout = self._checkout()
        finder = EvidenceFinder(
            checkout=checkout,
            revision=self.context.revision,
            find_base=self._bases(checkout),
            key=verifying_key(self.environ),
            artifacts=self._artifacts,
        )
        return finder.evaluations(policy, at)

    def _artifacts(self) -> "ArtifactHost":
        """Return the reader of CI artifacts.

        Raises:
            CannotTellError: no such reader.
        """
        from gate.evaluations.binding import CannotTellError  # noqa: PLC0415 - as above

        host = self.host()
        if host is None:
            raise CannotTellError(_NO_TOKEN.get(self.context.system, _ELSEWHERE))
        return host.artifacts

    def shadows(self, policy: Policy, backend: Backend, at: datetime) -> RequirementResults:
        """Compare the shadow deployments that the tiers of a policy require."""
        shadows = [
            requirement
            for requirement in policy.requirements
            if isinstance(requirement, ShadowRequirement)
        ]
        if not shadows:
            return {}
        from gate.check.shadow import judge_shadows  # noqa: PLC0415 - for such policies only

        results = judge_shadows(policy, shadows, backend, at)
        return {requirement: results[requirement] for requirement in shadows}

    def _checkout(self) -> "Checkout":
        from gate.hosts.git import Checkout  # noqa: PLC0415 - as above

        return Checkout(working_folder(self.environ), self.context.workspace)

    def _changes(self) -> "ChangeHost | None":
        client = self.host()
        return None if client is None else client.changes

    def _bases(self, checkout: "Checkout") -> "BaseFinder":
        """Return the finder for the base of the change."""
        from gate.cli.keys import verifying_key  # noqa: PLC0415 - as above
        from gate.hosts.base import BaseFinder  # noqa: PLC0415 - as above
        from gate.hosts.recorded import Log  # noqa: PLC0415 - as above

        key = verifying_key(self.environ) if self.log else None
        log = Log(self.log, checkout, self.services, self.context.environment, key)
        return BaseFinder(self.context, checkout, self._changes(), log.allowed)

    def authors(self) -> Authors:
        """Return the authors of the change, by the event and, if possible, by the code host."""
        from gate.hosts.overriding import whose  # noqa: PLC0415 - for overrides only
        from gate.hosts.people import named_by  # noqa: PLC0415 - as above

        host = self.host()
        if host is not None:
            return whose(host.people, self.context)
        unknown = f"there is no token for {self.context.system}"
        return named_by(self.context) + Authors(unknown=unknown)

    def approve(self, matcher: ChangeMatcher, facts: ChangeFacts) -> Approval:
        """Return who approved a recognised class, in each pull request of the change.

        A merge queue and a push have commits of their own; approvals count for the commit of the
        pull request that the queue took, or that was merged.
        """
        host = self.host()
        if host is None or (self.context.pull_request is None and not facts.sources):
            return nobody(matcher, facts)
        from gate.hosts.people import Approvals  # noqa: PLC0415 - as above

        return Approvals(host.people, self.context, facts.sources)(matcher)

    def approver(self, who: str, rule: OverrideRule, authors: Authors) -> Right:
        """Return whether somebody may approve an override, and whether they have."""
        host = self.host()
        if host is None:
            return named(who, rule, authors)
        from gate.hosts.overriding import ClaimedApprover  # noqa: PLC0415 - as above

        return ClaimedApprover(host.people, self.context)(who, rule, authors)

    def labelled(self, rule: OverrideRule, at: datetime) -> Labelled:
        """Return the override that a label of the pull request requests."""
        host = self.host()
        if host is None:
            return no_label(rule, at)
        from gate.hosts.overriding import LabelOverride  # noqa: PLC0415 - as above

        return LabelOverride(host.people, host, self.context)(rule, at)

    def policies(self, ref: str) -> "PolicyReader":
        """Return the reader of this run's policies, at the given ref or as they count."""
        from gate.hosts.pinning.policies import PolicyReader  # noqa: PLC0415 - as above

        host = self.host()
        files = None if host is None else host.files
        return PolicyReader(self.context, self.environ, files, ref or AUTO)

    def host(self, seconds: float = 90.0) -> "GitHub | GitLab | None":
        """Return a client of the code host; None without a token.

        Args:
            seconds: the time limit of all its requests together.
        """
        return self._gitlab(seconds) if self.context.system == "gitlab" else self.github(seconds)

    def github(self, seconds: float = 90.0) -> "GitHub | None":
        """Return a client if this runs on GitHub and a token is set."""
        token, repository = self.environ.get("GITHUB_TOKEN"), self.context.repository
        if self.context.system != "github" or not token or not repository:
            return None
        from gate.hosts.github import URL, GitHub  # noqa: PLC0415 - as above
        from gate.hosts.github_events import GitHubError  # noqa: PLC0415

        try:
            url = self.environ.get("GITHUB_API_URL") or URL
            return GitHub(repository, token, url=url, seconds=seconds)
        except GitHubError:
            return None  # GITHUB_REPOSITORY does not name a repository

    def _gitlab(self, seconds: float) -> "GitLab | None":
        """Return a client if a project token is set; a job's own token has too few rights."""
        token, url = self.environ.get("GITLAB_TOKEN"), self.environ.get("CI_API_V4_URL")
        # A merge request of a fork belongs to the project that it would be merged into.
        project = (
            self.context.target_project
            or self.environ.get("CI_PROJECT_ID")
            or self.context.repository
        )
        if not token or not url or not project:
            return None
        from gate.hosts.gitlab import GitLab  # noqa: PLC0415 - as above

        page = self.environ.get("CI_MERGE_REQUEST_PROJECT_URL") or self.environ.get(
            "CI_PROJECT_URL"
        )
        return GitLab(project, token, url=url, page=page or "", seconds=seconds)


def _git(question: "Callable[[Checkout], str]", context: Context) -> str | None:
    """Return the answer of git about the folder of this run; None: git does not know it."""
    from gate.hosts.git import Checkout, GitError  # noqa: PLC0415 - as above

    try:
        return question(Checkout(working_folder(os.environ), context.workspace))
    except GitError:
        return None  # not in a checkout: a decision works without a commit
