"""Olivia's library: what stands in it from the start, sections, items and collections, what may be done to them and
asked of them, and scans of a real folder.

Sections, items and the filters and sorts of lists are those of developer.plex.tv and of python-plexapi; that a collection
goes with its last item is a claim of several projects.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from medianest.sandbox.cast import MOVIES, SHOWS, VIDEOS, Title, find_title


class InStock(NamedTuple):
    """A title that is there from the start, and what Plex says of it beyond the catalogue."""

    tmdb: int
    rating: float
    content_rating: str
    director: str = ""  # of a film
    seasons: int = 0  # of a show: how many of them are here


FILMS_IN_STOCK = (
    InStock(603, 8.7, "R", "Lana Wachowski"),
    InStock(27205, 8.8, "PG-13", "Christopher Nolan"),
    InStock(157336, 8.7, "PG-13", "Christopher Nolan"),
    InStock(438631, 8.0, "PG-13", "Denis Villeneuve"),
    InStock(155, 9.1, "PG-13", "Christopher Nolan"),
    InStock(13, 8.8, "PG-13", "Robert Zemeckis"),
    InStock(680, 8.9, "R", "Quentin Tarantino"),
    InStock(550, 8.8, "R", "David Fincher"),
    InStock(129, 8.6, "PG", "Hayao Miyazaki"),
    InStock(78, 8.1, "R", "Ridley Scott"),
    InStock(348, 8.5, "R", "Ridley Scott"),
    InStock(496243, 8.5, "R", "Bong Joon-ho"),
    InStock(862, 8.3, "G", "John Lasseter"),
    InStock(105, 8.5, "PG", "Robert Zemeckis"),
)
SHOWS_IN_STOCK = (
    InStock(1399, 9.2, "TV-MA", seasons=2),
    InStock(87108, 9.3, "TV-MA", seasons=1),
    InStock(67070, 8.7, "TV-MA", seasons=2),
)
UNRATED = InStock(0, 7.0, "")

ItemKind = Literal["movie", "show", "season", "episode"]
VIDEO_ENDINGS = frozenset({".mp4", ".mkv", ".webm", ".m4v", ".mov", ".avi"})
TYPE_NUMBERS = {"movie": 1, "show": 2, "season": 3, "episode": 4, "collection": 18}  # `type` in queries
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

    def __init__(self, videos_folder: Path, shelf: Shelf, clock: Callable[[], float] = time.time) -> None:
        self.videos_folder = videos_folder
        self.shelf = shelf
        self.clock = clock
        self.changed: Callable[[], None] = lambda: None
        self.sections = {section.key: section for section in _sections(videos_folder)}
        self.refreshing: set[str] = set()

    def stock(self) -> None:
        """What is there from the start, the last entries the newest: one a day, so that lists of new things look alive."""
        now, whole = int(self.clock()), len(FILMS_IN_STOCK) + len(SHOWS_IN_STOCK)
        for age, film in zip(range(whole, 0, -1), FILMS_IN_STOCK, strict=False):
            self.add_film(_title("movie", film), film, now - age * DAY_SECONDS)
        for age, show in zip(range(len(SHOWS_IN_STOCK), 0, -1), SHOWS_IN_STOCK, strict=True):
            title = _title("tv", show)
            here = {number: title.seasons[number] for number in title.regular_seasons()[: show.seasons]}
            self.add_show(title, here, show, now - age * DAY_SECONDS)

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

    def find(self, *, tmdb: int, kind: ItemKind) -> Item | None:
        return next((item for item in self.items.values() if item.tmdb == tmdb and item.kind == kind), None)

    def add_film(self, title: Title, about: InStock = UNRATED, added_at: int | None = None) -> Item:
        """The film; the one that stands there already if it does."""
        if there := self.find(tmdb=title.tmdb, kind="movie"):
            return there
        folder = f"{title.title} ({title.year})"
        film = _item_of(title, about, added_at or int(self.clock()))
        film.file = f"{self.sections[MOVIES].folder}/{folder}/{folder}.mkv"
        film.size_bytes = title.minutes * 50_000_000
        self._put(film)
        self.changed()
        return film

    def add_show(
        self, title: Title, episodes: Mapping[int, int], about: InStock = UNRATED, added_at: int | None = None
    ) -> Item:
        """The show with so many `episodes` of each season; what stands there already stays as it is."""
        now = added_at or int(self.clock())
        show = self.find(tmdb=title.tmdb, kind="show") or self._put(_item_of(title, about, now))
        for number, count in episodes.items():
            self._add_season(show, number, count, now)
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


def _title(kind: str, stocked: InStock) -> Title:
    title = find_title(kind, stocked.tmdb)
    assert title is not None
    return title


def _item_of(title: Title, about: InStock, added_at: int) -> Item:
    return Item(
        key=0,
        kind="movie" if title.kind == "movie" else "show",
        section=MOVIES if title.kind == "movie" else SHOWS,
        title=title.title,
        added_at=added_at,
        year=title.year,
        tmdb=title.tmdb,
        imdb=title.imdb,
        tvdb=title.tvdb or 0,
        summary=title.overview,
        minutes=title.minutes if title.kind == "movie" else 0,
        rating=about.rating,
        content_rating=about.content_rating,
        director=about.director,
        genres=title.genres,
    )


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


SORTS: dict[str, Callable[[Item], tuple[int, int] | str | float]] = {
    "addedAt": lambda item: (item.added_at, item.key),
    "titleSort": lambda item: title_sort(item.title).lower(),
    "year": lambda item: item.year or 0,
    "originallyAvailableAt": lambda item: item.year or 0,
    "rating": lambda item: item.rating or 0,
    "audienceRating": lambda item: item.rating or 0,
    "duration": lambda item: item.minutes,
}
FILTERS: dict[str, Callable[[Item, str], bool]] = {
    "title": lambda item, text: text.lower() in item.title.lower(),
    "title=": lambda item, text: text.lower() == item.title.lower(),
    "year": lambda item, years: str(item.year) in years.split(","),
    "year>>": lambda item, year: (item.year or 0) > _number(year),
    "year<<": lambda item, year: (item.year or 0) < _number(year),
    "addedAt>>": lambda item, seconds: item.added_at > _number(seconds),
    "addedAt<<": lambda item, seconds: item.added_at < _number(seconds),
    "genre": lambda item, genres: bool(set(item.genres) & set(genres.split(","))),
    "guid": lambda item, wanted: guid(item) == wanted,
}


def chosen(query: Iterable[tuple[str, str]], items: Iterable[Item]) -> list[Item]:
    """The items that pass the filters of the query, in the order it asks for: by title unless it says so.

    Names may carry the type (`movie.year`); unknown names are passed over, as by the real server.
    """
    asked = tuple(query)
    tests = [(FILTERS[plain], value) for name, value in asked if (plain := _plain(name)) in FILTERS]
    found = [item for item in items if all(test(item, value) for test, value in tests)]
    sort = next((value for name, value in asked if name == "sort" and value), "titleSort")
    for order in reversed(sort.split(",")):
        name, _, direction = _plain(order).partition(":")
        if name in SORTS:
            found.sort(key=SORTS[name], reverse=direction == "desc")
    return found


def _plain(name: str) -> str:
    kind, _, rest = name.partition(".")
    return rest if kind in TYPE_NUMBERS and rest else name


def _number(text: str) -> float:
    return float(text) if text.replace(".", "", 1).isdecimal() else 0.0


def guid(item: Item) -> str:
    """Videos have no agent that could match them: their guid says nothing."""
    if item.tmdb is None and item.parent is None:
        return f"local://{item.key}"
    digest = hashlib.sha256(f"{item.kind}:{item.tmdb}:{item.parent}:{item.index}".encode()).hexdigest()
    return f"plex://{item.kind}/{digest[:24]}"


def title_sort(title: str) -> str:
    return title.removeprefix("The ").removeprefix("A ")
