"""Questions to the person behind the client, without a word about the protocol that carries
them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from server.text import clean_sentence, truncate

# Characters of a question's title: a dialog shows it on one line.
_LONGEST_TITLE = 120
# Names in a question stand in quotation marks that they cannot end: one in them ends no sentence.
_TITLE = re.compile(r'((?:"[^"]*"|[^"?])*\?)\s*(.*)', re.DOTALL)


@dataclass(frozen=True)
class Question:
    """A question with a flat form: `properties` is JSON Schema, one primitive per answer.

    `basis` is a hash of what the message shows: an answer counts only for the basis it was given
    to.
    """

    key: str
    message: str
    # Clients show flat forms only: a nested object could not be answered.
    properties: Mapping[str, Any]
    basis: str = ""

    def __post_init__(self) -> None:
        # Whatever names it quotes: nothing in it may look like a line or a word of ours.
        object.__setattr__(self, "message", clean_sentence(self.message))

    def split_message(self) -> tuple[str, str]:
        """Return the question itself and what else is said about it, for a dialog with a title."""
        match = _TITLE.match(self.message)
        if match is None:
            return truncate(self.message, _LONGEST_TITLE), ""
        return truncate(match[1], _LONGEST_TITLE), match[2]


@dataclass(frozen=True)
class Reply:
    """What came back. Only `accept` is an answer; `unavailable` means that nobody was asked, even
    where a client that claims to ask answered by itself."""

    action: Literal["accept", "decline", "cancel", "unavailable"]
    content: Mapping[str, Any] = field(default_factory=dict)


# Some clients answer only by making the call again, so a call must be able to end in between.
class Suspended(Exception):
    """The call ends here for now: it will be made again, with the answer. Askers raise it,
    protocols answer it."""


class Asker(Protocol):
    """Asks the person in the way that the client of this call allows."""

    @property
    def can_ask(self) -> bool:
        """Whether the client said that it can put questions to a person."""

    async def ask(self, question: Question) -> Reply:
        """Put the question; a timeout counts as `cancel`.

        Raises:
            Suspended: where the answer comes with a repetition of the call.
        """

    async def report(self, done: float, total: float | None, message: str) -> None:
        """Report the progress of a long call, if the client asked for that."""


class Nobody:
    """An asker with nobody behind it: command lines and checks."""

    can_ask = False

    async def ask(self, question: Question) -> Reply:
        """Return that nobody was asked."""
        return Reply("unavailable")

    async def report(self, done: float, total: float | None, message: str) -> None:
        """Do nothing: nobody reads it."""
