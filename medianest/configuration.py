"""The settings that admins change while MediaNest runs, and how every process comes to have the new ones.

What an admin has set wins over the environment and the settings file, and those win over what is built in: the last
word is with whoever looks at the running system, is on record, and can be taken back; what is below is how it begins,
and what it falls back to. A setting that is not in `SECTIONS` is read when a process starts, and only then.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import structlog
from msgspec import inspect, structs

from medianest.credentials import Credentials
from medianest.domain.configuration import SettingsChanged, Value, after
from medianest.eventstore.store import EventStore
from medianest.secret import Secret
from medianest.settings import ADDRESSES, Settings, WrongSetting, changed

log = structlog.get_logger()
AT_ONCE = 100  # changes that are taken up in one go
HOLDER = "settings"  # whose credentials the sealed secrets are
Kind = Literal["text", "address", "secret", "whole number", "number", "switch", "choice", "list"]
Source = Literal["admin", "environment or file", "built in"]


class Field(NamedTuple):
    """One setting, as somebody who does not know its name understands it."""

    name: str
    label: str
    help: str
    unit: str = ""
    sent_to: str = ""  # of a secret: the setting with the address it is sent to


class Section(NamedTuple):
    name: str
    label: str
    help: str
    fields: tuple[Field, ...]
    testable: bool = False


def _circuit_fields(prefix: str, label: str) -> tuple[Field, Field]:
    return (
        Field(f"{prefix}_breaker_failures", "Failures in a row", f"After so many {label} is left alone for a while."),
        Field(f"{prefix}_breaker_pause_seconds", "Pause", "For so long; then one call tries again.", "seconds"),
    )


SECTIONS: tuple[Section, ...] = (
    Section(
        "plex", "Plex", "The server that everybody watches.",
        (
            Field("plex_url", "Address", "Where MediaNest reaches the Plex server, like http://192.168.1.10:32400. Everybody's token of this server is sent there."),
            Field("plex_webhook_secret", "Webhook secret", "Have Plex post to /api/v1/webhooks/plex/ here, with it at the end; without one its webhooks are refused."),
            Field("plex_video_section", "Library of videos", "The key of the library that shows downloads; empty: found by its folder."),
            Field("plex_media_path", "Media folder in Plex", "The media folder as Plex sees it; empty: as MediaNest sees it."),
            *_circuit_fields("plex", "Plex"),
        ),
        testable=True,
    ),
    Section(
        "seerr", "Seerr or Overseerr", "Where requests for films and series go.",
        (
            Field("seerr_url", "Address", "Where MediaNest reaches it, like http://192.168.1.10:5055."),
            Field("seerr_api_key", "API key", "In Seerr: Settings, General, API Key.", sent_to="seerr_url"),
            Field("seerr_webhook_secret", "Webhook secret", "Have Seerr post to /api/v1/webhooks/overseerr here, with it as Authorization Header; without one its webhooks are refused."),
            Field("approval_mode", "Who approves", "seerr: by its own rules and moderators. medianest: moderators here, and only what they approve is sent."),
            Field("seerr_poll_seconds", "Look for changes every", "Webhooks are quicker, but not all are sent.", "seconds"),
            *_circuit_fields("seerr", "Seerr"),
        ),
        testable=True,
    ),
    Section(
        "uptime-kuma", "Uptime Kuma", "What watches over the services, beside MediaNest itself.",
        (
            Field("uptime_kuma_url", "Address", "Where MediaNest reaches it, like http://192.168.1.10:3001."),
            Field("uptime_kuma_way", "Way in", "Log-in tells everything at once. An API key leaves paused monitors out; a status page has what is on it, a minute late."),
            Field("uptime_kuma_username", "User name", "Of the log-in; empty where Uptime Kuma asks for none."),
            Field("uptime_kuma_password", "Password", "Of the log-in.", sent_to="uptime_kuma_url"),
            Field("uptime_kuma_code_secret", "Secret of one-time codes", "Of a two-factor log-in: what the authenticator app is given.", sent_to="uptime_kuma_url"),
            Field("uptime_kuma_api_key", "API key", "In Uptime Kuma: Settings, API Keys.", sent_to="uptime_kuma_url"),
            Field("uptime_kuma_status_page", "Status page", "The end of the address of a public one, after /status/."),
            Field("uptime_kuma_services", "Monitors of services", "Which monitor stands for which, by number or name, like plex=3; plex=- for none. What is not set is found by address or name."),
            Field("uptime_kuma_webhook_secret", "Webhook secret", "Have Uptime Kuma post to /api/v1/webhooks/uptime-kuma here, with it as additional header Authorization; without one its webhooks are refused."),
            Field("uptime_kuma_poll_seconds", "Look every", "Where it is an API key or a status page.", "seconds"),
            *_circuit_fields("uptime_kuma", "Uptime Kuma"),
        ),
        testable=True,
    ),
    Section(
        "videos", "Videos", "What may be sent to the server, and how much of it.",
        (
            Field("video_hosts", "Sites", "The hosts that videos may come from."),
            Field("downloads_at_once", "Downloads at once", "More wait for their turn."),
            Field("downloads_per_hour", "Submissions an hour", "Of one person; a playlist is one."),
            Field("playlist_items", "Videos of a playlist", "The most that one submission takes."),
            Field("videos_days", "Keep videos for", "Then they are removed, from Plex too; 0: never. A change takes effect a day later.", "days"),
            Field("download_deadline_seconds", "Longest download", "Then it is given up.", "seconds"),
            Field("download_max_bytes", "Largest video", "Larger ones are refused.", "bytes"),
            *_circuit_fields("video", "a site"),
        ),
    ),
    Section(
        "people", "People", "Who may come in. How much they may ask for are the quotas, of all and of each.",
        (
            Field("new_people", "New people", "Whether friends with whom the server is shared come in who were never here: welcome, or closed."),
        ),
    ),
    Section(
        "operation", "Operation", "How often MediaNest looks, and how much it lets everybody do.",
        (
            Field("probe_seconds", "Look at the services every", "Whether they are up.", "seconds"),
            Field("requests_per_minute", "Calls a minute", "Of one account."),
            Field("logins_per_minute", "Sign-ins a minute", "From one address."),
            Field("webhooks_days", "Keep webhooks for", "They are kept sealed, and go at once when anybody is erased.", "days"),
        ),
    ),
)  # fmt: skip
FIELDS: dict[str, Field] = {field.name: field for section in SECTIONS for field in section.fields}
_TYPES = {field.name: field for field in inspect.type_info(Settings).fields}  # type: ignore[attr-defined]


class Shape(NamedTuple):
    """What a value of a setting may be."""

    kind: Kind
    choices: tuple[str, ...]
    at_least: float | None
    at_most: float | None


def shape_of(name: str) -> Shape:
    match _TYPES[name].type:
        case inspect.UnionType(types=(inspect.CustomType(), *_)):
            return Shape("secret", (), None, None)
        case inspect.IntType() as whole:
            return Shape("whole number", (), whole.ge, whole.le)
        case inspect.FloatType() as number:
            return Shape("number", (), number.ge if number.ge is not None else number.gt, number.le)
        case inspect.BoolType():
            return Shape("switch", (), None, None)
        case inspect.LiteralType(values=values):
            return Shape("choice", tuple(str(value) for value in values), None, None)
        case inspect.VarTupleType():
            return Shape("list", (), None, None)
    return Shape("address" if name in ADDRESSES else "text", (), None, None)


def is_secret(name: str) -> bool:
    return shape_of(name).kind == "secret"


class Configuration:
    """The settings in force in this process. `settings` is the one object that everybody holds: it changes in place."""

    def __init__(self, settings: Settings, store: EventStore, credentials: Credentials) -> None:
        self.settings = settings
        self.listeners: list[Callable[[], None]] = []  # told after each change; they must not raise
        self._underneath = structs.replace(settings)
        self._built_in = Settings(data=settings.data)
        self._store = store
        self._credentials = credentials
        self._values: Mapping[str, Value] = {}
        self._position = 0
        self._turn = asyncio.Lock()

    async def refresh(self) -> None:
        """Take up what was put on record since the last time."""
        async with self._turn:
            while changes := await self._store.earliest(SettingsChanged, after=self._position, limit=AT_ONCE):
                for recorded in changes:
                    assert isinstance(recorded.event, SettingsChanged)
                    self._values = after(self._values, recorded.event)
                    await self._apply([change.setting for change in recorded.event.changes])
                    self._position = recorded.position

    def source_of(self, name: str) -> Source:
        if name in self._values:
            return "admin"
        return "built in" if self.underneath(name) == getattr(self._built_in, name) else "environment or file"

    def underneath(self, name: str) -> Any:
        """What holds where no admin has set anything."""
        return getattr(self._underneath, name)

    async def keep(self, name: str, sealed_as: str, secret: Secret) -> None:
        """Seal a secret under a name that an event may hold in its place; earlier ones stay, to be gone back to."""
        await self._credentials.put(HOLDER, f"{name}/{sealed_as}", secret)

    def with_values(self, values: Mapping[str, Any]) -> Settings:
        """The settings as they would be with `values`, in the clear; None is what holds underneath.

        Raises `WrongSetting` for the first that cannot be used.
        """
        given = {name: self.underneath(name) if value in (None, "") else value for name, value in values.items()}
        return changed(self.settings, given)

    async def _apply(self, names: list[str]) -> None:
        """What this release does not know, or cannot use, is passed over: a process must start whatever stands there."""
        for name in names:
            if name not in FIELDS:
                log.warning("a setting on record is unknown to this release", setting=name)
                continue
            try:
                found = changed(self.settings, {name: await self._opened(name)})
            except WrongSetting as wrong:
                log.warning("a setting on record cannot be used: the one before stays", setting=name, why=str(wrong))
                continue
            # In place, since everybody holds this object, and reads it when they need it.
            structs.force_setattr(self.settings, name, getattr(found, name))
        for listener in self.listeners:
            listener()

    async def _opened(self, name: str) -> Any:
        value = self._values.get(name)
        if value is None:
            return self.underneath(name)
        if is_secret(name):
            return await self._credentials.get(HOLDER, f"{name}/{value}")
        return value


def on_record(settings: Settings, name: str) -> Value:
    """A value of `settings`, as an event holds it; not of a secret."""
    value: Value = getattr(settings, name)
    return value
