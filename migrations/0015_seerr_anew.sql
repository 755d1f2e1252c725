-- When Seerr's requests were last begun to be looked through from the first one: in its version 3 no change moves a
-- request up in its lists, and what an earlier release left out is found so, too.
ALTER TABLE seerr_followed ADD COLUMN anew_at timestamptz NOT NULL DEFAULT '-infinity';
