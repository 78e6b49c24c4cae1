"""What is remembered of one principal between calls.

A server over stdio keeps it in memory. Where several processes serve the same people, each part
has another implementation that they share.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from server.shared_state.choice import Choice, MemoryChoice
from server.shared_state.replies import MemoryReplies, Replies
from server.shared_state.spending import Spending, UnlimitedSpending
from server.shared_state.tokens import MemoryTokens, Tokens


@dataclass(frozen=True)
class SharedState:
    """The state of one principal.

    Args:
        tokens: the confirmation tokens handed out.
        replies: the answers to questions that counted already.
        choice: the workspace that the user chose.
        spending: the billing credits that may still be spent.
        keys: what seals the state of a question, the current key first; without one, each process
            makes its own.
    """

    tokens: Tokens = field(default_factory=MemoryTokens)
    replies: Replies = field(default_factory=MemoryReplies)
    choice: Choice = field(default_factory=MemoryChoice)
    spending: Spending = field(default_factory=UnlimitedSpending)
    keys: tuple[bytes, ...] = ()

    @classmethod
    def in_memory(cls) -> SharedState:
        """Return the state of a process that nobody else serves beside."""
        return cls()
