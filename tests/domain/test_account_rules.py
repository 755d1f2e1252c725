"""Who gets in, as what, and until when."""

from typing import Any, Literal

import pytest
from msgspec import structs

from medianest.domain.accounts import (
    ADMIN,
    MEMBER,
    MODERATOR,
    PERMISSIONS,
    TRUSTED,
    AccountErased,
    AccountOpened,
    AccountReinstated,
    AccountSuspended,
    ChangeRole,
    EndOtherSessions,
    EndSession,
    EraseAccount,
    ImportPerson,
    LogIn,
    LoginRefused,
    Permission,
    RefuseLogin,
    ReinstateAccount,
    Role,
    RoleChanged,
    SessionEnded,
    SessionStarted,
    SuspendAccount,
    device_name,
)
from medianest.domain.command import Command
from medianest.domain.event import Personal
from tests.domain.scenario import given

PLEX_ID, NAME, PHONE, LAPTOP = Personal("1000"), Personal("Anna"), Personal("phone"), Personal("laptop")


def opened(name: str, role: Role = "member", plex: str = "") -> AccountOpened:
    return AccountOpened(name, plex or f"{name}-plex", PLEX_ID, NAME, role)


def logs_in(name: str = "anna", *, account: str = "", **more: Any) -> LogIn:
    said: dict[str, Any] = {
        "owns_server": False,
        "has_access": True,
        "session": "s1",
        "pin": "pin",
        "device": PHONE,
    } | more
    return LogIn(account=account or name, plex=f"{name}-plex", plex_id=PLEX_ID, name=NAME, **said)


ANNA = opened("anna")
OLIVIA = opened("olivia", "owner")
ON_PHONE = SessionStarted("s1", "anna", PHONE)
ON_LAPTOP = SessionStarted("s2", "anna", LAPTOP)
SUSPENDED = AccountSuspended("anna", "anna-plex", "admin")
REINSTATED = AccountReinstated("anna", "anna-plex")
ERASED = AccountErased("anna", "anna-plex")


def test_the_first_visit_opens_an_account() -> None:
    given(OLIVIA).when(logs_in()).then(ANNA, ON_PHONE)


def test_a_second_visit_starts_a_session_of_the_account_that_is_there() -> None:
    given(ANNA).when(logs_in(account="made-up-for-a-first-visit")).then(ON_PHONE)


def test_the_account_is_found_by_the_plex_person_alone() -> None:
    given(opened("ben", plex="other")).when(logs_in("ben", account="ben2")).then(
        opened("ben2", plex="ben-plex"), SessionStarted("s1", "ben2", PHONE)
    )


def test_the_first_owner_of_the_server_becomes_owner() -> None:
    given(ANNA).when(logs_in("olivia", owns_server=True)).then(OLIVIA, SessionStarted("s1", "olivia", PHONE))


def test_there_is_one_owner() -> None:
    given(OLIVIA).when(logs_in(owns_server=True)).then(ANNA, ON_PHONE)


def test_the_owner_who_comes_again_is_still_owner() -> None:
    given(OLIVIA).when(logs_in("olivia", owns_server=True)).then(SessionStarted("s1", "olivia", PHONE))


def test_a_person_without_access_to_the_server_stays_outside_and_it_is_on_record() -> None:
    given().when(logs_in(has_access=False)).then(LoginRefused("pin", "no-access", "anna-plex"))


def test_a_person_who_lost_access_does_not_get_in_with_an_old_account() -> None:
    given(ANNA).when(logs_in(has_access=False)).then(LoginRefused("pin", "no-access", "anna-plex"))


def test_a_suspended_person_stays_outside() -> None:
    given(ANNA, SUSPENDED).when(logs_in()).then(LoginRefused("pin", "account-suspended", "anna-plex"))


def test_who_lost_the_share_and_has_it_again_is_let_in_again() -> None:
    """Plex kept them out, and no admin."""
    lost = AccountSuspended("anna", "anna-plex", "share-lost")
    given(ANNA, lost).when(logs_in(has_access=False)).then(LoginRefused("pin", "no-access", "anna-plex"))
    given(ANNA, lost).when(logs_in()).then(REINSTATED, SessionStarted("s1", "anna", PHONE))
    given(ANNA, lost, SUSPENDED).when(logs_in()).then(LoginRefused("pin", "account-suspended", "anna-plex"))


def test_a_reinstated_person_gets_in() -> None:
    given(ANNA, SUSPENDED, REINSTATED).when(logs_in()).then(ON_PHONE)


def test_the_suspension_of_another_does_not_matter() -> None:
    given(ANNA, opened("ben"), SUSPENDED).when(logs_in("ben")).then(SessionStarted("s1", "ben", PHONE))


def test_an_erased_person_who_comes_back_is_somebody_new() -> None:
    given(ANNA, RoleChanged("anna", "anna-plex", "admin", "member"), ERASED).when(logs_in(account="anna2")).then(
        opened("anna2", plex="anna-plex"), SessionStarted("s1", "anna2", PHONE)
    )


