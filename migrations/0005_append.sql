-- Appending and reading for a log of any size.
--
-- Payloads are kept as the text they came as: jsonb has to be made and unmade, which took half of the time of a read.
ALTER TABLE events ALTER COLUMN data TYPE json, ALTER COLUMN metadata TYPE json;

-- As in 0001, but every look-up goes by an index, whatever the planner
-- believed while the tables were empty (its plans live as long as the connection), and a look for several tags begins
-- with the one that the fewest events have, so that a tag with a hundred thousand of them slows nothing.
ALTER TABLE events ALTER COLUMN type TYPE text COLLATE "C";
ALTER TABLE event_tags ALTER COLUMN tag TYPE text COLLATE "C", ALTER COLUMN type TYPE text COLLATE "C";

-- The one of `tags` that the fewest events above `after` have; beyond a hundred it no longer counts how many.
CREATE FUNCTION rarest_tag(tags text[], after bigint) RETURNS text LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    IF cardinality(tags) = 1 THEN
        RETURN tags[1];
    END IF;
    RETURN (
        SELECT about.tag FROM unnest(tags) AS about (tag)
         ORDER BY (
            SELECT count(*) FROM (
                SELECT FROM event_tags AS found
                 WHERE found.tag = about.tag AND found.position > after LIMIT 100) AS near)
         LIMIT 1);
END $$;

-- Whether an event of any of these types (none: of any) with all of these tags stands above `after`.
CREATE FUNCTION stands_above(after bigint, types text[], tags text[]) RETURNS boolean LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    rarest text := rarest_tag(tags, after);
BEGIN
    IF tags = '{}' THEN
        RETURN EXISTS (SELECT FROM events AS e WHERE e.position > after AND (types = '{}' OR e.type = ANY (types)));
    END IF;
    RETURN EXISTS (
        SELECT FROM event_tags AS found
         WHERE found.tag = rarest AND found.position > after AND (types = '{}' OR found.type = ANY (types))
           AND (cardinality(tags) = 1
                OR (SELECT e.tags @> stands_above.tags FROM events AS e WHERE e.position = found.position)));
END $$;

DROP FUNCTION append_events;

-- Appends a whole group at once; answers one row for each append, in their order. The arrays are three lists laid side
-- by side: the appends (command_*, afters), the items of their conditions (item_*), and their events (event_*);
-- `*_append` says which append a row belongs to. Types and tags of one row are joined by line feeds, which neither
-- may contain.
CREATE FUNCTION append_events(
    command_keys uuid[], command_fingerprints bytea[], afters bigint[],
    item_append int[], item_types text[], item_tags text[],
    event_append int[], event_type text[], event_version int[], event_tag_lists text[],
    event_data text[], event_metadata text[]
) RETURNS TABLE (outcome text, first_position bigint, last_position bigint) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET jit = off AS $$
#variable_conflict use_column
DECLARE
    head bigint;
    head_at timestamptz;
    repeats int[];
    suspects int[];
    conflicts int[] := '{}';
BEGIN
    -- One lock orders the groups of all processes: positions come out in commit order and without gaps, so whoever has
    -- seen n has seen all up to n. Each statement below takes its snapshot after the lock (READ COMMITTED).
    PERFORM pg_advisory_xact_lock(hashtext('medianest events'));

    SELECT position, recorded_at INTO head, head_at FROM events ORDER BY position DESC LIMIT 1;
    head := coalesce(head, 0);
    head_at := greatest(clock_timestamp(), head_at);  -- a clock set back must not turn time round

    SELECT coalesce(array_agg(n::int), '{}') INTO repeats
      FROM unnest(command_keys) WITH ORDINALITY AS asked (command, n) JOIN command_ids USING (command);

    -- Most items are cleared at once: one of their tags has no event above the position they were decided at. A value
    -- and LIMIT 1, where EXISTS would say it: that one PostgreSQL may turn into a hash of the whole table.
    SELECT coalesce(array_agg(n::int), '{}') INTO suspects
      FROM unnest(item_append, item_tags) WITH ORDINALITY AS item (append, tags, n)
     WHERE append <> ALL (repeats) AND afters[append] < head AND (
            SELECT true FROM unnest(string_to_array(tags, E'\n')) AS about (tag)
             WHERE (SELECT true FROM event_tags AS found
                     WHERE found.tag = about.tag AND found.position > afters[append] LIMIT 1) IS NULL
             LIMIT 1) IS NULL;
    IF suspects <> '{}' THEN
        SELECT coalesce(array_agg(DISTINCT item_append[n]), '{}') INTO conflicts FROM unnest(suspects) AS n
         WHERE stands_above(afters[item_append[n]], string_to_array(item_types[n], E'\n'),
                            string_to_array(item_tags[n], E'\n'));
    END IF;

    RETURN QUERY
    WITH new AS MATERIALIZED (
        SELECT head + row_number() OVER (ORDER BY n) AS position, append, type, version,
               string_to_array(tags, E'\n') AS tags, data, metadata
          FROM unnest(event_append, event_type, event_version, event_tag_lists, event_data, event_metadata)
               WITH ORDINALITY AS event (append, type, version, tags, data, metadata, n)
         WHERE append <> ALL (repeats) AND append <> ALL (conflicts)
    ), logged AS (
        INSERT INTO events SELECT position, type, version, tags, data::json, metadata::json, head_at FROM new
    ), tagged AS (
        INSERT INTO event_tags SELECT tag, position, type FROM new, unnest(tags) AS tag
    ), appended AS (
        SELECT append, min(position) AS first, max(position) AS last FROM new GROUP BY append
    ), acted AS (
        INSERT INTO command_ids SELECT command_keys[append], first, last, command_fingerprints[append] FROM appended
    ), answered (append, outcome, first, last) AS (
        SELECT append, 'appended', first, last FROM appended
        UNION ALL
        SELECT append, 'conflict', NULL, NULL FROM unnest(conflicts) AS append
        UNION ALL
        SELECT n, CASE WHEN fingerprint = command_fingerprints[n] THEN 'repeated' ELSE 'reused' END, first, last
          FROM unnest(repeats) AS n JOIN command_ids ON command = command_keys[n]
    )
    SELECT outcome, first, last FROM answered ORDER BY append;

    IF cardinality(command_keys) > cardinality(repeats) + cardinality(conflicts) THEN
        PERFORM pg_notify('medianest_events', (SELECT max(position) FROM events)::text);
    END IF;
END $$;
