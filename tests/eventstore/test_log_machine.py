"""The laws of the log under any order of appends, conditions, repeats and reads: hypothesis against real PostgreSQL."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from medianest.domain.catalogue import EVENTS
from medianest.domain.command import Actor
from medianest.domain.event import Event, Item, Query, type_of
from medianest.domain.requests import Media, RequestApproved, RequestCancelled, RequestSubmitted
from medianest.eventstore import subscription
from medianest.eventstore.codec import Codec, Metadata, Recorded
from medianest.eventstore.connections import connection_pool
from medianest.eventstore.head import Head
from medianest.eventstore.store import Appended, CommandReused, Condition, Conflict, EventStore, Span
from medianest.eventstore.subscription import subscribe
from medianest.eventstore.vault import MasterKey, Vault

REQUESTS = st.sampled_from(["r1", "r2", "r3"])
ACCOUNTS = st.sampled_from(["anna", "ben"])
KINDS: list[type[Event]] = [RequestSubmitted, RequestApproved, RequestCancelled]


def event_of(kind: type[Event], request: str, account: str) -> Event:
    media = Media("movie", len(request + account))
    if kind is RequestSubmitted:
        return RequestSubmitted(request, account, media, "Dune")
    return kind(request, account, media)


EVENT = st.builds(event_of, st.sampled_from(KINDS), REQUESTS, ACCOUNTS)
EVENTS_OF_ONE = st.lists(EVENT, min_size=1, max_size=3)
# `request:r1` and `account:anna` are on more events than `rarest_tag` counts, `account:ben` on few, `request:r9` on none.
TAG = st.sampled_from(["request:r1", "request:r2", "request:r9", "account:anna", "account:ben", "media:movie:6"])
ITEM = st.builds(
    lambda types, about: Item(*types, tags=about),
    st.lists(st.sampled_from(KINDS), max_size=2),
    st.lists(TAG, min_size=1, max_size=3),
)
TYPES_ONLY = st.builds(lambda types: Item(*types), st.lists(st.sampled_from(KINDS), min_size=1, max_size=2))
QUERY = st.builds(lambda items: Query(*items), st.lists(ITEM | TYPES_ONLY, max_size=2))
BACK = st.integers(0, 4) | st.integers(0, 200)  # from the head of the log: past the hot events, too
HOT = [event_of(RequestSubmitted, "r1", "anna")] * 104 + [event_of(RequestApproved, "r2", "anna")] * 6
COMMANDS = [UUID(int=n) for n in range(1, 7)]  # few, so that they come again


class Wish(NamedTuple):
    """One append: what it wants, on which condition, under which id."""

    events: list[Event]
    query: Query | None  # None: on no condition
    back: int
    command: UUID
    body: bytes


WISH = st.builds(
    Wish,
    EVENTS_OF_ONE,
    st.none() | QUERY,
    BACK,
    st.sampled_from(COMMANDS) | st.uuids(),
    st.sampled_from([b"same", b"same", b"other"]),
)


class Log(RuleBasedStateMachine):
    """The real store beside a plain list that says what must be in it."""

    conninfo = ""
    master = MasterKey(MasterKey.new())

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.expected: list[Event] = []
        self.actors: list[str] = []
        self.acted: dict[UUID, tuple[Appended, bytes]] = {}
        self.store = self.runner.run(self._open())
        self.following: tuple[Query, int, AsyncGenerator[list[Recorded], None]] | None = None
        self.heard: list[int] = []

    async def _open(self) -> EventStore:
        self.database = f"machine_{uuid4().hex}"
        async with await psycopg.AsyncConnection.connect(self.conninfo, autocommit=True) as admin:
            await admin.execute(f"CREATE DATABASE {self.database} TEMPLATE template_medianest".encode())
        own = psycopg.conninfo.make_conninfo(self.conninfo, dbname=self.database)
        pool = await self.stack.enter_async_context(connection_pool(own, size=3))
        self.head = await self.stack.enter_async_context(Head(own))
        return await self.stack.enter_async_context(
            EventStore(own, pool, Codec(Vault(pool, self.master), EVENTS), self.head)
        )

    def teardown(self) -> None:
        self.runner.run(self._close())
        self.runner.close()

    async def _close(self) -> None:
        await self._leave()
        await self.stack.aclose()
        async with await psycopg.AsyncConnection.connect(self.conninfo, autocommit=True) as admin:
            await admin.execute(f"DROP DATABASE {self.database} WITH (FORCE)".encode())

    @initialize()
    def begin_with_tags_of_more_than_a_hundred_events(self) -> None:
        self.together([Wish(HOT, None, 0, uuid4(), b"same")], first=False)

    @rule(wishes=st.lists(WISH, min_size=1, max_size=6), first=st.booleans())
    def together(self, wishes: list[Wish], first: bool) -> None:
        """Whatever is asked at once is answered as if each had come after the other; `first`: one goes before them,
        so that the others wait for it and go in one group."""
        head = len(self.expected)
        if first:
            wishes = [Wish([event_of(RequestApproved, "r3", "ben")], None, 0, uuid4(), b"same"), *wishes]
        right = [self._right(wish, max(0, head - wish.back)) for wish in wishes]

        async def ask() -> list[Any]:
            return await asyncio.gather(*(self._append(wish, max(0, head - wish.back)) for wish in wishes))

        assert self.runner.run(ask()) == right

    def _right(self, wish: Wish, after: int) -> Appended | str:
        """What a plain list would answer."""
        if wish.command in self.acted:
            answer, body = self.acted[wish.command]
            return answer._replace(repeated=True) if body == wish.body else "CommandReused"
        if wish.query is not None and any(
            wish.query.matches(type_of(event), event.tags()) for event in self.expected[after:]
        ):
            return "Conflict"
        answer = Appended(len(self.expected) + 1, len(self.expected) + len(wish.events))
        self.expected += wish.events
        self.actors += [f"machine {wish.command.int % 3}"] * len(wish.events)
        self.acted[wish.command] = answer, wish.body
        return answer

    async def _append(self, wish: Wish, after: int) -> Appended | str:
        metadata = Metadata(actor=Actor.system(f"machine {wish.command.int % 3}"), command=wish.command)
        condition = None if wish.query is None else Condition(wish.query, after)
        try:
            return await self.store.append(wish.events, metadata, condition, wish.body)
        except (Conflict, CommandReused) as refused:
            return type(refused).__name__

    def _matching(self, query: Query) -> list[int]:
        return [n for n, event in enumerate(self.expected, 1) if query.matches(type_of(event), event.tags())]

    @rule(
        query=QUERY,
        back=BACK,
        until=st.none() | BACK,
        limit=st.none() | st.integers(1, 3),
    )
    def read_by_query(self, query: Query, back: int, until: int | None, limit: int | None) -> None:
        after = max(0, len(self.expected) - back)
        end = None if until is None else max(0, len(self.expected) - until)
        history = self.runner.run(self.store.read(query, after=after, until=end, limit=limit))
        right = [n for n in self._matching(query) if n > after and (end is None or n <= end)]
        assert [recorded.position for recorded in history.events] == right[:limit]
        assert history.head == len(self.expected)

    @rule(
        query=QUERY,
        back=BACK,
        limit=st.integers(1, 200),
        actor=st.none() | st.sampled_from(["machine 0", "machine 1", "nobody"]),
        span=st.tuples(st.none() | BACK, st.none() | BACK),
    )
    def read_the_newest(
        self, query: Query, back: int, limit: int, actor: str | None, span: tuple[int | None, int | None]
    ) -> None:
        at = [recorded.at for recorded in self.runner.run(self.store.read()).events]
        since, until = (None if n is None else at[max(0, len(at) - 1 - n)] for n in span)
        before = len(self.expected) + 1 - back
        found = self.runner.run(
            self.store.latest(query, before=before, limit=limit, actor=actor, span=Span(since, until))
        )
        right = [
            n
            for n in self._matching(query)
            if n < before
            and (actor is None or self.actors[n - 1] == actor)
            and (since is None or at[n - 1] >= since)
            and (until is None or at[n - 1] < until)
        ]
        assert [recorded.position for recorded in found] == right[::-1][:limit]

    @rule(backs=st.lists(BACK, max_size=4))
    def look_for_moments(self, backs: list[int]) -> None:
        at = [recorded.at for recorded in self.runner.run(self.store.read()).events]
        moments = [at[max(0, len(at) - 1 - back)] for back in backs if at]
        found = self.runner.run(self.store.before_each(moments))
        assert found == [sum(moment < asked for moment in at) for asked in moments]

    @rule(query=QUERY, back=BACK)
    def begin_to_follow(self, query: Query, back: int) -> None:
        self.runner.run(self._leave())
        after = max(0, len(self.expected) - back)
        self.heard = []
        self.following = query, after, subscribe(self.store, self.head, after=after, query=query)

    @rule()
    def hear_all_there_is(self) -> None:
        if self.following is None:
            return
        query, after, pages = self.following
        right = [n for n in self._matching(query) if n > after]

        async def hear() -> None:
            async with asyncio.timeout(20):
                while len(self.heard) < len(right):
                    self.heard += [recorded.position for recorded in await anext(pages)]

        self.runner.run(hear())
        assert self.heard == right

    async def _leave(self) -> None:
        if self.following is not None:
            await self.following[2].aclose()

    @rule(command=st.sampled_from(COMMANDS))
    def look_up_what_a_command_did(self, command: UUID) -> None:
        history = self.runner.run(self.store.of_command(command))
        if command not in self.acted:
            assert history is None
        else:
            answer, _ = self.acted[command]
            assert history is not None
            assert [r.position for r in history.events] == list(range(answer.first, answer.last + 1))

    @invariant()
    def the_log_is_what_was_appended(self) -> None:
        history = self.runner.run(self.store.read())
        assert [recorded.event for recorded in history.events] == self.expected
        assert [recorded.position for recorded in history.events] == list(range(1, len(self.expected) + 1))


@pytest.mark.timeout(180)
def test_the_log_keeps_its_laws_in_any_order(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscription, "PAGE", 3)
    Log.conninfo = postgres
    run_state_machine_as_test(
        Log,
        settings=settings(
            max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
