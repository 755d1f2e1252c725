"""The questions to the tables beside the log: attempts of automations, samples of probes, hints from outside."""

from datetime import datetime
from typing import Literal

import msgspec

from projections.engine import Rows

List = Literal["requests_to_send", "downloads_to_run", "downloads_to_publish"]  # those that people wait for


class Attempt(msgspec.Struct, frozen=True):
    """How one row of a to-do list fares."""

    list: str
    key: str
    attempts: int
    next_at: datetime
    last_error: str | None  # None: nothing went wrong yet
    given_up: bool


class Waiting(msgspec.Struct, frozen=True):
    """The same for whoever waits: no word of an outside system."""

    attempts: int
    next_at: datetime | None  # None: an admin has to say when
    words: str


class Sample(msgspec.Struct, frozen=True):
    service: str
    at: datetime
    up: bool
    latency_ms: float | None  # None: there was no answer to time


_ATTEMPT = "SELECT list, key, attempts, next_at, last_error, given_up FROM attempts"


async def attempts(rows: Rows, *, limit: int) -> list[Attempt]:
    """What automations have tried in vain so far, the most troubled first. What is merely under way is not here."""
    found = await rows.execute(
        f"{_ATTEMPT} WHERE attempts > 0 OR given_up ORDER BY given_up DESC, attempts DESC, next_at LIMIT %s".encode(),
        (limit,),
    )
    return [Attempt(*row) for row in await found.fetchall()]


async def waiting(rows: Rows, key: str, *lists: List) -> Waiting | None:
    """What has been tried about `key`; None: nothing, or it worked."""
    found = await rows.execute(
        f"{_ATTEMPT} WHERE list = ANY (%s) AND key = %s AND attempts > 0 ORDER BY next_at LIMIT 1".encode(),
        (list(lists), key),
    )
    row = await found.fetchone()
    return None if row is None else in_words(Attempt(*row))


def in_words(attempt: Attempt) -> Waiting:
    tried = "Once" if attempt.attempts == 1 else f"{attempt.attempts} times"
    if attempt.given_up:
        return Waiting(attempt.attempts, None, f"{tried} it did not work, and it was given up: ask an admin.")
    when = f"{attempt.next_at:%d %b at %H:%M} UTC"
    return Waiting(attempt.attempts, attempt.next_at, f"{tried} it did not work. The next try comes on {when}.")


async def try_now(rows: Rows, list_: str, key: str) -> bool:
    """Make the next attempt due, also of what was given up; False: there is no such row."""
    done = await rows.execute(
        "UPDATE attempts SET next_at = now(), given_up = false WHERE list = %s AND key = %s", (list_, key)
    )
    return done.rowcount == 1


async def give_up(rows: Rows, list_: str, key: str) -> bool:
    """No more attempts until an admin says otherwise; False: there is no such row."""
    done = await rows.execute("UPDATE attempts SET given_up = true WHERE list = %s AND key = %s", (list_, key))
    return done.rowcount == 1


async def last_samples(rows: Rows) -> dict[str, Sample]:
    """The newest sample of each service, by its name."""
    found = await rows.execute(
        "SELECT DISTINCT ON (service) service, at, up, latency_ms FROM service_samples ORDER BY service, at DESC"
    )
    return {row[0]: Sample(*row) for row in await found.fetchall()}


async def remember_hint(rows: Rows, service: str, subject: str) -> None:
    """Somebody outside says that something has changed; the newest hint about a subject is enough."""
    await rows.execute(
        "INSERT INTO hints (service, subject) VALUES (%s, %s)"
        " ON CONFLICT (service, subject) DO UPDATE SET received_at = now()",
        (service, subject),
    )
