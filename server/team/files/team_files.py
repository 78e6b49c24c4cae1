"""All that a server or worker holds for the files of its people."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import anyio

from server.settings import Settings
from server.team.files.exports import PEOPLE, PersonFiles, StoredExports
from server.team.files.links import Links
from server.team.files.store import open_store
from server.team.files.tidying import Tidying
from server.team.policy import Identity, Policy
from server.team.settings import TeamSettings, is_open

# Where finished exports are on this machine, unless the settings name another place.
_FOLDER = "finished"


class TeamFiles:
    """The store of finished exports, and the links to them.

    Args:
        base: the settings of the server: its export folder is where files are made.
        policy: returns the policy that holds now.

    Raises:
        SettingsError: the place of the exports cannot be used.
    """

    def __init__(self, base: Settings, team: TeamSettings, policy: Callable[[], Policy]) -> None:
        self.store = open_store(team.files, base.export_dir / _FOLDER, base.ca_bundle)
        # A server that nobody else reaches may have no keys: its links end with it.
        self.links = Links(_find_address(team), team.state_keys or (os.urandom(32),), policy)
        self._tidying = Tidying(self.store, base.export_dir / PEOPLE, team.files.days)

    def open_exports(self, identity: Identity, settings: Settings) -> StoredExports:
        """Return somebody's exports.

        Args:
            settings: theirs, with the folder where their files are made.
        """
        return StoredExports(
            settings.export_dir,
            PersonFiles(self.store, identity.principal.id),
            partial(self.links.make, identity),
        )

    @asynccontextmanager
    async def tidy(self) -> AsyncIterator[None]:
        """Remove what is too old as long as the block runs."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._tidying.run)
            yield
            group.cancel_scope.cancel()


def _find_address(team: TeamSettings) -> str | None:
    """Return what people's browsers call the server; None where that is not known."""
    if team.public_url is None and is_open(team):
        return None
    return team.address
