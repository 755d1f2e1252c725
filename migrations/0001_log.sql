-- The log: one order, no gaps, never rewritten.
CREATE TABLE events (
    position    bigint      PRIMARY KEY,
    type        text        NOT NULL,
    version     smallint    NOT NULL,
    tags        text[]      NOT NULL,
    data        jsonb       NOT NULL,
    metadata    jsonb       NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX events_recorded_at ON events USING brin (recorded_at);

-- What each event is about; the type stands here too, so that a condition is answered by this index alone.
CREATE TABLE event_tags (
    tag      text   NOT NULL,
    position bigint NOT NULL,
    type     text   NOT NULL,
    PRIMARY KEY (tag, position) INCLUDE (type)
);

-- Which commands have acted: the same id again is answered from here and appends nothing.
CREATE TABLE command_ids (
    command     uuid   PRIMARY KEY,
    first       bigint NOT NULL,
    last        bigint NOT NULL,
    fingerprint bytea  NOT NULL
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The log is never rewritten: % on % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER never_rewritten BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_rewritten BEFORE UPDATE OR DELETE OR TRUNCATE ON event_tags
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_rewritten BEFORE UPDATE OR DELETE OR TRUNCATE ON command_ids
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Appends a whole group at once. The arrays are three lists laid side by side: the appends (command_*, afters), the
-- items of their conditions (item_*), and their events (event_*); `*_append` says which append a row belongs to.
-- Types and tags of one row are joined by line feeds, which neither may contain.
CREATE FUNCTION append_events(
    command_keys uuid[], command_fingerprints bytea[], afters bigint[],
    item_append int[], item_types text[], item_tags text[],
    event_append int[], event_type text[], event_version smallint[], event_tag_lists text[],
    event_data text[], event_metadata text[]
) RETURNS TABLE (outcome text, first_position bigint, last_position bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    head bigint;
    head_at timestamptz;
    repeats int[];
    conflicts int[];
BEGIN
    -- One lock orders the groups of all processes: positions come out in commit order and without gaps, so whoever has
    -- seen n has seen all up to n. Each statement below takes its snapshot after the lock (READ COMMITTED).
    PERFORM pg_advisory_xact_lock(hashtext('medianest events'));

    SELECT coalesce(array_agg(n::int), '{}') INTO repeats
      FROM unnest(command_keys) WITH ORDINALITY AS asked (command, n) JOIN command_ids USING (command);

    SELECT coalesce(array_agg(DISTINCT append), '{}') INTO conflicts
      FROM unnest(item_append, item_types, item_tags) AS item (append, types, tags)
     WHERE append <> ALL (repeats) AND CASE
        WHEN tags = '' THEN EXISTS (
            SELECT FROM events
             WHERE position > afters[append] AND (types = '' OR type = ANY (string_to_array(types, E'\n'))))
        ELSE EXISTS (
            SELECT FROM event_tags AS found
             WHERE found.tag = split_part(item.tags, E'\n', 1) AND found.position > afters[append]
               AND (types = '' OR found.type = ANY (string_to_array(types, E'\n')))
               AND (position(E'\n' IN item.tags) = 0 OR EXISTS (
                    SELECT FROM events AS whole
                     WHERE whole.position = found.position AND whole.tags @> string_to_array(item.tags, E'\n'))))
        END;

    SELECT position, recorded_at INTO head, head_at FROM events ORDER BY position DESC LIMIT 1;
    head := coalesce(head, 0);

    INSERT INTO events
    SELECT head + row_number() OVER (ORDER BY n), type, version, string_to_array(tags, E'\n'), data::jsonb,
           metadata::jsonb, greatest(clock_timestamp(), head_at)  -- a clock set back must not turn time round
      FROM unnest(event_append, event_type, event_version, event_tag_lists, event_data, event_metadata)
           WITH ORDINALITY AS new (append, type, version, tags, data, metadata, n)
     WHERE append <> ALL (repeats) AND append <> ALL (conflicts);

    IF FOUND THEN
        INSERT INTO event_tags
        SELECT DISTINCT tag, position, type FROM events, unnest(tags) AS tag WHERE position > head;

        INSERT INTO command_ids
        SELECT new.command, new.first, new.last, command_fingerprints[asked.n]
          FROM (SELECT (metadata ->> 'command')::uuid AS command, min(position) AS first, max(position) AS last
                  FROM events WHERE position > head GROUP BY 1) AS new
          JOIN unnest(command_keys) WITH ORDINALITY AS asked (command, n) USING (command);

        PERFORM pg_notify('medianest_events', (SELECT max(position) FROM events)::text);
    END IF;

    RETURN QUERY
    SELECT CASE
             WHEN asked.n = ANY (conflicts) THEN 'conflict'
             WHEN known.fingerprint <> command_fingerprints[asked.n] THEN 'reused'
             WHEN asked.n = ANY (repeats) THEN 'repeated'
             ELSE 'appended' END,
           known.first, known.last
      FROM unnest(command_keys) WITH ORDINALITY AS asked (command, n) LEFT JOIN command_ids AS known USING (command)
     ORDER BY asked.n;
END $$;
