"""``gate export``."""

import click

from gate.backends import registration
from gate.cli.session import load_all
from gate.cli.streams import write, write_stderr
from gate.errors import ExitCode, UsageError
from gate.exporters import EXPORTERS, export_policy


@click.command()
@click.argument("format_", metavar="FORMAT", type=click.Choice(tuple(EXPORTERS)))
@click.argument("policy")
def export(*, format_: str, policy: str) -> ExitCode:
    """Write the SLOs of POLICY for another tool, on stdout.

    FORMAT is openslo, sloth, prometheus-rules (recording rules that the gate uses where the server
    has them, and alerts) or grafana-dashboard. No backend is asked.

    What the format cannot say is left out and named on stderr. Exit codes: 0 something was
    written, 2 nothing could be.
    """
    (file,) = load_all((policy,))
    if not registration(file.settings.kind).promql:
        raise UsageError(f"{policy}: only what Prometheus counts can be exported")
    exported = export_policy(format_, file.policy)
    for remark in exported.remarks:
        write_stderr(f"gate: {policy}: {remark}")
    if exported.text is None:
        raise UsageError(f"{policy}: no SLO can be written as {format_}")
    write(exported.text)
    return ExitCode.ALLOW
