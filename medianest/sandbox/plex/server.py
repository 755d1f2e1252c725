"""The stand-in for a Plex Media Server: libraries, items, pictures, scans, who is watching.

From developer.plex.tv and what python-plexapi, Seerr and Overseerr ask for. Booleans, times and absent fields are as
plex-api.rs and Home Assistant captured them.
"""

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from medianest.sandbox.pictures import picture
from medianest.sandbox.plex.browsing import Browsing, Shown, filters_of
from medianest.sandbox.plex.library import TYPE_NUMBERS, Item, Section, chosen
from medianest.sandbox.plex.wire import (
    Ask,
    Json,
    PlexRoute,
    Refusal,
    behind,
    container,
    describe,
    describe_collection,
    describe_section,
    error_page,
    listing,
)
from medianest.sandbox.plex.world import SERVER_NAME, SERVER_VERSION, Playing, PlexWorld
from medianest.sandbox.serving import Answer, ASGIApp, Call, application

RECENT = 50
ITEM_TYPES = {str(number): kind for kind, number in TYPE_NUMBERS.items()}
NOTHING = Answer(200, b"", "text/html")


def plex_server_app(world: PlexWorld) -> ASGIApp:
    """Olivia's server, to be mounted at /plex with the prefix taken off."""
    shown = Shown(world)
    routes = [*PlexServer(shown).routes(), *Browsing(shown).routes()]
    return application([behind(route, world.viewer, error_page) for route in routes], _unknown)


