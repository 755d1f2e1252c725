"""How the work on the to-do lists goes: who has a row, when its next attempt is due, what went wrong last.

A row of a to-do list has a row here once somebody has taken it; `attempts` counts those that came to nothing. It is
leased to one worker at a time; a lease that is not renewed runs out, and the next worker takes over. All times are
the database's.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from medianest.eventstore.connections import Pool


class Attempt(NamedTuple):
    """One row of a to-do list, in the hands of one worker."""

    key: str
    n: int = 1  # one more than have failed since the last that did not
    again: bool = False  # somebody was at it before, and may have come to the end without saying so


class Nothing(NamedTuple):
    """Nothing can be taken now; `seconds` until the next row that waits is due, None if none does."""

    seconds: float | None


_FREE = "a.next_at <= now() AND coalesce(a.leased_until, '-infinity') <= now()"
_LET_GO = "UPDATE attempts SET written_at = now(), leased_until = NULL, leased_by = NULL"


async def take(
    pool: Pool, todo: str, source: str, lease_seconds: float, holder: str, *, gone_too: bool, alone: bool = False
) -> Attempt | Nothing | None:
    """Lease the first row of the list `todo` that is due. None: somebody was faster, ask again.

    `source` is SQL for the list's rows as `key` and `turn` (the smallest first). With `gone_too`, what was tried and
    has left the list meanwhile is taken as well, so that whoever tried it can tidy up. `alone`: nothing is taken
    while somebody is at work on another row; two who take at the same moment see each other in `leased`.
    """
    sql = f"""
        WITH due AS (
            SELECT key, turn IS NULL AS gone
            FROM ({source}) AS work FULL JOIN (SELECT * FROM attempts WHERE list = %(list)s) AS a USING (key)
            WHERE (turn IS NOT NULL OR %(gone_too)s) AND (a.list IS NULL OR {_FREE})
            AND (turn IS NULL OR a.given_up IS NOT true)
            AND NOT (%(alone)s AND EXISTS (
                SELECT FROM attempts AS o WHERE o.list = %(list)s AND o.leased_until > now()))
            ORDER BY turn NULLS FIRST, key LIMIT 1
        ), head AS (  -- what was ordered about an earlier life of the row is no order about this one
            SELECT coalesce(max(position), 0) AS head FROM events
        ), taken AS (
            INSERT INTO attempts AS a (list, key, attempts, leased_until, leased_by, given_up, ordered)
            SELECT %(list)s, key, 0, now() + make_interval(secs => %(seconds)s), %(holder)s, gone, head FROM due, head
            ON CONFLICT (list, key) DO UPDATE
            SET written_at = now(), leased_until = excluded.leased_until, leased_by = excluded.leased_by
            WHERE {_FREE} AND (excluded.given_up OR NOT a.given_up)
            RETURNING key, attempts, xmax <> 0 AS again  -- PostgreSQL's mark of a row that was updated, not inserted
        )
        SELECT due.key, taken.attempts, taken.again FROM due LEFT JOIN taken USING (key)
    """  # noqa: S608 - `source` is a constant of ours
    values = {"list": todo, "seconds": lease_seconds, "holder": holder, "gone_too": gone_too, "alone": alone}
    async with pool.connection() as rows:
        found = await (await rows.execute(sql.encode(), values)).fetchone()
    if found is None:
        seconds = await _seconds_until_due(pool, todo, source, gone_too=gone_too)
        return Nothing(max(1.0, seconds) if alone and seconds is not None else seconds)  # what is due may be held up
    key, failed, again = found
    return None if failed is None else Attempt(key, failed + 1, again)


async def leased(pool: Pool, todo: str, keys: Iterable[str] | None = None) -> set[str]:
    """Which rows of a list somebody is at work on now; of `keys` alone, if they are given."""
    async with pool.connection() as rows:
        found = await rows.execute(
            "SELECT key FROM attempts WHERE list = %s AND leased_until > now() AND key = ANY (coalesce(%s, ARRAY[key]))",
            (todo, None if keys is None else list(keys)),
        )
        return {key for (key,) in await found.fetchall()}


async def renew(pool: Pool, todo: str, key: str, lease_seconds: float, holder: str) -> bool:
    """False: it is no longer ours."""
    change = "UPDATE attempts SET written_at = now(), leased_until = now() + make_interval(secs => %s)"
    return await _changed_by_holder(pool, change, [lease_seconds], todo, key, holder)


async def finish(pool: Pool, todo: str, key: str, holder: str) -> None:
    """The row is done, and has left the list."""
    await _changed_by_holder(pool, "DELETE FROM attempts", [], todo, key, holder)


async def put_off(
    pool: Pool, todo: str, key: str, holder: str, seconds: float, why: str | None, *, tried: bool = True
) -> None:
    """`why` None: nothing went wrong, it is only not time yet. Without `tried` it counts as no attempt."""
    change = (
        f"{_LET_GO}, next_at = now() + make_interval(secs => %s), last_error = %s::text,"
        " attempts = CASE WHEN %s::text IS NULL THEN 0 ELSE attempts + %s END"
    )
    await _changed_by_holder(pool, change, [seconds, why, why, int(tried)], todo, key, holder)


async def give_up(pool: Pool, todo: str, key: str, holder: str, why: str) -> None:
    """No further attempt until somebody asks for one."""
    change = f"{_LET_GO}, given_up = true, attempts = attempts + 1, last_error = %s"
    await _changed_by_holder(pool, change, [why], todo, key, holder)


async def let_go(pool: Pool, todo: str, key: str, holder: str) -> None:
    """Unfinished: whoever comes next goes on with it at once."""
    await _changed_by_holder(pool, _LET_GO, [], todo, key, holder)


async def carry_out_orders(pool: Pool, todo: str) -> None:
    """What admins have ordered about the list's rows takes effect: the log says so, and the table follows."""
    async with pool.connection() as rows:
        await rows.execute("SELECT carry_out_orders(%s)", (todo,))


