"""A queue that nobody reads."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Nudged:
    """Notes of which jobs the workers were told."""

    jobs: list[str] = field(default_factory=list)

    async def defer(self, job: str) -> None:
        """Note a job."""
        self.jobs.append(job)
