"""Changes of one job inside one transaction of PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, LiteralString

from server.errors import Code
from server.jobs.lease import Lease
from server.jobs.model import End, JobState, LostLease, NewRecord, Phase, Stopped
from server.jobs.ownership import make_missing
from server.jobs.rows import to_json
from server.jobs.transitions import CANCELLED, INTERRUPTED, Standing, make_nothing_to_send
from server.team.jobs import statements
from server.team.jobs.rows import clean
from server.team.store.database import Connection


class Changes:
    """The changes of one job.

    Args:
        clock: SQL expression for the present moment, in seconds since the epoch.
        values: what every statement may refer to: `principal`, `lease` and `identity`.
    """

    def __init__(
        self, db: Connection, job: str, clock: LiteralString, values: dict[str, Any]
    ) -> None:
        self._db = db
        self._job = job
        self._clock = clock
        self._values = {**values, "job": job}

    async def execute(self, statement: LiteralString, **values: Any) -> Any:
        """Run a statement and return its cursor."""
        query = statements.compose(statement, self._clock)
        return await self._db.execute(query, {**self._values, **values})

    async def read_number(self, statement: LiteralString, **values: Any) -> int:
        """Return the one number that a statement gives."""
        cursor = await self.execute(statement, **values)
        (number,) = await cursor.fetchone()
        return int(number)

    async def hold(self, lease: Lease) -> None:
        """Lock the job and renew its lease.

        Raises:
            Stopped: the job is to be cancelled.
            LostLease: another process works on it.
        """
        cursor = await self.execute(statements.HOLD, **asdict(lease))
        row = await cursor.fetchone()
        if row is None:
            raise LostLease(self._job)
        if row[0]:
            raise Stopped(self._job)

    async def lock(self) -> tuple[Standing, Lease]:
        """Return where the job stands and who has it, with an empty owner where nobody has.

        Raises:
            Failure: `NOT_FOUND`.
        """
        cursor = await self.execute(statements.LOCK)
        row = await cursor.fetchone()
        if row is None:
            raise make_missing(self._job)
        state, phase, repeatable, cancel, owner, fence, live = row
        # One whose records are still being journalled is nobody's business but its owner's.
        starting = state == "starting"
        place = JobState.RUNNING if starting else JobState(state)
        standing = Standing(self._job, place, Phase(phase), repeatable, cancel, live or starting)
        return standing, Lease(self._job, owner or "", fence)

    async def take(self, standing: Standing, owner: str, *, again: bool) -> Lease:
        """Make `owner` the owner of the job, and have failed records sent again where `again` is.

        Raises:
            Failure: there is nothing to send again.
        """
        phase = standing.phase
        # Before anything is sent: what the last owner was sending must not look like its own.
        await self._resolve_interrupted(standing)
        if again:
            # The owner died before it could: without this, what the user stopped would be sent.
            if standing.cancel:
                await self._skip_pending()
            await self._send_again(standing)
            phase = standing.phase_again
        await self.execute(statements.REOPEN, phase=phase)
        return Lease(self._job, owner, await self.read_number(statements.TAKE, owner=owner))

    async def leave(self, standing: Standing, end: End) -> None:
        """End the run, and leave the job without an owner."""
        ended = end.state is not JobState.PAUSED
        # Records still marked as sending would never be resolved once the job has ended.
        if ended:
            await self._resolve_interrupted(standing)
        if end.state is JobState.CANCELLED:
            await self._skip_pending()
        result, error = to_json(end.result), to_json(end.error)
        await self.execute(
            statements.LEAVE, state=end.state, ended=ended, result=result, error=error
        )
        await self.execute(statements.DROP)

    async def add(self, records: Sequence[NewRecord]) -> int:
        """Add the records whose keys are new, and return the last number before them."""
        last = await self.read_number(statements.LAST_NUMBER)
        keys = [clean(record.key) for record in records]
        details = [to_json(record.detail) for record in records]
        await self.execute(statements.ADD, last=last, keys=keys, details=details)
        return last

    async def save(
        self, cursor: Any, counters: dict[str, Any] | None, total: int | None = None
    ) -> None:
        """Set the cursor, the counters and the expected number; None leaves one as it is."""
        values = {"cursor": to_json(cursor), "counters": to_json(counters), "total": total}
        await self.execute(statements.PROGRESS, **values)

    async def _resolve_interrupted(self, standing: Standing) -> None:
        values: dict[str, Any] = {"code": Code.OUTCOME_UNKNOWN, "reason": INTERRUPTED}
        await self.execute(statements.RESOLVE_INTERRUPTED, repeatable=standing.repeatable, **values)

    async def _skip_pending(self) -> None:
        await self.execute(statements.SKIP_PENDING, code=Code.CANCELLED, reason=CANCELLED)

    async def _send_again(self, standing: Standing) -> None:
        cursor = await self.execute(statements.SEND_AGAIN, states=[*standing.sent_again])
        if not cursor.rowcount:
            raise make_nothing_to_send(self._job)
