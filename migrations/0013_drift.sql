-- Where Seerr and MediaNest differed about what is open when they were compared last.
CREATE TABLE seerr_drift (
    request text        PRIMARY KEY,
    here    text        NOT NULL,
    there   text        NOT NULL,  -- as what it stands in Seerr
    wins    text        NOT NULL,  -- seerr or medianest
    why     text        NOT NULL,
    since   timestamptz NOT NULL   -- when it was seen first
);
ALTER TABLE seerr_followed ADD COLUMN compared_at timestamptz;
