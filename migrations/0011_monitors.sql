-- The last look of Uptime Kuma at each of its monitors, as it told of it. Beats are samples: only the newest is kept, and
-- what follows from them is in the log.
CREATE TABLE monitor_looks (
    monitor bigint      PRIMARY KEY,
    name    text        NOT NULL,
    kind    text        NOT NULL,
    address text,       -- host:port of what it looks at
    at      timestamptz,
    ping_ms real,
    message text        NOT NULL DEFAULT ''
);
