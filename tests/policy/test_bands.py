"""Tiers as bands of remaining budget."""

from fractions import Fraction

from gate.policy.tiers import Condition, Tier, bands

HEALTHY = Tier(name="healthy", condition=Condition(">", Fraction(1, 2)), allow=None)
CAUTION = Tier(name="caution", condition=Condition(">=", Fraction(1, 10)), allow=None)
REST = Tier(name="rest", condition=None, allow=frozenset())
HOPELESS = Tier(name="hopeless", condition=Condition("<", Fraction(-1)), allow=frozenset())


def told(*tiers: Tier, low: int, high: int) -> list[tuple[str, float, float]]:
    found = bands(tiers, Fraction(low), Fraction(high))
    return [(one.tier.name, float(one.low), float(one.high)) for one in found]


def test_the_highest_band_comes_first_and_none_overlap() -> None:
    assert told(HEALTHY, CAUTION, REST, low=0, high=1) == [
        ("healthy", 0.5, 1),
        ("caution", 0.1, 0.5),
        ("rest", 0, 0.1),
    ]


def test_a_tier_may_hold_from_below() -> None:
    assert told(HOPELESS, REST, low=-2, high=1) == [("rest", -1, 1), ("hopeless", -2, -1)]


def test_thresholds_outside_and_within_one_tier_part_nothing() -> None:
    assert told(HEALTHY, HOPELESS, REST, low=0, high=1) == [
        ("healthy", 0.5, 1),
        ("rest", 0, 0.5),
    ]
    # What the first takes whole, a later threshold does not part.
    everything = Tier(name="all", condition=Condition(">", Fraction(-5)), allow=None)
    assert told(everything, CAUTION, REST, low=0, high=1) == [("all", 0, 1)]
