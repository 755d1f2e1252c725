"""What an operator does from a shell: follow the log, take it out and in, seal and verify it; look after what is derived
from it."""

import os
import secrets
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from datetime import datetime, timedelta
from typing import Any, BinaryIO, NamedTuple

import msgspec
import structlog
from rich.console import Console
from rich.progress import Progress

from medianest.app import Foundation, bare_log, foundation, look_whether_whole
from medianest.commands import new_command_id, now_utc
from medianest.domain.catalogue import EVENTS
from medianest.domain.command import Actor, Refused
from medianest.domain.event import EVERYTHING, Event, Item, Query
from medianest.domain.spare_keys import ALPHABET, LENGTH, SPARE_KEY, MakeSpareKey
from medianest.domain.work import RecordRebuilt
from medianest.eventstore.auditor import Auditor, Verdict, public_key
from medianest.eventstore.codec import Codec, Recorded
from medianest.eventstore.seals import Anchor, Notary
from medianest.eventstore.subscription import subscribe
from medianest.eventstore.transfer import export, length, take_in
from medianest.settings import CannotStart, Settings, WrongSetting
from projections import PROJECTIONS
from projections.engine import Lag, RebuildUnderWay, StillRead
from projections.folding import Rows
from projections.past import NoMoment, TooMuchHistory

log = structlog.get_logger()
OPERATOR = Actor.system("operator")  # whoever has a shell: which person that is, only the machine knows
SPARE_KEY_LASTS = timedelta(minutes=15)
THINGS = 100  # whose histories are folded at once
WIDEST = max(len(known.name) for known in PROJECTIONS)


class SpareKey(NamedTuple):
    """As it is printed, once; nowhere else does it stand in clear."""

    key: str
    until: datetime

    def __repr__(self) -> str:
        return f"SpareKey(until={self.until})"


async def tail(settings: Settings, types: Sequence[str], about: Sequence[str], last: int, *, follow: bool) -> None:
    """Print the `last` events that match, and if it is to follow, each new one as it comes, for ever."""
    query = _query(types, about)
    async with foundation(settings, beside=True) as house:
        head = await house.engine.newest()
        _print(reversed(await house.store.latest(query, before=head + 1, limit=last)))
        if follow:
            async for page in subscribe(house.store, house.head, after=head, query=query):
                _print(page)


async def take_out(settings: Settings, file: BinaryIO) -> int:
    """Write every event as a line of JSON; answers with the number of lines. The right master key is not needed."""
    async with bare_log(settings) as (pool, _):
        await look_whether_whole(pool)
        lines = 0
        with _bar("lines", await length(pool)) as advance:
            async for line in export(pool):
                file.write(line)
                lines += 1
                advance(lines)
        return lines


async def bring_in(settings: Settings, file: BinaryIO) -> int:
    """Fill an empty log from exported lines; answers with the number of events."""
    async with foundation(settings) as house:
        size = os.fstat(file.fileno()).st_size if file.seekable() else None  # nobody knows what comes out of a pipe
        with _bar("bytes", size) as advance:
            codec = Codec(house.vault, EVENTS)
            return await take_in(house.pool, codec, file, lambda events: advance(file.tell() if size else events))


async def make_spare_key(settings: Settings) -> SpareKey:
    """Make a key that lets the owner in once, for when plex.tv is away. Raises `CannotStart` where there is none yet."""
    key = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    until = now_utc() + SPARE_KEY_LASTS
    async with foundation(settings, beside=True) as house:
        made = MakeSpareKey(key=house.vault.pseudonym(SPARE_KEY, key), until=until)
        try:
            await house.commands.run(made, OPERATOR)
        except Refused as refused:
            raise CannotStart(refused.remedy) from refused
    return SpareKey("-".join(key[start : start + 4] for start in range(0, LENGTH, 4)), until)


async def verify(settings: Settings, anchors: Sequence[str], trusted: Sequence[str]) -> Verdict:
    """Compute every seal anew, by this installation's key and those `trusted` besides."""
    try:
        known, keys = [Anchor.parse(anchor) for anchor in anchors], [public_key(key) for key in trusted]
    except ValueError as unreadable:
        raise WrongSetting(
            "An anchor is POSITION:DIGEST as `audit seal` prints it, a key is as `audit key` prints it."
        ) from unreadable
    async with bare_log(settings) as (pool, master):
        keys.append(Notary(pool, master).key)
        with _bar("events", None) as advance:
            return await Auditor(pool, keys).verify(known, advance)


async def seal(settings: Settings) -> Anchor | None:
    async with foundation(settings, beside=True) as house:
        with _bar("events", await house.engine.newest()) as advance:
            return await Notary(house.pool, house.master).seal(advance)


