-- Who did what, newest first: the record is asked for one actor's events, or those of one type, out of all.
CREATE INDEX events_actor ON events ((metadata -> 'actor' ->> 'name'), position);
CREATE INDEX events_type ON events (type, position);
