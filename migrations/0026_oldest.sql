-- The oldest events of one type above a position, oldest first. As in 0010 the index by type is chosen here, and not by
-- what statistics say: whoever looks for a rare type would walk along the whole log.
CREATE FUNCTION oldest_of_type(of_type text, after bigint, until bigint, most int)
RETURNS SETOF events LANGUAGE plpgsql STABLE ROWS 20
SET enable_sort = off SET enable_seqscan = off SET enable_bitmapscan = off
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    SELECT * FROM events AS e
     WHERE (e.type, e.position) > (of_type, after) AND (e.type, e.position) <= (of_type, until)
     ORDER BY e.type, e.position LIMIT most;
END $$;
