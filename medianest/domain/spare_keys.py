"""The owner's way in while plex.tv is away: a key made on the server, by whoever runs it, that opens once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from msgspec import structs

from medianest.domain.accounts import AccountOpened, SessionStarted
from medianest.domain.command import Command, Facts, Refused
from medianest.domain.event import Event, Item, Personal, Query, Tags, tags

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # what nobody takes for another
SPARE_KEY = "spare key"  # what kind of word its hash is of
LENGTH = 16  # 79 bits


def canonical(key: str) -> str:
    """However it was typed: in small letters, with dashes or spaces."""
    return "".join(letter for letter in key.upper() if letter in ALPHABET)


class SpareKeyEvent(Event, frozen=True):
    account: str  # the owner's
    key: str  # a keyed hash of it: finds the key, opens nothing

    def tags(self) -> Tags:
        return tags(account=self.account, key=self.key)


class SpareKeyMade(SpareKeyEvent, frozen=True, tag="account.spare-key-made"):
    until: datetime


class SpareKeyUsed(SpareKeyEvent, frozen=True, tag="account.spare-key-used"):
    pass


SPARE_KEY_EVENTS = (SpareKeyMade, SpareKeyUsed)


class MakeSpareKey(Command, frozen=True, kw_only=True):
    key: str
    until: datetime


class OwnerFacts(Facts, frozen=True):
    """Who owns the server, as far as they have been here, and whether there is such a key."""

    account: str = ""
    made: bool = False

    @classmethod
    def query(cls, command: MakeSpareKey) -> Query:
        return Query(
            Item(AccountOpened, tags=tags(role="owner")), Item(SpareKeyMade, tags=tags(key=command.key))
        )  # fmt: skip

    def evolve(self, event: Event, at: datetime) -> Self:
        if isinstance(event, SpareKeyMade):
            return structs.replace(self, made=True)
        assert isinstance(event, AccountOpened)
        return structs.replace(self, account=event.account)


def make_spare_key(command: MakeSpareKey, facts: OwnerFacts, now: datetime) -> Sequence[Event]:
    if not facts.account:
        raise Refused("owner-unknown", "Nobody has come in as the owner yet: sign in with Plex once.")
    return [] if facts.made else [SpareKeyMade(facts.account, command.key, command.until)]


class UseSpareKey(Command, frozen=True, kw_only=True):
    key: str
    session: str
    device: Personal


class SpareKeyFacts(Facts, frozen=True):
    """What a key opens, and whether it still does."""

    account: str = ""  # empty: there was never such a key
    until: datetime | None = None
    used: bool = False

    @classmethod
    def query(cls, command: UseSpareKey) -> Query:
        return Query(Item(*SPARE_KEY_EVENTS, tags=tags(key=command.key)))

    def evolve(self, event: Event, at: datetime) -> Self:
        match event:
            case SpareKeyMade(account=account, until=until):
                return structs.replace(self, account=account, until=until)
            case SpareKeyUsed():
                return structs.replace(self, used=True)
        return self


def use_spare_key(command: UseSpareKey, facts: SpareKeyFacts, now: datetime) -> Sequence[Event]:
    """Unknown, used and out of time are told alike: who guesses learns nothing."""
    if facts.until is None or facts.used or now >= facts.until:
        raise Refused("spare-key-wrong", "Make a new one on the server: `medianest spare-key`.")
    return [
        SpareKeyUsed(facts.account, command.key),
        SessionStarted(command.session, facts.account, command.device),
    ]
