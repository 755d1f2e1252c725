-- The newest events of one type, newest first: between two entries of the index by type, backwards, until there are
-- enough. Where ANALYZE came upon a log of which only dead rows were left, as after an import that failed, PostgreSQL
-- takes it to be empty however long it grows, and would read and sort all of it, until ANALYZE runs again.
CREATE FUNCTION newest_of_type(of_type text, since bigint, before bigint, most int)
RETURNS SETOF events LANGUAGE plpgsql STABLE ROWS 20
SET enable_sort = off SET enable_seqscan = off SET enable_bitmapscan = off
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    SELECT * FROM events AS e
     WHERE (e.type, e.position) < (of_type, before) AND (e.type, e.position) >= (of_type, since)
     ORDER BY e.type DESC, e.position DESC LIMIT most;
END $$;

-- The position of the first event at or after a moment, found by halving: events are in the order of their time.
CREATE FUNCTION first_since(moment timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    low bigint := 0;  -- came before the moment; `high` did not: 0 and head + 1 are beyond
    high bigint := (SELECT coalesce(max(position), 0) + 1 FROM events);
    middle bigint;
BEGIN
    WHILE high - low > 1 LOOP
        middle := (low + high) / 2;
        IF (SELECT recorded_at < moment FROM events WHERE position = middle) THEN
            low := middle;
        ELSE
            high := middle;
        END IF;
    END LOOP;
    RETURN high;
END $$;
