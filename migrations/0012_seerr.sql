-- How far what happens in Seerr itself has been taken over, by the time of the last change over there.
CREATE TABLE seerr_followed (
    one          boolean     PRIMARY KEY DEFAULT true CHECK (one),
    reached      timestamptz,            -- NULL: from the first request on
    total        int         NOT NULL DEFAULT 0,
    began_at     timestamptz NOT NULL DEFAULT now(),
    caught_up_at timestamptz             -- NULL: the first run is under way, and tells nobody of what it finds
);

-- Requests of Seerr that could not be taken over yet: of people without an account here, or without a title, or perhaps
-- the very ones that were just made for requests of ours.
CREATE TABLE seerr_set_aside (
    number    int         PRIMARY KEY,
    plex      text,                      -- whose, by the pseudonym of accounts; NULL: somebody without Plex
    why       text        NOT NULL,
    looks     int         NOT NULL DEFAULT 0,
    looked_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX seerr_set_aside_plex ON seerr_set_aside (plex);
