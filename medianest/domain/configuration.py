"""What admins set while MediaNest runs: each change on record, with what it was before, and every earlier state at hand.

What is set here stands above the environment and the settings file; what is not set is as those have it. A secret is
never in an event: it is sealed under a name of its own, and that name is.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Self

import msgspec
from msgspec import structs

from medianest.domain.command import Command, Facts, Refused
from medianest.domain.event import Event, Item, Query, Tags, tags

Value = str | int | float | bool | tuple[str, ...] | None  # None: as the environment or the file has it
Values = Mapping[str, Value]  # by the name of the setting; what is not set is not in it


class Change(msgspec.Struct, frozen=True):
    setting: str
    was: Value
    now: Value
    secret: bool = False  # then both say under which name it is sealed, not what it is


class SettingsChanged(Event, frozen=True, tag="settings.changed"):
    order: str
    section: str
    changes: tuple[Change, ...]
    restored: int | None = None  # the revision that was gone back to; None: it is a new one

    def tags(self) -> Tags:
        return tags(settings=self.section)


class ChangeSettings(Command, frozen=True, kw_only=True):
    """`order` is new for each wish. `revision`: what it was thought out on; None: on whatever there is."""

    section: str
    order: str
    values: dict[str, Value]
    secrets: frozenset[str] = frozenset()
    revision: int | None = None


class RestoreSettings(Command, frozen=True, kw_only=True):
    """As they were after the change with this number; 0 is before the first one."""

    section: str
    order: str
    revision: int


class SettingsFacts(Facts, frozen=True):
    revisions: tuple[Values, ...] = ({},)  # what was set, before the first change and after each one
    secrets: frozenset[str] = frozenset()
    orders: frozenset[str] = frozenset()

    @classmethod
    def query(cls, command: ChangeSettings | RestoreSettings) -> Query:
        return Query(Item(SettingsChanged, tags=tags(settings=command.section)))

    def evolve(self, event: Event, at: datetime) -> Self:
        assert isinstance(event, SettingsChanged)
        return structs.replace(
            self,
            revisions=(*self.revisions, after(self.revisions[-1], event)),
            secrets=self.secrets | {change.setting for change in event.changes if change.secret},
            orders=self.orders | {event.order},
        )


def after(values: Values, event: SettingsChanged) -> Values:
    """What is set once `event` has happened."""
    changed = {**values, **{change.setting: change.now for change in event.changes}}
    return {setting: value for setting, value in changed.items() if value is not None}


def change(command: ChangeSettings, facts: SettingsFacts, now: datetime) -> Sequence[Event]:
    if command.order in facts.orders:
        return []
    if command.revision is not None and command.revision != len(facts.revisions) - 1:
        raise Refused("settings-changed-meanwhile", "Somebody else changed them: read them again, then change them.")
    return _to(command.section, command.order, command.values, facts, command.secrets | facts.secrets)


def restore(command: RestoreSettings, facts: SettingsFacts, now: datetime) -> Sequence[Event]:
    if command.order in facts.orders:
        return []
    if not 0 <= command.revision < len(facts.revisions):
        raise Refused("revision-unknown", "Choose one of the list of changes.")
    wanted = facts.revisions[command.revision]
    values = {setting: wanted.get(setting) for setting in {**facts.revisions[-1], **wanted}}
    return _to(command.section, command.order, values, facts, facts.secrets, restored=command.revision)


def _to(
    section: str, order: str, values: Values, facts: SettingsFacts, secrets: frozenset[str], restored: int | None = None
) -> Sequence[Event]:
    was = facts.revisions[-1]
    changes = tuple(
        Change(setting, was.get(setting), value, setting in secrets)
        for setting, value in sorted(values.items())
        if value != was.get(setting) or type(value) is not type(was.get(setting))
    )
    return [SettingsChanged(order, section, changes, restored)] if changes else []
