"""Settings are changed with what was before on record, and every earlier state can be gone back to."""

from typing import Any

from medianest.domain.configuration import Change, ChangeSettings, RestoreSettings, SettingsChanged
from tests.domain.scenario import given

FIRST = SettingsChanged("o1", "seerr", (Change("seerr_url", None, "http://a"),))
SECOND = SettingsChanged(
    "o2", "seerr", (Change("seerr_api_key", None, "sealed-1", secret=True), Change("seerr_url", "http://a", "http://b"))
)


def change(revision: int | None = None, order: str = "o3", **values: Any) -> ChangeSettings:
    return ChangeSettings(section="seerr", order=order, values=values, revision=revision)


def restore(revision: int) -> RestoreSettings:
    return RestoreSettings(section="seerr", order="o3", revision=revision)


def test_a_change_says_what_was_before() -> None:
    given(FIRST).when(change(seerr_url="http://b")).then(
        SettingsChanged("o3", "seerr", (Change("seerr_url", "http://a", "http://b"),))
    )


def test_what_is_so_already_is_no_event() -> None:
    given(FIRST).when(change(seerr_url="http://a")).then_nothing()
    given().when(change(seerr_url=None)).then_nothing()


def test_none_goes_back_to_what_the_environment_says() -> None:
    given(FIRST).when(change(seerr_url=None)).then(
        SettingsChanged("o3", "seerr", (Change("seerr_url", "http://a", None),))
    )


def test_nobodys_change_is_overwritten_unseen() -> None:
    given(FIRST, SECOND).when(change(revision=1, seerr_url="http://c")).then_refused("settings-changed-meanwhile")
    given(FIRST).when(change(revision=1, order="o1", seerr_url="http://a")).then_nothing()


def test_going_back_is_a_change_of_its_own_secrets_too() -> None:
    secret = Change("seerr_api_key", "sealed-1", None, secret=True)
    given(FIRST, SECOND).when(restore(1)).then(
        SettingsChanged("o3", "seerr", (secret, Change("seerr_url", "http://b", "http://a")), 1)
    )
    given(FIRST, SECOND).when(restore(0)).then(
        SettingsChanged("o3", "seerr", (secret, Change("seerr_url", "http://b", None)), 0)
    )
    given(FIRST, SECOND).when(restore(2)).then_nothing()
    given(FIRST, SECOND, SettingsChanged("o3", "seerr", (secret,), 1)).when(restore(0)).then_nothing()
    for unknown in (-1, 2, 7):
        given(FIRST).when(restore(unknown)).then_refused("revision-unknown")


def test_one_and_yes_are_not_the_same() -> None:
    one, yes = (SettingsChanged("o1", "seerr", (Change("kept", None, value),)) for value in (1, True))
    given(one).when(change(kept=True)).then(SettingsChanged("o3", "seerr", (Change("kept", 1, True),)))
    given(yes).when(change(kept=True)).then_nothing()


def test_sections_do_not_mix() -> None:
    given(SettingsChanged("o1", "videos", (Change("playlist_items", None, 5),))).when(restore(1)).then_refused(
        "revision-unknown"
    )