async def key_of_seals(settings: Settings) -> str:
    """The public half of what signs them; it hangs from the master key."""
    async with foundation(settings, beside=True) as house:
        return Notary(house.pool, house.master).key.hex()


async def read_models(settings: Settings) -> list[str]:
    """How far each is behind. What stopped one is known to the process that feeds it: see its /admin/projections."""
    async with foundation(settings, beside=True) as house:
        return [_standing(lag) for lag in await house.engine.lags()]


def _standing(lag: Lag) -> str:
    words = [f"{lag.name:<{WIDEST}} version {lag.version}  at {lag.position}, {lag.head - lag.position} behind"]
    if not lag.filled:
        words.append("shows nothing yet" if lag.served is None else f"shows version {lag.served} still")
    if lag.rebuild:
        words.append(f"rebuild {lag.rebuild.done} of {lag.rebuild.of}")
    return "  ".join(words)


async def rebuild(settings: Settings, name: str) -> int:
    """Fill a read model anew, swap it in, and put that on record; answers with the position it stood at."""
    _check_name(name)
    async with foundation(settings, beside=True) as house:
        with _bar("events", await house.engine.newest()) as advance:
            try:
                position = await house.engine.rebuild(name, lambda progress: advance(progress.done))
            except (RebuildUnderWay, StillRead) as busy:
                raise CannotStart(str(busy)) from busy
        await house.commands.run(RecordRebuilt(order=new_command_id().hex, projection=name), OPERATOR)
        return position


async def rows_as_of(settings: Settings, name: str, when: str, last: int | None) -> AsyncGenerator[str, None]:
    """The rows of the `last` things of a read model as they were, as lines of JSON: what was moved last comes first.

    None: of all things, a page of them at a time. Personal words stay sealed.
    """
    _check_name(name)
    async with foundation(settings, beside=True) as house:
        try:
            position = await house.past.position_at(when)
            log.info("the rows are those", as_of=position)
            async with aclosing(_keys(house, name, position, last)) as pages:
                async for keys in pages:
                    async with house.past.as_of(position, {name: house.past.histories(name, keys)}) as rows:
                        lines = await _lines(rows)
                    for line in lines:
                        yield line
        except (NoMoment, TooMuchHistory) as refused:
            raise CannotStart(str(refused)) from refused


async def _keys(house: Foundation, name: str, position: int, last: int | None) -> AsyncGenerator[list[str], None]:
    page: list[str] = []
    left = last
    async with aclosing(house.past.moved(name, position)) as things:
        async for thing in things:
            if left == 0:
                break
            page.append(thing.key)
            left = None if left is None else left - 1
            if len(page) == THINGS:
                yield page
                page = []
    if page:
        yield page


async def _lines(rows: Rows) -> list[str]:
    tables = await rows.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r' ORDER BY 1"
    )
    lines: list[str] = []
    for (table,) in await tables.fetchall():
        sql = f"SELECT json_build_object('table', '{table}', 'row', to_json(t))::text FROM {table} AS t"  # noqa: S608 - our own
        lines += [line for (line,) in await (await rows.execute(sql.encode())).fetchall()]
    return lines


def _check_name(name: str) -> None:
    if name not in (names := [known.name for known in PROJECTIONS]):
        raise WrongSetting(f"There is no read model `{name}`: there are {', '.join(names)}.")


def _query(types: Sequence[str], about: Sequence[str]) -> Query:
    if unknown := sorted(set(types) - set(EVENTS)):
        raise WrongSetting(f"There is no event `{unknown[0]}`. There are: {', '.join(sorted(EVENTS))}.")
    if wrong := [tag for tag in about if not all(tag.partition(":"))]:
        raise WrongSetting(f"`{wrong[0]}` is no tag: one is KIND:ID, as in service:plex.")
    kinds: list[type[Event]] = [EVENTS[name] for name in types]
    return Query(Item(*kinds, tags=about)) if kinds or about else EVERYTHING


def _print(page: Iterable[Recorded]) -> None:
    """One line of JSON an event. Personal words stay sealed: names are for the audit trail, which knows who asks."""
    for recorded in page:
        line = {
            "position": recorded.position,
            "at": recorded.at,
            "about": recorded.tags,
            "metadata": recorded.metadata,
            "event": recorded.event,
        }
        print(msgspec.json.encode(line, enc_hook=_sealed).decode(), flush=True)


def _sealed(value: Any) -> str:
    words: str = value.sealed
    return words


@contextmanager
def _bar(what: str, of: int | None) -> Iterator[Callable[..., None]]:
    """A progress bar for a person at a terminal; nothing where nobody looks. Tell it how far, and of how much."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=of)
        yield lambda done, of=of: progress.update(task, completed=done, total=of)
