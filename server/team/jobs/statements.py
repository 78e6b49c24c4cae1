"""The statements of the journal in PostgreSQL.

In braces stand the parts that several of them share; `compose` puts them in. A statement of a job's
owner begins with `{own}`: it locks the job's row, so that nobody takes the job before the statement
ends, and it finds no row where somebody took it before.
"""

from __future__ import annotations

from functools import lru_cache
from typing import LiteralString

from psycopg import sql

# The database's own clock, which all replicas share. Tests replace it.
DATABASE_CLOCK: LiteralString = "extract(epoch FROM clock_timestamp())::double precision"

_PARTS: dict[str, LiteralString] = {
    # A process works on the job; a lease that ends later than a new one would is of another clock.
    "live": """(job_runs.owner IS NOT NULL AND job_runs.lease_until > {now}
        AND job_runs.lease_until <= {now} + %(lease)s)""",
    "of_principal": "(%(principal)s::text IS NULL OR jobs.principal_id = %(principal)s)",
    "of_accounts": """(%(origins)s::text[] IS NULL OR (jobs.origin, jobs.account) IN
        (SELECT * FROM unnest(%(origins)s::text[], %(accounts)s::text[])))""",
    # By fence and owner, not by time: a lease that ran out untaken is still the owner's.
    "own": """WITH own AS (UPDATE job_runs SET lease_until = {now} + %(lease)s, updated = {now}
        WHERE job = %(job)s AND fence = %(fence)s AND owner = %(owner)s RETURNING job, cancel)""",
}
# Made of the parts above.
_COMPOUNDS: dict[str, LiteralString] = {
    # A job that reads as running while nobody holds its lease was interrupted, and one that was
    # being cancelled then is cancelled: nobody is left to journal either, so the query says it.
    "columns": """id, tool, title, origin, account, workspace, arguments, writes, repeatable, phase,
        created, updated, finished, total, cursor, counters, result, error, cancel,
        CASE WHEN state NOT IN ('running', 'paused') OR {live} THEN state
            WHEN cancel THEN 'cancelled' ELSE 'paused' END,
        {live},
        ARRAY(SELECT ARRAY[t.state, t.records::text] FROM job_tallies t
            WHERE t.job = jobs.id AND t.records > 0)""",
    "visible": """FROM jobs JOIN job_runs ON job_runs.job = jobs.id
        WHERE jobs.state <> 'starting' AND {of_principal}""",
    "interrupted": """jobs.state IN ('running', 'paused') AND error IS NULL AND NOT cancel
        AND NOT {live}""",
}

JOB: LiteralString = "SELECT {columns} {visible} AND jobs.id = %(job)s"
JOBS: LiteralString = """SELECT {columns} {visible} AND {of_accounts}
    AND (%(account)s::text IS NULL OR jobs.account = %(account)s)
    ORDER BY created DESC, jobs.number DESC LIMIT %(limit)s OFFSET %(offset)s"""
# Of the newest thousand.
ORPHANS: LiteralString = """SELECT {columns} {visible}
    AND origin = %(origin)s AND account = %(account)s AND {interrupted}
    ORDER BY created DESC, jobs.number DESC LIMIT 1000"""
# Of everybody, for the workers.
INTERRUPTED: LiteralString = """SELECT jobs.id FROM jobs JOIN job_runs ON job_runs.job = jobs.id
    WHERE {interrupted} ORDER BY job_runs.updated LIMIT 1000"""
COUNT_OTHERS: LiteralString = """SELECT count(*) FROM jobs
    WHERE state <> 'starting' AND {of_principal} AND NOT {of_accounts}"""
RECORDS: LiteralString = """SELECT number, key, state, code, reason, detail, sends FROM job_records
    WHERE job = %(job)s AND number > %(after)s
        AND (%(states)s::text[] IS NULL OR state = ANY(%(states)s))
        AND EXISTS (SELECT FROM jobs WHERE jobs.id = job AND {of_principal})
    ORDER BY number LIMIT %(limit)s"""
OWNER_OF: LiteralString = "SELECT principal_id, sealed_identity FROM jobs WHERE id = %(job)s"

# Repeated where the answer to the first try was lost.
CREATE: LiteralString = """WITH new AS (
        INSERT INTO jobs (id, principal_id, sealed_identity, tool, title, origin, account,
            workspace, arguments, writes, repeatable, phase, state, created)
        VALUES (%(job)s, %(principal)s, %(identity)s, %(tool)s, %(title)s, %(origin)s, %(account)s,
            %(workspace)s, %(arguments)s, %(writes)s, %(repeatable)s, %(phase)s, 'starting', {now})
        ON CONFLICT (id) DO NOTHING RETURNING id)
    INSERT INTO job_runs (job, owner, fence, lease_until, updated, total, counters)
        SELECT id, %(owner)s, 1, {now} + %(lease)s, {now}, %(total)s, %(counters)s FROM new"""
START: LiteralString = "UPDATE jobs SET state = 'running' WHERE id = %(job)s"
ENTER: LiteralString = "UPDATE jobs SET phase = %(phase)s WHERE id = %(job)s"
# Never less than before: an expected total may be larger than what was gathered.
COUNTED: LiteralString = """UPDATE job_runs SET total = greatest(coalesce(total, 0),
    (SELECT coalesce(sum(records), 0) FROM job_tallies WHERE job = %(job)s))
    WHERE job = %(job)s"""
PROGRESS: LiteralString = """UPDATE job_runs SET cursor = coalesce(%(cursor)s, cursor),
    counters = coalesce(%(counters)s, counters), total = coalesce(%(total)s, total)
    WHERE job = %(job)s"""
