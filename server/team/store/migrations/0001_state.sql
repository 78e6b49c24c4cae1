-- The pace of each API key. UNLOGGED on purpose: PostgreSQL empties such a table after a crash and
-- on a promoted standby, where the last sends would be missing, and a key without a row starts
-- with a pause. It also costs no write to the disk with each send.
CREATE UNLOGGED TABLE IF NOT EXISTS pace (
    key text PRIMARY KEY,
    version bigint NOT NULL,
    state text NOT NULL,
    evidence text NOT NULL,
    touched_at timestamptz NOT NULL DEFAULT now()
);

-- Confirmation tokens that were handed out and not used yet, as digests.
CREATE TABLE IF NOT EXISTS confirmation_tokens (
    digest bytea PRIMARY KEY,
    principal_id text NOT NULL,
    basis text NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS confirmation_tokens_expires_at ON confirmation_tokens (expires_at);

-- Replies to questions that were used, so that none counts twice on any replica.
CREATE TABLE IF NOT EXISTS used_replies (
    principal_id text NOT NULL,
    mark text NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (principal_id, mark)
);
CREATE INDEX IF NOT EXISTS used_replies_expires_at ON used_replies (expires_at);

-- The workspace that a person chose, by the account it belongs to.
CREATE TABLE IF NOT EXISTS workspace_choices (
    principal_id text NOT NULL,
    account text NOT NULL,
    workspace text NOT NULL,
    chosen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (principal_id, account)
);

-- Billing credits that a person reserved, by the day in UTC.
CREATE TABLE IF NOT EXISTS spending (
    principal_id text NOT NULL,
    day date NOT NULL,
    credits bigint NOT NULL CHECK (credits >= 0),
    PRIMARY KEY (principal_id, day)
);
