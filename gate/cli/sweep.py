"""``gate sweep``."""

import os
from collections.abc import Sequence
from dataclasses import field, replace
from datetime import timedelta
from typing import Final

import click

from gate.analysis.sweep import SweepOptions, SweepReport
from gate.analysis.sweep.run import sweep_statuses
from gate.analysis.sweep.words import lines
from gate.check.decide import BudgetsAndPast
from gate.check.options import Options
from gate.check.run import judge_measured, measure_policies
from gate.cli.ci_environment import CiEnvironment, context_of
from gate.cli.parameters import DURATION, ci_option, group, identity_options, option
from gate.cli.publishing import identity_of
from gate.cli.session import load_all, now, progress
from gate.cli.streams import write, write_stderr
from gate.config.load import PolicyFile
from gate.dataclass import dataclass
from gate.decision.decision import Context, Decision
from gate.errors import ExitCode, UsageError
from gate.hosts import RestError
from gate.hosts.open_pulls import OpenPull
from gate.hosts.pinning import AUTO
from gate.reporters.commit_status import policies_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptGate:
    """Which gate's statuses are swept, by the options that ``gate check`` had."""

    ci: str
    environment: str | None
    status_name: str | None
    gate_key: str | None
    observe: bool
    fail_on: str | None


_GATE: Final = (
    ci_option(),
    option("--environment", metavar="NAME", help="As gate check was given it."),
    *identity_options(),
    option(
        "--gate-dry-run",
        "observe",
        formerly="--observe",
        is_flag=True,
        help="gate check was given --dry-run.",
    ),
    option("--fail-on", type=click.Choice(["warn"]), help="As gate check was given it."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepLimits:
    """How much is done at most."""

    dry_run: bool
    limit: int | None
    timeout: timedelta
    host_timeout: timedelta


_LIMITS: Final = (
    option("--dry-run", is_flag=True, help="Only say what would be set."),
    option("--limit", type=click.IntRange(min=1), help="Set so many statuses at most."),
    option(
        "--timeout",
        type=DURATION,
        default="60s",
        show_default=True,
        help="For everything that a backend does.",
    ),
    option(
        "--host-timeout",
        type=DURATION,
        default="10m",
        show_default=True,
        help="For everything that the code host does, with the pauses at its limits.",
    ),
)


@click.command()
@click.argument("policies", metavar="POLICY...", nargs=-1, required=True)
@group("gate", SweptGate, _GATE)
@group("limits", SweepLimits, _LIMITS)
def sweep(*, policies: tuple[str, ...], gate: SweptGate, limits: SweepLimits) -> ExitCode:
    """Renew commit statuses of open pull requests that hold no longer by each POLICY.

    For a scheduled job on the default branch, after gate check --status has set them. A status that
    is older than valid_for, or of another text of the policy, is decided on again by the budget of
    now. It becomes pending where the class, or anything else that gate check knew, is not the same.

    Exit codes: 0 all is done, 3 some pull requests could not be looked at.
    """
    place = CiEnvironment(context_of(gate.ci, environment=gate.environment), os.environ)
    _refuse_elsewhere(place.context)
    files = load_all(policies, place.policies(AUTO))
    try:
        report = _swept(policies, files, gate, limits, place)
    except RestError as error:
        write_stderr(f"gate: no status was looked at: {error}")
        return ExitCode.UNDECIDED
    write("".join(f"{line}\n" for line in lines(report)))
    return report.exit_code


def _swept(
    paths: Sequence[str],
    files: Sequence[PolicyFile],
    gate: SweptGate,
    limits: SweepLimits,
    place: CiEnvironment,
) -> SweepReport:
    client = place.host(limits.host_timeout.total_seconds())
    if client is None:
        raise UsageError(
            "there is no token to ask the code host with: this is for a job of GitHub with"
            " GITHUB_TOKEN, or of GitLab with GITLAB_TOKEN"
        )
    options = Options(
        at=now(),
        observe=gate.observe,
        fail_on_warn=gate.fail_on == "warn",
        timeout=limits.timeout,
    )
    return sweep_statuses(
        list(client.open_pulls.every()),
        SweepOptions(
            host=client,
            identity=identity_of(paths, place, key=gate.gate_key, status_name=gate.status_name),
            services=[file.policy.service for file in files],
            policies=policies_hash(file.source.sha256 for file in files),
            valid_for=min(file.policy.valid_for for file in files),
            branch=place.context.default_branch or place.context.branch,
            decide=_Decider(place, files, options),
            now=now,
            dry_run=limits.dry_run,
            most=limits.limit,
        ),
    )


def _refuse_elsewhere(context: Context) -> None:
    """Let only a run on the default branch pass: its checkout has the policies that count.

    Raises:
        UsageError: this is one of a pull request, or of another branch.
    """
    elsewhere = context.default_branch is not None and context.branch != context.default_branch
    if context.pull_request is not None or elsewhere:
        raise UsageError(
            "a sweep reads the policies of its checkout, so it is for a scheduled job on the"
            f" default branch, and this is a run of {context.branch or 'a pull request'}"
        )


@dataclass(slots=True)
class _Decider:
    """Decides on pull requests by what was measured once, when the first of them needed it."""

    place: CiEnvironment
    files: Sequence[PolicyFile]
    options: Options
    measured: list[BudgetsAndPast] = field(default_factory=list)

    def __call__(self, pull: OpenPull) -> Decision:
        if not self.measured:
            self.options = replace(self.options, at=now())
            with progress(self.files):
                self.measured = measure_policies(self.files, self.options)
        place = replace(self.place, context=_context(pull, self.place.context))
        options = replace(
            self.options,
            facts=place.facts,
            approve=place.approve,
            context=place.context,
            labelled=place.labelled,
        )
        return judge_measured(self.files, self.measured, options, None)


def _context(pull: OpenPull, run: Context) -> Context:
    """Return the context that a run on a pull request would have."""
    return replace(
        run,
        revision=pull.revision,
        branch=pull.branch,
        base=pull.base,
        base_branch=pull.base_branch,
        pull_request=pull.number,
        pull_requests=(),
        title=pull.title,
        labels=pull.labels,
        author=pull.author or None,
        actor=None,  # who has started the sweep has no part in the change
        people=(),
    )