def test_an_erased_person_is_not_kept_out_by_what_kept_them_out_before() -> None:
    anew = (opened("anna2", plex="anna-plex"), SessionStarted("s1", "anna2", PHONE))
    given(ANNA, SUSPENDED, ERASED).when(logs_in(account="anna2")).then(*anew)


def test_an_erased_member_who_owns_the_server_comes_back_as_its_owner() -> None:
    owner = (opened("anna2", "owner", "anna-plex"), SessionStarted("s1", "anna2", PHONE))
    given(ANNA, ERASED).when(logs_in(account="anna2", owns_server=True)).then(*owner)


def test_who_has_the_share_is_taken_over_once_as_a_member_and_who_was_erased_is_not_brought_back() -> None:
    person = ImportPerson(account="anna", plex="anna-plex", plex_id=PLEX_ID, name=NAME)
    given(opened("ben")).when(person).then(ANNA)
    given(LoginRefused("pin", "no-access", "anna-plex")).when(person).then(ANNA)
    given(ANNA).when(structs.replace(person, account="anna2")).then_nothing()
    given(ANNA, ERASED).when(structs.replace(person, account="anna2")).then_nothing()


def test_each_reason_for_which_a_pin_came_to_nothing_is_on_record_once() -> None:
    refuse = RefuseLogin(pin="pin", reason="pin-expired")
    given().when(refuse).then(LoginRefused("pin", "pin-expired"))
    given(LoginRefused("pin", "pin-expired")).when(refuse).then_nothing()
    given(LoginRefused("pin", "plex-unreachable")).when(refuse).then(LoginRefused("pin", "pin-expired"))
    given(LoginRefused("other", "pin-expired")).when(refuse).then(LoginRefused("pin", "pin-expired"))


def test_who_is_kept_out_is_on_record_once_for_each_pin_however_often_it_is_polled() -> None:
    kept_out = LoginRefused("pin", "no-access", "anna-plex")
    given(kept_out).when(logs_in(has_access=False)).then_nothing()
    given(kept_out).when(logs_in(has_access=False, pin="next")).then(LoginRefused("next", "no-access", "anna-plex"))
    suspended = LoginRefused("pin", "account-suspended", "anna-plex")
    given(ANNA, SUSPENDED, kept_out).when(logs_in()).then(suspended)
    given(ANNA, SUSPENDED, kept_out, suspended).when(logs_in()).then_nothing()


def test_who_was_kept_out_gets_in_once_the_reason_is_gone() -> None:
    given(LoginRefused("pin", "no-access", "anna-plex")).when(logs_in()).then(ANNA, ON_PHONE)


def test_what_happens_to_a_person_is_found_by_who_it_is_and_by_the_session_it_is_about() -> None:
    for event in (ANNA, RoleChanged("anna", "anna-plex", "admin", "member"), SUSPENDED, REINSTATED, ERASED):
        assert event.tags() == ("account:anna", "plex:anna-plex")
    assert OLIVIA.tags() == ("account:olivia", "plex:olivia-plex", "role:owner")
    assert LoginRefused("pin", "no-access", "anna-plex").tags() == ("pin:pin", "plex:anna-plex")
    for session in (ON_PHONE, SessionEnded("s1", "anna", "logout")):
        assert session.tags() == ("session:s1", "account:anna")


def test_a_session_ends_once() -> None:
    end = EndSession(account="anna", session="s1", reason="logout")
    ended = SessionEnded("s1", "anna", "logout")
    given(ANNA, ON_PHONE).when(end).then(ended)
    given(ANNA, ON_PHONE, ended).when(end).then_nothing()


def test_a_session_of_somebody_else_cannot_be_ended() -> None:
    given(ANNA, ON_PHONE).when(EndSession(account="ben", session="s1", reason="logout")).then_nothing()


def test_signing_out_everywhere_else_keeps_the_session_one_is_in() -> None:
    given(ANNA, ON_PHONE, ON_LAPTOP).when(EndOtherSessions(account="anna", keep="s2")).then(
        SessionEnded("s1", "anna", "revoked")
    )


def test_signing_out_everywhere_ends_every_open_session() -> None:
    given(ANNA, ON_PHONE, ON_LAPTOP, SessionEnded("s1", "anna", "logout")).when(
        EndOtherSessions(account="anna", reason="refresh-token-reused")
    ).then(SessionEnded("s2", "anna", "refresh-token-reused"))


def test_a_role_is_changed_and_says_what_it_was() -> None:
    change = ChangeRole(account="anna", role="moderator")
    changed = RoleChanged("anna", "anna-plex", "moderator", "member")
    given(ANNA).when(change).then(changed)
    given(ANNA, changed).when(change).then_nothing()


def test_suspending_ends_the_sessions() -> None:
    given(ANNA, ON_PHONE, ON_LAPTOP).when(SuspendAccount(account="anna", note=NAME)).then(
        AccountSuspended("anna", "anna-plex", "admin", NAME),
        SessionEnded("s1", "anna", "account-suspended"),
        SessionEnded("s2", "anna", "account-suspended"),
    )


