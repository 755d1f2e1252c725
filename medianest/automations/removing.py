"""Takes videos off the server: those that somebody removed, and those whose time is up.

A file has a name for each of its owners, so only one's own is taken away. It is on record that it went once it did.
"""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from medianest.adapters.errors import AdapterError, OutOfOrder, Unreachable
from medianest.automations.attempts import Attempt
from medianest.automations.publishing import AWAY, AWAY_SECONDS, Publishing, is_away
from medianest.automations.worker import Done, Later, Record, Recurring, Result, TodoList
from medianest.commands import Commands, now_utc
from medianest.domain.command import Actor, Refused
from medianest.domain.configuration import SettingsChanged
from medianest.domain.downloads import RemoveDownload
from medianest.domain.event import Item, Query, tags
from medianest.domain.fetching import RecordFileRemoved
from medianest.eventstore.connections import Pool
from medianest.eventstore.store import EventStore
from medianest.settings import Settings
from projections import downloads

log = structlog.get_logger()

REMOVE = "files_to_remove"
EXPIRE = "expire-videos"
EXPIRE_SECONDS = 600.0
TELLINGS = 20  # attempts to tell a Plex that is away that a file is gone: some two hours
AT_ONCE = 200  # videos whose time is up, in one round
GRACE = timedelta(days=1)  # after an admin has changed for how long they are kept: a slip of the hand can be taken back
_SOURCE = "SELECT download AS key, download AS turn FROM files_to_remove"
_CHANGES = Query(Item(SettingsChanged, tags=tags(settings="videos")))


class Removing:
    def __init__(
        self, pool: Pool, store: EventStore, commands: Commands, publishing: Publishing, settings: Settings
    ) -> None:
        self._pool = pool
        self._store = store
        self._record = Record(commands, Actor.system(REMOVE), follows=True)
        self._expire = Record(commands, Actor.system(EXPIRE))
        self._publishing = publishing
        self._settings = settings

    def todo(self) -> TodoList:
        return TodoList(name=REMOVE, source=_SOURCE, act=self.remove, projection="downloads")

    def expiring(self) -> Recurring:
        return Recurring(EXPIRE, EXPIRE_SECONDS, self.expire)

    async def remove(self, attempt: Attempt) -> Result:
        """The list is asked first: what was sent again meanwhile has a file of the same name."""
        async with self._pool.connection() as rows:
            path = await downloads.to_remove(attempt.key, rows)
        if path is None:
            return Done()
        if is_away(self._settings.media_folder):  # or the file would be there still when it is back, and nobody's
            return Later(AWAY_SECONDS, AWAY, tried=False)
        await asyncio.to_thread(_unlink, self._settings.media_folder, path)
        try:
            await self._publishing.look_again(path)
        except AdapterError as error:  # Plex looks by itself now and then
            if isinstance(error, Unreachable | OutOfOrder) and attempt.n < TELLINGS:
                return Later(None, f"The file is gone, and Plex is told once it can be: {error}")
            log.info("Plex was not told that a file is gone", download=attempt.key, why=error.why)
        return Done.by(await self._record(RecordFileRemoved(download=attempt.key)))

    async def expire(self) -> None:
        """Remove what has been here for longer than videos are kept, the oldest first."""
        days, now = self._settings.videos_days, now_utc()
        if not days or now < await self._changed_at() + GRACE:
            return
        async with self._pool.connection() as rows:
            old = await downloads.stored_before(now - timedelta(days=days), rows, limit=AT_ONCE)
        for download in old:
            try:
                await self._expire(RemoveDownload(download=download, account=None, why="age"))
            except Refused:  # it was sent again this very moment
                log.info("a video whose time was up stays: it is fetched again", download=download)

    async def _changed_at(self) -> datetime:
        """When an admin last changed for how long videos are kept; long ago where none ever did."""
        history = await self._store.read(_CHANGES)
        changed = [
            recorded.at
            for recorded in history.events
            if isinstance(recorded.event, SettingsChanged)
            and any(change.setting == "videos_days" for change in recorded.event.changes)
        ]
        return max(changed, default=datetime.fromtimestamp(0, tz=now_utc().tzinfo))


def _unlink(folder: Path, path: str) -> None:
    """Raises `ValueError` for what is not in the folder: nothing else is ever to be deleted."""
    file = folder / path
    if not file.parent.resolve().is_relative_to(folder.resolve()):
        raise ValueError("A download names a file outside of the media folder.")
    file.unlink(missing_ok=True)
