"""Two shares of failures compared among events that are alike: within each model, say.

So a group that has more of the traffic that fails anyhow is not blamed for it (Simpson's paradox).

Sources: N. Mantel and W. Haenszel, "Statistical aspects of the analysis of data from retrospective
studies of disease", Journal of the National Cancer Institute 22 (1959), 719-748; S. Greenland and
J. M. Robins, "Estimation of a common effect parameter from sparse follow-up data", Biometrics 41
(1985), 55-68; N. Mantel and J. L. Fleiss, "Minimum expected cell size requirements for the
Mantel-Haenszel one-degree-of-freedom chi-square test", American Journal of Epidemiology 112 (1980).
"""

from collections.abc import Sequence
from math import exp, inf, log, sqrt
from typing import Final

from gate.budget.cohorts.arms import Table
from gate.budget.cohorts.normal import critical, two_sided
from gate.budget.cohorts.ratios import LEVEL

_FEW: Final = 5.0
"""What Mantel and Fleiss ask for between what is expected and what is possible."""


def cmh(strata: Sequence[Table], effect: float = 1.0) -> float | None:
    """Return how likely a difference at least so large is where there is none in any stratum.

    None where there are too few events to say, by the criterion of Mantel and Fleiss.

    Args:
        strata: the counts of each.
        effect: the design effect, by which the evidence is divided.
    """
    both = [one for one in strata if one.total and one.rest_total and one.events > 1]
    expected = sum(one.total * one.failed / one.events for one in both)
    least = sum(max(0.0, one.failed - one.rest_total) for one in both)
    most = sum(min(one.total, one.failed) for one in both)
    if min(expected - least, most - expected) / effect < _FEW:
        return None
    apart = sum(one.bad for one in both) - expected
    variance = sum(
        one.total
        * one.rest_total
        * one.failed
        * (one.events - one.failed)
        / (one.events**2 * (one.events - 1))
        for one in both
    )
    return two_sided(apart / sqrt(variance * effect))


def common_ratio(strata: Sequence[Table]) -> float:
    """Return the Mantel-Haenszel ratio; of failures in some stratum with both groups."""
    up, down = _parts(strata)
    return up / down if down else inf


def common_interval(
    strata: Sequence[Table], effect: float = 1.0, level: float = LEVEL
) -> tuple[float, float]:
    """Return the interval of the Mantel-Haenszel ratio, by Greenland and Robins' variance."""
    up, down = _parts(strata)
    if not up or not down:
        return 0.0, inf
    spread = sum(
        (one.total * one.rest_total * one.failed - one.bad * one.rest_bad * one.events)
        / one.events**2
        for one in strata
        if one.events
    )
    half = critical(level) * sqrt(effect * spread / (up * down))
    centre = log(up / down)
    return exp(centre - half), exp(centre + half)


def _parts(strata: Sequence[Table]) -> tuple[float, float]:
    with_any = [one for one in strata if one.events]
    up = sum(one.bad * one.rest_total / one.events for one in with_any)
    return up, sum(one.rest_bad * one.total / one.events for one in with_any)
