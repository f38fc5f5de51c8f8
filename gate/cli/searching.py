"""What is asked of a history, from the options of `looking_back`."""

import os
from datetime import datetime, timedelta
from fractions import Fraction

import click

from gate.cli.deploys import deploys_from
from gate.config.known_incidents import load_known
from gate.pipeline.incidents import Search


def search_for(
    *,
    at: datetime,
    timeout: timedelta,
    last: timedelta,
    threshold: Fraction,
    least: Fraction,
    step: timedelta,
    known: tuple[str, ...],
    deploys: str | None,
) -> Search:
    """Return what to look for, with the files read that the options name.

    Raises:
        UsageError: the options contradict each other, or no file is there, or GitHub cannot
            be asked.
        PolicyError: a mistake in a file.
    """
    if step > last:
        raise click.UsageError("--step is longer than --last")
    return Search(
        at=at,
        last=last,
        step=step,
        threshold=threshold,
        least=least,
        timeout=timeout,
        records=load_known(known, os.environ),
        deploys=deploys_from(deploys, os.environ, at - last),
    )
