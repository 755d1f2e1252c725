"""Brings stored downloads into Plex: asks for a scan, waits until the file is found, and puts it in a collection.

A playlist has a collection of its own, in its order; what was sent by itself shares one.
"""

from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple

from medianest.adapters.plex_answers import PlexSection
from medianest.adapters.plex_server import EPISODE, MOVIE, PlexServer
from medianest.automations import attempts
from medianest.automations.attempts import Attempt
from medianest.automations.worker import Done, GivenUp, Later, Record, Result, TodoList
from medianest.commands import Commands
from medianest.credentials import Credentials
from medianest.domain.command import Actor
from medianest.domain.downloads import (
    is_sound,
)
from medianest.domain.fetching import RecordCollected, RecordInPlex, RecordScanAsked
from medianest.eventstore.connections import Pool
from medianest.secret import Secret
from medianest.settings import Settings
from projections import accounts, downloads
from projections.downloads import DownloadRow

PUBLISH = "downloads_to_publish"
HINTS_OF_PLEX = "hints_of_plex"
HINT_SECONDS = 1.0  # how often to look for hints: they come past the log
COLLECTION = "Videos sent with MediaNest"
LONGEST_LOOK_SECONDS = 60.0
SCAN_AGAIN = 8  # looks between two scans: one may be lost in a restart of Plex
LOOKS = 90  # about an hour and a half
NO_OWNER = "The owner of the Plex server has to sign in to MediaNest once: it acts in Plex with the owner's token."
NO_LIBRARY_SECONDS = 300.0
AWAY_SECONDS = 60.0
NO_LIBRARY = (
    "No library of Plex shows the media folder: add one of the type Other Videos there, or correct the settings"
    " `plex_video_section` and `plex_media_path`."
)
NOT_YET = "Plex has not found the file yet."
NEVER = (
    "Plex does not find the file though it was asked to look: check that the setting `plex_media_path` is where Plex"
    " sees the media folder."
)
FILE_GONE = "The file is no longer in the media folder."
AWAY = "The media folder is empty, as where the drive of it is not there: once it is back all goes on by itself."
_SOURCE = """
SELECT p.download AS key, d.position AS turn FROM downloads_to_publish AS p JOIN downloads AS d USING (download)
"""


class Place(NamedTuple):
    """Where a file is in Plex's eyes."""

    section: str
    item_type: int
    folder: str
    file: str


