"""Events to rows and back: JSON in the log, typed Structs everywhere else."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec import structs

from medianest.domain.command import Actor
from medianest.domain.event import Event, Personal, Tags, personal_fields, type_of
from medianest.eventstore.columns import moment_in, texts_in
from medianest.eventstore.upcasters import UPCASTERS, Upcaster
from medianest.eventstore.vault import SealBroken, Vault, place_of

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # escaped as a NUL, not as the six characters


class UnknownEvent(Exception):
    """The log holds a type or version that this release does not know: run the newer release. Never skipped."""


# A newer release runs beside this one, or a row was altered: that stops who reads it, and not the process.
UNREADABLE = (UnknownEvent, SealBroken)


class Metadata(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why an event is there: who, through which command, on behalf of what."""

    actor: Actor
    command: UUID
    n: int = 0  # which of the command's events
    correlation: UUID | None = None  # the command that began it all; None: this one
    causation: int | None = None  # the position of the event that led to the command; None: none did
    # A hash of the command's fingerprint, in its first event: under a seal, as `command_ids` is not. Empty in what releases
    # before wrote.
    wish: bytes = b""

    @property
    def origin(self) -> UUID:
        """The command that began the chain of causes, by which all that followed from it is found."""
        return self.correlation or self.command


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """An event and its envelope. Personal fields are sealed.

    The envelope is decoded when it is asked for: a catch-up over the whole log asks for little of it.
    """

    position: int
    event: Event
    sent_tags: bytes  # as PostgreSQL sends a text[]
    sent_metadata: bytes  # JSON
    sent_at: bytes  # microseconds since the year 2000

    @property
    def tags(self) -> Tags:
        return tuple(texts_in(self.sent_tags))

    @property
    def metadata(self) -> Metadata:
        return _METADATA.decode(self.sent_metadata)

    @property
    def at(self) -> datetime:
        return moment_in(self.sent_at)


_METADATA = msgspec.json.Decoder(Metadata)


class Row(msgspec.Struct, frozen=True):
    """An event as the log keeps it."""

    type: str
    version: int
    tags: Tags
    data: bytes
    metadata: bytes


class _Reader(NamedTuple):
    """Today's shape of an event, and what decodes it."""

    version: int
    decode: Callable[[bytes], Event]


class Codec:
    def __init__(
        self,
        vault: Vault,
        events: Mapping[str, type[Event]],
        upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS,
    ) -> None:
        self._vault = vault
        self._events = events
        self._upcasters = upcasters
        self._readers = {
            name: _Reader(event.version, msgspec.json.Decoder(event, dec_hook=_read_hook).decode)
            for name, event in events.items()
        }
        self._personal = frozenset(name for name, event in events.items() if personal_fields(event))
        self._encoder = msgspec.json.Encoder(enc_hook=_write_hook)

    async def rows(self, events: Sequence[Event], metadata: Metadata) -> list[Row]:
        """Seals what is personal, and encodes."""
        return [
            self._row(
                await self._sealed(event, metadata.command, n) if personal_fields(type(event)) else event,
                structs.replace(metadata, n=n, wish=b"") if n else metadata,
            )
            for n, event in enumerate(events)
        ]

    def recorded(
        self, position: int, kind: str, version: int, tags: bytes, data: bytes, metadata: bytes, at: bytes
    ) -> Recorded:
        """The event of one row. Raises `UnknownEvent`, and `SealBroken` for words that were moved here."""
        reader = self._readers.get(kind)
        if reader is None or version != reader.version:
            event = self._lifted(kind, version, data, position)
        else:
            event = reader.decode(data)
        found = Recorded(position, event, tags, metadata, at)
        if kind in self._personal:
            _check_places(kind, found)
        return found

    def _row(self, event: Event, metadata: Metadata) -> Row:
        tags, data = event.tags(), self._encoder.encode(event)
        check_row(type_of(event), tags, data)
        return Row(type_of(event), event.version, tags, data, self._encoder.encode(metadata))

    async def _sealed(self, event: Event, command: UUID, n: int) -> Event:
        words = {
            f"{type_of(event)}/{field}/{command.hex}/{n}": value.reveal()
            for field in personal_fields(type(event))
            if (value := getattr(event, field)) is not None and value.sealed is None
        }
        if not words:
            return event
        person = event.person()
        if person is None:
            raise ValueError(f"{type_of(event)} has personal fields and names no person to seal them for.")
        sealed = await self._vault.seal(person, words)
        return structs.replace(event, **{place.split("/")[1]: value for place, value in sealed.items()})

    def _lifted(self, kind: str, version: int, data: bytes, position: int) -> Event:
        """An event of an older shape, lifted step by step to today's."""
        known = self._events.get(kind)
        if known is None or version > known.version:
            raise UnknownEvent(f"Position {position} holds {kind}@{version}: run a release that knows it.")
        lifted: dict[str, Any] = msgspec.json.decode(data)
        for step in range(version, known.version):
            if (kind, step) not in self._upcasters:
                raise UnknownEvent(f"Position {position} holds {kind}@{step}: its upcaster is missing.")
            lifted = self._upcasters[kind, step](lifted)
        return msgspec.convert(lifted, known, dec_hook=_read_hook)


def check_row(kind: str, tags: Sequence[str], data: bytes) -> None:
    """Raises `ValueError` for what could not be found again, or not be read."""
    if not tags or "" in tags or "\n" in "".join(tags):
        raise ValueError(f"{kind}: an event needs tags; none may be empty or hold a line feed.")
    if b"\\u0000" in data and _NUL.search(data):  # the first look is twenty times as fast
        raise ValueError(f"{kind}: PostgreSQL keeps no text with a NUL in it: refuse it where it came in.")


def _check_places(kind: str, recorded: Recorded) -> None:
    for field in personal_fields(type(recorded.event)):
        value: Personal | None = getattr(recorded.event, field)
        if value is not None:
            envelope = recorded.metadata
            place = f"{kind}/{field}/{envelope.command.hex}/{envelope.n}"
            if place_of(value) != place:
                raise SealBroken(f"The words at {place} were sealed for another place: the row was altered.")


def _write_hook(value: object) -> object:
    if isinstance(value, Personal):
        if value.sealed is None:
            raise TypeError("Personal words must be sealed before they are written.")
        return value.sealed
    raise TypeError(f"The log cannot hold {type(value).__name__}.")


def _read_hook(kind: type, value: object) -> object:
    if kind is Personal and isinstance(value, str):
        return Personal(sealed=value)
    raise TypeError(f"The log cannot hold {kind}.")
