"""Multiwindow burn-rate alerts: a rule fires while both its windows burn at its rate or faster."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Final

from gate.policy.changes import REPAIRS


class Effect(StrEnum):
    """What a rule that fires does to a change that it does not let through."""

    BLOCK = "block"
    WARN = "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnRateRule:
    """One pair of windows."""

    long: timedelta
    """Says that the burn matters."""
    short: timedelta
    """Says that it is still going on; usually a twelfth of ``long``."""
    rate: Fraction
    """Fires when both burn rates are at least this; above 0."""
    effect: Effect
    allow: frozenset[str] = REPAIRS
    """Change classes that may ship all the same."""


GOOGLE_30D: Final = (
    # Site Reliability Workbook, chapter 5, table 5-8 and the multiwindow example below it
    # (https://sre.google/workbook/alerting-on-slos/): 2 % of a 30-day budget in 1 h, 5 % in 6 h,
    # 10 % in 1 d and in 3 d; rate = share x 30 d / long window; short = long / 12. The first two
    # page somebody there and block here; the last two open a ticket there and warn here.
    BurnRateRule(
        long=timedelta(hours=1),
        short=timedelta(minutes=5),
        rate=Fraction("14.4"),
        effect=Effect.BLOCK,
    ),
    BurnRateRule(
        long=timedelta(hours=6), short=timedelta(minutes=30), rate=Fraction(6), effect=Effect.BLOCK
    ),
    BurnRateRule(
        long=timedelta(days=1), short=timedelta(hours=2), rate=Fraction(3), effect=Effect.WARN
    ),
    BurnRateRule(
        long=timedelta(days=3), short=timedelta(hours=6), rate=Fraction(1), effect=Effect.WARN
    ),
)

NAMED: Final = {"google-30d": GOOGLE_30D}
"""The sets of rules that a policy can name."""
