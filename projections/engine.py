"""Feeds the read models: batches of events in, rows and checkpoint out in one transaction; fills, rebuilds and swaps.

The checkpoint moves first and commits together with the rows: each event counts once, and a second projector on the
same one stops.

A rebuild folds the log into a schema beside the live one, in batches by the number of rows they touch, and swaps the
two by their names. Dropping the old tables in that transaction, as it was first, waits for whoever reads one of them,
with everybody who comes later waiting behind; and a reader of two tables may see one of each version.

A version that is new is filled in the same way, and takes its name when it is whole. Meanwhile its readers find the
tables of the version before (`search_path`), which other processes may still project: so both have that one's tables
locked while names change. Earlier tables go when nobody uses them: every connection holds a shared lock on what its
process uses (`connection_pool`), which ends with it, whatever the process dies of.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import structlog
from psycopg.errors import LockNotAvailable, UndefinedColumn, UndefinedTable

from medianest.eventstore.connections import IN_USE, DatabaseAway, Pool
from medianest.eventstore.head import Head
from medianest.eventstore.store import EventStore
from medianest.trouble import Trouble
from projections.folding import BATCH, Projection, Rows, create, fold, folded, place, write

log = structlog.get_logger()
NEAR = BATCH  # a rebuild that is so many events behind may keep the live projector waiting
LOCK_SECONDS = 0.02  # how long a swap may keep readers waiting for those before them
SWAPS = 300  # how often a swap is tried
SWAP_SECONDS = 0.2  # between two tries
RETRY_SECONDS = 5.0
BUSY_SECONDS = 0.05  # how often to look again at a read model that another process has
LOOK_SECONDS = 0.5  # how often to look at a checkpoint oneself while waiting to be told
TELL_SECONDS = 1.0  # how often a rebuild tells all processes how far it is
TIDY_SECONDS = 60.0
UNUSED_SECONDS = 3600.0  # longer than any process is cut off from the database, and so without its locks

# What whoever asks gets where a new version is not filled yet, and there is none before it that knows the answer.
NoSuchTable, NoSuchColumn = UndefinedTable, UndefinedColumn


class Progress(NamedTuple):
    """How many events a rebuild has done, and of how many."""

    done: int
    of: int


class Lag(NamedTuple):
    """How far a read model is behind the log."""

    name: str
    version: int
    served: int | None  # the version that pages show: an earlier one, until this one is filled; None: there is none
    position: int  # of the one that is served
    head: int
    failure: str | None  # None: it works, as far as this process knows
    rebuild: Progress | None  # in whatever process; None: there is none under way

    @property
    def filled(self) -> bool:
        return self.served == self.version


class RebuildUnderWay(Exception):
    """Somebody else rebuilds the same read model: wait until it is done."""


class StillRead(Exception):
    """A reader keeps its transaction open, as a backup does: rebuild when it is over."""


class NotThatNew(Exception):
    """The page has not come that far yet: ask again, or ask without `at_least`."""


class ProjectionEngine:
    def __init__(self, pool: Pool, store: EventStore, head: Head, projections: Sequence[Projection]) -> None:
        self._pool = pool
        self._store = store
        self._head = head
        self._projections = {projection.name: projection for projection in projections}
        self._failures: dict[str, str] = {}
        self._filled: set[str] = set()  # names, as far as this process has looked
        self._compared: set[str] = set()  # names whose types of events are those this release handles, or were

    async def prepare(self) -> None:
        """Make what is missing while the log is empty; later on `run` fills it. Safe to run from several processes."""
        if await self.newest():
            return
        for projection in self._projections.values():
            async with self._pool.connection() as rows, rows.transaction():
                await rows.execute("SELECT pg_advisory_xact_lock(hashtext('medianest projections'))")
                taken = await rows.execute(
                    "INSERT INTO checkpoints (subscription, position, handled) VALUES (%s, 0, %s)"
                    " ON CONFLICT DO NOTHING RETURNING 1",
                    (projection.schema, projection.handled),
                )
                if await taken.fetchone():
                    await create(projection, projection.schema, rows)

    async def run(self, name: str) -> None:
        """Keep one read model up to date, for ever. What fails stops it, is shown, and is tried again later."""
        projection, begun = self._projections[name], False
        trouble = Trouble("a read model has stopped", DatabaseAway, projection=name)
        while True:
            try:
                if not begun:
                    await self._fill(projection)
                position = await self._advance(projection)
                begun = position is not None  # None: another process has it, or it is gone: see which
                if position is None:
                    await asyncio.sleep(BUSY_SECONDS)
                else:
                    await self._head.above(position)
                self._failures.pop(name, None)
                trouble.over()
            except Exception as failure:  # noqa: BLE001 - an event is never skipped: stop, show it, try again
                self._failures[name] = type(failure).__name__
                trouble.met(failure)
                await asyncio.sleep(RETRY_SECONDS)

    async def _fill(self, projection: Projection) -> None:
        """Make what is not whole whole, by the fast path; the process that comes first does it."""
        while not await self._is_whole(projection):
            try:
                async with self._alone(projection) as rows:
                    if not await self._is_whole(projection):
                        log.info("a read model is being filled", schema=projection.schema)
                        position = await self._rebuild(projection, rows)
                        log.info("a read model is filled", schema=projection.schema, position=position)
            except RebuildUnderWay:
                await asyncio.sleep(LOOK_SECONDS)
        self._compared.add(projection.name)

    async def _is_whole(self, projection: Projection) -> bool:
        """Whether it shows something of the log, and all types of events went into it that this release handles.

        The types are compared once in a process: one of another release that starts meanwhile makes it its own, and
        two of them must not make it anew in turns. Who raises the version has both side by side.
        """
        position = await self._position(projection)
        if position is None or (position == 0 and await self.newest() > NEAR):
            return False
        return projection.name in self._compared or await self._handles_the_same(projection)

    async def _handles_the_same(self, projection: Projection) -> bool:
        """What a release before this one has filled, which did not say with what, is believed to be the same."""
        of_this = {"handled": projection.handled, "subscription": projection.schema}
        async with self._pool.connection() as rows:
            await rows.execute(_BELIEVE, of_this)
            return await (await rows.execute(_SAME, of_this)).fetchone() == (True,)

    async def filled(self, name: str) -> None:
        """Wait until this version of the read model is there, and whole, however long that takes.

        For who acts on what it says: an earlier version may be kept up to date by nobody.
        """
        while name not in self._filled:
            if await self._is_whole(self._projections[name]):
                self._filled.add(name)
            else:
                await asyncio.sleep(LOOK_SECONDS)

    async def rebuild(self, name: str, tell: Callable[[Progress], None] = lambda _: None) -> int:
        """Fill the read model anew beside the live one and swap it in; answers with the position it stands at.

        Raises `RebuildUnderWay`, and `StillRead` when somebody does not stop reading it for a minute.
        """
        projection = self._projections[name]
        async with self._alone(projection) as rows:
            return await self._rebuild(projection, rows, tell)

    @asynccontextmanager
    async def _alone(self, projection: Projection) -> AsyncIterator[Rows]:
        """The one connection, in all processes, that makes this read model anew. Its lock dies with it, as its work."""
        async with self._pool.connection() as rows:
            lock = f"({_REBUILD}, hashtext('{projection.schema}'))"
            taken = await (await rows.execute(f"SELECT pg_try_advisory_lock{lock}".encode())).fetchone()
            if taken != (True,):
                raise RebuildUnderWay(
                    f"The read model {projection.name} is being rebuilt already: wait until it is done."
                )
            try:
                yield rows
            finally:
                if not rows.closed:
                    await rows.execute(f"SELECT pg_advisory_unlock{lock}".encode())

    async def _rebuild(
        self, projection: Projection, rows: Rows, tell: Callable[[Progress], None] = lambda _: None
    ) -> int:
        head, due = 0, time.monotonic()

        async def told(position: int) -> None:
            nonlocal due
            tell(Progress(position, head))
            if time.monotonic() >= due:
                due = time.monotonic() + TELL_SECONDS
                async with self._pool.connection() as aside:
                    await place(fresh, position, projection.handled, aside)

        fresh, old = f"{projection.schema}_next", f"{projection.schema}_old"
        async with rows.transaction():
            await rows.execute(f"DROP SCHEMA IF EXISTS {fresh}, {old} CASCADE".encode())
            await create(projection, fresh, rows)
            await place(fresh, position := 0, projection.handled, rows)
        for _ in range(SWAPS):
            while (head := await self.newest()) - position > NEAR or position == 0 < head:
                await fold(self._store, projection, fresh, rows, after=position, until=head, told=told)
                position = head
            try:
                reached = await self._swap(projection, position, rows)
            except LockNotAvailable:
                await asyncio.sleep(SWAP_SECONDS)
            else:
                await self._drop(old, rows)
                return reached
        raise StillRead(f"Somebody does not stop reading {projection.name}: rebuild it when the backup is over.")

    async def _swap(self, projection: Projection, position: int, rows: Rows) -> int:
        """Catch up with the log and take the place of what is read. Readers wait only while names change hands."""
        schema = projection.schema
        async with rows.transaction():
            live = await self._locked(projection, rows, "FOR UPDATE") is not None
            history = await self._store.read(projection.query, after=position)
            await write(folded(projection, history.events), f"{schema}_next", rows)
            served = await _tables([schema] if live else projection.earlier, rows)
            async with rows.pipeline():
                await rows.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'".encode())
                # Whoever reads one of the tables now gets all it wants of them; whoever comes later finds the new ones.
                if served:
                    await rows.execute(f"LOCK TABLE {', '.join(served)} IN ACCESS EXCLUSIVE MODE".encode())
                if live:
                    await rows.execute(f"ALTER SCHEMA {schema} RENAME TO {schema}_old".encode())
                await rows.execute(f"ALTER SCHEMA {schema}_next RENAME TO {schema}".encode())
                await place(schema, history.head, projection.handled, rows)
                await rows.execute("DELETE FROM checkpoints WHERE subscription = %s", (f"{schema}_next",))
        self._head.checkpoint(schema).advance(history.head)
        return history.head

    async def _drop(self, old: str, rows: Rows) -> None:
        """Nobody finds these tables any more. What is still read is left to the next rebuild."""
        try:
            async with rows.transaction():
                await rows.execute("SET LOCAL lock_timeout = '5s'")
                await rows.execute(f"DROP SCHEMA IF EXISTS {old} CASCADE".encode())
        except LockNotAvailable:
            log.warning("tables of a read model that was rebuilt are still read, and left", schema=old)

    async def tidy(self) -> None:
        """Drop the tables of earlier versions that nobody uses any more, for ever."""
        trouble = Trouble("tables of earlier versions are looked for later", DatabaseAway)
        while True:
            try:
                await self.drop_unused()
                trouble.over()
            except DatabaseAway as away:
                trouble.met(away)
            await asyncio.sleep(TIDY_SECONDS)

    async def drop_unused(self) -> None:
        """Drop the tables of earlier versions where this one is there, and no process uses an earlier one.

        Any earlier one: who fills its own version is served the one before that. They must also have stood still for an
        hour: a restart of the database takes everybody's locks, until they come back.
        """
        for projection in self._projections.values():
            unused = {"schema": projection.schema, "earlier": projection.earlier, "seconds": UNUSED_SECONDS}
            try:
                async with self._pool.connection() as rows, rows.transaction():
                    for (schema,) in await (await rows.execute(_UNUSED, unused)).fetchall():
                        await _drop_version(schema, rows)
            except LockNotAvailable:
                log.info("tables of an earlier version are still read, by a backup perhaps", projection=projection.name)

    async def newest(self) -> int:
        return (await self._store.read(limit=0)).head

    async def shown(self) -> int:
        """The position that every read model shows."""
        return min(lag.position for lag in await self.lags())

    async def lags(self) -> list[Lag]:
        """Every read model of this release, with what is wrong with it, if anything is."""
        async with self._pool.connection() as rows:
            standing: dict[str, int] = dict(await (await rows.execute(_STANDING)).fetchall())
        newest = await self.newest()
        return [self._lag(projection, standing, newest) for projection in self._projections.values()]

    def _lag(self, projection: Projection, standing: Mapping[str, int], newest: int) -> Lag:
        served = _served(projection, standing)
        done = standing.get(f"{projection.schema}_next")
        return Lag(
            projection.name, projection.version, int(served.rpartition("_")[2]) if served else None,
            standing[served] if served else 0, newest, self._failures.get(projection.name),
            None if done is None else Progress(done, newest),
        )  # fmt: skip

    async def reached(self, position: int, *names: str, seconds: float = 3.0) -> None:
        """Wait until the named read models show everything up to `position`. Raises `NotThatNew` in the end."""
        try:
            async with asyncio.timeout(seconds):
                for name in names or self._projections:
                    await self._reached(position, self._projections[name])
        except TimeoutError as late:
            raise NotThatNew(f"The page does not show position {position} yet: ask again in a moment.") from late

    async def _reached(self, position: int, projection: Projection) -> None:
        mark = self._head.checkpoint(projection.schema)
        while not await mark.above(position - 1, LOOK_SECONDS):
            if await self._shown(projection) >= position:
                return

    async def _shown(self, projection: Projection) -> int:
        """The position of what is served."""
        schemas = [projection.schema, *projection.earlier]
        async with self._pool.connection() as rows:
            sql = "SELECT subscription, position FROM checkpoints WHERE subscription = ANY (%s)"
            standing: dict[str, int] = dict(await (await rows.execute(sql, (schemas,))).fetchall())
        served = _served(projection, standing)
        return standing[served] if served else 0

    async def _position(self, projection: Projection) -> int | None:
        """How far it is; None: this version was never filled."""
        async with self._pool.connection() as rows:
            return await self._locked(projection, rows, "")

    async def _advance(self, projection: Projection) -> int | None:
        """One batch; answers with the position it stands at then. None: another process has it, or it is not there."""
        async with self._pool.connection() as rows, rows.transaction():
            if (started := await self._locked(projection, rows, "FOR UPDATE SKIP LOCKED")) is None:
                return None
            history = await self._store.read(projection.query, after=started, limit=BATCH)
            full = len(history.events) == BATCH
            reached = history.events[-1].position if full else history.head
            if reached > started:
                await write(folded(projection, history.events), projection.schema, rows, (started, reached))
        self._head.checkpoint(projection.schema).advance(reached)
        return reached

    async def _locked(self, projection: Projection, rows: Rows, lock: str) -> int | None:
        found = await rows.execute(
            f"SELECT position FROM checkpoints WHERE subscription = %s {lock}".encode(), (projection.schema,)
        )
        row = await found.fetchone()
        return None if row is None else row[0]


def _served(projection: Projection, standing: Mapping[str, int]) -> str | None:
    """The newest version there is, by its schema."""
    return next((schema for schema in (projection.schema, *projection.earlier) if schema in standing), None)


async def _drop_version(schema: str, rows: Rows) -> None:
    await rows.execute("SET LOCAL lock_timeout = '5s'")
    await rows.execute(f"DROP SCHEMA IF EXISTS {schema}, {schema}_next, {schema}_old CASCADE".encode())
    await rows.execute("DELETE FROM checkpoints WHERE subscription = ANY (%s)", ([schema, f"{schema}_next"],))
    log.info("the tables of an earlier version are dropped, nobody uses them", schema=schema)


async def _tables(schemas: Sequence[str], rows: Rows) -> list[str]:
    sql = "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname = ANY (%s) ORDER BY 1"
    return [name for (name,) in await (await rows.execute(sql, (schemas,))).fetchall()]


_BELIEVE = "UPDATE checkpoints SET handled = %(handled)s WHERE subscription = %(subscription)s AND handled IS NULL"
_SAME = "SELECT handled = %(handled)s FROM checkpoints WHERE subscription = %(subscription)s"
_REBUILD = "hashtext('medianest rebuild')"  # names the locks of those who rebuild, with the schema's name

# Where all read models stand; of those that are being made only if somebody lives who does it.
_STANDING = f"""
    SELECT subscription, position FROM checkpoints
     WHERE CASE WHEN right(subscription, 5) = '_next' THEN EXISTS (
       SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND classid = {_REBUILD}::oid AND objid = hashtext(left(subscription, -5))::oid)
     ELSE true END
""".encode()

# The locks are taken, if they can be, for as long as the transaction: nobody begins to use what is being dropped.
_UNUSED = f"""
    SELECT subscription FROM checkpoints
     WHERE subscription = ANY (%(earlier)s::text[]) AND updated_at < now() - make_interval(secs => %(seconds)s)
       AND EXISTS (SELECT FROM checkpoints WHERE subscription = %(schema)s)
       AND (SELECT bool_and(pg_try_advisory_xact_lock({IN_USE}, hashtext(used))) FROM unnest(%(earlier)s::text[]) AS used)
""".encode()
