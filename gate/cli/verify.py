"""``gate verify``."""

import os
from typing import Final

from gate.cli.ci_environment import context_of
from gate.cli.command import FILE, Heading, argument, command, group, option, output_option
from gate.cli.decision_file import read_decision
from gate.cli.job_options import ci_option, environment_option
from gate.cli.keys import verifying_key
from gate.cli.log_files import NotReadableError, named
from gate.cli.session import now
from gate.cli.streams import write_line
from gate.dataclass import dataclass
from gate.decision.holding import Demands, flaws
from gate.decision.reading import OddDocumentError
from gate.errors import ExitCode


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandOptions:
    """The change that is to ship, as the options describe it."""

    revision: str | None
    repository: str | None
    environment: str | None
    policy: tuple[str, ...]
    base: str | None
    service: tuple[str, ...]
    change: str | None
    ci: str

    def demands(self) -> Demands:
        """Return the requirements, completed with the facts from the CI system.

        Raises:
            PolicyError: a policy's file cannot be read.
        """
        context = context_of(self.ci)
        return Demands(
            # An empty option, from an unset variable, requires a value that no decision has.
            revision=context.revision if self.revision is None else self.revision,
            repository=context.repository if self.repository is None else self.repository,
            environment=self.environment,
            base=self.base,
            change=self.change,
            services=self.service,
            policies={path: _digest(path) for path in self.policy},
        )


_DEMANDS: Final = (
    option(
        "--revision",
        metavar="SHA",
        heading=Heading.CHANGE,
        help="The commit that ships. Default: the commit of this checkout.",
    ),
    option(
        "--repository",
        metavar="NAME",
        heading=Heading.CHANGE,
        help="The repository of the commit. Default: the repository of this job.",
    ),
    environment_option(
        "The environment that it ships to. Default: the decision must not name any."
    ),
    option(
        "--policy",
        type=FILE,
        multiple=True,
        heading=Heading.POLICY,
        help="A policy that must have decided, with the present text of this file. Can be"
        " repeated.",
    ),
    option(
        "--base",
        metavar="REF",
        heading=Heading.CHANGE,
        help="The base that the change must have been compared with. Default: any.",
    ),
    option(
        "--service",
        metavar="NAME",
        multiple=True,
        heading=Heading.CHANGE,
        help="A service that ships. Default: any. Can be repeated.",
    ),
    option(
        "--change",
        metavar="CLASS",
        heading=Heading.CHANGE,
        help="The class of the change, such as canary. Default: any.",
    ),
    ci_option(),
)


@command(example=("gate verify decision.json --environment production",))
@argument("file", metavar="DECISION", type=FILE, help_="Decision that gate check wrote.")
@group("ships", DemandOptions, _DEMANDS)
@output_option("Write the result to this file instead of stdout.")
def verify(*, file: str, ships: DemandOptions, output: str | None) -> ExitCode:
    """Check in a deploy job that a DECISION still holds, for this very commit.

    DECISION is a file of gate check --write json=FILE or intoto=FILE. It is refused if it is
    expired, altered, contradictory, a dry run, made at another time, by a policy with uncommitted
    changes, or about something other than the change that ships; also if a key is set in
    GATE_VERIFY_KEY (Ed25519, public) or GATE_SIGNING_KEY and has not signed it.

    Exit codes: that of the decision if it holds, 2 usage error, 3 the decision is refused.
    """
    code, text = _verified(file, ships)
    write_line(text, output)
    return code


def _verified(file: str, ships: DemandOptions) -> tuple[ExitCode, str]:
    """Return the exit code, and the line with the reason."""
    key, demands = verifying_key(os.environ), ships.demands()
    try:
        document = read_decision(file, key)
    except (NotReadableError, OddDocumentError) as error:
        return ExitCode.UNDECIDED, f"REFUSED {named(file)}: {error}"
    flaw = next(flaws(document, demands, now()), None)
    if flaw is not None:
        return ExitCode.UNDECIDED, f"REFUSED {named(file)}: {flaw}"
    code = ExitCode(document["exit_code"])
    word = f"{document['verdict']}{', overridden' if document['overridden'] else ''}"
    return code, f"HOLDS {named(file)}: {word}, exit code {int(code)}"


def _digest(path: str) -> str:
    from gate.config.load import digest_of  # noqa: PLC0415 - where a policy is named only

    return digest_of(path, os.environ)
