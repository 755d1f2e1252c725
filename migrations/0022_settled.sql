-- Whoever appends knows what he himself appended of late, and says which conditions nothing of that breaks. It was a fifth of
-- the work on a group to look that up again.
DROP FUNCTION append_events;

-- Appends a whole group at once. The arrays are three lists laid side by side: the appends (command_*, afters, and the
-- places of their events in the third list), the items of their conditions (item_*; `item_append` is the place of the
-- append in the first list), and the events (event_*). Types and tags of one row are joined by line feeds, which neither
-- may contain. `notifies`: tell who listens where the log ends now, unless all that was asked for was left out; a group of
-- no appends does nothing else.
--
-- `afters`: nothing up to that position breaks the condition, and what stands above it is looked at. -1: nothing up to
-- `known` breaks it, nor does what this session appended above that. So says who has sent a group before this one and has
-- no answer yet: where that group ends he cannot know, but the session can. `known` is -1 where nobody says so.
--
-- Answers a row for each append that did not go in: a conflict; or repeated or reused, with the positions of the first
-- time. And a last row for the group, whose `append` is 0, with the positions of what was added (first > last: nothing) and
-- the microseconds it took from when it had the lock.
CREATE FUNCTION append_events(
    command_keys uuid[], command_fingerprints bytea[], afters bigint[], first_events int[], last_events int[],
    item_append int[], item_types text[], item_tags text[],
    event_types text[], event_versions int[], event_tag_lists text[], event_data text[], event_metadata text[],
    known bigint, notifies boolean
) RETURNS TABLE (append int, outcome text, first_position bigint, last_position bigint, spent bigint) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET jit = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_variable
DECLARE
    head bigint;
    begun timestamptz;
    head_at timestamptz;
    repeats int[];
    suspects int[];
    careful boolean;
    conflicts int[];
    run bigint[];
