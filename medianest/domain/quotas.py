"""Quotas: how much somebody may ask for, and when the next slot is free."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Self

import msgspec
from msgspec import structs

from medianest.domain.command import Command, Facts, Refused
from medianest.domain.event import Event, Item, Query, Tags, tags
from medianest.domain.requests import Kind


class QuotaSet(Event, frozen=True, tag="account.quota-set"):
    """How many films, or seasons of series, an account may ask for in a rolling window; 0 is no limit."""

    account: str
    kind: Kind
    limit: int
    days: int

    def tags(self) -> Tags:
        return tags(account=self.account)


class QuotaTakenBack(Event, frozen=True, tag="account.quota-taken-back"):
    """From here on the quota of all counts for an account again, whatever that is by then."""

    account: str
    kind: Kind

    def tags(self) -> Tags:
        return tags(account=self.account)


class DefaultQuotaSet(Event, frozen=True, tag="settings.default-quota-set"):
    kind: Kind
    limit: int
    days: int

    def tags(self) -> Tags:
        return tags(settings="quota")


class Quota(msgspec.Struct, frozen=True):
    """So many in so many days; a limit of 0 is none."""

    limit: int = 0
    days: int = 7

    def next_slot(self, used: Sequence[datetime], wanted: int, now: datetime) -> datetime | None:
        """When `wanted` more fit, given when each one in `used` was asked for; None: they fit now."""
        if not self.limit:
            return None
        counted = self.counted(used, now)
        surplus = len(counted) + wanted - self.limit
        if surplus <= 0:
            return None
        if wanted > self.limit:
            raise Refused("quota-too-small", f"That is {wanted} at once, and the limit is {self.limit}: ask for fewer.")
        return counted[surplus - 1] + timedelta(days=self.days)

    def counted(self, used: Sequence[datetime], now: datetime) -> list[datetime]:
        """Those in `used` that are in the window, the oldest first."""
        return sorted(at for at in used if at > now - timedelta(days=self.days))


class SetQuota(Command, frozen=True, kw_only=True):
    account: str
    kind: Kind
    limit: int
    days: int


class TakeQuotaBack(Command, frozen=True, kw_only=True):
    account: str
    kind: Kind


class SetDefaultQuota(Command, frozen=True, kw_only=True):
    kind: Kind
    limit: int
    days: int


class QuotaFacts(Facts, frozen=True):
    kind: Kind = "movie"
    quota: Quota | None = None  # of this kind; None: never set, or taken back

    @classmethod
    def query(cls, command: SetQuota | TakeQuotaBack | SetDefaultQuota) -> Query:
        if isinstance(command, SetDefaultQuota):
            return Query(Item(DefaultQuotaSet, tags=tags(settings="quota")))
        return Query(Item(QuotaSet, QuotaTakenBack, tags=tags(account=command.account)))

    @classmethod
    def before(cls, command: SetQuota | TakeQuotaBack | SetDefaultQuota) -> Self:
        return cls(kind=command.kind)

    def evolve(self, event: Event, at: datetime) -> Self:
        assert isinstance(event, QuotaSet | QuotaTakenBack | DefaultQuotaSet)
        if event.kind != self.kind:
            return self
        quota = None if isinstance(event, QuotaTakenBack) else Quota(event.limit, event.days)
        return structs.replace(self, quota=quota)


def set_quota(command: SetQuota, facts: QuotaFacts, now: datetime) -> Sequence[Event]:
    if facts.quota == Quota(command.limit, command.days):
        return []
    return [QuotaSet(command.account, command.kind, command.limit, command.days)]


def take_quota_back(command: TakeQuotaBack, facts: QuotaFacts, now: datetime) -> Sequence[Event]:
    return [QuotaTakenBack(command.account, command.kind)] if facts.quota else []


def set_default_quota(command: SetDefaultQuota, facts: QuotaFacts, now: datetime) -> Sequence[Event]:
    if facts.quota == Quota(command.limit, command.days):
        return []
    return [DefaultQuotaSet(command.kind, command.limit, command.days)]
