"""The settings that admins may change: read without their secrets, tried before they are kept, and taken back."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, get, post, put
from litestar.params import JSONBody

from medianest.api.gate import needs
from medianest.api.history import names_of, naming
from medianest.api.problems import Problem, WrongField
from medianest.api.site import House, Id, Site, Write, Writing
from medianest.api.trying import Check, checks_of
from medianest.configuration import FIELDS, SECTIONS, Field, Kind, Section, Source, is_secret, on_record, shape_of
from medianest.credentials import OURS
from medianest.domain.configuration import ChangeSettings, RestoreSettings, SettingsChanged, Value
from medianest.domain.event import Item, Query, tags
from medianest.domain.timeline import sentence
from medianest.eventstore.codec import Recorded
from medianest.secret import Secret
from medianest.settings import Settings, WrongSetting

Line = Annotated[str, msgspec.Meta(max_length=2000, pattern=r"^[^\x00]*$")]
Given = Line | int | float | bool | list[Line] | None
Shown = str | int | float | bool | list[str] | None


class FieldView(msgspec.Struct, frozen=True):
    name: str
    label: str
    help: str
    kind: Kind
    unit: str
    choices: list[str]  # of a choice
    at_least: float | None
    at_most: float | None
    value: Shown  # in force now; null: a secret, which nobody reads, or there is none
    is_set: bool  # of a secret: whether there is one
    source: Source  # where the value in force comes from; `admin` wins over the others
    underneath: Shown  # what it falls back to when it is given as null
    sent_to: str | None  # of a secret: the setting with the address it is sent to; with a new one, give it again


class SectionView(msgspec.Struct, frozen=True):
    name: str
    label: str
    help: str
    testable: bool
    revision: int  # how often it was changed: send it along, and nobody's change is overwritten unseen
    fields: list[FieldView]


class Sections(msgspec.Struct, frozen=True):
    items: list[SectionView]
    precedence: str = (
        "What is set here wins over the environment and the settings file, and those over what is built in:"
        " it is on record, counts at once in every process, and can be taken back. null takes it back."
    )


class Try(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By the name of the setting; null: as the environment has it. What is not named stays as it is."""

    values: Annotated[dict[str, Given], msgspec.Meta(max_length=50)]


class Wanted(Try, frozen=True, forbid_unknown_fields=True):
    revision: Annotated[int, msgspec.Meta(ge=0)] | None = None  # null: whatever others have changed meanwhile
    untested: bool = False  # keep them though the system does not answer as it should


class Back(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    revision: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]  # as it was after that change; 0: before the first


class Checks(msgspec.Struct, frozen=True):
    ok: bool
    checks: list[Check]


class Kept(msgspec.Struct, frozen=True):
    position: int
    checks: list[Check]
    section: SectionView


class ChangeView(msgspec.Struct, frozen=True):
    setting: str
    label: str
    secret: bool  # then `was` and `now` are null
    was: Shown  # null: as the environment had it
    now: Shown


class Revision(msgspec.Struct, frozen=True):
    revision: int
    position: int
    at: datetime
    by: str
    words: str
    restored: int | None  # the revision that was gone back to; null: it is a new one
    changes: list[ChangeView]


class Revisions(msgspec.Struct, frozen=True):
    items: list[Revision]  # newest first


class SettingsController(Controller):
    path = "/admin/settings"
    tags = ("Admin",)
    guards = (needs("settings.manage"),)

    @get("/")
    async def sections(self, site: House) -> Sections:
        """Every setting that may be changed, with what it means, what may be set, and where its value comes from."""
        await site.configuration.refresh()
        return Sections([await _section_view(site, section) for section in SECTIONS])

    @post("/{section:str}/test", status_code=200)
    async def test(self, site: House, section: Id, data: JSONBody[Try]) -> Checks:
        """Try values against the real system, and keep nothing."""
        found, values = await _understood(site, section, data)
        checks = await _checks(site, found, _with(site, values))
        return Checks(all(check.ok or not check.matters for check in checks), checks)

    @put("/{section:str}")
    async def change(self, site: House, write: Writing, section: Id, data: JSONBody[Wanted]) -> Kept:
        """Keep values, in every process at once. They are tried first, and refused where that fails, but for `untested`."""
        found, values = await _understood(site, section, data)
        settings, checks = _with(site, values), list[Check]()
        repeated = bool(await write.before())
        if not data.untested and not repeated:
            checks = await _checks(site, found, settings)
            _all_well(checks)
        command = ChangeSettings(
            section=section,
            order=write.new_id("order"),
            values=await _on_record(site, write, settings, values, repeated=repeated),
            secrets=frozenset(name for name in values if is_secret(name)),
            revision=data.revision,
        )
        return await _kept(site, write, found, command, checks)

    @get("/{section:str}/history")
    async def history(self, site: House, section: Id) -> Revisions:
        """Who changed what, when, from what to what; secrets are named and never shown."""
        recorded = await _history(site, _section(section).name)
        names = naming(await names_of(site, (one.metadata.actor.name for one in recorded)))
        revisions = [_revision(n, one, names) for n, one in enumerate(recorded, start=1)]
        return Revisions(revisions[::-1])

    @post("/{section:str}/roll-back", status_code=200)
    async def roll_back(self, site: House, write: Writing, section: Id, data: JSONBody[Back]) -> Kept:
        """As it was after an earlier change, its secrets too; that is one more change. It is tried afterwards."""
        found = _section(section)
        command = RestoreSettings(section=section, order=write.new_id("order"), revision=data.revision)
        kept = await _kept(site, write, found, command, [])
        return msgspec.structs.replace(kept, checks=await _checks(site, found, site.settings))


