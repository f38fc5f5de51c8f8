"""Cases of SLOs whose objective and window are those of a platform, and of rounded shares."""

from collections.abc import Iterator
from fractions import Fraction

import pytest

from gate.analysis.cases import CaseResult
from gate.errors import PolicyError
from tests.analysis.cases.trying import tried
from tests.backends.toy_platform import registered

PLATFORM = """\
slos:
  - {name: availability, from: platform, sli: {slo: Chat}}
"""


@pytest.fixture
def platform() -> Iterator[None]:
    with registered():
        yield


def tried_on_platform(
    body: str, expect: str = "{verdict: allow}", slos: str = PLATFORM
) -> CaseResult:
    backend = "backend: {type: toy-platform, path: answers.json}\n"
    return tried(body, expect, slos=slos, backend=backend)


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize(
    ("stated", "verdict"),
    [
        ("{remaining: 51%}", "allow"),
        ("{remaining: 9%}", "block"),
        ("{unmeasured: no_data}", "undecided"),
        ("{remaining: 12%, rounding: 1%}", "allow"),
        ("{remaining: 12%, rounding: 2%}", "undecided"),
        ("{remaining: 8%, rounding: 1%}", "block"),
    ],
)
def test_what_is_left_may_be_stated_of_an_slo_whose_objective_is_its_platforms(
    stated: str, verdict: str
) -> None:
    result = tried_on_platform(f"slos: {{availability: {stated}}}\n", f"{{verdict: {verdict}}}")

    assert result.passed


@pytest.mark.usefixtures("platform")
def test_counts_need_an_objective_that_the_policy_has() -> None:
    with pytest.raises(PolicyError, match="its objective is its platform's; state remaining: 42%"):
        tried_on_platform("slos: {availability: {total: 1000000, bad: 1}}\n")

    chosen = PLATFORM.replace("from: platform", "from: platform, objective: 99.9%, sla: 99%")
    result = tried_on_platform("slos: {availability: {total: 1000000, bad: 400}}\n", slos=chosen)
    assert result.decided.assessments[0].remaining == Fraction(6, 10)


@pytest.mark.usefixtures("platform")
def test_an_sla_is_below_the_objective_that_stands_in() -> None:
    strict = PLATFORM.replace("from: platform", "from: platform, sla: 99.9%")

    assert tried_on_platform("slos: {availability: {remaining: 60%}}\n", slos=strict).passed


def test_only_what_is_left_may_be_rounded() -> None:
    with pytest.raises(PolicyError, match="rounding can only be used with remaining"):
        tried("slos: {availability: {total: 1000000, bad: 1, rounding: 3%}}\n")