LAST_NUMBER: LiteralString = "SELECT coalesce(max(number), 0) FROM job_records WHERE job = %(job)s"
# Gathering that was interrupted after it wrote may add the same records again.
ADD: LiteralString = """INSERT INTO job_records (job, number, key, state, detail)
    SELECT %(job)s, %(last)s + place, key, 'pending', detail
    FROM unnest(%(keys)s::text[], %(details)s::text[])
        WITH ORDINALITY AS new (key, detail, place)
    ON CONFLICT (job, md5(key)) DO NOTHING"""
COUNT_AFTER: LiteralString = (
    "SELECT count(*) FROM job_records WHERE job = %(job)s AND number > %(last)s"
)

# Locks the job until the transaction ends.
LOCK: LiteralString = """SELECT jobs.state, phase, repeatable, cancel, owner, fence, {live}
    FROM jobs JOIN job_runs ON job_runs.job = jobs.id
    WHERE jobs.id = %(job)s AND {of_principal} FOR UPDATE"""
HOLD: LiteralString = "{own} SELECT cancel FROM own"
# Without `updated`: a job that only lives on has not changed.
RENEW: LiteralString = """UPDATE job_runs SET lease_until = {now} + %(lease)s
    WHERE job = %(job)s AND fence = %(fence)s AND owner = %(owner)s RETURNING cancel"""
IS_CANCELLED: LiteralString = "SELECT 1 FROM job_runs WHERE job = %(job)s AND cancel"
ASK_TO_STOP: LiteralString = "UPDATE job_runs SET cancel = true WHERE job = %(job)s"
# Cancelling was meant for the run before: whoever takes the job means it to go on.
TAKE: LiteralString = """UPDATE job_runs SET owner = %(owner)s, fence = fence + 1,
    lease_until = {now} + %(lease)s, cancel = false, updated = {now}
    WHERE job = %(job)s RETURNING fence"""
REOPEN: LiteralString = """UPDATE jobs SET state = 'running', phase = %(phase)s, finished = NULL,
    result = NULL, error = NULL, sealed_identity = coalesce(%(identity)s, sealed_identity)
    WHERE id = %(job)s"""
# The identity is kept no longer than it is needed.
LEAVE: LiteralString = """UPDATE jobs SET state = %(state)s, result = %(result)s,
    error = %(error)s, finished = CASE WHEN %(ended)s THEN {now} END,
    sealed_identity = CASE WHEN %(ended)s THEN NULL ELSE sealed_identity END
    WHERE id = %(job)s"""
# The number grows here too: a late change of the old owner must fail.
DROP: LiteralString = """UPDATE job_runs SET owner = NULL, fence = fence + 1, lease_until = 0,
    cancel = false, updated = {now} WHERE job = %(job)s"""
# Their owners died before they obeyed.
CANCELLED: LiteralString = """SELECT job FROM job_runs WHERE cancel AND NOT {live}"""
DELETE_OLD: LiteralString = """DELETE FROM jobs USING job_runs
    WHERE job_runs.job = jobs.id AND NOT {live}
        AND (job_runs.updated < {now} - %(kept)s OR jobs.state = 'starting')"""

# All of the records or none. `sends` is counted before the bytes leave: after a crash it is never
# too small.
ADMIT: LiteralString = """{own},
    free AS (SELECT number FROM job_records
        WHERE job = %(job)s AND number = ANY(%(numbers)s) AND state = ANY(%(states)s)),
    sent AS (UPDATE job_records SET state = 'sending', sends = sends + 1 FROM own
        WHERE NOT own.cancel AND job_records.job = own.job
            AND number = ANY(%(numbers)s) AND state = ANY(%(states)s)
            AND (SELECT count(*) FROM free) = cardinality(%(numbers)s) RETURNING number)
    SELECT own.cancel, (SELECT count(*) FROM sent) FROM own"""
# A record that is done stays so: a late mark must not have it sent twice.
MARK: LiteralString = """{own},
    marked AS (UPDATE job_records SET state = mark.state, code = mark.code,
            reason = mark.reason, detail = coalesce(mark.detail, job_records.detail)
        FROM own, unnest(%(numbers)s::bigint[], %(states)s::text[], %(codes)s::text[],
            %(reasons)s::text[], %(details)s::text[]) AS mark (number, state, code, reason, detail)
        WHERE job_records.job = own.job AND job_records.number = mark.number
            AND job_records.state <> 'done')
    SELECT cancel FROM own"""
RESOLVE_INTERRUPTED: LiteralString = """UPDATE job_records SET
    state = CASE WHEN %(repeatable)s THEN 'pending' ELSE 'unknown' END,
    code = CASE WHEN %(repeatable)s THEN NULL ELSE %(code)s END,
    reason = CASE WHEN %(repeatable)s THEN NULL ELSE %(reason)s END
    WHERE job = %(job)s AND state = 'sending'"""
SKIP_PENDING: LiteralString = """UPDATE job_records SET state = 'skipped', code = %(code)s,
    reason = %(reason)s WHERE job = %(job)s AND state = 'pending'"""
SEND_AGAIN: LiteralString = """UPDATE job_records SET state = 'pending', code = NULL,
    reason = NULL WHERE job = %(job)s AND state = ANY(%(states)s)"""


@lru_cache(maxsize=256)
def compose(statement: LiteralString, clock: LiteralString) -> sql.Composed:
    """Return a statement with the parts that it names and the expression for the present moment."""
    now = sql.SQL(clock)
    parts = {name: sql.SQL(part).format(now=now) for name, part in _PARTS.items()}
    compounds = {name: sql.SQL(part).format(**parts) for name, part in _COMPOUNDS.items()}
    return sql.SQL(statement).format(now=now, **parts, **compounds)
