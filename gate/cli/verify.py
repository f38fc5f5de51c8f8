"""``gate verify``."""

import json
import os
from importlib.resources import files
from typing import Any, Final

import click

from gate.cli.ci_environment import context_of
from gate.cli.keys import verifying_key
from gate.cli.log_files import NotReadableError, named, read_within
from gate.cli.parameters import ci_option, group, option
from gate.cli.session import now
from gate.cli.streams import write_line
from gate.dataclass import dataclass
from gate.decision.decision import SCHEMA_VERSION
from gate.decision.holding import Demands, flaws
from gate.decision.reading import OddDocumentError, check_shape, read_json
from gate.decision.seal import SealKey, seal_flaw
from gate.decision.statement import decision_in, is_envelope, opened, statement
from gate.errors import ExitCode

_LARGEST: Final = 1 << 24
"""Bytes; an SLO takes some three thousand, in an envelope twice that."""


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

    DECISION is what gate check wrote with --output json=FILE or intoto=FILE. One that is expired,
    altered, contradictory, only observed, of another moment, of a modified policy, or about
    anything else than what ships is refused (exit 3). So is one that is not signed by the key in
    GATE_VERIFY_KEY (Ed25519, public) or GATE_SIGNING_KEY, where either is set. One that holds gives
    its own exit code.
    """
    key, demands = verifying_key(os.environ), ships.demands()
    try:
        document = _document(file, key)
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


def _document(file: str, key: SealKey | None) -> dict[str, Any]:
    """Return the decision that a file holds, in its shape, unaltered and signed if need be.

    Raises:
        OddDocumentError: there is no such decision in it; the message says why.
    """
    document: Any = read_json(read_within(file, _LARGEST))
    parcel = opened(document, key) if is_envelope(document) else None
    if parcel is not None:
        document = decision_in(parcel)
    if not isinstance(document, dict) or document.get("schema_version") != SCHEMA_VERSION:
        raise OddDocumentError(f"it is no decision of version {SCHEMA_VERSION}")
    flaw = seal_flaw(document, key)
    if flaw is not None:
        raise OddDocumentError(flaw)
    check_shape(document, _schema())
    if parcel is not None and parcel != statement(document):
        raise OddDocumentError("the statement around the decision says something else than it")
    return document


def _schema() -> dict[str, Any]:
    text = files("gate").joinpath("schemas", "decision.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _digest(path: str) -> str:
    from gate.config.digest import digest_of  # noqa: PLC0415 - where a policy is named only

    return digest_of(path, os.environ)
