-- The newest events of one type that somebody caused, newest first. As in 0010 the index is chosen here, and not by what
-- statistics say: the one of types where fewer than a hundred events are of that type, else that of who caused them.
CREATE FUNCTION newest_of_type_by(of_type text, by_actor text, since bigint, before bigint, most int)
RETURNS SETOF events LANGUAGE plpgsql STABLE ROWS 20
SET enable_sort = off SET enable_seqscan = off SET enable_bitmapscan = off
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF (SELECT count(*) FROM (
            SELECT FROM events AS e
             WHERE (e.type, e.position) < (of_type, before) AND (e.type, e.position) >= (of_type, since)
             ORDER BY e.type DESC, e.position DESC LIMIT 100) AS near) < 100 THEN
        RETURN QUERY
        SELECT * FROM events AS e
         WHERE (e.type, e.position) < (of_type, before) AND (e.type, e.position) >= (of_type, since)
           AND e.metadata -> 'actor' ->> 'name' = by_actor
         ORDER BY e.type DESC, e.position DESC LIMIT most;
    ELSE
        RETURN QUERY
        SELECT * FROM events AS e
         WHERE (e.metadata -> 'actor' ->> 'name', e.position) < (by_actor, before)
           AND (e.metadata -> 'actor' ->> 'name', e.position) >= (by_actor, since)
           AND e.type = of_type
         ORDER BY e.metadata -> 'actor' ->> 'name' DESC, e.position DESC LIMIT most;
    END IF;
END $$;
