"""The laws of the log under any order of appends, conditions, repeats and reads: hypothesis against real PostgreSQL."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from medianest.domain.catalogue import EVENTS
from medianest.domain.command import Actor
from medianest.domain.event import Event, Item, Query, type_of
from medianest.domain.requests import Media, RequestApproved, RequestCancelled, RequestSubmitted
from medianest.eventstore.codec import Codec, Metadata
from medianest.eventstore.connections import connection_pool
from medianest.eventstore.head import Head
from medianest.eventstore.store import Appended, Condition, Conflict, EventStore
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
ITEM = st.builds(
    lambda types, about: Item(*types, tags=about),
    st.lists(st.sampled_from(KINDS), max_size=2),
    st.lists(st.sampled_from(["request:r1", "request:r2", "account:anna", "account:ben"]), min_size=1, max_size=2),
)
QUERY = st.builds(lambda items: Query(*items), st.lists(ITEM, max_size=2))


class Log(RuleBasedStateMachine):
    """The real store beside a plain list that says what must be in it."""

    conninfo = ""
    master = MasterKey(MasterKey.new())

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.expected: list[Event] = []
        self.acted: dict[UUID, Appended] = {}
        self.store = self.runner.run(self._open())

    async def _open(self) -> EventStore:
        self.database = f"machine_{uuid4().hex}"
        async with await psycopg.AsyncConnection.connect(self.conninfo, autocommit=True) as admin:
            await admin.execute(f"CREATE DATABASE {self.database} TEMPLATE template_medianest".encode())
        own = psycopg.conninfo.make_conninfo(self.conninfo, dbname=self.database)
        pool = await self.stack.enter_async_context(connection_pool(own, size=3))
        head = await self.stack.enter_async_context(Head(own))
        return await self.stack.enter_async_context(
            EventStore(own, pool, Codec(Vault(pool, self.master), EVENTS), head)
        )

    def teardown(self) -> None:
        self.runner.run(self._close())
        self.runner.close()

    async def _close(self) -> None:
        await self.stack.aclose()
        async with await psycopg.AsyncConnection.connect(self.conninfo, autocommit=True) as admin:
            await admin.execute(f"DROP DATABASE {self.database} WITH (FORCE)".encode())

    def _breaks(self, query: Query, after: int) -> bool:
        later = self.expected[after:]
        return any(query.matches(type_of(event), event.tags()) for event in later)

    async def _append(self, events: list[Event], condition: Condition | None, command: UUID) -> Any:
        metadata = Metadata(actor=Actor.system("machine"), command=command)
        try:
            return await self.store.append(events, metadata, condition)
        except Conflict as conflict:
            return conflict

    @rule(events=st.lists(EVENT, min_size=1, max_size=3), query=QUERY, back=st.integers(0, 4))
    def append_on_a_condition(self, events: list[Event], query: Query, back: int) -> None:
        after = max(0, len(self.expected) - back)
        command = uuid4()
        answer = self.runner.run(self._append(events, Condition(query, after), command))
        if self._breaks(query, after):
            assert isinstance(answer, Conflict)
        else:
            assert answer == Appended(len(self.expected) + 1, len(self.expected) + len(events))
            self.expected += events
            self.acted[command] = answer

    @rule(data=st.data(), events=st.lists(EVENT, min_size=1, max_size=2))
    def repeat_a_command(self, data: st.DataObject, events: list[Event]) -> None:
        if self.acted:
            command = data.draw(st.sampled_from(list(self.acted)))
            answer = self.runner.run(self._append(events, None, command))
            assert answer == self.acted[command]._replace(repeated=True)

    @rule(event=EVENT, racers=st.integers(2, 5))
    def race_on_one_condition(self, event: Event, racers: int) -> None:
        """Of those who depend on what they themselves write, one wins."""
        query = Query(Item(type(event), tags=event.tags()[:1]))
        condition = Condition(query, len(self.expected))

        async def race() -> list[Any]:
            return await asyncio.gather(*(self._append([event], condition, uuid4()) for _ in range(racers)))

        answers = self.runner.run(race())
        assert [isinstance(answer, Appended) for answer in answers].count(True) == 1
        self.expected.append(event)

    @rule(query=QUERY, after=st.integers(0, 5), limit=st.none() | st.integers(1, 3))
    def read_by_query(self, query: Query, after: int, limit: int | None) -> None:
        history = self.runner.run(self.store.read(query, after=after, limit=limit))
        right = [
            position
            for position, event in enumerate(self.expected, 1)
            if position > after and query.matches(type_of(event), event.tags())
        ]
        assert [recorded.position for recorded in history.events] == right[:limit]
        assert history.head == len(self.expected)

    @invariant()
    def the_log_is_what_was_appended(self) -> None:
        history = self.runner.run(self.store.read())
        assert [recorded.event for recorded in history.events] == self.expected
        assert [recorded.position for recorded in history.events] == list(range(1, len(self.expected) + 1))


@pytest.mark.timeout(180)
def test_the_log_keeps_its_laws_in_any_order(postgres: str) -> None:
    Log.conninfo = postgres
    run_state_machine_as_test(
        Log,
        settings=settings(
            max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
