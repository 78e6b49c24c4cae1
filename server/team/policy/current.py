"""The policy that holds now, read again on a signal."""

from __future__ import annotations

import logging
from collections.abc import Callable

from server.settings import SettingsError
from server.team.policy.policy import Policy

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
