-- What outside systems posted, for whoever asks why nothing came of it, or wants to hear it again. Bodies name people and
-- are sealed; they go after a week, and at once when anybody is erased, for nobody can tell whom they name.
CREATE TABLE webhooks (
    webhook     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service     text        NOT NULL,
    digest      text        NOT NULL,
    body        bytea       NOT NULL,
    subject     text,
    times       int         NOT NULL DEFAULT 1,
    received_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (service, digest)
);
CREATE INDEX webhooks_age ON webhooks (service, received_at);
