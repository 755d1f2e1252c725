"""The services MediaNest depends on: what is up, what is down, and since when."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Self

from msgspec import structs

from medianest.domain.command import Command, Facts, Refused
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


class MaintenancePlanned(Event, frozen=True, tag="service.maintenance-planned"):
    """An admin works on a service, or will: meanwhile it is in maintenance, whatever the probes see."""

    maintenance: str
    service: ServiceName
    since: datetime
    until: datetime | None  # None: until it is ended
    why: str

    def tags(self) -> Tags:
        return tags(service=self.service, maintenance=self.maintenance)


class MaintenanceEnded(Event, frozen=True, tag="service.maintenance-ended"):
    """It is over, or does not take place."""

    maintenance: str
    service: ServiceName

    def tags(self) -> Tags:
        return tags(service=self.service, maintenance=self.maintenance)


SERVICE_EVENTS = (ServiceStateChanged, MaintenancePlanned, MaintenanceEnded)


class OfOneMaintenance(Command, frozen=True, kw_only=True):
    maintenance: str


class PlanMaintenance(OfOneMaintenance, frozen=True, kw_only=True):
    service: ServiceName
    since: datetime
    until: datetime | None
    why: str


class EndMaintenance(OfOneMaintenance, frozen=True, kw_only=True):
    pass


class MaintenanceFacts(Facts, frozen=True):
    service: ServiceName | None = None  # None: there is no such maintenance
    until: datetime | None = None  # when it is over, or was ended; None: when it is ended

    @classmethod
    def query(cls, command: OfOneMaintenance) -> Query:
        about = tags(maintenance=command.maintenance)
        return Query(Item(MaintenancePlanned, MaintenanceEnded, tags=about))

    def evolve(self, event: Event, at: datetime) -> Self:
        assert isinstance(event, MaintenancePlanned | MaintenanceEnded)
        until = event.until if isinstance(event, MaintenancePlanned) else at
        return structs.replace(self, service=event.service, until=until)


def plan_maintenance(command: PlanMaintenance, facts: MaintenanceFacts, now: datetime) -> Sequence[Event]:
    if facts.service is not None:
        return []
    if command.until is not None and command.until <= max(command.since, now):
        raise Refused("ends-before-it-begins", "Choose an end after the beginning that is not over yet.")
    return [
        MaintenancePlanned(command.maintenance, command.service, command.since, command.until, command.why)
    ]  # fmt: skip


def end_maintenance(command: EndMaintenance, facts: MaintenanceFacts, now: datetime) -> Sequence[Event]:
    """What is over by itself stays as long as it was."""
    if facts.service is None:
        raise Refused("maintenance-unknown", "There is no such maintenance: look at the list again.")
    if facts.until is not None and facts.until <= now:
        return []
    return [MaintenanceEnded(command.maintenance, facts.service)]
