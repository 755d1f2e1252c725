"""All that both halves of Plex know: who has which token, PINs, shares, the library, and who is told of new items."""

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from medianest.sandbox.people import CAST, OLIVIA, Person
from medianest.sandbox.plex.library import KNOWN_FILMS, KNOWN_SHOWS, FilmEntry, Item, Library, Shelf, ShowEntry
from medianest.sandbox.plex.metadata import library_new, post_library_new

MACHINE_IDENTIFIER = "7b64abb13817a3b8c3a0776af127a001ea0b9ec7"
SERVER_NAME = "Olivia's Box"
SERVER_VERSION = "1.41.9.9961-46083195d"
PINS_AT_MOST = 1000
CODE_LETTERS = "abcdefghijkmnopqrstuvwxyz0123456789"
STATE_FILE = "plex.json"


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
    Close it with `aclose()`: scans and webhooks run in the background.
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
        self._file = directory / STATE_FILE if directory else None
        self._second, self._asked = 0, 0
        self._background: set[asyncio.Task[None]] = set()
        self._scans: dict[str, asyncio.Task[None]] = {}
        kept = _load(self._file)
        self._kept = kept or Kept(shelf=Shelf())
        self.library = Library(videos_folder, shelf=kept.shelf if kept else None, clock=clock, changed=self._keep)
        self._kept.shelf = self.library.shelf
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
        entry = next((film for film in KNOWN_FILMS if film.tmdb == tmdb), None) or FilmEntry(
            tmdb, title, year, "", 110, 7.0, "PG-13", "", ("Drama",), ""
        )
        film = self.library.add_film(entry)
        if there is None:
            self.announce(film)
        return film

    def add_show(self, tmdb: int, title: str, year: int, seasons: Mapping[int, int] | None = None) -> Item:
        """Seasons of a show arrive: `seasons` says how many episodes each has (None: one season of eight)."""
        seasons = seasons or {1: 8}
        episodes = tuple(seasons.get(number, 0) for number in range(1, max(seasons) + 1))
        known = next((show for show in KNOWN_SHOWS if show.tmdb == tmdb), None) or ShowEntry(
            tmdb, title, year, "", 0, (), 7.0, "TV-14", ("Drama",), ""
        )
        before = len(self.library.items)
        show = self.library.add_show(known._replace(episodes=episodes))
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
        """Scans a section in the background, in a moment. Only "Videos" lies on a real disk."""
        self.stop_scan(section)
        self.library.refreshing.add(section)
        self._scans[section] = self._start(self._scan(section, below), f"scan of section {section}")

    def stop_scan(self, section: str) -> None:
        if scan := self._scans.pop(section, None):
            scan.cancel()
        self.library.refreshing.discard(section)

    def announce(self, item: Item) -> None:
        """Tells every webhook of a new item, in the background; an answer that fails is forgotten, as by Plex."""
        for url in self.webhooks:
            self._start(self.send_webhook(url, item), "webhook library.new")

    async def send_webhook(self, url: str, item: Item) -> None:
        server = (SERVER_NAME, self.machine_identifier)
        thumb = f"{self.plex_tv_url}/users/{self.owner.uuid}/avatar"
        payload = library_new(self.library, item, owner=self.owner, owner_thumb=thumb, server=server)
        await post_library_new(url, payload)

    async def aclose(self) -> None:
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    async def _scan(self, section: str, below: str | None) -> None:
        await asyncio.sleep(self.scan_seconds)
        found = self.library.scan(below) if self.library.sections[section].folder.startswith(self._real_folder) else []
        self.library.refreshing.discard(section)
        for item in found:
            self.announce(item)

    @property
    def _real_folder(self) -> str:
        return str(self.library.videos_folder)

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=f"sandbox {name}")
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    def _live_tokens(self, person: Person) -> list[str]:
        generations = range(1, self._kept.generations.get(person.name, 1) + 1)
        tokens = (_account_token(person, generation) for generation in generations)
        return [token for token in tokens if token not in self._kept.dead_tokens]

    def _keep(self) -> None:
        if self._file is None or not hasattr(self, "library"):  # the first stocking is kept at once, not film by film
            return
        beside = self._file.with_suffix(".new")
        beside.write_bytes(msgspec.json.encode(self._kept))
        beside.replace(self._file)


def _account_token(person: Person, generation: int) -> str:
    return person.account_token if generation == 1 else f"{person.account_token}-{generation}"


def _load(file: Path | None) -> Kept | None:
    """None if there is nothing to remember."""
    if file is None:
        return None
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=Kept)
    except msgspec.DecodeError as unreadable:
        raise RuntimeError(f"{file} cannot be read: delete it, and the sandbox starts anew.") from unreadable
