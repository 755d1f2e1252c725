"""Sessions by themselves: tokens that run out, tokens that work once, and what ends them."""

import asyncio
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from medianest.commands import Commands
from medianest.domain.accounts import LogIn, SessionEnded, SuspendAccount
from medianest.domain.command import Actor
from medianest.domain.event import Item, Personal, Query, tags
from medianest.eventstore.connections import Pool
from medianest.eventstore.store import EventStore
from medianest.eventstore.vault import MasterKey
from medianest.secret import Secret
from medianest.sessions import RefreshTokenReused, SessionOver, Sessions
from projections.engine import ProjectionEngine
from tests.conftest import MASTER_KEY

TEST = Actor.system("test")


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sessions(pool: Pool, commands: Commands, engine: ProjectionEngine, clock: Clock) -> Sessions:
    sessions = Sessions(pool, commands, engine, MasterKey(MASTER_KEY), clock=clock)
    for session in ("s1", "s2"):
        await log_in(commands, engine, session)
    return sessions


async def log_in(commands: Commands, engine: ProjectionEngine, session: str) -> None:
    command = LogIn(
        account="anna", session=session, pin=session, plex="anna-plex", plex_id=Personal("7"), name=Personal("Anna"),
        device=Personal("Firefox"), owns_server=False, has_access=True,
    )  # fmt: skip
    outcome = await commands.run(command, TEST)
    await engine.reached(outcome.position, "accounts")


async def reasons(store: EventStore) -> list[str]:
    history = await store.read(Query(Item(SessionEnded, tags=tags(account="anna"))))
    return [recorded.event.reason for recorded in history.events if isinstance(recorded.event, SessionEnded)]


async def test_an_access_token_is_good_until_it_runs_out(sessions: Sessions, clock: Clock) -> None:
    tokens = await sessions.begin("s1", "anna")
    identity = await sessions.verify(tokens.access)
    assert identity is not None
    assert (identity.account, identity.session, identity.role) == ("anna", "s1", "member")
    clock.pass_(seconds=899)
    assert await sessions.verify(tokens.access)
    clock.now = tokens.access_expires_at
    assert await sessions.verify(tokens.access) is None


async def test_neither_token_shows_in_a_repr(sessions: Sessions) -> None:
    tokens = await sessions.begin("s1", "anna")
    assert tokens.access not in repr(tokens)
    assert tokens.refresh.reveal() not in repr(tokens)


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "x",
        "a.b.c",
        jwt.encode({"sub": "s1", "acc": "anna", "iat": 0, "exp": 9e9}, "k" * 32, "HS256"),
        jwt.encode({"sub": "s1", "acc": "anna", "iat": 0, "exp": 9e9}, "", "none"),
    ],
)
async def test_a_token_that_is_not_ours_opens_nothing(sessions: Sessions, forged: str) -> None:
    assert await sessions.verify(forged) is None


@pytest.mark.parametrize("claims", [{}, {"exp": 10**30}, {"exp": "never"}, {"sub": 7}])
async def test_a_token_of_ours_that_says_nonsense_opens_nothing(sessions: Sessions, claims: dict[str, object]) -> None:
    whole = {"sub": "s1", "acc": "anna", "iat": 0, "exp": 9e9} if claims else {}
    key = MasterKey(MASTER_KEY).derived("access tokens")
    assert await sessions.verify(_encoded({**whole, **claims}, key)) is None


def _encoded(claims: dict[str, object], key: bytes) -> str:
    if not isinstance(claims.get("exp", 0), int | float):
        claims = {**claims, "exp": 1}  # jwt.encode would refuse
    try:
        return jwt.encode(claims, key, "HS256")
    except TypeError:
        return ""


async def test_a_token_stops_working_when_the_account_is_suspended(
    sessions: Sessions, commands: Commands, engine: ProjectionEngine
) -> None:
    tokens = await sessions.begin("s1", "anna")
    outcome = await commands.run(SuspendAccount(account="anna"), TEST)
    await engine.reached(outcome.position, "accounts")
    assert await sessions.verify(tokens.access) is None
    with pytest.raises(SessionOver):
        await sessions.refresh(tokens.refresh)


async def test_a_refresh_token_works_once_and_slides(sessions: Sessions, clock: Clock) -> None:
    tokens = await sessions.begin("s1", "anna")
    for _ in range(3):  # 75 days in all: each use counts the 30 days anew
        clock.pass_(days=25)
        following = await sessions.refresh(tokens.refresh)
        assert following.refresh != tokens.refresh
        assert await sessions.verify(following.access)
        tokens = following
    clock.pass_(days=30)
    with pytest.raises(SessionOver):
        await sessions.refresh(tokens.refresh)


