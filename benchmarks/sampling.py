"""How often the interval of a sampled SLO holds the truth where answers come in conversations.

python -m benchmarks.sampling [RUNS]

Conversations have a geometric number of judged answers, and answers of one conversation resemble
each other: how likely each is bad is drawn for the conversation from a beta distribution.
docs/rules.md quotes what this prints.
"""

import sys
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from gate.budget.ratio import remaining_interval
from gate.measure import Counts, Evidence

BAD: Final = 0.02
"""The share of answers that is bad in the long run."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """What is judged."""

    conversations: int
    answers: int
    """Of a conversation, in the mean."""
    alike: float
    """The correlation of two answers of one conversation, 0 to 1."""

    @property
    def design_effect(self) -> float:
        """By how many times the variance is that of independent answers.

        1 + (m - 1) r, with m the mean number of answers in the conversation of an answer: 2 a - 1
        of a geometric number with mean a. Source: L. Kish, Survey Sampling, 1965, section 8.2.
        """
        return 1 + (2 * self.answers - 2) * self.alike


SAMPLINGS: Final = tuple(
    Sampling(conversations, answers, alike)
    for conversations in (100, 500)
    for answers, alike in ((1, 0.3), (3, 0.3), (10, 0.1), (10, 0.3))
)


def coverage(sampling: Sampling, runs: int) -> tuple[float, float]:
    """Return how often the interval holds the truth: of the counts, and with the design effect."""
    rng = np.random.default_rng([7, sampling.conversations, sampling.answers])
    plain = effective = 0
    for _ in range(runs):
        answers = rng.geometric(1 / sampling.answers, sampling.conversations)
        scale = (1 - sampling.alike) / sampling.alike
        likely = rng.beta(BAD * scale, (1 - BAD) * scale, sampling.conversations)
        bad, total = int(rng.binomial(answers, likely).sum()), int(answers.sum())
        plain += _holds(bad, total, 1.0)
        effective += _holds(bad, total, sampling.design_effect)
    return plain / runs, effective / runs


def _holds(bad: int, total: int, effect: float) -> bool:
    counts = Counts(bad=Fraction(bad), total=Fraction(total), evidence=Evidence(query=""))
    # A share of the budget of 1 / total a bad event: what remains is 1 - the bad share.
    low, high = remaining_interval(counts, Fraction(1, total), Fraction(effect))
    return low <= 1 - BAD <= high


def main() -> None:
    """Print the table of docs/rules.md."""
    runs = int(sys.argv[1]) if sys.argv[1:] else 4000
    print("| Conversations | Answers of each | alike by | design effect | without | with |")
    for sampling in SAMPLINGS:
        plain, effective = coverage(sampling, runs)
        print(
            f"| {sampling.conversations} | {sampling.answers} | {sampling.alike} |"
            f" {sampling.design_effect:.1f} | {plain:.0%} | {effective:.0%} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
