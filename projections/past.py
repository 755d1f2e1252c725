"""What the read models looked like at an earlier moment: folded out of the log when somebody asks.

The rows of a page are few and the log is long: the things that were moved last before the moment are looked for
backwards, and only their own histories are folded, into temporary tables. It costs what is shown, not what happened.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from typing import Any, NamedTuple

from medianest.domain.event import Event, Item, Query
from medianest.eventstore.codec import Recorded
from medianest.eventstore.connections import Pool
from medianest.eventstore.store import EventStore
from projections.folding import Projection, Rows, fold

PAGE, MOST_OF_A_PAGE = 200, 3200  # events looked through at once: ever more of them, so that what is rare is found too
AS_OF_SECONDS = 10.0  # what one answer may take, waiting for its turn included
AT_ONCE = 2
_TICK = timedelta(microseconds=1)  # of PostgreSQL's clock


class NoMoment(ValueError):
    """Neither a position nor a time: give one of them."""


class TooMuchHistory(Exception):
    """What was asked as of then takes too long to fold: ask for less."""


class Moved(NamedTuple):
    """A thing, by its key, and the event that moved it last."""

    key: str
    event: Event
    position: int


class RowChange(NamedTuple):
    """A row of a read model before and after an event, by column; None: there was none, or is none any more."""

    table: str
    key: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Past:
    def __init__(self, pool: Pool, store: EventStore, projections: Sequence[Projection]) -> None:
        self._pool = pool
        self._store = store
        self._projections = {projection.name: projection for projection in projections}
        self._asking = asyncio.Semaphore(AT_ONCE)

    async def position_at(self, when: str) -> int:
        """That position, no more than there is; or the last one at a moment, in UTC or with its offset."""
        if when.isdecimal():
            return min(int(when), (await self._store.read(limit=0)).head)
        try:
            moment = datetime.fromisoformat(when)
            until = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) + _TICK  # what happened just then counts
        except (ValueError, OverflowError) as unclear:
            raise NoMoment("Give a position, or a moment as in 2026-11-23T18:30:00Z.") from unclear
        return (await self._store.before_each([until]))[0]

    async def counts(self, moments: Sequence[datetime]) -> list[int]:
        """How many events there were from each of these moments until the next: positions have no gaps."""
        return [end - begin for begin, end in pairwise(await self._store.before_each(moments))]

    async def moved(self, name: str, position: int, *, account: str | None = None) -> AsyncGenerator[Moved, None]:
        """The things of a read model as of `position`, the one that was moved last first; each of them once.

        `account`: only those that this one is named in, by the event that moved them; None: all.
        """
        projection = self._projections[name]
        named = (f"account:{account}",) if account else ()
        query = Query(Item(*(projection.moving or projection.events), tags=named))
        seen, above, pages = set[str](), position + 1, count()
        while True:
            size = min(PAGE << min(next(pages), 10), MOST_OF_A_PAGE)
            page = await self._store.latest(query, before=above, limit=size)
            for recorded in page:
                key: str = getattr(recorded.event, projection.thing)
                if key not in seen:
                    seen.add(key)
                    yield Moved(key, recorded.event, recorded.position)
            if len(page) < size:
                return
            above = page[-1].position

    def histories(self, name: str, keys: Sequence[str]) -> Query:
        """All that happened to these things. A query without items would be everything: of none, it finds nothing."""
        projection = self._projections[name]
        return Query(*(Item(*projection.events, tags=(f"{projection.thing}:{key}",)) for key in keys or ("none",)))

    @asynccontextmanager
    async def as_of(self, position: int, asked: Mapping[str, Query | None]) -> AsyncGenerator[Rows, None]:
        """The named read models as they were at `position`: for their own questions, inside of the block.

        Only what matches a query is folded; None: all. The tables are temporary ones, and gone afterwards. Raises
        `TooMuchHistory`.
        """
        try:
            async with (
                asyncio.timeout(AS_OF_SECONDS),
                self._asking,
                self._pool.connection() as rows,
                rows.transaction(force_rollback=True),
            ):
                for name, query in asked.items():
                    await self._remake(self._projections[name], query, position, rows)
                await rows.execute("SET LOCAL search_path = pg_temp")
                yield rows
        except TimeoutError as late:
            raise TooMuchHistory("Folding that much takes too long: ask for less, or when less is asked.") from late

    async def changed_by(self, recorded: Recorded) -> list[RowChange]:
        """The rows that one event made, changed or removed, of read models in which each thing stands apart.

        Folds the history of that thing alone. Raises `TooMuchHistory`.
        """
        changes = list[RowChange]()
        for projection in self._projections.values():
            if (projection.thing or projection.by_tags) and isinstance(recorded.event, projection.events):
                changes += await self._changed_by(projection, recorded)
        return changes

    async def _changed_by(self, projection: Projection, recorded: Recorded) -> list[RowChange]:
        then = recorded.position - 1
        if projection.thing:
            query = self.histories(projection.name, [getattr(recorded.event, projection.thing)])
        else:
            query = Query(Item(*projection.events, tags=recorded.event.tags()))
        async with self.as_of(then, {projection.name: query}) as rows:
            before = await _all_rows(rows)
            await fold(self._store, projection, "pg_temp", rows, after=then, until=recorded.position, query=query)
            after = await _all_rows(rows)
        touched = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        touched.sort(key=lambda name: (name[0] != projection.name, name))  # what it is about first, then its lists
        return [RowChange(*name, before.get(name), after.get(name)) for name in touched]

    async def _remake(self, projection: Projection, query: Query | None, position: int, rows: Rows) -> None:
        await rows.execute("SET LOCAL search_path = pg_temp")
        await rows.execute(projection.tables.encode())
        await fold(self._store, projection, "pg_temp", rows, after=0, until=position, query=query)


_KEYS = """
SELECT c.relname::text, array_agg(a.attname::text ORDER BY array_position(i.indkey::int2[], a.attnum))
  FROM pg_class AS c
  JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
  JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey::int2[])
 WHERE c.relnamespace = pg_my_temp_schema() GROUP BY 1
"""


async def _all_rows(rows: Rows) -> dict[tuple[str, str], dict[str, Any]]:
    """Of the temporary tables: by table and key."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for table, key in await (await rows.execute(_KEYS)).fetchall():
        everything = await rows.execute(f"SELECT to_jsonb(t) FROM pg_temp.{table} AS t".encode())  # noqa: S608 - our own
        for (row,) in await everything.fetchall():
            found[table, " ".join(str(row[column]) for column in key)] = row
    return found
