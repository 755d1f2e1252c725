"""Names, unsealed where they are shown and nowhere before."""

from collections.abc import Callable, Iterable

from medianest.api.site import Site
from medianest.domain.event import Event, personal_fields
from medianest.eventstore.vault import ERASED
from projections import accounts

SOMEBODY = "Somebody"
Names = Callable[[str], str]


async def names_of(site: Site, wanted: Iterable[str]) -> dict[str, str]:
    """The plain name of each account; `[erased]` for those who are, nothing for those there never were."""
    async with site.pool.connection() as rows:
        sealed = await accounts.names_of(set(wanted), rows)
    plain = await site.vault.unseal(sealed.values())
    return {account: plain[name] for account, name in sealed.items()}


def naming(names: dict[str, str]) -> Names:
    """For sentences: the erased and the unknown are somebody."""

    def name(account: str) -> str:
        known = names.get(account, SOMEBODY)
        return SOMEBODY if known == ERASED else known

    return name


async def unsealed(site: Site, events: Iterable[Event]) -> list[dict[str, str]]:
    """The plain words of each event's personal fields, by field; what was erased is left out."""
    events = list(events)
    sealed = [{field: getattr(event, field) for field in personal_fields(type(event))} for event in events]
    plain = await site.vault.unseal(words for fields in sealed for words in fields.values() if words is not None)
    return [
        {field: plain[words] for field, words in fields.items() if words is not None and plain[words] != ERASED}
        for fields in sealed
    ]
