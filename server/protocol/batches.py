"""Which message answers which: answers to messages that came together on one line go out together
on one line, and what is still to be answered is known.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import anyio
from mcp_types import JSONRPCError, JSONRPCMessage, JSONRPCRequest, JSONRPCResponse

log = logging.getLogger("archive_mcp")


@dataclass
class _Batch:
    waiting: set[str | int]
    refusals: int
    answers: list[str] = field(default_factory=list)

    def close(self) -> str:
        """Return the line of all answers, once all are there; nothing before."""
        done = not self.waiting and not self.refusals and self.answers
        return f"[{','.join(self.answers)}]" if done else ""


class Batches:
    """The batches that are not answered yet, by the ids of their requests."""

    def __init__(self) -> None:
        self._by_id: dict[str | int, _Batch] = {}

    def open(self, ids: tuple[str | int, ...], refusals: int) -> None:
        """Expect answers to these requests, and so many refusals beside them."""
        if ids:
            batch = _Batch(set(ids), refusals)
            self._by_id.update(dict.fromkeys(ids, batch))

    def add(self, id_: str | int | None, text: str) -> str:
        """Return what to write now that an answer came: that answer, a list of answers, or
        nothing."""
        if not self._by_id or id_ is None:
            return text
        batch = self._by_id.pop(id_, None)
        if batch is None:
            return text
        batch.waiting.discard(id_)
        batch.answers.append(text)
        return batch.close()

    def add_refusal(self, ids: tuple[str | int, ...], text: str) -> str:
        """Return what to write now that a message of a batch was refused."""
        batch = self._by_id[ids[0]]
        batch.refusals -= 1
        batch.answers.append(text)
        return batch.close()

    def drop(self, id_: object) -> str:
        """Expect no answer to a cancelled request, and return what to write without it."""
        if not isinstance(id_, str | int):
            return ""
        batch = self._by_id.pop(id_, None)
        if batch is None:
            return ""
        batch.waiting.discard(id_)
        return batch.close()


class Exchange:
    """The requests of both sides that are not answered yet."""

    def __init__(self) -> None:
        # As text: clients may send back the text of a number.
        self._ours: set[str] = set()
        self._theirs: set[str | int] = set()
        self._change = anyio.Event()

    def note_incoming(self, message: JSONRPCMessage) -> None:
        """Note a message of the client; a response to nothing is worth a warning."""
        if isinstance(message, JSONRPCRequest):
            self._theirs.add(message.id)
        if not isinstance(message, JSONRPCResponse | JSONRPCError):
            return
        if str(message.id) not in self._ours:
            log.warning("the client answered what nobody asks any more: it is ignored")
        self._ours.discard(str(message.id))

    def note_request(self, message: JSONRPCMessage) -> None:
        """Note a request that goes to the client."""
        if isinstance(message, JSONRPCRequest):
            self._ours.add(str(message.id))

    def note_answer(self, message: JSONRPCMessage) -> None:
        """Note an answer that was written."""
        if isinstance(message, JSONRPCResponse | JSONRPCError):
            self.drop(message.id)

    def drop(self, id_: object) -> None:
        """Expect no answer to a request of the client any more."""
        if not isinstance(id_, str | int):
            return
        self._theirs.discard(id_)
        self._change.set()
        self._change = anyio.Event()

    async def wait_for_answers(self) -> None:
        """Wait until all requests of the client are answered."""
        while self._theirs:
            await self._change.wait()
