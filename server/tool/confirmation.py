"""The user's confirmation of a change that was shown to them.

A client that can ask is asked. For one that cannot, the preview comes back with a token to repeat
the call with: single use, ten minutes, bound to the call and to what the preview showed. It proves
two calls, not a person.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from server.audit.event import Confirmed
from server.errors import Code, Failure
from server.shared_state.tokens import MemoryTokens, Tokens
from server.text import one_line, safe_details
from server.tool.cursor import scope_of
from server.tool.elicitation import Asker, Question, Reply

_STALE = "The confirmation token was used already, has expired, or is for another state or call."
_HOW_TO_CONFIRM = (
    "Show the user the preview. Only after their explicit yes repeat the call with `confirm` added."
)

_UNANSWERED = (
    "No answer came from the user. Show them the preview, then call again. Where nobody can be "
    "asked, as in a script, they set ARCHIVE_MCP_CONFIRM=token; this error then has a token."
)
_UNASKED = (
    "The client answered by itself; the user was not asked. Show them the preview. To allow "
    "changes where nobody can be asked they set ARCHIVE_MCP_CONFIRM=token; this error then has "
    "a token."
)
# Clients send the ticked box of a form as text or as a number too.
_YES = ("true", "yes", "1", "1.0", "on")
_NO = ("false", "no", "0", "0.0", "off")


@dataclass(frozen=True)
class Preview:
    """What would change: `message` for the person, `details` for the assistant.

    The confirmation is bound to both. `otherwise` tells the assistant what to do after a no.
    `outlook` is what the person reads beside the message, of figures that change all the time: no
    confirmation is bound to it.
    """

    message: str
    details: dict[str, Any] = field(default_factory=dict)
    otherwise: str = ""
    outlook: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        # The last line of defence: no name or title breaks the question, whoever builds it.
        object.__setattr__(self, "message", one_line(self.message))
        object.__setattr__(self, "details", safe_details(self.details))
        object.__setattr__(self, "outlook", one_line(self.outlook))

    @property
    def digest(self) -> str:
        """Return a digest of what was shown, for the audit log."""
        return scope_of(self.message, self.details)

    @property
    def question(self) -> str:
        """Return all that the person reads."""
        return f"{self.message} {self.outlook}".rstrip()


class Confirmations:
    """Asks, hands out tokens where nobody can be asked, and refuses whatever was not confirmed.

    Args:
        tokens: the tokens handed out, by default those of this process.
    """

    def __init__(
        self, mode: Literal["ask", "token", "never"], tokens: Tokens | None = None
    ) -> None:
        self._mode = mode
        self._tokens = tokens or MemoryTokens()

    def refuse_if_never(self, otherwise: str = "") -> None:
        """Raise `DECLINED` where the settings refuse every change that needs confirmation."""
        if self._mode == "never":
            raise Failure(
                Code.DECLINED,
                "This server refuses every change that needs confirmation "
                "(ARCHIVE_MCP_CONFIRM=never).",
                f"Tell the user; only they can change that setting. {otherwise}".rstrip(),
            )

    async def require(
        self, preview: Preview, *, call: list[Any], token: str | None, asker: Asker
    ) -> Confirmed:
        """Return how the user confirmed this preview of this call.

        Args:
            call: tool, arguments and workspace: what the confirmation is for.

        Raises: Failure: `DECLINED` after a no, `CONFIRMATION_REQUIRED` with the preview where no
            yes could be had.
        """
        self.refuse_if_never(preview.otherwise)
        # Message and details belong to it: a token is void once what it showed has changed.
        basis = scope_of(call, preview.message, preview.details)
        if token is not None and await self._tokens.redeem(token, basis):
            return "token"
        reply = await asker.ask(Question("confirm", preview.question, _FORM, basis))
        answer = _read_answer(reply)
        if answer is True:
            return "asked"
        if answer is False:
            hint = preview.otherwise or "Do not ask for the same again."
            raise Failure(Code.DECLINED, "The user declined. Nothing was changed.", hint)
        message = f"Nothing was changed: this needs the user's confirmation. {preview.question}"
        if token is not None:
            message = f"{_STALE} {message}"
        hint = _UNASKED if reply.action in ("accept", "unavailable") else _UNANSWERED
        details: dict[str, Any] = {"preview": preview.details}
        # A client that can ask gets no token: a model could redeem it without the user.
        if not asker.can_ask or self._mode == "token":
            hint = _HOW_TO_CONFIRM
            if preview.otherwise:
                hint += f" After a no: {preview.otherwise}"
            details["confirm"] = await self._tokens.issue(basis)
        raise Failure(Code.CONFIRMATION_REQUIRED, message, hint, **details)


def _read_answer(reply: Reply) -> bool | None:
    """Return whether the user confirmed; None where they did not answer."""
    if reply.action == "decline":
        return False
    if reply.action != "accept":
        return None
    # An `accept` with nothing in the box is nobody's yes: hosts that accept everything send it.
    word = str(reply.content.get("confirm", "")).strip().casefold()
    if word in _YES:
        return True
    # With the box left unticked it is a no.
    return False if word in _NO else None


_FORM = {
    "confirm": {
        "type": "boolean",
        # Accepting alone is not enough, and dialogs show two buttons and this box.
        "title": "Tick, then accept",
        "description": "Yes: make exactly this change.",
    }
}
