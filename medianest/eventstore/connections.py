"""The pool of database connections: how every part of a process reaches PostgreSQL."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.pq import TransactionStatus
from psycopg_pool import AsyncConnectionPool

DatabaseAway = psycopg.OperationalError  # what whoever asks a pool gets while PostgreSQL is gone, frozen, or too busy
IN_USE = "hashtext('medianest in use')"  # names the locks on schemas that somebody uses, with the schema's name
ANSWER_SECONDS = 30.0  # how long PostgreSQL may take over one statement: the longest of ours take a few
CHECK_SECONDS = 3.0  # over none
# Each statement sees what was committed before it, whatever the database's owner made the default: one that waited for a
# lock must see what was done under it.
FRESH = r"-c default_transaction_isolation=read\ committed"
TURN_SECONDS = 10.0  # how long one waits for a connection
# How long a lost one is tried again in ever longer pauses. Then whoever asks next opens another at once: pauses that go
# on doubling would outlast an outage by as much as it took.
RECONNECT_SECONDS = 5.0


class PatientConnection(psycopg.AsyncConnection):
    """Waits for an answer, but not for ever: a PostgreSQL that is frozen keeps the line open and says nothing."""

    patience_seconds = ANSWER_SECONDS

    @contextmanager
    def patient(self, seconds: float) -> Iterator[None]:
        """Meanwhile it may take so long: for a statement over the whole log, say."""
        before, self.patience_seconds = self.patience_seconds, seconds
        try:
            yield
        finally:
            self.patience_seconds = before

    async def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """All that goes to PostgreSQL and back goes through here. Raises `DatabaseAway` when it takes too long."""
        try:
            return await super().wait(gen, interval, self.patience_seconds if timeout is None else timeout)
        except DatabaseAway:
            if timeout is None and self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()  # what it may say one day is the answer to nothing
            raise


Pool = AsyncConnectionPool[PatientConnection]


def connection_pool(conninfo: str, *, search_path: str = "public", uses: Sequence[str] = (), size: int = 20) -> Pool:
    """A pool to be opened with `async with`.

    Autocommit: a read is one round trip, and who needs a transaction opens one. A connection is looked at before
    it is handed out, so that a restarted PostgreSQL costs nobody a failed request.

    `uses`: schemas that nobody may drop while this process lives: each connection holds a shared lock that says so.
    """

    async def lock(connection: psycopg.AsyncConnection) -> None:
        sql = f"SELECT pg_advisory_lock_shared({IN_USE}, hashtext(used)) FROM unnest(%s::text[]) AS used"  # noqa: S608 - our own
        await connection.execute(sql.encode(), (list(uses),))

    return AsyncConnectionPool(
        conninfo,
        connection_class=PatientConnection,
        min_size=2,
        max_size=size,
        timeout=TURN_SECONDS,
        reconnect_timeout=RECONNECT_SECONDS,
        open=False,
        configure=lock if uses else None,
        check=_answers,
        kwargs={"autocommit": True, "options": f"-c search_path={search_path} {FRESH}"},
    )


async def _answers(connection: PatientConnection) -> None:
    """Raises `DatabaseAway` for a connection that is of no use any more."""
    with connection.patient(CHECK_SECONDS):
        await connection.execute("")
