"""The policy that holds now, read again on a signal."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager

from server.settings import SettingsError
from server.team.policy.file import read_policy
from server.team.policy.policy import Policy
from server.team.policy.rights import Rights
from server.team.settings import TeamSettings

log = logging.getLogger("archive_mcp.team")


class CurrentPolicy:
    """Holds a policy until another one without a mistake takes its place.

    Args:
        read: reads the policy.

    Raises:
        SettingsError: the first one has a mistake.
    """

    def __init__(self, read: Callable[[], Policy]) -> None:
        self._read = read
        self._policy = read()

    def __call__(self) -> Policy:
        """Return the policy that holds now."""
        return self._policy

    def reload(self) -> bool:
        """Read the policy again, and return whether it holds now."""
        try:
            self._policy = self._read()
        except SettingsError as error:
            # The old one goes on: without any, nobody could work, and nobody would be kept out.
            log.warning("the policy was not read again, and the one before holds:\n%s", error)
            return False
        log.warning("the policy was read again")
        return True


def read_team_policy(team: TeamSettings, toolsets: Set[str]) -> Policy:
    """Return the policy that the settings name.

    Raises:
        SettingsError: it has a mistake.
    """
    if team.policy is None:
        # Only the sandbox starts without one.
        return Policy(trial=Rights(read_only=False, may_spend=True, may_delete=True))
    return read_policy(team.policy, frozenset(toolsets))


@contextmanager
def call_on_hangup(reload: Callable[[], None]) -> Iterator[None]:
    """Call a function whenever the process is told to read its settings again."""
    if sys.platform == "win32":
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, reload)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
