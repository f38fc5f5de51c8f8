"""The options that several commands have about their job, and what the job publishes."""

import click

from gate.cli.command import Decorator, Heading, option
from gate.cli.option_values import Parsed, evidence_of
from gate.dataclass import dataclass
from gate.hosts.systems import SYSTEMS


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishingOptions:
    """The comment and the status that a command publishes on the code host, with their names."""

    comment: bool
    status: bool
    status_name: str | None
    """The name of the commit status; None: it follows from services, environment and key."""
    gate_key: str | None
    """The key that distinguishes this gate from others of the same policy and environment."""


def ci_option() -> Decorator:
    """Return the option for the CI system that the command runs in."""
    return option(
        "--ci",
        type=click.Choice(["auto", "none", *SYSTEMS]),
        default="auto",
        show_default=True,
        heading=Heading.CHANGE,
        help="The CI system that this runs in; auto recognises it.",
    )


def identity_options(key: str = "") -> tuple[Decorator, ...]:
    """Return the options that distinguish this gate from others of the same policy and environment.

    Args:
        key: the default key of the command; empty: none.
    """
    unless = f" Default: {key}." if key else ""
    return (
        option(
            "--status-name",
            metavar="NAME",
            heading=Heading.PUBLISHING,
            help="Name of the commit status. Default: gate/SERVICE[/ENVIRONMENT][/KEY].",
        ),
        option(
            "--gate-key",
            metavar="KEY",
            heading=Heading.PUBLISHING,
            help="Keep a separate comment and status for this job, if several jobs have the same"
            f" policy and environment.{unless}",
        ),
    )


def publishing_options(key: str = "") -> tuple[Decorator, ...]:
    """Return the options of `PublishingOptions`; ``key`` is as for `identity_options`."""
    return (
        option(
            "--comment",
            is_flag=True,
            heading=Heading.PUBLISHING,
            help="Keep one comment on the pull request up to date.",
        ),
        option(
            "--status",
            is_flag=True,
            heading=Heading.PUBLISHING,
            help="Set the status of the commit to the verdict.",
        ),
        *identity_options(key),
    )


def environment_option(text: str) -> Decorator:
    """Return the option for the environment that a change ships to; ``text`` is its help."""
    return option("--environment", metavar="NAME", heading=Heading.CHANGE, help=text)


def met_option(text: str) -> Decorator:
    """Return the option for the requirements that are met; ``text`` is its help."""
    return option(
        "--met",
        "satisfied",
        formerly="--satisfied",
        type=Parsed("name=evidence", evidence_of),
        multiple=True,
        heading=Heading.CHANGE,
        help=text,
    )