class Publishing:
    def __init__(
        self, pool: Pool, commands: Commands, credentials: Credentials, plex: PlexServer, settings: Settings
    ) -> None:
        self._pool = pool
        self._record = Record(commands, Actor.system(PUBLISH), follows=True)
        self._credentials = credentials
        self._plex = plex
        self._settings = settings
        self._misses: dict[str, int] = {}  # how often in a row Plex did not know the file of a download

    def todo(self) -> TodoList:
        """One after the other, in all processes: two would make a collection twice, and its order by halves."""
        return TodoList(name=PUBLISH, source=_SOURCE, act=self.publish, projection="downloads", at_once=1, alone=True)

    def hints(self) -> TodoList:
        return TodoList(
            name=HINTS_OF_PLEX,
            source="SELECT subject AS key, received_at AS turn FROM hints WHERE service = 'plex'",
            act=self.follow_hint,
            projection=None,
            poll_seconds=HINT_SECONDS,
        )

    async def follow_hint(self, attempt: Attempt) -> Result:
        """Plex says that something came: whatever waits to be found there is looked for now."""
        async with self._pool.connection() as rows:
            await rows.execute("DELETE FROM hints WHERE service = 'plex' AND subject = %s", (attempt.key,))
        await attempts.hurry(self._pool, PUBLISH)
        return Done()

    async def publish(self, attempt: Attempt) -> Result:
        if others := await attempts.leased(self._pool, PUBLISH) - {attempt.key}:
            return Later(1.0 if attempt.key < min(others) else 3.0, None)
        async with self._pool.connection() as rows:
            row = await downloads.to_publish(attempt.key, rows)
        if row is None or row.path is None:
            return Done()
        if is_away(self._settings.media_folder):
            return Later(AWAY_SECONDS, AWAY)
        if not (self._settings.media_folder / row.path).exists():
            return GivenUp(FILE_GONE)
        token = await self._owner_token()
        if token is None:
            return Later(None, NO_OWNER)
        place = await self._place(row.path, token)
        if place is None:
            return Later(NO_LIBRARY_SECONDS, NO_LIBRARY)
        return await self._publish(row, place, token)

    async def look_again(self, path: str) -> None:
        """Have Plex look at the folder of a file; nothing where it does not show it, or nobody may ask for it."""
        token = None if is_sound(path) else await self._owner_token()
        place = token and await self._place(path, token)
        if token and place:
            await self._plex.scan(token, place.section, place.folder)

    async def _publish(self, row: DownloadRow, place: Place, token: Secret) -> Result:
        """Each step is put on record; what was done before is harmless to do again."""
        misses = self._misses.get(row.download, 0)
        if row.state == "stored" or misses % SCAN_AGAIN == SCAN_AGAIN - 1:
            await self._plex.scan(token, place.section, place.folder)
            await self._record(RecordScanAsked(download=row.download))
        key = await self._plex.find_by_path(token, place.section, place.file, item_type=place.item_type)
        if key is None:
            return self._missed(row.download, misses + 1)
        self._misses.pop(row.download, None)
        await self._record(RecordInPlex(download=row.download, rating_key=key))
        title = row.playlist_title or COLLECTION
        collection = await self._collect(row, title, place, key, token)
        if row.playlist is not None:
            await self._put_in_order(row, collection, key, token)
        return Done.by(await self._record(RecordCollected(download=row.download, collection=collection, title=title)))

    def _missed(self, download: str, misses: int) -> Result:
        if misses >= LOOKS:
            self._misses.pop(download, None)
            return GivenUp(NEVER)
        self._misses[download] = misses
        return Later(min(2.0 ** (misses - 1), LONGEST_LOOK_SECONDS), NOT_YET)

    async def _collect(self, row: DownloadRow, title: str, place: Place, key: str, token: Secret) -> str:
        """The collection's key, once the item is in it."""
        machine = (await self._plex.identity()).machine_id
        found = await self._collection(row.playlist, title, place, token)
        if found is None:
            return await self._plex.create_collection(
                token, place.section, title, key, machine_id=machine, item_type=place.item_type
            )
        await self._plex.add_to_collection(token, found, key, machine_id=machine)
        return found

    async def _collection(self, playlist: str | None, title: str, place: Place, token: Secret) -> str | None:
        """The one that was used before, or bears the title and no other playlist's videos; None: there is none yet.

        By title, because who made one may have been cut off before that was on record; and by record, because people
        rename them.
        """
        async with self._pool.connection() as rows:
            ours = await downloads.collections_of(playlist, rows)
            taken = await downloads.collections_of_others(playlist, rows)
        there = await self._plex.collections(token, place.section)
        fit = [c.rating_key for c in there if c.rating_key in ours]
        fit = fit or [c.rating_key for c in there if c.title == title and c.rating_key not in taken]
        return min(fit, key=_age, default=None)  # always the same one

    async def _put_in_order(self, row: DownloadRow, collection: str, key: str, token: Secret) -> None:
        """Moves the item behind the nearest that stands before it in the playlist, of those that are there."""
        assert row.playlist is not None
        async with self._pool.connection() as rows:
            known = await downloads.in_plex_of(row.playlist, rows)
        places = {item.rating_key: item.playlist_index or 0 for item in known if item.rating_key}
        mine = (row.playlist_index or 0, _age(key))
        await self._plex.order_as_arranged(token, collection)
        members = [member.rating_key for member in await self._plex.collection_members(token, collection)]
        before = [member for member in members if member in places and (places[member], _age(member)) < mine]
        after = max(before, key=lambda member: (places[member], _age(member)), default=None)
        behind = members.index(after) + 1 if after else 0
        if members[behind : behind + 1] != [key]:
            await self._plex.move_in_collection(token, collection, key, after=after)

    async def _owner_token(self) -> Secret | None:
        async with self._pool.connection() as rows:
            owner = await accounts.owner(rows)
        return None if owner is None else await self._credentials.get(owner, "plex-server")

    async def _place(self, path: str, token: Secret) -> Place | None:
        root = self._settings.plex_media_path or str(self._settings.media_folder.absolute())
        file = _joined(root, path)
        sections = await self._plex.sections(token)
        section = _section_of(str(file.parent), sections, self._settings.plex_video_section)
        if section is None:
            return None
        item_type = EPISODE if section.type == "show" else MOVIE
        return Place(section.key, item_type, str(file.parent), str(file))


def is_away(media_folder: Path) -> bool:
    """Whether its drive is not there, of a folder that has held files: whoever had one left a folder behind."""
    return not media_folder.is_dir() or not any(media_folder.iterdir())


def _age(rating_key: str) -> tuple[int, str]:
    """Plex counts its keys up: the smaller, the older."""
    return len(rating_key), rating_key


def _joined(root: str, path: str) -> PurePosixPath | PureWindowsPath:
    """The file as the machine of Plex writes it."""
    is_windows = "\\" in root or root[1:2] == ":"
    return (PureWindowsPath if is_windows else PurePosixPath)(root) / path


def _section_of(folder: str, sections: list[PlexSection], chosen: str) -> PlexSection | None:
    """The library of the settings, else the one whose folder holds the file, the nearest of several."""
    if chosen:
        return next((section for section in sections if section.key == chosen), None)
    kind = PureWindowsPath if "\\" in folder or folder[1:2] == ":" else PurePosixPath
    around = [
        (len(path), section)
        for section in sections
        if section.type in ("movie", "show")
        for path in section.paths
        if kind(folder).is_relative_to(kind(path))
    ]
    return max(around, key=lambda found: found[0])[1] if around else None
