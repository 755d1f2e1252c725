-- For which seasons a request is here and in Seerr, where the two differ about it.
ALTER TABLE seerr_drift ADD COLUMN IF NOT EXISTS seasons_here int[] NOT NULL DEFAULT '{}';
ALTER TABLE seerr_drift ADD COLUMN IF NOT EXISTS seasons_there int[] NOT NULL DEFAULT '{}';
