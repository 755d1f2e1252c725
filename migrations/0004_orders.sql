-- Admins order attempts to be made or to end. An order is an event; the table of attempts follows the log.
ALTER TABLE attempts ADD COLUMN ordered bigint NOT NULL DEFAULT 0;  -- orders up to this position are carried out

-- Only the last order about a row counts. Whoever needs the table calls this first, as often as they like.
CREATE FUNCTION carry_out_orders(of_list text) RETURNS void LANGUAGE sql AS $$
    UPDATE attempts AS a
       SET given_up = (o.type = 'work.given-up'), ordered = o.position,
           next_at = CASE WHEN o.type = 'work.given-up' THEN a.next_at ELSE now() END
      FROM (SELECT DISTINCT ON (key) key, t.position, t.type
              FROM attempts JOIN event_tags AS t ON t.tag = 'work:' || list || '/' || key AND t.position > ordered
             WHERE list = of_list
             ORDER BY key, t.position DESC) AS o
     WHERE a.list = of_list AND a.key = o.key AND o.position > a.ordered
$$;
