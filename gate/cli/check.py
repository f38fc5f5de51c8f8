"""``gate check``."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import click

from gate.budget.impact import Impact
from gate.check.options import Options
from gate.check.run import run_check
from gate.cli.ci_environment import CiEnvironment, context_of
from gate.cli.parameters import DURATION, EVIDENCE, IMPACT, UNTIL, measuring, one_override
from gate.cli.session import append, load_all, now, progress, read_file, report, signing_key
from gate.cli.waiting import until_allowed
from gate.config.load import PolicyFile
from gate.decision.decision import Decision
from gate.errors import ExitCode
from gate.hosts.systems import SYSTEMS
from gate.reporters import REPORTERS, render


@click.command()
@measuring(REPORTERS)
@click.option("--change", metavar="CLASS", help="The class of the change; default: recognised.")
@click.option("--observe", is_flag=True, help="Tell the verdict but always exit 0.")
@click.option("--fail-on", type=click.Choice(["warn"]), help="Exit 11 on a warning instead of 0.")
@click.option(
    "--satisfied",
    type=EVIDENCE,
    multiple=True,
    help="A requirement that has been met, with a link or note: shadow=URL. Can be repeated.",
)
@click.option(
    "--impact",
    type=IMPACT,
    help="Expected cost of the change, taken as spent: canary=10%,failures=100%,detect=5m.",
)
@click.option("--base", metavar="REF", help="What the change is compared with to recognise it.")
@click.option(
    "--policy-ref",
    metavar="REF",
    help="Read each policy as this commit has it, so that a change cannot loosen its own gate.",
)
@click.option(
    "--ci",
    type=click.Choice(["auto", "none", *SYSTEMS]),
    default="auto",
    show_default=True,
    help="The CI system that this runs in.",
)
@click.option("--override", metavar="REASON", help="Ship although the policy says no; recorded.")
@click.option("--approved-by", metavar="WHO", help="Who approved the override; not the author.")
@click.option("--until", type=UNTIL, help="When the override ends, RFC 3339.")
@click.option("--environment", metavar="NAME", help="Where the change would ship to.")
@click.option("--comment", is_flag=True, help="Keep one comment on the pull request up to date.")
@click.option("--status", is_flag=True, help="Set the status of the commit to the verdict.")
@click.option("--record", metavar="FILE", help="Append the decision to this log (JSON Lines).")
@click.option("--wait", type=DURATION, help="Ask again until allowed, for so long at most.")
def check(
    *,
    policies: tuple[str, ...],
    at: datetime | None,
    format_: str,
    copies: tuple[tuple[str, str], ...],
    timeout: timedelta,
    change: str | None,
    observe: bool,
    fail_on: str | None,
    satisfied: tuple[tuple[str, str], ...],
    impact: Impact | None,
    base: str | None,
    policy_ref: str | None,
    ci: str,
    override: str | None,
    approved_by: str | None,
    until: datetime | None,
    environment: str | None,
    comment: bool,
    status: bool,
    record: str | None,
    wait: timedelta | None,
) -> ExitCode:
    """Decide whether a change may ship now under each POLICY; the worst verdict is the exit code.

    Exit codes: 0 allow, 2 usage or policy-file error, 3 undecided (could not be measured),
    10 block, 11 warn (with --fail-on warn), 1 internal error, 130 interrupted.
    """
    broken_glass = one_override(override, approved_by, until)
    if at is not None and wait is not None:
        raise click.UsageError("--wait does not go with --at: the past does not change")
    place = CiEnvironment(context_of(ci, base=base, environment=environment), os.environ)
    files = load_all(policies, _reading(policy_ref, place))
    if broken_glass is not None:
        place = place.with_author()  # who may not approve it
    options = Options(
        at=at or now(),
        change=change,
        change_from="--change",
        facts=place.facts,
        approve=place.approve,
        context=place.context,
        satisfied=dict(satisfied),
        impact=impact,
        override=broken_glass,
        labelled=place.labelled,
        entitled=place.entitled,
        observe=observe,
        fail_on_warn=fail_on == "warn",
        timeout=timeout,
        key=signing_key(os.environ),
    )

    def decide(instant: datetime) -> Decision:
        with progress(files):
            return run_check(files, replace(options, at=instant))

    decision = until_allowed(decide, options.at, wait)
    report(lambda name, style: render(name, decision, style), format_, copies)
    if record is not None:
        append(record, decision)
    if comment:
        from gate.cli.publishing import keep_comment  # noqa: PLC0415 - asks a code host

        keep_comment(decision, place)
    if status:
        from gate.cli.publishing import show_verdict  # noqa: PLC0415 - as above

        show_verdict(decision, place)
    return decision.exit_code


def _reading(ref: str | None, place: CiEnvironment) -> Callable[[str], PolicyFile]:
    if ref is None:
        return read_file

    def read(path: str) -> PolicyFile:
        from gate.cli.policy_at_ref import read_pinned  # noqa: PLC0415 - git is run here only

        return read_pinned(path, ref, place.file)

    return read
