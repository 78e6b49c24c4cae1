"""Answers to messages that came together on one line: they go out together on one line."""

from __future__ import annotations

from dataclasses import dataclass, field


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
