"""``gate check``."""

from datetime import datetime, timedelta

import click

from gate.budget.impact import Impact
from gate.cli.parameters import EVIDENCE, IMPACT, measuring
from gate.cli.session import load_all, now, progress, report
from gate.errors import ExitCode
from gate.pipeline.run import Options
from gate.pipeline.run import check as run_check
from gate.reporters import REPORTERS, render


@click.command()
@measuring(REPORTERS)
@click.option("--change", metavar="CLASS", help="The class of the change; default: the policy's.")
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
) -> ExitCode:
    """Decide whether a change may ship now under each POLICY; the worst verdict is the exit code.

    Exit codes: 0 allow, 2 usage or policy-file error, 3 undecided (could not be measured),
    10 block, 11 warn (with --fail-on warn), 1 internal error, 130 interrupted.
    """
    files = load_all(policies)
    options = Options(
        at=at or now(),
        change=change,
        satisfied=dict(satisfied),
        impact=impact,
        observe=observe,
        fail_on_warn=fail_on == "warn",
        timeout=timeout,
    )
    with progress(files):
        decision = run_check(files, options)
    report(lambda name, style: render(name, decision, style), format_, copies)
    return decision.exit_code