BEGIN
    -- One lock orders the groups of all processes: positions come out in commit order and without gaps, so whoever has
    -- seen n has seen all up to n. Each statement below takes its snapshot after the lock (READ COMMITTED).
    PERFORM pg_advisory_xact_lock(hashtext('medianest events'));

    begun := clock_timestamp();
    SELECT e.position, e.recorded_at INTO head, head_at FROM events AS e ORDER BY e.position DESC LIMIT 1;
    head := coalesce(head, 0);
    head_at := greatest(begun, head_at);  -- a clock set back must not turn time round

    -- What stands above run[1] and up to run[2] was all appended by this session, which keeps it as a setting of its own; a
    -- transaction that is rolled back takes it back too. If the log ends elsewhere, others appended since, or this session
    -- without keeping it (`known` was -1), and it begins here. If it begins no later than `known`, all above `known` is its own.
    IF known >= 0 THEN
        run := nullif(current_setting('medianest.run', true), '')::bigint[];
        IF run[2] IS DISTINCT FROM head THEN
            run := ARRAY[head];
        END IF;
        afters := array_replace(afters, -1, CASE WHEN run[1] <= known THEN head ELSE known END);
    END IF;

    -- Most items are cleared at once: their first tag, or another, has no event above the position they were decided at.
    -- A value and LIMIT 1, where EXISTS would say it: that one PostgreSQL may turn into a hash of the whole table.
    IF head > ANY (afters) THEN
        SELECT array_agg(n) INTO suspects
          FROM (SELECT afters[unnest(item_append)] AS after, unnest(item_tags) AS tags,
                       generate_subscripts(item_append, 1) AS n) AS item
         WHERE CASE WHEN after >= head THEN false
                    WHEN tags = '' THEN true
                    ELSE (SELECT true FROM event_tags AS found
                           WHERE found.tag = split_part(tags, E'\n', 1) AND found.position > after LIMIT 1)
                     AND (SELECT true FROM unnest(string_to_array(tags, E'\n')) AS about (tag)
                           WHERE (SELECT true FROM event_tags AS found
                                   WHERE found.tag = about.tag AND found.position > after LIMIT 1) IS NULL
                           LIMIT 1) IS NULL
               END;
    END IF;

    -- That a command acted before is seen when its id is inserted again: to look for it first costs each append a tenth.
    careful := suspects IS NOT NULL;
    LOOP
        IF careful THEN
            SELECT array_agg(n) INTO repeats
              FROM (SELECT unnest(command_keys) AS command, generate_subscripts(command_keys, 1) AS n) AS asked
             WHERE (SELECT true FROM command_ids AS acted WHERE acted.command = asked.command LIMIT 1);
            SELECT array_agg(DISTINCT item_append[n]) INTO conflicts FROM unnest(suspects) AS n
             WHERE (repeats IS NULL OR item_append[n] <> ALL (repeats))
               AND stands_above(afters[item_append[n]], string_to_array(item_types[n], E'\n'),
                                string_to_array(item_tags[n], E'\n'));

            IF repeats IS NOT NULL OR conflicts IS NOT NULL THEN
                RETURN QUERY
                SELECT n, 'conflict', NULL::bigint, NULL::bigint, NULL::bigint FROM unnest(conflicts) AS n
                UNION ALL
                SELECT n, CASE WHEN acted.fingerprint = command_fingerprints[n] THEN 'repeated' ELSE 'reused' END,
                       acted.first, acted.last, NULL
                  FROM unnest(repeats) AS n JOIN command_ids AS acted ON acted.command = command_keys[n];

                -- What is left moves up.
                SELECT array_agg(type ORDER BY n), array_agg(version ORDER BY n), array_agg(tags ORDER BY n),
                       array_agg(data ORDER BY n), array_agg(metadata ORDER BY n)
                  INTO event_types, event_versions, event_tag_lists, event_data, event_metadata
                  FROM unnest(event_types, event_versions, event_tag_lists, event_data, event_metadata)
                       WITH ORDINALITY AS event (type, version, tags, data, metadata, n)
                 WHERE NOT EXISTS (
                    SELECT FROM unnest(repeats || conflicts) AS out WHERE n BETWEEN first_events[out] AND last_events[out]);
                SELECT array_agg(command ORDER BY n), array_agg(fingerprint ORDER BY n),
                       array_agg(until - size + 1 ORDER BY n), array_agg(until ORDER BY n)
                  INTO command_keys, command_fingerprints, first_events, last_events
                  FROM (SELECT command, fingerprint, n, size, sum(size) OVER (ORDER BY n)::int AS until
                          FROM (SELECT command, fingerprint, n, last_event - first_event + 1 AS size
                                  FROM unnest(command_keys, command_fingerprints, first_events, last_events)
                                       WITH ORDINALITY AS asked (command, fingerprint, first_event, last_event, n)
                                 WHERE n <> ALL (repeats || conflicts)) AS left_over) AS moved;
            END IF;
        END IF;

        append := 0;
        outcome := 'added';
        first_position := head + 1;
        last_position := head + coalesce(cardinality(event_types), 0);
        BEGIN
            WITH logged AS (
                INSERT INTO events (position, type, version, tags, data, metadata, recorded_at)
                SELECT head + generate_subscripts(event_types, 1), unnest(event_types), unnest(event_versions),
                       string_to_array(unnest(event_tag_lists), E'\n'), unnest(event_data)::json,
                       unnest(event_metadata)::json, head_at
            ), tagged AS (
                INSERT INTO event_tags (tag, position, type)
                SELECT unnest(tags), position, type
                  FROM (SELECT head + generate_subscripts(event_types, 1) AS position, unnest(event_types) AS type,
                               string_to_array(unnest(event_tag_lists), E'\n') AS tags) AS new
            )
            INSERT INTO command_ids (command, first, last, fingerprint)
            SELECT unnest(command_keys), head + unnest(first_events), head + unnest(last_events),
                   unnest(command_fingerprints);
            EXIT;
        EXCEPTION WHEN unique_violation THEN
            IF careful THEN
                RAISE;
            END IF;
            careful := true;
        END;
    END LOOP;
    IF notifies AND event_types IS NOT NULL THEN
        PERFORM pg_notify('medianest_events', last_position::text);
    END IF;
    IF known >= 0 THEN
        PERFORM set_config('medianest.run', ARRAY[run[1], last_position]::text, false);
    END IF;
    spent := extract(microseconds FROM clock_timestamp() - begun);
    RETURN NEXT;
END $$;
