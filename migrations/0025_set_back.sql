-- When a row was written last. One from the future was written before the clock was set back: the moments in it, hours
-- away perhaps, say nothing any more.
ALTER TABLE attempts ADD COLUMN written_at timestamptz NOT NULL DEFAULT now();
