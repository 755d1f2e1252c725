-- What is neither in the log nor derived from it: keys, credentials, the secret half of sessions, PINs under way,
-- checkpoints, attempts, hints and samples.

-- A key for each person. Erasing a person empties the key and leaves the row, so that no new key is ever made.
CREATE TABLE person_keys (
    person     text        PRIMARY KEY,
    wrapped    bytea,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE credentials (
    holder     text        NOT NULL,
    name       text        NOT NULL,
    sealed     bytea       NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (holder, name)
);

-- Refresh tokens, as hashes. A token that was used stays as `used_at`, so that its reuse is noticed.
CREATE TABLE refresh_tokens (
    token      bytea       PRIMARY KEY,
    session    text        NOT NULL,
    account    text        NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session);

CREATE TABLE login_pins (
    pin        text        PRIMARY KEY,
    plex_pin   bigint      NOT NULL,
    expires_at timestamptz NOT NULL,
    used       boolean     NOT NULL DEFAULT false
);

CREATE TABLE checkpoints (
    subscription text        PRIMARY KEY,
    position     bigint      NOT NULL,
    updated_at   timestamptz NOT NULL DEFAULT now()
);

-- How the work on the to-do lists goes: who has a row, when the next attempt is due, what went wrong last.
CREATE TABLE attempts (
    list         text        NOT NULL,
    key          text        NOT NULL,
    attempts     int         NOT NULL DEFAULT 0,
    next_at      timestamptz NOT NULL DEFAULT now(),
    leased_until timestamptz,
    leased_by    text,
    last_error   text,
    given_up     boolean     NOT NULL DEFAULT false,
    PRIMARY KEY (list, key)
);

-- Hints from outside: what to ask the source about. The body of a webhook is not kept.
CREATE TABLE hints (
    service     text        NOT NULL,
    subject     text        NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (service, subject)
);

-- The last sample of each probe, and a bounded tail of them.
CREATE TABLE service_samples (
    service    text        NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    up         boolean     NOT NULL,
    latency_ms real,
    PRIMARY KEY (service, at)
);
