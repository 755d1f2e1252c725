"""How the work on the to-do lists goes: who has a row, when its next attempt is due, what went wrong last.

A row of a to-do list has a row here once somebody has tried it. It is leased to one worker at a time; a lease that
is not renewed runs out, and the next worker takes over. All times are the database's.
"""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from medianest.eventstore.connections import Pool


class Attempt(NamedTuple):
    """One row of a to-do list, in the hands of one worker."""

    key: str
    n: int  # 1 for the first; above it somebody has tried before, and may have come to the end without saying so


class Nothing(NamedTuple):
    """Nothing can be taken now; `seconds` until the next row that waits is due, None if none does."""

    seconds: float | None


class Waiting(msgspec.Struct, frozen=True):
    """A row that was tried and is not done."""

    list: str
    key: str
    attempts: int
    next_at: datetime
    under_way: bool
    why: str | None  # None: nothing has gone wrong
    given_up: bool


_FREE = "a.next_at <= now() AND coalesce(a.leased_until, '-infinity') <= now()"


async def take(
    pool: Pool, todo: str, source: str, lease_seconds: float, holder: str, *, gone_too: bool
) -> Attempt | Nothing | None:
    """Lease the first row of the list `todo` that is due. None: somebody was faster, ask again.

    `source` is SQL for the list's rows as `key` and `turn` (the smallest first). With `gone_too`, what was tried and
    has left the list meanwhile is taken as well, so that whoever tried it can tidy up.
    """
    sql = f"""
        WITH due AS (
            SELECT key, turn IS NULL AS gone
            FROM ({source}) AS work FULL JOIN (SELECT * FROM attempts WHERE list = %(list)s) AS a USING (key)
            WHERE (turn IS NOT NULL OR %(gone_too)s) AND (a.list IS NULL OR {_FREE})
            AND (turn IS NULL OR a.given_up IS NOT true)
            ORDER BY turn NULLS FIRST, key LIMIT 1
        ), taken AS (
            INSERT INTO attempts AS a (list, key, attempts, leased_until, leased_by, given_up)
            SELECT %(list)s, key, 1, now() + make_interval(secs => %(seconds)s), %(holder)s, gone FROM due
            ON CONFLICT (list, key) DO UPDATE
            SET attempts = a.attempts + 1, leased_until = excluded.leased_until, leased_by = excluded.leased_by
            WHERE {_FREE} AND (excluded.given_up OR NOT a.given_up) RETURNING key, attempts
        )
        SELECT due.key, taken.attempts FROM due LEFT JOIN taken USING (key)
    """  # noqa: S608 - `source` is a constant of ours
    values = {"list": todo, "seconds": lease_seconds, "holder": holder, "gone_too": gone_too}
    async with pool.connection() as rows:
        found = await (await rows.execute(sql.encode(), values)).fetchone()
    if found is None:
        return Nothing(await _seconds_until_due(pool, todo))
    key, attempts = found
    return None if attempts is None else Attempt(key, attempts)


async def renew(pool: Pool, todo: str, key: str, lease_seconds: float, holder: str) -> bool:
    """False: it is no longer ours."""
    return await _changed(
        pool,
        "UPDATE attempts SET leased_until = now() + make_interval(secs => %s)"
        " WHERE list = %s AND key = %s AND leased_by = %s",
        lease_seconds, todo, key, holder,
    )  # fmt: skip


async def finish(pool: Pool, todo: str, key: str, holder: str) -> None:
    """The row is done, and has left the list."""
    sql = "DELETE FROM attempts WHERE list = %s AND key = %s AND leased_by = %s"
    await _changed(pool, sql, todo, key, holder)


async def put_off(pool: Pool, todo: str, key: str, holder: str, seconds: float, why: str | None) -> None:
    await _changed(
        pool,
        "UPDATE attempts SET next_at = now() + make_interval(secs => %s), last_error = %s,"
        " leased_until = NULL, leased_by = NULL WHERE list = %s AND key = %s AND leased_by = %s",
        seconds, why, todo, key, holder,
    )  # fmt: skip


async def give_up(pool: Pool, todo: str, key: str, holder: str, why: str) -> None:
    """No further attempt until somebody asks for one."""
    await _changed(
        pool,
        "UPDATE attempts SET given_up = true, last_error = %s, leased_until = NULL, leased_by = NULL"
        " WHERE list = %s AND key = %s AND leased_by = %s",
        why, todo, key, holder,
    )  # fmt: skip


async def let_go(pool: Pool, todo: str, key: str, holder: str) -> None:
    """Unfinished: whoever comes next goes on with it at once."""
    await _changed(
        pool,
        "UPDATE attempts SET leased_until = NULL, leased_by = NULL WHERE list = %s AND key = %s AND leased_by = %s",
        todo, key, holder,
    )  # fmt: skip


async def hurry(pool: Pool, *todos: str) -> None:
    """What these lists put off is due now: the reason has passed."""
    sql = "UPDATE attempts SET next_at = now() WHERE list = ANY (%s) AND NOT given_up AND next_at > now()"
    await _changed(pool, sql, list(todos))


async def waiting(pool: Pool) -> list[Waiting]:
    """Everything that was tried and is not done, what was given up first: for admins."""
    async with pool.connection() as rows:
        found = await rows.execute(
            "SELECT list, key, attempts, next_at, coalesce(leased_until > now(), false), last_error, given_up"
            " FROM attempts WHERE list <> 'recurring' ORDER BY given_up DESC, next_at LIMIT 1000"
        )
        return [Waiting(*row) for row in await found.fetchall()]


async def try_again(pool: Pool, todo: str, key: str) -> bool:
    """An admin wants another attempt, now. False: there is no such row, or it is under way."""
    return await _changed(
        pool,
        "UPDATE attempts SET given_up = false, next_at = now() WHERE list = %s AND key = %s"
        " AND coalesce(leased_until, '-infinity') <= now()",
        todo, key,
    )  # fmt: skip


async def stop_trying(pool: Pool, todo: str, key: str) -> bool:
    """An admin wants no further attempt. False: there is no such row, or it is under way."""
    return await _changed(
        pool,
        "UPDATE attempts SET given_up = true WHERE list = %s AND key = %s"
        " AND coalesce(leased_until, '-infinity') <= now()",
        todo, key,
    )  # fmt: skip


async def _seconds_until_due(pool: Pool, todo: str) -> float | None:
    async with pool.connection() as rows:
        found = await rows.execute(
            "SELECT extract(epoch FROM min(greatest(next_at, leased_until)) - now())::float8"
            " FROM attempts WHERE list = %s AND NOT given_up",
            (todo,),
        )
        row = await found.fetchone()
    return None if row is None or row[0] is None else max(0.0, row[0])


async def _changed(pool: Pool, sql: str, *values: Any) -> bool:
    async with pool.connection() as rows:
        return (await rows.execute(sql.encode(), values)).rowcount > 0