async def _checks(site: Site, section: Section, settings: Settings) -> list[Check]:
    return await checks_of(section, settings, await site.credentials.get(OURS, "plex-machine"))


async def _kept(
    site: Site, write: Write, section: Section, command: ChangeSettings | RestoreSettings, checks: list[Check]
) -> Kept:
    outcome = await write.run(command)
    await site.configuration.refresh()  # the other processes hear of it through the log
    return Kept(outcome.position, checks, await _section_view(site, section))


def _section(name: str) -> Section:
    for section in SECTIONS:
        if section.name == name:
            return section
    raise Problem(404, "section-unknown", f"Choose one of {', '.join(section.name for section in SECTIONS)}.")


async def _understood(site: Site, name: str, given: Try) -> tuple[Section, dict[str, Any]]:
    """The section, and the values as settings take them: secrets wrapped. Raises for those of another section."""
    section = _section(name)
    await site.configuration.refresh()
    known = {field.name for field in section.fields}
    if strange := sorted(set(given.values) - known):
        errors = tuple(WrongField(field, f"No setting of {section.label}.") for field in strange)
        raise Problem(422, "setting-unknown", "Send settings of this section alone.", errors=errors)
    values = {key: _wrapped(key, value) for key, value in given.values.items()}
    _no_secret_goes_elsewhere(site, section, values)
    return section, values


def _wrapped(name: str, value: Given) -> Any:
    if value in (None, ""):
        return None
    if is_secret(name):
        return Secret(str(value))
    return value


def _no_secret_goes_elsewhere(site: Site, section: Section, values: Mapping[str, Any]) -> None:
    """A secret that nobody may read must not be read by sending it to an address of one's own.

    So one that is not given afresh goes only to the address it was given for: that of the environment to that of the
    environment, and the one in force to the one in force.
    """
    wanted = _with(site, values)
    needed = [field for field in section.fields if _would_go_elsewhere(site, field, values, wanted)]
    if needed:
        named = " and ".join(field.label for field in needed)
        raise Problem(
            422, "secret-needed-again", f"Give it again, together with the new address: {named}.",
            detail="A secret is kept for the address it was given for, and goes to no other.",
            errors=tuple(WrongField(field.name, "It is kept for the address it was given for.") for field in needed),
        )  # fmt: skip


def _would_go_elsewhere(site: Site, field: Field, values: Mapping[str, Any], wanted: Settings) -> bool:
    if not field.sent_to or values.get(field.name) is not None or getattr(wanted, field.name) is None:
        return False
    back = field.name in values
    its_address = site.configuration.underneath(field.sent_to) if back else getattr(site.settings, field.sent_to)
    return bool(getattr(wanted, field.sent_to) != its_address)


def _with(site: Site, values: Mapping[str, Any]) -> Settings:
    try:
        return site.configuration.with_values(values)
    except WrongSetting as wrong:
        field = WrongField(wrong.name, str(wrong))
        raise Problem(422, "setting-wrong", "Correct the value.", detail=str(wrong), errors=(field,)) from wrong


def _all_well(checks: list[Check]) -> None:
    failed = [check for check in checks if check.matters and not check.ok]
    if failed:
        raise Problem(
            422, "settings-test-failed", failed[0].remedy or "Correct them, or keep them untested.",
            detail=failed[0].words,
            errors=tuple(WrongField(check.field or "", check.words) for check in failed),
        )  # fmt: skip


async def _on_record(
    site: Site, write: Write, settings: Settings, values: Mapping[str, Any], *, repeated: bool
) -> dict[str, Value]:
    """As the event has them: secrets sealed, under a name that says nothing; those that are the same are left out."""
    found: dict[str, Value] = {}
    for name, value in values.items():
        if value is None:
            found[name] = None
        elif not is_secret(name):
            found[name] = on_record(settings, name)
        elif repeated or value != getattr(site.settings, name):
            found[name] = write.new_id(name)
            if not repeated:
                await site.configuration.keep(name, write.new_id(name), value)
    return found


async def _section_view(site: Site, section: Section) -> SectionView:
    revision = len(await _history(site, section.name))
    fields = [_field_view(site, field) for field in section.fields]
    return SectionView(section.name, section.label, section.help, section.testable, revision, fields)


def _field_view(site: Site, field: Field) -> FieldView:
    shape, configuration = shape_of(field.name), site.configuration
    value = getattr(site.settings, field.name)
    secret = shape.kind == "secret"
    return FieldView(
        field.name, field.label, field.help, shape.kind, field.unit, list(shape.choices), shape.at_least, shape.at_most,
        None if secret else _plain(value),
        secret and value is not None,
        configuration.source_of(field.name),
        None if secret else _plain(configuration.underneath(field.name)),
        field.sent_to or None,
    )  # fmt: skip


async def _history(site: Site, section: str) -> list[Recorded]:
    return list((await site.store.read(Query(Item(SettingsChanged, tags=tags(settings=section))))).events)


def _revision(n: int, recorded: Recorded, names: Callable[[str], str]) -> Revision:
    event, by = recorded.event, recorded.metadata.actor
    assert isinstance(event, SettingsChanged)
    changes = [
        ChangeView(
            change.setting,
            FIELDS[change.setting].label if change.setting in FIELDS else change.setting,
            change.secret,
            None if change.secret else _plain(change.was),
            None if change.secret else _plain(change.now),
        )
        for change in event.changes
    ]
    who = names(by.name) if by.kind == "person" else by.name
    return Revision(n, recorded.position, recorded.at, who, sentence(event, names), event.restored, changes)


def _plain(value: Any) -> Shown:
    plain: Shown = list(value) if isinstance(value, tuple) else value
    return plain
