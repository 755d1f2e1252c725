"""Olivia's library: what stands in it from the start (real titles with their real ids), sections, items and
collections, scans of a real folder, and the file that keeps them.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from medianest.sandbox.people import MOVIES, SHOWS, VIDEOS


class FilmEntry(NamedTuple):
    tmdb: int
    title: str
    year: int
    imdb: str
    minutes: int
    rating: float
    content_rating: str
    director: str
    genres: tuple[str, ...]
    summary: str


class ShowEntry(NamedTuple):
    tmdb: int
    title: str
    year: int
    imdb: str
    tvdb: int
    episodes: tuple[int, ...]  # how many episodes each season has here, from season 1
    rating: float
    content_rating: str
    genres: tuple[str, ...]
    summary: str


KNOWN_FILMS = (
    FilmEntry(
        *(603, "The Matrix", 1999, "tt0133093", 136, 8.7, "R", "Lana Wachowski", ("Action", "Science Fiction")),
        summary="A programmer learns that his world is a program, and that he may leave it.",
    ),
    FilmEntry(
        *(27205, "Inception", 2010, "tt1375666", 148, 8.8, "PG-13", "Christopher Nolan", ("Action", "Science Fiction")),
        summary="Thieves who work in dreams are hired to leave something behind.",
    ),
    FilmEntry(
        *(157336, "Interstellar", 2014, "tt0816692", 169, 8.7, "PG-13", "Christopher Nolan", ("Drama", "Adventure")),
        summary="A pilot leaves a dying Earth, and his daughter, to look for another.",
    ),
    FilmEntry(
        *(438631, "Dune", 2021, "tt1160419", 155, 8.0, "PG-13", "Denis Villeneuve", ("Adventure", "Science Fiction")),
        summary="A family is given a desert planet that nobody has ever kept.",
    ),
    FilmEntry(
        *(155, "The Dark Knight", 2008, "tt0468569", 152, 9.1, "PG-13", "Christopher Nolan", ("Action", "Crime")),
        summary="A man with a mask meets a man with a painted face.",
    ),
    FilmEntry(
        *(13, "Forrest Gump", 1994, "tt0109830", 142, 8.8, "PG-13", "Robert Zemeckis", ("Comedy", "Drama")),
        summary="A slow man runs through three fast decades.",
    ),
    FilmEntry(
        *(680, "Pulp Fiction", 1994, "tt0110912", 154, 8.9, "R", "Quentin Tarantino", ("Thriller", "Crime")),
        summary="Two killers, a boxer and a briefcase, in the wrong order.",
    ),
    FilmEntry(
        *(550, "Fight Club", 1999, "tt0137523", 139, 8.8, "R", "David Fincher", ("Drama",)),
        summary="A man who cannot sleep makes a friend nobody may talk about.",
    ),
    FilmEntry(
        *(129, "Spirited Away", 2001, "tt0245429", 125, 8.6, "PG", "Hayao Miyazaki", ("Animation", "Fantasy")),
        summary="A girl works in a bath house for spirits to free her parents.",
    ),
    FilmEntry(
        *(78, "Blade Runner", 1982, "tt0083658", 117, 8.1, "R", "Ridley Scott", ("Science Fiction", "Thriller")),
        summary="A detective hunts people who were made, in the rain.",
    ),
    FilmEntry(
        *(348, "Alien", 1979, "tt0078748", 117, 8.5, "R", "Ridley Scott", ("Horror", "Science Fiction")),
        summary="A crew answers a signal it should have left alone.",
    ),
    FilmEntry(
        *(496243, "Parasite", 2019, "tt6751668", 133, 8.5, "R", "Bong Joon-ho", ("Comedy", "Thriller", "Drama")),
        summary="A poor family moves in with a rich one, a person at a time.",
    ),
    FilmEntry(
        *(862, "Toy Story", 1995, "tt0114709", 81, 8.3, "G", "John Lasseter", ("Animation", "Family")),
        summary="A cowboy doll has to share a shelf with a spaceman.",
    ),
    FilmEntry(
        *(105, "Back to the Future", 1985, "tt0088763", 116, 8.5, "PG", "Robert Zemeckis", ("Adventure", "Comedy")),
        summary="A boy must see to it that his parents meet.",
    ),
)

KNOWN_SHOWS = (
    ShowEntry(
        *(1399, "Game of Thrones", 2011, "tt0944947", 121361, (10, 10), 9.2, "TV-MA", ("Drama", "Fantasy")),
        summary="Nine houses want one chair. Only the first two seasons are here.",
    ),
    ShowEntry(
        *(87108, "Chernobyl", 2019, "tt7366338", 360893, (5,), 9.3, "TV-MA", ("Drama", "History")),
        summary="What happened in reactor four, and who said what about it.",
    ),
    ShowEntry(
        *(67070, "Fleabag", 2016, "tt5687612", 314614, (6, 6), 8.7, "TV-MA", ("Comedy", "Drama")),
        summary="A woman in London tells us more than she tells anyone else.",
    ),
)

ItemKind = Literal["movie", "show", "season", "episode"]
VIDEO_ENDINGS = frozenset({".mp4", ".mkv", ".webm", ".m4v", ".mov", ".avi"})
FIRST_KEY = 101
DAY_SECONDS = 86_400


class Section(msgspec.Struct, frozen=True):
    """A library on the server. `key` is text on the wire, though it looks like a number."""

    key: str
    kind: Literal["movie", "show"]
    title: str
    agent: str
    scanner: str
    folder: str
    uuid: str


class Item(msgspec.Struct, kw_only=True):
    """A film, show, season, episode or scanned file. `added_at` in epoch seconds, as Plex has it."""

    key: int
    kind: ItemKind
    section: str
    title: str
    added_at: int
    year: int | None = None
    tmdb: int | None = None
    imdb: str = ""  # "" and 0: it has none
    tvdb: int = 0
    summary: str = ""
    minutes: int = 0
    rating: float | None = None
    content_rating: str = ""
    director: str = ""
    genres: tuple[str, ...] = ()
    parent: int | None = None  # the show of a season, the season of an episode
    index: int | None = None  # the number of a season or an episode
    file: str = ""  # where it lies on the server; "" for shows and seasons
    size_bytes: int = 0


class Collection(msgspec.Struct, kw_only=True):
    key: int
    section: str
    kind: ItemKind
    title: str
    added_at: int
    items: list[int]
    arranged: bool = False  # shown in the order of `items`; else by date, and then by title


class Shelf(msgspec.Struct, kw_only=True):
    """All of the library that changes: what the JSON file holds."""

    next_key: int = FIRST_KEY
    items: dict[int, Item] = {}  # msgspec gives each Shelf its own
    collections: dict[int, Collection] = {}


class Library:
    """The shelf and what may be done to it. `changed` is called after each change, to keep it."""

    def __init__(
        self,
        videos_folder: Path,
        *,
        shelf: Shelf | None,
        clock: Callable[[], float] = time.time,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.videos_folder = videos_folder
        self.clock = clock
        self.changed = changed
        self.sections = {section.key: section for section in _sections(videos_folder)}
        self.refreshing: set[str] = set()
        self.shelf = shelf or Shelf()
        if shelf is None:
            self._stock()

    @property
    def items(self) -> dict[int, Item]:
        return self.shelf.items

    @property
    def collections(self) -> dict[int, Collection]:
        return self.shelf.collections

    def of_section(self, section: str, kind: str) -> list[Item]:
        return [item for item in self.items.values() if item.section == section and item.kind == kind]

    def children(self, parent: Item) -> list[Item]:
        found = [item for item in self.items.values() if item.parent == parent.key]
        return sorted(found, key=lambda item: item.index or 0)

    def leaves(self, item: Item) -> list[Item]:
        """The episodes below a show or a season, in their order."""
        if item.kind == "season":
            return self.children(item)
        return [episode for season in self.children(item) for episode in self.children(season)]

    def show_of(self, item: Item) -> Item:
        while item.parent is not None:
            item = self.items[item.parent]
        return item

    def find(self, *, tmdb: int, kind: ItemKind) -> Item | None:
        return next((item for item in self.items.values() if item.tmdb == tmdb and item.kind == kind), None)

    def add_film(self, entry: FilmEntry, added_at: int | None = None) -> Item:
        """The film; the one that stands there already if it does."""
        if there := self.find(tmdb=entry.tmdb, kind="movie"):
            return there
        folder = f"{entry.title} ({entry.year})"
        film = self._put(
            Item(
                key=0,
                kind="movie",
                section=MOVIES,
                added_at=added_at or int(self.clock()),
                **entry._asdict(),
                file=f"{self.sections[MOVIES].folder}/{folder}/{folder}.mkv",
                size_bytes=entry.minutes * 50_000_000,
            )
        )
        self.changed()
        return film

    def add_show(self, entry: ShowEntry, added_at: int | None = None) -> Item:
        """The show with the seasons of `entry`; seasons and episodes that stand there already stay as they are."""
        now = added_at or int(self.clock())
        show = self.find(tmdb=entry.tmdb, kind="show") or self._put(
            Item(
                key=0,
                kind="show",
                section=SHOWS,
                added_at=now,
                **{name: value for name, value in entry._asdict().items() if name != "episodes"},
            )
        )
        for number, episodes in enumerate(entry.episodes, start=1):
            if episodes:
                self._add_season(show, number, episodes, now)
        self.changed()
        return show

    def remove(self, item: Item) -> None:
        """Takes the item, all below it, and its place in collections away."""
        for child in self.children(item):
            self.remove(child)
        del self.items[item.key]
        for collection in list(self.collections.values()):
            if item.key in collection.items:
                self.take_out(collection, item.key)
        self.changed()

    def collect(self, section: str, title: str, items: list[Item]) -> Collection:
        key = self._next_key()
        keys = [item.key for item in items]
        made = Collection(
            key=key, section=section, kind=items[0].kind, title=title, added_at=int(self.clock()), items=keys
        )
        self.collections[key] = made
        self.changed()
        return made

    def put_in(self, collection: Collection, items: Iterable[Item]) -> None:
        collection.items += [item.key for item in items if item.key not in collection.items]
        self.changed()

    def move(self, collection: Collection, key: int, after: int | None) -> None:
        """Right behind another member; None: to the front."""
        collection.items.remove(key)
        collection.items.insert(0 if after is None else collection.items.index(after) + 1, key)
        self.changed()

    def arrange(self, collection: Collection) -> None:
        collection.arranged = True
        self.changed()

    def take_out(self, collection: Collection, key: int) -> None:
        """Without its last item a collection is gone, as on the real server."""
        collection.items.remove(key)
        if not collection.items:
            del self.collections[collection.key]
        self.changed()

    def remove_collection(self, collection: Collection) -> None:
        del self.collections[collection.key]
        self.changed()

    def scan(self, below: str | None = None) -> list[Item]:
        """Files that came since the last scan, as items; those of files that went are removed.

        `below` is a folder or file to look at alone; outside of the library nothing is found.
        """
        files = {str(file): file.stat().st_size for file in _videos_in(self.videos_folder) if _is_below(file, below)}
        known = {item.file: item for item in self.of_section(VIDEOS, "movie") if _is_below(Path(item.file), below)}
        for file in known.keys() - files.keys():
            self.remove(known[file])
        for file in known.keys() & files.keys():
            known[file].size_bytes = files[file]
        found = [self._add_file(Path(file), files[file]) for file in sorted(files.keys() - known.keys())]
        self.changed()
        return found

    def _stock(self) -> None:
        """The catalogue, the last entries the newest: one a day, so that the lists of new things look alive."""
        now, whole = int(self.clock()), len(KNOWN_FILMS) + len(KNOWN_SHOWS)
        for age, film in zip(range(whole, 0, -1), KNOWN_FILMS, strict=False):
            self.add_film(film, now - age * DAY_SECONDS)
        for age, show in zip(range(len(KNOWN_SHOWS), 0, -1), KNOWN_SHOWS, strict=True):
            self.add_show(show, now - age * DAY_SECONDS)

    def _add_season(self, show: Item, number: int, episodes: int, added_at: int) -> None:
        season = next((child for child in self.children(show) if child.index == number), None) or self._put(
            Item(
                key=0,
                kind="season",
                section=SHOWS,
                title=f"Season {number}",
                added_at=added_at,
                parent=show.key,
                index=number,
            )
        )
        there = {child.index for child in self.children(season)}
        for episode in range(1, episodes + 1):
            if episode not in there:
                self._put(self._episode(show, season, episode, added_at))

    def _episode(self, show: Item, season: Item, number: int, added_at: int) -> Item:
        name = f"{show.title} - s{season.index:02}e{number:02}"
        return Item(
            key=0,
            kind="episode",
            section=SHOWS,
            title=f"Episode {number}",
            added_at=added_at,
            year=show.year,
            minutes=50,
            parent=season.key,
            index=number,
            file=f"{self.sections[SHOWS].folder}/{show.title}/Season {season.index:02}/{name}.mkv",
            size_bytes=1_500_000_000,
        )

    def _add_file(self, file: Path, size_bytes: int) -> Item:
        now = int(self.clock())
        return self._put(
            Item(
                key=0,
                kind="movie",
                section=VIDEOS,
                title=file.stem,
                added_at=now,
                file=str(file),
                size_bytes=size_bytes,
                minutes=1,
            )
        )

    def _put(self, item: Item) -> Item:
        item.key = self._next_key()
        self.items[item.key] = item
        return item

    def _next_key(self) -> int:
        key = self.shelf.next_key
        self.shelf.next_key += 1
        return key


def _sections(videos_folder: Path) -> Iterator[Section]:
    yield Section(
        key=MOVIES,
        kind="movie",
        title="Movies",
        agent="tv.plex.agents.movie",
        scanner="Plex Movie",
        folder="/data/Movies",
        uuid="9b1f7c1e-0f5b-4a55-8a0e-000000000001",
    )
    yield Section(
        key=SHOWS,
        kind="show",
        title="Shows",
        agent="tv.plex.agents.series",
        scanner="Plex TV Series",
        folder="/data/Shows",
        uuid="9b1f7c1e-0f5b-4a55-8a0e-000000000002",
    )
    yield Section(
        key=VIDEOS,
        kind="movie",
        title="Videos",
        agent="tv.plex.agents.none",
        scanner="Plex Video Files",
        folder=str(videos_folder),
        uuid="9b1f7c1e-0f5b-4a55-8a0e-000000000003",
    )


def _videos_in(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))  # Plex passes hidden ones by
        yield from (Path(parent, name) for name in names if Path(name).suffix.lower() in VIDEO_ENDINGS)


def _is_below(file: Path, below: str | None) -> bool:
    return below is None or file.is_relative_to(below)
