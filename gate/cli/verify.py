"""``gate verify``."""

import os
from typing import Final

import click

from gate.cli.ci_environment import context_of
from gate.cli.decision_file import read_decision
from gate.cli.keys import verifying_key
from gate.cli.log_files import NotReadableError, named
from gate.cli.parameters import ci_option, group, option
from gate.cli.session import now
from gate.cli.streams import write_line
from gate.dataclass import dataclass
from gate.decision.holding import Demands, flaws
from gate.decision.reading import OddDocumentError
from gate.errors import ExitCode


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandOptions:
    """What is to ship, as far as it is said."""

    revision: str | None
    repository: str | None
    environment: str | None
    policy: tuple[str, ...]
    base: str | None
    service: tuple[str, ...]
    change: str | None
    ci: str

    def demands(self) -> Demands:
        """Return it with what this run knows of itself.

        Raises:
            PolicyError: a policy's file cannot be read.
        """
        context = context_of(self.ci)
        return Demands(
            # An empty option, from a variable that is not set, demands what nothing has.
            revision=context.revision if self.revision is None else self.revision,
            repository=context.repository if self.repository is None else self.repository,
            environment=self.environment,
            base=self.base,
            change=self.change,
            services=self.service,
            policies={path: _digest(path) for path in self.policy},
        )


_DEMANDS: Final = (
    option("--revision", metavar="SHA", help="The commit that ships; default: this one."),
    option("--repository", metavar="NAME", help="The repository of it; default: this one."),
    option(
        "--environment",
        metavar="NAME",
        help="Where it ships to; default: a decision that names no environment.",
    ),
    option(
        "--policy",
        metavar="FILE",
        multiple=True,
        help="A policy that must have decided, as FILE has it now. Can be repeated.",
    ),
    option("--base", metavar="REF", help="What the change was compared with; default: any."),
    option(
        "--service",
        metavar="NAME",
        multiple=True,
        help="A service that ships; default: any. Can be repeated.",
    ),
    option("--change", metavar="CLASS", help="The class of what ships; default: any."),
    ci_option(),
)


@click.command()
@click.argument("file", metavar="DECISION")
@group("ships", DemandOptions, _DEMANDS)
def verify(*, file: str, ships: DemandOptions) -> ExitCode:
    """Check in a deploy job that a DECISION still holds, for this very commit.

    DECISION is what gate check wrote with --write json=FILE or intoto=FILE. One that is expired,
    altered, contradictory, only observed, of another moment, of a modified policy, or about
    anything else than what ships is refused (exit 3). So is one that is not signed by the key in
    GATE_VERIFY_KEY (Ed25519, public) or GATE_SIGNING_KEY, where either is set. One that holds gives
    its own exit code.
    """
    key, demands = verifying_key(os.environ), ships.demands()
    try:
        document = read_decision(file, key)
    except (NotReadableError, OddDocumentError) as error:
        return _refused(file, str(error))
    flaw = next(flaws(document, demands, now()), None)
    if flaw is not None:
        return _refused(file, flaw)
    code = ExitCode(document["exit_code"])
    word = f"{document['verdict']}{', overridden' if document['overridden'] else ''}"
    write_line(f"HOLDS {named(file)}: {word}, exit code {int(code)}")
    return code


def _refused(file: str, flaw: str) -> ExitCode:
    write_line(f"REFUSED {named(file)}: {flaw}")
    return ExitCode.UNDECIDED


def _digest(path: str) -> str:
    from gate.config.digest import digest_of  # noqa: PLC0415 - where a policy is named only

    return digest_of(path, os.environ)
