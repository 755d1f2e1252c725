"""The services MediaNest depends on: what is up, what is down, and since when."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Self

from msgspec import structs

from medianest.domain.command import Command, Facts
from medianest.domain.event import Event, Item, Query, Tags, tags

ServiceName = Literal["plex", "seerr", "uptime-kuma"]
ServiceState = Literal["up", "degraded", "down", "unknown"]
Overall = Literal["up", "degraded", "down"]


def overall(states: Mapping[ServiceName, ServiceState]) -> Overall:
    """All services in one word, for who may know no more: down is whatever makes coming in pointless."""
    if states.get("plex") == "down":
        return "down"
    return "degraded" if {"degraded", "down"} & set(states.values()) else "up"


class ServiceStateChanged(Event, frozen=True, tag="service.state-changed"):
    """A change, seen by our own probe. The samples it follows from are not in the log."""

    service: ServiceName
    state: ServiceState
    was: ServiceState
    why: str

    def tags(self) -> Tags:
        return tags(service=self.service)


class ObserveService(Command, frozen=True, kw_only=True):
    service: ServiceName
    state: ServiceState
    why: str


class ServiceFacts(Facts, frozen=True):
    state: ServiceState = "unknown"

    @classmethod
    def query(cls, command: ObserveService) -> Query:
        return Query(Item(ServiceStateChanged, tags=tags(service=command.service)))

    def evolve(self, event: Event, at: datetime) -> Self:
        assert isinstance(event, ServiceStateChanged)
        return structs.replace(self, state=event.state)


def observe_service(command: ObserveService, facts: ServiceFacts, now: datetime) -> Sequence[Event]:
    if command.state == facts.state:
        return []
    return [ServiceStateChanged(command.service, command.state, facts.state, command.why)]
