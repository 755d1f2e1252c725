"""All that both halves of Plex know: who has which token, PINs, shares, the library, and who is told of new items.

PINs live as long as those that plex-api.rs captured; the webhook `library.new` is the one of Plex's own documentation.
"""

import asyncio
import base64
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import msgspec
import structlog

from medianest.sandbox.cast import CAST, OLIVIA, Person, Title, find_title
from medianest.sandbox.plex.library import Item, Library, Shelf
from medianest.sandbox.plex.wire import Json, describe
from medianest.sandbox.serving import Background, remember, remembered

log = structlog.get_logger()

MACHINE_IDENTIFIER = "7b64abb13817a3b8c3a0776af127a001ea0b9ec7"
SERVER_NAME = "Olivia's Box"
SERVER_VERSION = "1.41.9.9961-46083195d"
PINS_AT_MOST = 1000
CODE_LETTERS = "abcdefghijkmnopqrstuvwxyz0123456789"
STATE_FILE = "plex.json"
WEBHOOK_TIMEOUT_SECONDS = 5.0
MOST_UNDER_WAY = 100  # scans and webhooks; of a larger burst the rest is not told
# The smallest JPEG that decoders take: what the real server sends beside a webhook is a JPEG too.
THUMB_JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAgAAAQABAAD/2wBDAAg+Pkk+SVVVVVVVVWRdZGhoaGRkZGRoaGhwcHCDg4NwcHBoaHBwfHyDg4+Tj4eHg4eTk5ubm7q6sr"
    "LZ2eD/////xABLAAEBAAAAAAAAAAAAAAAAAAAABgEBAAAAAAAAAAAAAAAAAAAABBABAAAAAAAAAAAAAAAAAAAAABEBAAAAAAAAAAAAAAAAAAAA"
    "AP/AABEIAAgACAMBIgACEQADEQD/2gAMAwEAAhEDEQA/AIwAoV//2Q=="
)


class UnknownCode(LookupError):
    """No PIN has this code, or it has expired: ask the application for a new one."""


class UnknownPerson(LookupError):
    """Nobody in the cast has this name: choose one of them."""


@dataclass(slots=True)
class Pin:
    """A login under way. `token` is None until somebody has claimed it."""

    id: int
    code: str
    strong: bool
    client_identifier: str
    product: str
    created_at: float
    expires_at: float
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Playing:
    """Somebody watches something now."""

    person: Person
    item: Item
    offset_ms: int = 60_000


class Kept(msgspec.Struct, kw_only=True):
    """What a restarted sandbox still knows."""

    shelf: Shelf
    dead_tokens: list[str] = []
    generations: dict[str, int] = {}  # how many account tokens a person has had, if more than one
    unshared: list[str] = []
    webhooks: list[str] = []


