-- The newest events that somebody caused, of whatever type, newest first. As in 0010 the index is chosen here: by its
-- statistics PostgreSQL took the next event to be theirs, and walked along the whole log for who had done little.
CREATE FUNCTION newest_by(by_actor text, since bigint, before bigint, most int)
RETURNS SETOF events LANGUAGE plpgsql STABLE ROWS 20
SET enable_sort = off SET enable_seqscan = off SET enable_bitmapscan = off
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    SELECT * FROM events AS e
     WHERE (e.metadata -> 'actor' ->> 'name', e.position) < (by_actor, before)
       AND (e.metadata -> 'actor' ->> 'name', e.position) >= (by_actor, since)
     ORDER BY e.metadata -> 'actor' ->> 'name' DESC, e.position DESC LIMIT most;
END $$;
