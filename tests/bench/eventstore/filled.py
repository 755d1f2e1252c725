"""Long logs, made by PostgreSQL itself: the one place of the bench that knows how our tables are laid out.

Of `events` events each account has twenty, evenly spread, and the account `hot` one in ten up to a hundred thousand.
"""

import psycopg

FACTS = 20  # events of one account
HOT = 100_000  # events of the hot one, where the log is long enough

_EVENTS = """
INSERT INTO events (position, type, version, tags, data, metadata, recorded_at)
SELECT n, 'bench.wanted', 1, ARRAY['account:' || account, 'medium:' || medium, 'request:' || request],
       jsonb_build_object('type', 'bench.wanted', 'request', request, 'account', account, 'medium', medium,
                          'title', 'The Thing from Another World', 'year', 1951),
       jsonb_build_object('actor', jsonb_build_object('kind', 'person', 'name', 'bench'), 'command', command, 'n', 0,
                          'correlation', command),
       now()
  FROM (SELECT n, md5(n::text) AS request, md5('command ' || n)::uuid AS command, 'film-' || n % 10000 AS medium,
               CASE WHEN n % 10 = 0 AND n <= 10 * {hot} THEN 'hot' ELSE 'filler-' || n % {accounts} END AS account
          FROM generate_series(1, {events}) AS n) AS made
"""
_TAGS = """
INSERT INTO event_tags (tag, position, type)
SELECT tag, position, type FROM events, unnest(tags) AS tag ORDER BY tag, position
"""
_COMMANDS = """
INSERT INTO command_ids (command, first, last, fingerprint)
SELECT (metadata ->> 'command')::uuid, position, position, '' FROM events ORDER BY 1
"""


async def fill_log(where: str, events: int) -> None:
    """Fills the empty log at `where`, and leaves it as a log is that was filled long ago."""
    made = _EVENTS.format(hot=HOT, accounts=max(1, events // FACTS), events=events)
    async with await psycopg.AsyncConnection.connect(where, autocommit=True) as connection:
        await connection.execute("SET work_mem = '256MB'")
        for statement in (made, _TAGS, _COMMANDS, "VACUUM ANALYZE events, event_tags, command_ids", "CHECKPOINT"):
            await connection.execute(statement.encode())