def test_a_suspended_account_is_suspended_once() -> None:
    lost = AccountSuspended("anna", "anna-plex", "share-lost")
    given(ANNA, SUSPENDED).when(SuspendAccount(account="anna", reason="share-lost")).then_nothing()
    given(ANNA, lost).when(SuspendAccount(account="anna", reason="share-lost")).then_nothing()
    given(ANNA, lost).when(SuspendAccount(account="anna")).then(SUSPENDED)


def test_only_a_suspended_account_is_reinstated() -> None:
    given(ANNA, SUSPENDED).when(ReinstateAccount(account="anna")).then(REINSTATED)
    given(ANNA).when(ReinstateAccount(account="anna")).then_nothing()
    given(ANNA, SUSPENDED, REINSTATED).when(ReinstateAccount(account="anna")).then_nothing()


def test_erasing_ends_the_sessions_first() -> None:
    given(ANNA, ON_PHONE).when(EraseAccount(account="anna")).then(SessionEnded("s1", "anna", "account-erased"), ERASED)


@pytest.mark.parametrize(
    "command", [ChangeRole(account="olivia", role="member"), SuspendAccount(account="olivia"), EraseAccount(account="olivia")]
)  # fmt: skip
def test_the_owner_stays_owner(command: Command) -> None:
    given(OLIVIA).when(command).then_refused("owner-stays")


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize(
    "command",
    [
        ChangeRole(account="anna", role="admin"),
        SuspendAccount(account="anna"),
        ReinstateAccount(account="anna"),
        EraseAccount(account="anna"),
    ],
)
def test_nothing_is_done_to_an_account_that_is_not_there_or_was_erased(command: Command, gone: Literal[0, 1]) -> None:
    given(*[ANNA, ERASED] * gone, opened("ben")).when(command).then_refused("account-unknown")


def test_each_role_may_all_that_the_one_below_may() -> None:
    assert MEMBER < TRUSTED < MODERATOR < ADMIN == PERMISSIONS["owner"] == PERMISSIONS["admin"]


@pytest.mark.parametrize(
    ("role", "more"),
    [
        ("member", {"requests.submit", "downloads.submit"}),
        ("trusted", {"requests.auto_approve"}),
        ("moderator", {"requests.moderate", "accounts.view", "downloads.view_all"}),
        ("admin", {"accounts.manage", "services.manage", "settings.manage", "audit.view", "todo.manage"}),
        ("owner", set()),
    ],
)
def test_each_role_may_do_this_and_no_more_besides_what_the_one_below_may(role: Role, more: set[Permission]) -> None:
    roles: list[Role] = ["member", "trusted", "moderator", "admin", "owner"]
    below = roles[: roles.index(role)]
    assert PERMISSIONS[role] == more.union(PERMISSIONS[below[-1]] if below else ())
    assert set(PERMISSIONS) == set(roles)


def test_nobody_new_comes_in_while_sign_ups_are_closed() -> None:
    given().when(logs_in(welcome=False)).then(LoginRefused("pin", "sign-ups-closed", "anna-plex"))
    given(ANNA).when(logs_in(welcome=False)).then(ON_PHONE)


def test_the_owner_of_the_server_is_not_shut_out_by_their_own_gate() -> None:
    given().when(logs_in(welcome=False, owns_server=True)).then(opened("anna", "owner"), ON_PHONE)


CHROMIUM = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36 Edg/131.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile Safari/604.1"
PHONE_AGENT = "Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15"
IPAD = "Mozilla/5.0 (iPad; CPU OS 18_1 like Mac OS X) AppleWebKit/605.1.15 FxiOS/132.0 Mobile/15E148 Safari/605.1.15"
CHROME_IOS = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 CriOS/131.0 Safari/604.1"
SAMSUNG = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 SamsungBrowser/26.0 Chrome/122.0 Mobile Safari/537.36"
OPERA = "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/131.0 Safari/537.36 OPR/116.0"
UNHEARD_OF = "Mozilla/5.0 (compatible)"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (CHROMIUM, "Chrome on Linux"),
        (EDGE, "Edge on Windows"),
        (IPHONE, "Safari on an iPhone"),
        (PHONE_AGENT, "Firefox on Android"),
        (MAC, "Safari on a Mac"),
        (IPAD, "Firefox on an iPad"),
        (CHROME_IOS, "Chrome on an iPhone"),
        (SAMSUNG, "Samsung Internet on Android"),
        (OPERA, "Opera on ChromeOS"),
        (UNHEARD_OF, "A browser"),
        ("python-httpx/0.28.1", "python-httpx/0.28.1"),
        ("", ""),
    ],
)
def test_a_device_is_called_by_its_browser_and_system_and_a_program_as_it_calls_itself(agent: str, name: str) -> None:
    assert device_name(agent) == name
