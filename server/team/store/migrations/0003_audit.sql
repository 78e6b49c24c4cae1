-- Who changed what. Rows are only ever added; an administrator removes old ones.
CREATE TABLE IF NOT EXISTS audit (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    principal_id text NOT NULL,
    person text NOT NULL,
    tool text NOT NULL,
    content jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS audit_at ON audit (at);