async def test_a_used_refresh_token_ends_the_session_for_whoever_has_it(sessions: Sessions, store: EventStore) -> None:
    """The thief and the one who was robbed look alike: neither goes on."""
    stolen = await sessions.begin("s1", "anna")
    other = await sessions.begin("s2", "anna")
    robbed = await sessions.refresh(stolen.refresh)
    with pytest.raises(RefreshTokenReused):
        await sessions.refresh(stolen.refresh)
    assert await sessions.verify(robbed.access) is None
    with pytest.raises(SessionOver):
        await sessions.refresh(robbed.refresh)
    assert await reasons(store) == ["refresh-token-reused"]
    assert await sessions.verify(other.access)


async def test_of_many_uses_at_once_one_wins(sessions: Sessions) -> None:
    tokens = await sessions.begin("s1", "anna")
    answers = await asyncio.gather(*(sessions.refresh(tokens.refresh) for _ in range(8)), return_exceptions=True)
    assert sum(not isinstance(answer, BaseException) for answer in answers) <= 1
    assert all(isinstance(answer, SessionOver) for answer in answers if isinstance(answer, BaseException))


async def test_signing_out_ends_one_session_and_elsewhere_all_others(sessions: Sessions, store: EventStore) -> None:
    one, two = await sessions.begin("s1", "anna"), await sessions.begin("s2", "anna")
    assert (await sessions.end_others("anna", "s1", Actor.person("anna")))[0] == 1
    assert await sessions.verify(one.access)
    assert await sessions.verify(two.access) is None
    await sessions.end("s1", "anna", "logout", Actor.person("anna"))
    assert await sessions.verify(one.access) is None
    assert await reasons(store) == ["revoked", "logout"]


async def test_a_session_nobody_came_back_to_is_swept(sessions: Sessions, store: EventStore, clock: Clock) -> None:
    left = await sessions.begin("s1", "anna")
    kept = await sessions.begin("s2", "anna")
    clock.pass_(days=20)
    kept = await sessions.refresh(kept.refresh)
    clock.pass_(days=11)
    assert await sessions.end_left() == 1
    assert await sessions.end_left() == 0
    assert await reasons(store) == ["expired"]
    assert await sessions.holder(left.refresh) is None
    assert await sessions.refresh(kept.refresh)


async def test_a_session_that_was_never_begun_is_swept_once_its_sign_in_cannot_be_gone_on_with(
    sessions: Sessions, store: EventStore, clock: Clock
) -> None:
    """Whoever signed it in crashed after the log had it and before there were tokens: nobody can ever use it."""
    begun = await sessions.begin("s2", "anna")
    clock.pass_(minutes=50)
    assert await sessions.end_left() == 0
    clock.pass_(minutes=20)
    assert await sessions.end_left() == 1
    assert await sessions.end_left() == 0
    assert await reasons(store) == ["never-begun"]
    assert await sessions.refresh(begun.refresh)


async def test_a_session_that_is_refreshed_day_by_day_is_never_taken_for_one_that_was_not_begun(
    sessions: Sessions, store: EventStore, clock: Clock
) -> None:
    one, two = await sessions.begin("s1", "anna"), await sessions.begin("s2", "anna")
    for _ in range(4):  # spent tokens go, the last one stays
        clock.pass_(days=20)
        one, two = await sessions.refresh(one.refresh), await sessions.refresh(two.refresh)
        assert await sessions.end_left() == 0
    assert await reasons(store) == []


async def test_a_spent_token_is_kept_no_longer_than_it_could_have_been_used(
    sessions: Sessions, pool: Pool, clock: Clock
) -> None:
    spent = await sessions.begin("s1", "anna")
    clock.pass_(days=20)
    last = await sessions.refresh(spent.refresh)
    kept = []
    for days in (9, 2):
        clock.pass_(days=days)
        await sessions.end_left()
        async with pool.connection() as rows:
            found = await rows.execute("SELECT count(*) FROM refresh_tokens WHERE session = 's1'")
            kept += await found.fetchall()
    assert kept == [(2,), (1,)]
    assert await sessions.refresh(last.refresh)


async def test_no_more_access_tokens_are_remembered_than_fit_and_the_others_are_as_good(
    sessions: Sessions, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medianest.sessions.KNOWN_LIMIT", 2)
    tokens = await sessions.begin("s1", "anna")
    given = [tokens.access]
    for _ in range(3):
        clock.pass_(seconds=1)
        tokens = await sessions.refresh(tokens.refresh)
        given.append(tokens.access)
    assert all([await sessions.verify(access) for access in given])
    assert list(sessions._known) == given[2:]
    assert await sessions.verify(given[0])


async def test_an_unknown_refresh_token_says_nothing_and_ends_nothing(sessions: Sessions, store: EventStore) -> None:
    await sessions.begin("s1", "anna")
    with pytest.raises(SessionOver):
        await sessions.refresh(Secret("never was one"))
    assert await reasons(store) == []