class PlexWorld:
    """plex.tv and Olivia's server in memory, and in `directory`/plex.json if a directory is given.

    `base_url` is where the public finds the sandbox (no slash at the end); it may be set once the port is known.
    plex.tv answers below `base_url`/plex.tv, the server below `base_url`/plex.
    Close it with `close()`: scans and webhooks run in the background, and `settled()` waits for them.
    """

    def __init__(
        self,
        videos_folder: Path,
        *,
        base_url: str = "",
        directory: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.base_url = base_url
        self.clock = clock
        self.people = {person.name: person for person in CAST}
        self.owner = OLIVIA
        self.machine_identifier = MACHINE_IDENTIFIER
        self.pins: dict[int, Pin] = {}
        self.pin_seconds = {"strong": 1800.0, "short": 900.0}
        self.scan_seconds = 0.3
        self.requests_per_second: int | None = None  # of plex.tv; None: no limit
        self.playing: list[Playing] = []
        self.watched: set[tuple[str, int]] = set()  # who has seen which film or episode
        self._file = directory / STATE_FILE if directory else None
        self._second, self._asked = 0, 0
        self._background = Background(MOST_UNDER_WAY)
        self.settled, self.close = self._background.settled, self._background.close
        self._scans: dict[str, asyncio.Task[None]] = {}
        self._to_scan: dict[str, dict[str | None, None]] = {}  # by section: the folders, in the order asked for
        kept = remembered(self._file, Kept)
        self._kept = kept or Kept(shelf=Shelf())
        self.library = Library(videos_folder, self._kept.shelf, clock)
        if kept is None:
            self.library.stock()
        self.library.changed = self._keep  # not before: the stock is kept at once, not film by film
        self._keep()

    @property
    def plex_tv_url(self) -> str:
        return f"{self.base_url}/plex.tv"

    @property
    def server_url(self) -> str:
        return f"{self.base_url}/plex"

    @property
    def link_url(self) -> str:
        return f"{self.base_url}/sandbox/plex/link"

    def avatar_url(self, person: Person) -> str:
        return f"{self.plex_tv_url}/users/{person.uuid}/avatar?c=1630875354"

    @property
    def webhooks(self) -> list[str]:
        return self._kept.webhooks

    def set_webhooks(self, urls: list[str]) -> None:
        """Replaces the addresses that hear of new items, as plex.tv's own list works."""
        self._kept.webhooks = urls
        self._keep()

    # Who may do what

    def account(self, token: str) -> Person | None:
        """Whose account token of plex.tv this is."""
        return next((person for person in self.people.values() if token in self._live_tokens(person)), None)

    def viewer(self, token: str) -> Person | None:
        """Who comes to the server with this token: the owner with any of theirs, a friend with the server's own."""
        if self.account(token) is self.owner:
            return self.owner
        guests = (person for person in self.people.values() if self.has_access(person))
        return next((person for person in guests if person.server_token == token), None)

    def has_access(self, person: Person) -> bool:
        return bool(person.sections) and person.name not in self._kept.unshared

    def unshare(self, person: Person) -> None:
        """Takes the share away: the server token dies, plex.tv no longer lists the server for them."""
        self._kept.unshared.append(person.name)
        self._keep()

    def share(self, person: Person) -> None:
        self._kept.unshared = [name for name in self._kept.unshared if name != person.name]
        self._keep()

    def sign_out(self, token: str) -> None:
        self._kept.dead_tokens.append(token)
        self._keep()

    def token_for(self, person: Person) -> str:
        """A living account token: the constant of the cast, or a fresh one after it was signed out."""
        if live := self._live_tokens(person):
            return live[-1]
        generation = self._kept.generations.get(person.name, 1) + 1
        self._kept.generations[person.name] = generation
        self._keep()
        return _account_token(person, generation)

    def allows_request(self) -> bool:
        """Counts a request to plex.tv against the limit of this second."""
        second = int(self.clock())
        self._asked = self._asked + 1 if second == self._second else 1
        self._second = second
        return self.requests_per_second is None or self._asked <= self.requests_per_second

    # PINs

    def create_pin(self, *, strong: bool, client_identifier: str, product: str) -> Pin:
        now = self.clock()
        self.pins = {pin.id: pin for pin in self.pins.values() if pin.expires_at > now}
        if len(self.pins) >= PINS_AT_MOST:
            del self.pins[next(iter(self.pins))]
        code = "".join(secrets.choice(CODE_LETTERS) for _ in range(25 if strong else 4))
        pin = Pin(
            id=secrets.randbelow(900_000_000) + 100_000_000,
            code=code if strong else code.upper(),
            strong=strong,
            client_identifier=client_identifier,
            product=product,
            created_at=now,
            expires_at=now + self.pin_seconds["strong" if strong else "short"],
        )
        self.pins[pin.id] = pin
        return pin

    def pin(self, pin_id: int, client_identifier: str) -> Pin | None:
        """The PIN, for the client that made it alone and until it expires."""
        pin = self.pins.get(pin_id)
        alive = pin is not None and pin.expires_at > self.clock() and pin.client_identifier == client_identifier
        return pin if alive else None

    def link(self, code: str, name: str) -> Person:
        """`name` of the cast claims the PIN. Raises `UnknownCode` or `UnknownPerson`."""
        pin = self.pin_of_code(code)
        person = self.people.get(name.strip().lower())
        if person is None:
            raise UnknownPerson(f"Nobody here has that name: choose {', '.join(self.people)}.")
        pin.token = self.token_for(person)
        return person

    def expire(self, code: str) -> None:
        self.pin_of_code(code).expires_at = 0

    def pin_of_code(self, code: str) -> Pin:
        wanted = code.strip().lower()
        for pin in self.pins.values():
            if pin.code.lower() == wanted and pin.expires_at > self.clock():
                return pin
        raise UnknownCode("This code is unknown or has expired: go back and start again.")

    # What happens on the server

    def add_film(self, tmdb: int, title: str, year: int) -> Item:
        """A film arrives in the library, as if Radarr had brought it; webhooks are told. Twice does no harm."""
        there = self.library.find(tmdb=tmdb, kind="movie")
        unknown = Title("movie", tmdb, title, year, "", None, 110, ("Drama",), "", {})
        film = self.library.add_film(find_title("movie", tmdb) or unknown)
        if there is None:
            self.announce(film)
        return film

    def add_show(self, tmdb: int, title: str, year: int, seasons: Mapping[int, int] | None = None) -> Item:
        """Seasons of a show arrive: `seasons` says how many episodes each has (None: one season of eight)."""
        before = len(self.library.items)
        unknown = Title("tv", tmdb, title, year, "", None, 50, ("Drama",), "", {})
        show = self.library.add_show(find_title("tv", tmdb) or unknown, seasons or {1: 8})
        if len(self.library.items) > before:
            self.announce(show)
        return show

    def play(self, name: str, rating_key: int | None) -> None:
        """Somebody starts to watch; None stops them. KeyError for an unknown person or item."""
        person = self.people[name]
        self.playing = [playing for playing in self.playing if playing.person != person]
        if rating_key is not None:
            self.playing.append(Playing(person, self.library.items[rating_key]))

    def start_scan(self, section: str, below: str | None = None) -> None:
        """Scans a section in the background, in a moment, one scan after the other. Only "Videos" lies on a real disk."""
        waiting = self._to_scan.setdefault(section, {})
        waiting[below] = None
        if section not in self.library.refreshing:
            self.library.refreshing.add(section)
            self._scans[section] = self._background.start(self._scan(section, waiting), f"plex scan {section}")

    def stop_scan(self, section: str) -> None:
        if scan := self._scans.pop(section, None):
            scan.cancel()
        self._to_scan.pop(section, None)
        self.library.refreshing.discard(section)

    def announce(self, item: Item) -> None:
        """Tells every webhook of a new item, in the background; an answer that fails is forgotten, as by Plex."""
        for url in self.webhooks:
            if not self._background.is_full:
                self._background.start(self.send_webhook(url, item), "plex webhook")

    async def send_webhook(self, url: str, item: Item) -> None:
        """Posts once; the answer is ignored and a failure is not repeated, as by the real server."""
        parts = {
            "payload": (None, msgspec.json.encode(self._library_new(item)), "application/json"),
            "thumb": ("thumb.jpg", THUMB_JPEG, "image/jpeg"),
        }
        try:
            async with httpx.AsyncClient(timeout=WEBHOOK_TIMEOUT_SECONDS, trust_env=False) as client:
                await client.post(url, files=parts, headers={"User-Agent": "PlexMediaServer"})
        except httpx.HTTPError as failed:
            log.info("webhook not delivered", failure=type(failed).__name__)

    def _library_new(self, item: Item) -> Json:
        """The owner goes by the server's local id 1; there is no `Player` in a library event."""
        section = self.library.sections[item.section]
        return {
            "event": "library.new",
            "user": True,
            "owner": True,
            "Account": {"id": 1, "thumb": self.avatar_url(self.owner), "title": self.owner.title},
            "Server": {"title": SERVER_NAME, "uuid": self.machine_identifier},
            "Metadata": {"librarySectionType": section.kind, **describe(self.library, item, guids=True)},
        }

    async def _scan(self, section: str, waiting: dict[str | None, None]) -> None:
        on_disk = self.library.sections[section].folder == str(self.library.videos_folder)
        while waiting:
            await asyncio.sleep(self.scan_seconds)
            below = next(iter(waiting))
            del waiting[below]
            for item in self.library.scan(below) if on_disk else []:
                self.announce(item)
        self.library.refreshing.discard(section)

    def _live_tokens(self, person: Person) -> list[str]:
        generations = range(1, self._kept.generations.get(person.name, 1) + 1)
        tokens = (_account_token(person, generation) for generation in generations)
        return [token for token in tokens if token not in self._kept.dead_tokens]

    def _keep(self) -> None:
        remember(self._file, self._kept)


def _account_token(person: Person, generation: int) -> str:
    return person.account_token if generation == 1 else f"{person.account_token}-{generation}"
