"""All that the replicas remember of one principal between calls."""

from __future__ import annotations

from server.shared_state import SharedState
from server.shared_state.spending import Spending, UnlimitedSpending
from server.team.store.choices import PostgresChoice
from server.team.store.confirmations import PostgresTokens
from server.team.store.database import Database
from server.team.store.replies import PostgresReplies
from server.team.store.spending import PostgresSpending


def make_shared_state(
    database: Database,
    principal_id: str,
    *,
    account: str,
    credits_a_day: int | None = None,
    spending: Spending | None = None,
    keys: tuple[bytes, ...] = (),
) -> SharedState:
    """Return the state of a principal in the team's database.

    Args:
        account: What the workspaces belong to, such as the fingerprint of the Archive token.
        credits_a_day: Billing credits that the principal may spend on a day; None sets no limit.
        spending: What counts the credits instead.
        keys: What seals the state of a question, the current key first.
    """
    if spending is None and credits_a_day is not None:
        spending = PostgresSpending(database, principal_id, credits_a_day)
    return SharedState(
        tokens=PostgresTokens(database, principal_id),
        replies=PostgresReplies(database, principal_id),
        choice=PostgresChoice(database, principal_id, account),
        spending=spending or UnlimitedSpending(),
        keys=keys,
    )
