"""Whether somebody is one of those whom a policy names, asked of the code host."""

from collections.abc import Sequence
from dataclasses import dataclass

from gate.ci.people import Account, People
from gate.ci.rest import RestError
from gate.policy.rights import WRITE, Right, by_name, is_group, plain


@dataclass(frozen=True, slots=True)
class Rights:
    """Of the people of one code host."""

    people: People

    def __call__(self, who: str, wanted: Sequence[str]) -> Right:
        """Return whether a name is that of one of them; the host is asked only about groups."""
        if by_name(who, wanted).holds or not any(map(is_group, wanted)):
            return by_name(who, wanted)
        try:
            return self.of(self.people.account(plain(who)), wanted)
        except RestError as error:
            return Right(holds=False, untold=str(error))

    def of(self, account: Account, wanted: Sequence[str]) -> Right:
        """Return whether an account is one of them; a bot never is.

        Raises:
            RestError: the host does not answer as it should.
        """
        if account.bot:
            return Right(holds=False, untold=f"@{account.login} is a bot")
        if by_name(account.login, wanted).holds:
            return Right(holds=True)
        untold = list[str]()
        for group in filter(is_group, wanted):
            if group == WRITE:
                holds = self.people.may_write(account)
            else:
                membership = self.people.in_team(group.removeprefix("@"), account)
                holds = membership.member
                untold += filter(None, [membership.untold])
            if holds:
                return Right(holds=True)
        return Right(holds=False, untold="; ".join(untold))
