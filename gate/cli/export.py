"""``gate export``."""

from pathlib import Path

import click

from gate.cli.command import Heading, command, option, output_option, policies_argument
from gate.cli.session import load_all
from gate.cli.streams import deliver, write_stderr
from gate.errors import ExitCode, UsageError
from gate.exporters import EXPORTERS, by_promql, export_policies


@command(example=("gate export --format sloth -o slos/chat.yaml",))
@policies_argument()
@option(
    "--format",
    "-f",
    "format_",
    type=click.Choice(tuple(EXPORTERS)),
    heading=Heading.OUTPUT,
    help="Format of the other tool. Required.",
)
@output_option("Write to this file instead of stdout.")
def export(*, policies: tuple[str, ...], format_: str | None, output: str | None) -> ExitCode:
    """Write the SLOs of each POLICY for another tool. No backend is queried.

    The format prometheus-rules has recording rules, which gate uses if the server has them, and
    alerts. With sloth and prometheus-rules, the SLOs of several policies go into one file.

    Parts that a format cannot express are left out and named on stderr, as are SLOs that are not
    counted by Prometheus.

    Exit codes: 0 something was written, 2 nothing could be written.
    """
    if format_ is None:
        raise click.UsageError(_without_format(policies))
    files = load_all(policies)
    counted = {file.source.path: by_promql(file.policy) for file in files}
    for path, (policy, _) in counted.items():
        if not policy.slos:
            raise UsageError(f"{path}: only SLOs of a Prometheus backend can be exported")
    exported = export_policies(format_, {path: policy for path, (policy, _) in counted.items()})
    of_backends = (f"{path}: {text}" for path, (_, texts) in counted.items() for text in texts)
    for remark in (*of_backends, *exported.remarks):
        write_stderr(f"gate: {remark}")
    if exported.text is None:
        raise UsageError(f"{', '.join(policies)}: no SLO can be written as {format_}")
    deliver(exported.text, output)
    return ExitCode.ALLOW


def _without_format(policies: tuple[str, ...]) -> str:
    first, *others = policies
    if first in EXPORTERS and not Path(first).exists():
        line = " ".join(["gate export", *others, "--format", first])
        return f"the format is an option now: {line}"
    return f"--format is missing; it is one of {', '.join(EXPORTERS)}"
