"""The workspace that the user chose for the calls that name none."""

from __future__ import annotations

from typing import Protocol


class Choice(Protocol):
    """The workspace that the user chose for the calls that name none."""

    async def read(self) -> str | None:
        """Return its id; None where nobody chose yet."""

    async def write(self, workspace: str) -> None:
        """Remember the id of the workspace that was chosen."""


class MemoryChoice:
    """The choice for as long as this process runs.

    The methods are those of `Choice`.
    """

    def __init__(self) -> None:
        self._workspace: str | None = None

    async def read(self) -> str | None:
        return self._workspace

    async def write(self, workspace: str) -> None:
        self._workspace = workspace
