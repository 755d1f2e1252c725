-- Looking through all of Seerr's requests goes on beside following what is new, which never waits for it.
ALTER TABLE seerr_followed ADD COLUMN walking boolean NOT NULL DEFAULT false;
ALTER TABLE seerr_followed ADD COLUMN walked timestamptz;  -- how far it is; NULL: at the first request
