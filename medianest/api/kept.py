"""The questions to the tables beside the log: attempts of automations, samples of probes, hints from outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from medianest.domain.requests import RequestState
from projections.folding import Rows

List = Literal[
    "requests_to_send", "decisions_to_relay", "downloads_to_run", "downloads_to_publish", "files_to_remove"
]  # those that people wait for


class Attempt(msgspec.Struct, frozen=True):
    """How one row of a to-do list fares."""

    list: str
    key: str
    attempts: int
    next_at: datetime
    last_error: str | None  # None: nothing went wrong yet
    given_up: bool
    under_way: bool  # somebody is at it this moment
    due: bool  # and if nobody is: as soon as a worker is free


class Waiting(msgspec.Struct, frozen=True):
    """The same for whoever waits: no word of an outside system."""

    attempts: int
    next_at: datetime | None  # None: it is tried now or in a moment, or an admin has to say when
    words: str  # without that moment: a clock is read where somebody lives


class Sample(msgspec.Struct, frozen=True):
    service: str
    at: datetime
    up: bool
    latency_ms: float | None  # None: there was no answer to time


_ATTEMPT = (
    "SELECT list, key, attempts, next_at, last_error, given_up, coalesce(leased_until > now(), false) AS under_way,"
    " next_at <= now() AS due FROM attempts"
)


async def attempts(rows: Rows, *, limit: int) -> list[Attempt]:
    """What automations have tried in vain so far, the most troubled first. What is merely under way is not here."""
    found = await rows.execute(
        f"{_ATTEMPT} WHERE attempts > 0 OR given_up ORDER BY given_up DESC, attempts DESC, next_at LIMIT %s".encode(),
        (limit,),
    )
    return [Attempt(*row) for row in await found.fetchall()]


async def attempt(rows: Rows, list_: str, key: str) -> Attempt | None:
    """How one row fares, with all that was ordered about it; None: it is done, or was never tried."""
    await rows.execute("SELECT carry_out_orders(%s)", (list_,))
    found = await rows.execute(f"{_ATTEMPT} WHERE list = %s AND key = %s".encode(), (list_, key))
    row = await found.fetchone()
    return None if row is None else Attempt(*row)


async def waiting(rows: Rows, subject: str, *lists: List) -> Waiting | None:
    """What has been tried about `subject`, which is a row's key or its beginning; None: nothing, or it worked."""
    return (await waiting_of(rows, [subject], *lists)).get(subject)


async def waiting_of(rows: Rows, subjects: Sequence[str], *lists: List) -> dict[str, Waiting]:
    """The same of several, by subject: those of which there is something to tell."""
    found = await rows.execute(
        f"{_ATTEMPT} WHERE list = ANY (%s) AND split_part(key, '/', 1) = ANY (%s)"
        " AND (attempts > 0 OR given_up OR last_error IS NOT NULL) ORDER BY given_up, next_at DESC".encode(),
        (list(lists), list(subjects)),
    )
    return {row[1].partition("/")[0]: in_words(Attempt(*row)) for row in await found.fetchall()}


def in_words(attempt: Attempt) -> Waiting:
    if not attempt.attempts and not attempt.given_up:
        return Waiting(0, attempt.next_at, "It waits until its site answers again, and was not tried meanwhile.")
    times = "Once" if attempt.attempts == 1 else f"{attempt.attempts} times"
    what = "Seerr could not be told of it" if attempt.list == "decisions_to_relay" else "it did not work"
    tried = f"{times} {what}"
    if attempt.given_up:
        words = f"{tried}, and it was given up: ask an admin." if attempt.attempts else "It was given up: ask an admin."
        return Waiting(attempt.attempts, None, words)
    if attempt.under_way:
        return Waiting(attempt.attempts, None, f"{tried}. It is being tried now.")
    if attempt.due:
        return Waiting(attempt.attempts, None, f"{tried}. The next try comes in a moment.")
    return Waiting(attempt.attempts, attempt.next_at, f"{tried}.")


async def last_samples(rows: Rows) -> dict[str, Sample]:
    """The newest sample of each service, by its name."""
    found = await rows.execute(
        "SELECT DISTINCT ON (service) service, at, up, latency_ms FROM service_samples ORDER BY service, at DESC"
    )
    return {row[0]: Sample(*row) for row in await found.fetchall()}


class MonitorLook(msgspec.Struct, frozen=True):
    """The last look of Uptime Kuma at something."""

    monitor: int
    name: str
    kind: str
    address: str | None
    at: datetime | None  # None: there was none yet
    ping_ms: float | None
    message: str


async def monitor_looks(rows: Rows) -> list[MonitorLook]:
    found = await rows.execute(
        "SELECT monitor, name, kind, address, at, ping_ms, message FROM monitor_looks ORDER BY lower(name), monitor"
    )
    return [MonitorLook(*row) for row in await found.fetchall()]


async def remember_hint(rows: Rows, service: str, subject: str) -> None:
    """Somebody outside says that something has changed; the newest hint about a subject is enough."""
    await rows.execute(
        "INSERT INTO hints (service, subject) VALUES (%s, %s)"
        " ON CONFLICT (service, subject) DO UPDATE SET received_at = now()",
        (service, subject),
    )


async def has_hints(rows: Rows, service: str) -> bool:
    """Whether what somebody outside, or an admin, wants looked at has yet to be."""
    found = await rows.execute("SELECT FROM hints WHERE service = %s LIMIT 1", (service,))
    return await found.fetchone() is not None


class Followed(msgspec.Struct, frozen=True):
    """How far Seerr has been followed; each moment None: not yet."""

    reached: datetime | None
    total: int
    began_at: datetime
    caught_up_at: datetime | None
    compared_at: datetime | None


class Drifted(msgspec.Struct, frozen=True):
    """An open request that stands otherwise in Seerr, or is for other seasons there."""

    request: str
    here: RequestState
    there: RequestState
    seasons_here: tuple[int, ...]
    seasons_there: tuple[int, ...]
    wins: Literal["seerr", "medianest"]
    why: str
    since: datetime


async def seerr_followed(rows: Rows) -> Followed | None:
    """None: it has not begun."""
    found = await rows.execute("SELECT reached, total, began_at, caught_up_at, compared_at FROM seerr_followed")
    row = await found.fetchone()
    return None if row is None else Followed(*row)


async def follow_seerr_again(rows: Rows) -> None:
    await rows.execute("UPDATE seerr_followed SET reached = NULL")


async def seerr_set_aside(rows: Rows) -> dict[str, int]:
    """How many requests of Seerr wait to be taken over, by why."""
    found = await rows.execute("SELECT replace(why, '-', '_'), count(*) FROM seerr_set_aside GROUP BY why")
    return dict(await found.fetchall())


async def seerr_drift(rows: Rows) -> list[Drifted]:
    """Where Seerr and MediaNest differed when they were compared last, the oldest first."""
    found = await rows.execute(
        "SELECT request, here, there, seasons_here, seasons_there, wins, why, since FROM seerr_drift"
        " ORDER BY since, request"
    )
    return [
        Drifted(request, here, there, tuple(ours), tuple(theirs), *rest)
        for request, here, there, ours, theirs, *rest in await found.fetchall()
    ]
