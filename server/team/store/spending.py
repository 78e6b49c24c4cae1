"""The billing credits that a person may spend a day, counted over all replicas before they are
spent. A day is one of UTC, by the clock of the database."""

from __future__ import annotations

from datetime import date, timedelta

from server.errors import Code, Failure
from server.team.store.database import Database

_TODAY = "(now() AT TIME ZONE 'UTC')::date"
# One statement compares and adds, so that several at once never spend the same credits.
_RESERVE = f"""
INSERT INTO spending (principal_id, day, credits)
SELECT %(owner)s, {_TODAY}, %(credits)s WHERE %(credits)s <= %(limit)s
ON CONFLICT (principal_id, day) DO UPDATE SET credits = spending.credits + excluded.credits
WHERE spending.credits + excluded.credits <= %(limit)s
RETURNING day
"""  # put together from constants
_READ = f"""
SELECT {_TODAY}, coalesce(sum(credits), 0) FROM spending
WHERE principal_id = %(owner)s AND day = {_TODAY}
"""  # noqa: S608  # put together from constants
_GIVE_BACK = (
    "UPDATE spending SET credits = greatest(credits - %s, 0) WHERE principal_id = %s AND day = %s"
)


class PostgresSpending:
    """The credits of one principal in the team's database.

    Args:
        per_day: Credits that the principal may spend on one day.

    The methods are those of `Spending`.
    """

    def __init__(self, database: Database, principal_id: str, per_day: int) -> None:
        self._database = database
        self._principal_id = principal_id
        self._per_day = per_day
        self._day: date | None = None

    async def reserve(self, credits: int) -> None:
        """See `Spending.reserve`. Where the database was lost in between, credits may be counted
        that are not spent, never the other way round."""
        if credits <= 0:
            return
        parameters = {"owner": self._principal_id, "credits": credits, "limit": self._per_day}
        rows = await self._database.execute(_RESERVE, parameters)
        if not rows:
            raise await self._make_refusal(credits)
        self._day = rows[0][0]

    async def give_back(self, credits: int) -> None:
        """See `Spending.give_back`. The credits are those of the day of the last reservation:
        after midnight they must not make the new day longer."""
        if credits > 0 and self._day is not None:
            parameters = (credits, self._principal_id, self._day)
            await self._database.execute(_GIVE_BACK, parameters)

    async def _make_refusal(self, credits: int) -> Failure:
        [(day, spent)] = await self._database.execute(_READ, {"owner": self._principal_id})
        left = max(0, self._per_day - int(spent))
        until = f"{day + timedelta(days=1)}T00:00:00Z"
        return Failure(
            Code.FORBIDDEN,
            f"This would spend {credits} billing credits; of the {self._per_day} a day that the "
            f"team's server allows this person, {left} are left until {until}.",
            "Nothing was spent. Tell the user. They ask for less, wait until then, or ask the "
            "administrator of the team's server for a higher limit.",
            credits=credits,
            per_day=self._per_day,
            left=left,
            until=until,
        )
