"""How the tests are shared among processes, where pytest-xdist runs them in several (`-n 2`).

A file stays in one process, since its tests share fixtures that are costly to make; so does a
folder whose tests share servers. Tests that measure time come last, when no other test runs.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

ALONE = "alone"
"""The scope of the tests that measure time."""


class Sharing(LoadScopeScheduling):
    """Hands out whole scopes, in the order of the tests, and what measures time to the last
    process that is left.

    Args:
        scope_of: the scope of a test's id.
    """

    def __init__(
        self, config: pytest.Config, log: Producer, scope_of: Callable[[str], str]
    ) -> None:
        super().__init__(config, log)
        # By the number of tests, the longest file could come last and be waited for.
        config.option.loadscopereorder = False
        self._scope_of = scope_of

    def _split_scope(self, nodeid: str) -> str:
        return self._scope_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        if not self._must_wait(node):
            super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        # What takes the place of a process that crashed has not listed its tests yet.
        if node not in self.registered_collections:
            return
        if not self._must_wait(node):
            super()._reschedule(node)
        elif len([other for other in self.nodes if not other.shutting_down]) > 1:
            node.shutdown()  # once it is through with what it has

    def remove_node(self, node: WorkerController) -> str | None:
        crashed = super().remove_node(node)
        if self.collection is not None:  # else there is nothing yet to hand out
            for other in self.nodes:
                self._reschedule(other)
        return crashed

    def _must_wait(self, node: WorkerController) -> bool:
        """Return whether only tests that measure time are left, while another process works."""
        return [*self.workqueue] == [ALONE] and self.nodes != [node]
