"""The journal of jobs in PostgreSQL, which all replicas and workers share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import asdict
from typing import Any, LiteralString, TypeVar

from server.errors import Code, Failure
from server.jobs.journal import KEPT_SECONDS, make_job_id
from server.jobs.lease import LEASE_SECONDS, Lease
from server.jobs.model import (
    Account,
    End,
    JobRow,
    JobState,
    LostLease,
    Mark,
    NewJob,
    NewRecord,
    Phase,
    RecordRow,
    RecordState,
    Stopped,
)
from server.jobs.ownership import make_missing
from server.jobs.rows import to_json, to_record_row
from server.team.jobs import statements
from server.team.jobs.changes import Changes
from server.team.jobs.rows import clean, merge_marks, split_accounts, to_columns, to_job
from server.team.store.database import Connection, Database

T = TypeVar("T")

# Seconds that a caller waits who holds a turn of the limiter: a longer pause would let it pass.
_TURN_SECONDS = 0.2
_WATCH_SECONDS = 1.0


class PostgresJournal:
    """Jobs and records that all replicas share.

    Args:
        principal_id: who starts jobs here, and whose are seen; None sees those of everybody.
        sealed_identity: who that is, sealed with what is needed to act for them; kept with the
            jobs until they end.
        lease_seconds: how long an owner may be silent.
        clock: SQL expression for the present moment, in seconds since the epoch.

    The methods are those of `Journal`.
    """

    def __init__(
        self,
        database: Database,
        principal_id: str | None,
        *,
        sealed_identity: str | None = None,
        lease_seconds: float = LEASE_SECONDS,
        clock: Callable[[], LiteralString] = lambda: statements.DATABASE_CLOCK,
    ) -> None:
        self.lease_seconds = lease_seconds
        self._database = database
        self._principal = principal_id
        self._identity = sealed_identity
        self._clock = clock

    async def create(
        self, job: NewJob, owner: str, *, writes: bool, repeatable: bool, phase: Phase
    ) -> Lease:
        if self._principal is None:
            raise ValueError("a job belongs to somebody")
        name = make_job_id()
        values = {
            "tool": job.tool,
            "title": clean(job.title),
            "origin": job.origin,
            "account": job.account,
            "workspace": job.workspace,
            "arguments": to_json(job.arguments),
            "total": job.total,
            "counters": to_json(job.counters),
            "writes": writes,
            "repeatable": repeatable,
            "phase": phase,
            "owner": owner,
            "identity": self._identity,
        }
        await self._rows(statements.CREATE, job=name, **values)
        return Lease(name, owner, 1)

    async def start(self, lease: Lease) -> None:
        async def work(changes: Changes) -> None:
            await changes.hold(lease)
            await changes.execute(statements.START)

        await self._run(lease.job, work)

    async def job(self, name: str) -> JobRow:
        rows = await self._rows(statements.JOB, job=name)
        if not rows:
            raise make_missing(name)
        return to_job(rows[0])

    async def jobs(
        self,
        account: str | None = None,
        *,
        accounts: Collection[Account] | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[JobRow]:
        values = {"account": account, "limit": limit, "offset": offset, **split_accounts(accounts)}
        return [to_job(row) for row in await self._rows(statements.JOBS, **values)]

    async def count_others(self, accounts: Collection[Account]) -> int:
        ((count,),) = await self._rows(statements.COUNT_OTHERS, **split_accounts(accounts))
        return int(count)

    async def orphans(self, origin: str, account: str) -> list[JobRow]:
        rows = await self._rows(statements.ORPHANS, origin=origin, account=account)
        # Fetched newest first like every list; who waits longest is resumed first.
        return [to_job(row) for row in rows[::-1]]

    async def interrupted(self) -> list[str]:
        """Return the ids of the jobs that wait for a worker, whoever started them."""
        return [str(name) for (name,) in await self._rows(statements.INTERRUPTED)]

    async def records(
        self, name: str, states: Sequence[RecordState] = (), *, after: int = 0, limit: int = 100
    ) -> list[RecordRow]:
        values = {"states": [*states] or None, "after": after, "limit": limit}
        rows = await self._rows(statements.RECORDS, job=name, **values)
        return [to_record_row(row) for row in rows]

    async def is_cancelled(self, lease: Lease) -> bool:
        return bool(await self._watch(statements.IS_CANCELLED, lease))

    async def renew(self, lease: Lease) -> bool:
        rows = await self._watch(statements.RENEW, lease)
        if not rows:
            raise LostLease(lease.job)
        return bool(rows[0][0])

    async def cancel(self, name: str) -> None:
        """Ask the owner to stop at the next record, or end a job that nobody works on.

        Raises:
            Failure: `NOT_FOUND`.
        """

        async def work(changes: Changes) -> None:
            standing, _ = await changes.lock()
            # Not an error: the job may have ended while the user decided.
            if standing.state not in (JobState.RUNNING, JobState.PAUSED):
                return
            if standing.live:
                await changes.execute(statements.ASK_TO_STOP)
            else:
                await changes.leave(standing, End(JobState.CANCELLED))

        await self._run(name, work)

    async def take(self, name: str, owner: str, *, again: bool = False) -> Lease:
        """Make `owner` the owner of an interrupted job.

        Raises:
            Failure: there is no such job, another process works on it, or there is nothing to do.
        """
        tries: list[Lease] = []

        async def work(changes: Changes) -> Lease:
            standing, holder = await changes.lock()
            # The answer to the first try was lost, not the try.
            if holder in tries:
                return holder
            standing.check_free(again=again)
            lease = await changes.take(standing, owner, again=again)
            tries.append(lease)
            return lease

        return await self._run(name, work)

    async def enter(self, lease: Lease, phase: Phase) -> None:
        async def work(changes: Changes) -> None:
            await changes.hold(lease)
            await changes.execute(statements.ENTER, phase=phase)
            await changes.execute(statements.COUNTED)

        await self._run(lease.job, work)

    async def add(
        self,
        lease: Lease,
        records: Sequence[NewRecord],
        cursor: Any = None,
        counters: dict[str, Any] | None = None,
    ) -> int:
        """Add the records whose keys are new to the job, and return how many were.

        Raises:
            LostLease: another process works on the job.
            Stopped: the job is to be cancelled.
        """
        # Of the first try: it may have done all, and only its answer was lost.
        first: list[int] = []

        async def work(changes: Changes) -> int:
            await changes.hold(lease)
            first.append(await changes.add(records))
            await changes.save(cursor, counters)
            return await changes.read_number(statements.COUNT_AFTER, last=first[0])

        return await self._run(lease.job, work)

    async def checkpoint(
        self,
        lease: Lease,
        cursor: Any = None,
        counters: dict[str, Any] | None = None,
        total: int | None = None,
    ) -> None:
        async def work(changes: Changes) -> None:
            await changes.hold(lease)
            await changes.save(cursor, counters, total)

        await self._run(lease.job, work)

    async def admit(self, lease: Lease, numbers: Sequence[int], *, again: bool = False) -> None:
        """Journal that the bytes of these records are about to leave.

        Raises:
            LostLease: another process works on the job.
            Stopped: the job is to be cancelled.
            ValueError: one of them must not be sent.
        """
        # A record that is `sending` belongs to another send, unless the same one repeats its bytes.
        states = ["pending", "sending"] if again else ["pending"]
        values = {**asdict(lease), "numbers": [*numbers], "states": states}

        async def work(changes: Changes) -> tuple[bool, int]:
            answer = await changes.execute(statements.ADMIT, **values)
            # Where the answer is lost, the records are `sending` by this very send.
            values["states"] = ["pending", "sending"]
            row = await answer.fetchone()
            if row is None:
                raise LostLease(lease.job)
            return bool(row[0]), int(row[1])

        cancelled, sent = await self._run(lease.job, work, patience=_TURN_SECONDS)
        if cancelled:
            raise Stopped(lease.job)
        if sent != len(numbers):
            raise ValueError(f"a record of {numbers} of {lease.job} is not to be sent")

    async def mark(self, lease: Lease, marks: Sequence[Mark]) -> None:
        rows = await self._rows(statements.MARK, **asdict(lease), **to_columns(merge_marks(marks)))
        if not rows:
            raise LostLease(lease.job)

    async def end(self, lease: Lease, end: End) -> None:
        tries: list[Lease] = []

        async def work(changes: Changes) -> None:
            standing, holder = await changes.lock()
            if holder != lease:
                # The answer to the first try was lost, not the try: the job is given back.
                if tries and holder.owner == "" and holder.fence == lease.fence + 1:
                    return
                raise LostLease(lease.job)
            tries.append(lease)
            result = end
            # A paused job would be resumed, although the user cancelled it.
            if standing.cancel and end.state is JobState.PAUSED:
                result = End(JobState.CANCELLED)
            await changes.leave(standing, result)

        try:
            await self._run(lease.job, work)
        except Failure as failure:
            if failure.code is Code.NOT_FOUND:
                raise LostLease(lease.job) from None
            raise

    async def read_owner(self, name: str) -> tuple[str, str | None]:
        """Return who started a job, and the sealed token of that person where there is one.

        Raises:
            Failure: `NOT_FOUND`.
        """
        rows = await self._rows(statements.OWNER_OF, job=name)
        if not rows:
            raise make_missing(name)
        principal, token = rows[0]
        return str(principal), token

    async def tidy(self) -> None:
        """End jobs whose owner died while cancelling; delete those that never started, and those
        that nothing happened to for 30 days."""
        for (name,) in await self._rows(statements.CANCELLED):
            await self.cancel(name)
        await self._rows(statements.DELETE_OLD, kept=KEPT_SECONDS)

    async def _run(
        self,
        job: str,
        work: Callable[[Changes], Awaitable[T]],
        *,
        patience: float | None = None,
    ) -> T:
        """Run changes of a job as one transaction, again where its connection was lost."""
        values = {**self._values, "identity": self._identity}

        async def attempt(db: Connection) -> T:
            return await work(Changes(db, job, self._clock(), values))

        return await self._database.run(attempt, patience=patience)

    async def _watch(self, statement: LiteralString, lease: Lease) -> list[tuple[Any, ...]]:
        query = statements.compose(statement, self._clock())
        values = {**self._values, **asdict(lease)}
        return await self._database.execute(query, values, patience=_WATCH_SECONDS)

    async def _rows(self, statement: LiteralString, **values: Any) -> list[tuple[Any, ...]]:
        query = statements.compose(statement, self._clock())
        return await self._database.execute(query, {**self._values, **values})

    @property
    def _values(self) -> dict[str, Any]:
        return {"principal": self._principal, "lease": self.lease_seconds}
