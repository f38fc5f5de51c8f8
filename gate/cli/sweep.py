"""``gate sweep``."""

import os
from collections.abc import Sequence
from dataclasses import field, replace
from datetime import timedelta
from typing import Final

import click

from gate.analysis.sweep import SweepOptions, SweepReport, sweep_lines
from gate.analysis.sweep.run import sweep_statuses
from gate.backends import open_backend
from gate.check.decide import BudgetsAndPast
from gate.check.options import Options
from gate.check.promises import with_promises
from gate.check.run import judge_measured, measure_policies
from gate.cli.ci_environment import CiEnvironment, context_of
from gate.cli.command import Heading, command, group, option, output_option, policies_argument
from gate.cli.job_options import ci_option, environment_option, identity_options
from gate.cli.option_values import DURATION, SingleValue
from gate.cli.parameters import max_scan_option, timeout_option
from gate.cli.publishing import identity_of
from gate.cli.session import load_all, now, progress
from gate.cli.streams import write_result, write_stderr
from gate.config.load import PolicyFile
from gate.dataclass import dataclass
from gate.decision.decision import Context, Decision
from gate.errors import ExitCode, UsageError
from gate.hosts import RestError
from gate.hosts.pinning import AUTO
from gate.hosts.pulls import OpenPull
from gate.reporters.commit_status import policies_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptGate:
    """The gate whose statuses are swept, by the options of its ``gate check``."""

    ci: str
    environment: str | None
    status_name: str | None
    gate_key: str | None
    observe: bool
    fail_on: str | None


_GATE: Final = (
    ci_option(),
    environment_option("The --environment that gate check runs with."),
    *identity_options(),
    option(
        "--gate-dry-run",
        "observe",
        formerly="--observe",
        is_flag=True,
        heading=Heading.CHANGE,
        help="Set this if gate check runs with --dry-run.",
    ),
    option(
        "--fail-on",
        type=SingleValue("warn"),
        heading=Heading.CHANGE,
        help="The --fail-on that gate check runs with.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepLimits:
    """The limits of the work."""

    dry_run: bool
    limit: int | None
    timeout: timedelta
    max_scan: int | None
    host_timeout: timedelta


_LIMITS: Final = (
    option(
        "--dry-run",
        is_flag=True,
        heading=Heading.LIMITS,
        help="Only report which statuses would be set.",
    ),
    option(
        "--limit",
        type=click.IntRange(min=1),
        heading=Heading.LIMITS,
        help="Set at most this many statuses.",
    ),
    timeout_option("60s"),
    max_scan_option(),
    option(
        "--host-timeout",
        type=DURATION,
        default="10m",
        show_default=True,
        heading=Heading.LIMITS,
        help="Time limit for all requests to GitHub or GitLab together, with the pauses for their"
        " rate limits, a duration such as 10m.",
    ),
)


@command(example=("gate sweep --dry-run", "gate sweep --environment production --limit 50"))
@policies_argument()
@group("gate", SweptGate, _GATE)
@group("limits", SweepLimits, _LIMITS)
@output_option("Write the report to this file instead of stdout.")
def sweep(
    *,
    policies: tuple[str, ...],
    gate: SweptGate,
    limits: SweepLimits,
    output: str | None,
) -> ExitCode:
    """Renew the outdated commit statuses of open pull requests, by each POLICY.

    Run it in a scheduled job on the default branch, if gate check --status sets the statuses. A
    status that is older than valid_for, or was set by another text of the policy, is decided again
    by the present budget. It becomes pending if the class, or another fact that gate check used,
    has changed.

    Exit codes: 0 every status is renewed, 3 some pull requests could not be examined.
    """
    place = CiEnvironment(context_of(gate.ci, environment=gate.environment), os.environ)
    _refuse_elsewhere(place.context)
    files = load_all(policies, place.policies(AUTO), max_scan=limits.max_scan)
    try:
        report = _swept(policies, files, gate, limits, place)
    except RestError as error:
        write_stderr(f"gate: no status was examined: {error}")
        return ExitCode.UNDECIDED
    write_result("".join(f"{line}\n" for line in sweep_lines(report)), output)
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
            "there is no token for GitHub or GitLab: run this in a GitHub job with GITHUB_TOKEN, or"
            " in a GitLab job with GITLAB_TOKEN"
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
    """Allow only a run on the default branch: its checkout has the policies that count.

    Raises:
        UsageError: this is a run of a pull request, or of another branch.
    """
    elsewhere = context.default_branch is not None and context.branch != context.default_branch
    if context.pull_request is not None or elsewhere:
        raise UsageError(
            "a sweep reads the policies of its checkout, so run it in a scheduled job on the"
            f" default branch; this is a run of {context.branch or 'a pull request'}"
        )


@dataclass(slots=True)
class _Decider:
    """Decides on pull requests by one measurement, made when the first of them needs it."""

    place: CiEnvironment
    files: Sequence[PolicyFile]
    options: Options
    measured: list[BudgetsAndPast] = field(default_factory=list)

    def __call__(self, pull: OpenPull) -> Decision:
        if not self.measured:
            self.options = replace(self.options, at=now())
            with progress(self.files):
                self.files, open_with = with_promises(
                    self.files, self.options.at, self.options.timeout, open_backend
                )
                self.measured = measure_policies(self.files, self.options, open_with=open_with)
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
    """Return the context of a run on a pull request."""
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
        actor=None,  # the person who started the sweep did not contribute to the change
        people=(),
    )