async def heed_clock(pool: Pool, todo: str, lease_seconds: float) -> None:
    """What was written before the clock was set back is due now. A lease gets its time anew: its holder may live."""
    async with pool.connection() as rows:
        await rows.execute(
            "UPDATE attempts SET written_at = now(), next_at = now(),"
            " leased_until = CASE WHEN leased_until > now() THEN now() + make_interval(secs => %s) END"
            " WHERE list = %s AND written_at > now() + interval '1 minute'",
            (lease_seconds, todo),
        )


async def hurry(pool: Pool, *todos: str, why: str | None = None) -> None:
    """What these lists put off is due now: the reason has passed. `why`: only what was put off for just that."""
    sql = (
        "UPDATE attempts SET next_at = now() WHERE list = ANY (%s) AND NOT given_up AND next_at > now()"
        " AND (%s::text IS NULL OR last_error = %s)"
    )
    async with pool.connection() as rows:
        await rows.execute(sql, (list(todos), why, why))


async def _seconds_until_due(pool: Pool, todo: str, source: str, *, gone_too: bool) -> float | None:
    sql = f"""
        SELECT extract(epoch FROM min(greatest(next_at, leased_until)) - now())::float8
          FROM attempts WHERE list = %s AND NOT given_up AND (%s OR key IN (SELECT key FROM ({source}) AS work))
    """  # noqa: S608 - `source` is a constant of ours
    async with pool.connection() as rows:
        found = await rows.execute(sql.encode(), (todo, gone_too))
        row = await found.fetchone()
    return None if row is None or row[0] is None else max(0.0, row[0])


async def _changed_by_holder(pool: Pool, change: str, values: list[Any], todo: str, key: str, holder: str) -> bool:
    """Whether `change` was made: only whoever holds the lease may make it."""
    sql = f"{change} WHERE list = %s AND key = %s AND leased_by = %s"
    async with pool.connection() as rows:
        return (await rows.execute(sql.encode(), (*values, todo, key, holder))).rowcount > 0