class PlexServer:
    """What is there, by its place. Friends see the sections that are shared with them, and change nothing."""

    def __init__(self, shown: Shown) -> None:
        self._world = shown.world
        self._shown = shown

    def routes(self) -> list[PlexRoute]:
        return [
            PlexRoute("GET", "/identity", self.identity, needs="nothing"),
            PlexRoute("GET", "/", self.capabilities),
            PlexRoute("GET", "/library", self.library_root),
            PlexRoute("GET", "/library/sections", self.list_sections),
            PlexRoute("GET", "/library/sections/all", self.list_sections),
            *(PlexRoute(way, "/library/sections/all/refresh", self.refresh_all, "owner") for way in ("GET", "POST")),
            PlexRoute("GET", "/library/sections/{key}", self.show_section),
            PlexRoute("GET", "/library/sections/{key}/all", self.list_items),
            PlexRoute("GET", "/library/sections/{key}/genre", self.list_genres),
            PlexRoute("GET", "/library/sections/{key}/year", self.list_years),
            PlexRoute("GET", "/:/scrobble", self.scrobble),
            PlexRoute("GET", "/library/sections/{key}/recentlyAdded", self.list_recent_in_section),
            *(PlexRoute(way, "/library/sections/{key}/refresh", self.refresh, "owner") for way in ("GET", "POST")),
            PlexRoute("DELETE", "/library/sections/{key}/refresh", self.cancel_refresh, "owner"),
            PlexRoute("GET", "/library/recentlyAdded", self.list_recent),
            PlexRoute("GET", "/library/onDeck", self.list_nothing),
            PlexRoute("GET", "/hubs/continueWatching/items", self.list_nothing),
            PlexRoute("GET", "/library/all", self.list_everything),
            PlexRoute("GET", "/library/metadata/{keys}", self.show_items),
            PlexRoute("GET", "/library/metadata/{key}/children", self.list_children),
            PlexRoute("GET", "/library/metadata/{key}/allLeaves", self.list_leaves),
            PlexRoute("GET", "/library/metadata/{key}/grandchildren", self.list_leaves),
            PlexRoute("GET", "/status/sessions", self.list_sessions, "owner"),
            PlexRoute("GET", "/accounts", self.list_accounts, "owner"),
            PlexRoute("GET", "/library/metadata/{key}/thumb/{stamp}", self.show_thumb),
            PlexRoute("GET", "/library/metadata/{key}/art/{stamp}", self.show_art),
            PlexRoute("GET", "/library/sections/{key}/composite/{stamp}", self.show_composite),
            PlexRoute("GET", "/library/collections/{key}/composite/{stamp}", self.show_composite),
            PlexRoute("GET", "/:/resources/{name}", self.show_resource),
            PlexRoute("GET", "/photo/:/transcode", self.transcode_picture),
        ]

    async def identity(self, ask: Ask) -> Answer:
        """The one address that needs no token."""
        about = {"size": 0, "apiVersion": "1.1.1", "claimed": True}
        return container(ask, {**about, "machineIdentifier": self._world.machine_identifier, "version": SERVER_VERSION})

    async def capabilities(self, ask: Ask) -> Answer:
        fields = {
            "size": 2,
            "allowSync": True,
            "claimed": True,
            "friendlyName": SERVER_NAME,
            "machineIdentifier": self._world.machine_identifier,
            "myPlex": True,
            "myPlexMappingState": "mapped",
            "myPlexSigninState": "ok",
            "myPlexSubscription": True,
            "myPlexUsername": self._world.owner.email,
            "ownerFeatures": "webhooks,home",
            "platform": "Linux",
            "platformVersion": "6.1.0",
            "transcoderActiveVideoSessions": 0,
            "updatedAt": 1602461679,
            "version": SERVER_VERSION,
            "Directory": [{"count": 1, "key": name, "title": name} for name in ("library", "hubs")],
        }
        return container(ask, fields)

    async def library_root(self, ask: Ask) -> Answer:
        doors = [{"key": "sections", "title": "Library Sections"}, {"key": "recentlyAdded", "title": "Recently Added"}]
        fields = {"art": "/:/resources/library-art.png", "content": "", "mediaTagVersion": 1602461679}
        return listing(ask, "Directory", doors, {**fields, "title1": "Plex Library"})

    async def list_sections(self, ask: Ask) -> Answer:
        entries = [describe_section(self._world.library, section) for section in self._shown.sections(ask)]
        return listing(ask, "Directory", entries, {"title1": "Plex Library"})

    async def show_section(self, ask: Ask) -> Answer:
        section = self._shown.section(ask)
        doors = [{"key": name, "title": title} for name, title in (("all", "All"), ("recentlyAdded", "Recently Added"))]
        return listing(ask, "Directory", doors, {"title1": section.title, "librarySectionID": int(section.key)})

    async def list_items(self, ask: Ask) -> Answer:
        section = self._shown.section(ask)
        kind = ITEM_TYPES.get(ask.get("type"), section.kind)
        fields = _section_fields(section)
        if ask.flag("includeMeta"):
            fields["Meta"] = filters_of(section)
        if kind == "collection":
            collections = self._shown.collections(ask, section.key)
            entries = [describe_collection(self._world.library, collection) for collection in collections]
            return listing(ask, "Metadata", entries, fields)
        items = self._world.library.of_section(section.key, kind)
        found = chosen(ask.query, items)
        # Of shows there is no such filter, and the real one takes no notice of what it does not know.
        unwatched = ask.flag("episode.unwatched" if kind == "show" else "unwatched")
        return self._shown.item_list(ask, self._shown.unwatched(ask, found) if unwatched else found, fields)

    async def list_genres(self, ask: Ask) -> Answer:
        """What the films or shows of a section are filed under. The real one has numbers for keys."""
        return self._filed(ask, "genre", lambda item: item.genres)

    async def list_years(self, ask: Ask) -> Answer:
        """The years the films or shows of a section are of."""
        return self._filed(ask, "year", lambda item: (str(item.year),) if item.year else ())

    def _filed(self, ask: Ask, name: str, words: Callable[[Item], Iterable[str]]) -> Answer:
        section = self._shown.section(ask)
        items = self._world.library.of_section(section.key, section.kind)
        entries = [
            {"fastKey": f"/library/sections/{section.key}/all?{name}={one}", "key": one, "title": one}
            for one in sorted({word for item in items for word in words(item)})
        ]
        return listing(ask, "Directory", entries, _section_fields(section))

    async def scrobble(self, ask: Ask) -> Answer:
        """Marks a film or episode as seen by whoever asks."""
        self._world.watched.add((ask.person.name, self._shown.item(ask, ask.get("key")).key))
        return NOTHING

    async def list_recent_in_section(self, ask: Ask) -> Answer:
        section = self._shown.section(ask)
        return self._shown.item_list(ask, self._recent([section]), _section_fields(section))

    async def list_recent(self, ask: Ask) -> Answer:
        """Films, and of shows their seasons: a mixed list, as the real one."""
        return self._shown.item_list(ask, self._recent(self._shown.sections(ask)))

    async def list_nothing(self, ask: Ask) -> Answer:
        return listing(ask, "Metadata", [])

    async def list_everything(self, ask: Ask) -> Answer:
        kinds = {ITEM_TYPES[ask.get("type")]} if ask.get("type") in ITEM_TYPES else {"movie", "show"}
        items = [item for item in self._shown.items(ask) if item.kind in kinds]
        return self._shown.item_list(ask, chosen(ask.query, items))

    async def refresh(self, ask: Ask) -> Answer:
        """Starts a scan and answers at once, with nothing. `path` limits it to a folder."""
        self._world.start_scan(self._shown.section(ask).key, ask.get("path") or None)
        return NOTHING

    async def refresh_all(self, ask: Ask) -> Answer:
        for key in self._world.library.sections:
            self._world.start_scan(key)
        return NOTHING

    async def cancel_refresh(self, ask: Ask) -> Answer:
        self._world.stop_scan(self._shown.section(ask).key)
        return NOTHING

    async def show_items(self, ask: Ask) -> Answer:
        """One or several, separated by commas; 404 if none of them is there. Guids are always told here."""
        library = self._world.library
        wanted = {int(key) for key in ask.call.params["keys"].split(",") if key.isdecimal()}
        found = [self._shown.described(ask, item, guids=True) for item in self._shown.items(ask) if item.key in wanted]
        found += [describe_collection(library, one) for one in self._shown.collections(ask) if one.key in wanted]
        if not found:
            raise Refusal(404)
        return listing(ask, "Metadata", found)

    async def list_children(self, ask: Ask) -> Answer:
        parent = self._shown.item(ask)
        fields = {"key": str(parent.key), "parentTitle": parent.title, "librarySectionID": int(parent.section)}
        return self._shown.item_list(ask, self._world.library.children(parent), fields)

    async def list_leaves(self, ask: Ask) -> Answer:
        item = self._shown.item(ask)
        return self._shown.item_list(ask, self._world.library.leaves(item), {"key": str(item.key)})

    async def list_sessions(self, ask: Ask) -> Answer:
        entries = [self._session(playing, number) for number, playing in enumerate(self._world.playing, start=1)]
        return container(ask, {"size": len(entries), **({"Metadata": entries} if entries else {})})

    async def list_accounts(self, ask: Ask) -> Answer:
        """Local ids: the owner is 1, whatever plex.tv says."""
        entries = [
            {"id": 1 if one.owner else one.plex_id, "key": f"/accounts/{one.plex_id}", "name": one.title}
            for one in self._world.people.values()
            if self._world.has_access(one)
        ]
        return listing(ask, "Account", entries)

    async def show_thumb(self, ask: Ask) -> Answer:
        return picture(self._shown.item(ask).title, 200, 300)

    async def show_art(self, ask: Ask) -> Answer:
        return picture(self._shown.item(ask).title, 640, 360)

    async def show_composite(self, ask: Ask) -> Answer:
        return picture(ask.call.params["key"], 200, 300)

    async def show_resource(self, ask: Ask) -> Answer:
        return picture(ask.call.params["name"], 200, 200)

    async def transcode_picture(self, ask: Ask) -> Answer:
        """A picture of this server in another size: `url` is its path here."""
        width, height, path = ask.number("width", 0), ask.number("height", 0), urlsplit(ask.get("url"))
        if not (width and height and path.path) or path.netloc:
            raise Refusal(400)
        parts, subject = path.path.strip("/").split("/"), path.path
        if parts[:2] == ["library", "metadata"] and len(parts) > 3:
            subject = self._shown.item(ask, parts[2]).title
        return picture(subject, width, height)

    def _recent(self, sections: Iterable[Section]) -> list[Item]:
        kinds = {"movie": "movie", "show": "season"}
        items = [item for one in sections for item in self._world.library.of_section(one.key, kinds[one.kind])]
        return sorted(items, key=lambda item: (-item.added_at, -item.key))[:RECENT]

    def _session(self, playing: Playing, number: int) -> Json:
        person = playing.person
        player = {"address": "127.0.0.1", "product": "Plex Web", "state": "playing", "title": "Firefox", "local": True}
        return {
            **describe(self._world.library, playing.item),
            "sessionKey": str(number),
            "viewOffset": playing.offset_ms,
            "User": {"id": "1" if person.owner else str(person.plex_id), "title": person.title},
            "Player": player,
            "Session": {"id": f"session-{number}", "bandwidth": 8000, "location": "lan"},
        }


async def _unknown(call: Call) -> Answer:
    return error_page(Ask.of(call), Refusal(404))


def _section_fields(section: Section) -> Json:
    return {
        "librarySectionID": int(section.key),
        "librarySectionTitle": section.title,
        "librarySectionUUID": section.uuid,
        "title1": section.title,
        "viewGroup": section.kind,
    }
