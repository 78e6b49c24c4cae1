-- Long work and its records, as one transaction after another left them. Times are seconds since
-- the epoch by this database's clock.
CREATE TABLE IF NOT EXISTS jobs (
    id text PRIMARY KEY,
    -- Who started it, and with it who may see, cancel and resume it.
    principal_id text NOT NULL,
    -- Who that is, sealed, with their own token where they signed in with one; only until the job
    -- has ended.
    sealed_identity text,
    tool text NOT NULL,
    title text NOT NULL,
    origin text NOT NULL,
    account text NOT NULL,
    workspace text,
    arguments text NOT NULL,
    writes boolean NOT NULL,
    repeatable boolean NOT NULL,
    phase text NOT NULL,
    state text NOT NULL,
    created double precision NOT NULL,
    -- Tells apart the jobs of one instant.
    number bigint GENERATED ALWAYS AS IDENTITY,
    finished double precision,
    result text,
    error text
);
CREATE INDEX IF NOT EXISTS jobs_of_principals ON jobs (principal_id, created DESC, number DESC);
CREATE INDEX IF NOT EXISTS jobs_not_ended ON jobs (state)
    WHERE state IN ('starting', 'running', 'paused');

-- What changes with every record, apart from the arguments, which may be long.
CREATE TABLE IF NOT EXISTS job_runs (
    job text PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    owner text,
    -- Grows with every owner: whoever has a smaller one changes nothing any more.
    fence bigint NOT NULL DEFAULT 0,
    lease_until double precision NOT NULL DEFAULT 0,
    cancel boolean NOT NULL DEFAULT false,
    updated double precision NOT NULL,
    total bigint,
    cursor text,
    counters text NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE IF NOT EXISTS job_records (
    job text NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    number bigint NOT NULL,
    key text NOT NULL,
    state text NOT NULL,
    code text,
    reason text,
    detail text,
    sends integer NOT NULL DEFAULT 0,
    PRIMARY KEY (job, number)
);
-- By digest: an address may be longer than an entry of an index.
CREATE UNIQUE INDEX IF NOT EXISTS job_record_keys ON job_records (job, md5(key));
CREATE INDEX IF NOT EXISTS job_record_states ON job_records (job, state, number);

-- How many records are in which state: counting those of a large job would read all of them.
CREATE TABLE IF NOT EXISTS job_tallies (
    job text NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    state text NOT NULL,
    records bigint NOT NULL,
    PRIMARY KEY (job, state)
) WITH (fillfactor = 50);

CREATE OR REPLACE FUNCTION count_job_records() RETURNS trigger LANGUAGE plpgsql AS $count$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO job_tallies (job, state, records)
            SELECT job, state, count(*) FROM changed GROUP BY job, state
        ON CONFLICT (job, state)
            DO UPDATE SET records = job_tallies.records + EXCLUDED.records;
    ELSE
        INSERT INTO job_tallies (job, state, records)
            SELECT job, state, sum(change) FROM (
                SELECT job, state, 1 AS change FROM changed
                UNION ALL SELECT job, state, -1 FROM previous
            ) AS changes
            GROUP BY job, state HAVING sum(change) <> 0
            ORDER BY job, state
        ON CONFLICT (job, state)
            DO UPDATE SET records = job_tallies.records + EXCLUDED.records;
    END IF;
    RETURN NULL;
END
$count$;
CREATE OR REPLACE TRIGGER job_records_added AFTER INSERT ON job_records
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_job_records();
CREATE OR REPLACE TRIGGER job_records_changed AFTER UPDATE ON job_records
    REFERENCING OLD TABLE AS previous NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_job_records();
