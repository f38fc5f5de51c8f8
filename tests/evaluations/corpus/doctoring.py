"""The table of doctored files: each row is a function that makes an honest run into another one.

The name of the function names the row, its docstring says what the cheater or the accident did, and
`doctored` says from which honest run it starts and how the check must end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.evaluations.corpus.scene import Base, Scene

UNDECIDED: Final = 3
BLOCKED: Final = 10

Act = Callable[[Scene], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doctoring:
    """A row of the table."""

    name: str
    story: str
    """The deed of the cheater, or the accident, in one sentence."""
    base: Base
    act: Act
    ends: int
    """The exit code of the check: `UNDECIDED` or `BLOCKED`."""
    says: str
    """Words that the report has, so that the right reason is what refuses the file."""
    attest: bool = True
    """Whether the run attests to the file afterwards, where the base does."""


DOCTORINGS: Final[list[Doctoring]] = []


def doctored(
    base: Base, says: str, *, ends: int = UNDECIDED, attest: bool = True
) -> Callable[[Act], Act]:
    """Register a function as a row of the table."""

    def register(act: Act) -> Act:
        name = act.__name__
        assert all(row.name != name for row in DOCTORINGS), name
        assert act.__doc__, name
        DOCTORINGS.append(
            Doctoring(
                name=name,
                story=act.__doc__,
                base=base,
                act=act,
                ends=ends,
                says=says,
                attest=attest,
            )
        )
        return act

    return register
