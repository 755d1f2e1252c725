"""What processes share through Redis, and may lose at any moment: nobody waits for it, and nothing fails with it."""

import asyncio
import time
from collections.abc import Callable
from itertools import islice
from typing import Any
from uuid import uuid4

import redis.asyncio as redis
import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError

from medianest.secret import Secret

log = structlog.get_logger()
LOST = (RedisError, OSError, TimeoutError)  # every way in which Redis can be away
ANSWER_SECONDS = 1.0  # how long one exchange may take, with everything in it
FLUSH_SECONDS = 0.2
FLUSH_LIMIT = 1000  # counters in one flush
COUNTERS_LIMIT = 20_000  # beyond it the oldest is forgotten
DIGITS = 12  # of what one process counts in a window, at most


def redis_client(url: Secret) -> redis.Redis:
    """A client that gives up soon: half a second to connect, half a second to answer, no second try."""
    return redis.Redis.from_url(
        url.reveal(),
        socket_timeout=0.5,
        socket_connect_timeout=0.5,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
    )


class Outage:
    """Says once that Redis is away and once that it is back; counts what failed between."""

    def __init__(self, purpose: str) -> None:
        self._purpose = purpose
        self.failures = 0  # since it last worked

    def failed(self, error: BaseException) -> None:
        self.failures += 1
        if self.failures > 1:
            return
        if isinstance(error, AuthenticationError):
            log.warning("Redis refuses us: correct the user and the password in `redis_url`", purpose=self._purpose)
        else:
            log.warning("Redis does not answer: this process goes on alone", purpose=self._purpose, error=_name(error))

    def worked(self) -> None:
        if self.failures:
            log.info("Redis answers again", purpose=self._purpose, failures=self.failures)
        self.failures = 0


def _name(error: BaseException) -> str:
    return type(error).__name__  # its text may hold the address, and with it a password


class _Counter:
    """What one key has come to in one window."""

    __slots__ = ("others", "own", "seconds", "window")

    def __init__(self, window: int, seconds: float) -> None:
        self.window = window
        self.seconds = seconds
        self.own = 0
        self.others = 0  # what the other processes had when Redis last answered


class SharedCounters:
    """Counts per key in fixed windows, summed over all processes, for rate limits.

    `add` and `total` never wait: this process's share counts at once, that of the others as Redis last told.
    Each process writes its own share as a whole, so a flush whose answer was lost may be repeated: it counts
    once. Without Redis, or while it is away, counts are those of this process.
    """

    def __init__(self, url: Secret | None, clock: Callable[[], float] = time.time) -> None:
        self._url = url
        self._clock = clock
        self._process = uuid4().hex
        self._counters: dict[str, _Counter] = {}
        self._changed: dict[str, None] = {}  # keys whose share Redis does not have; a dict keeps their order
        self._outage = Outage("rate limits")

    def add(self, key: str, n: int, window_seconds: float) -> int:
        """Count `n` more; answers with the total."""
        counter = self._counter(key, window_seconds)
        counter.own += n
        if self._url is not None:
            self._changed[key] = None
        return counter.own + counter.others

    def total(self, key: str) -> int:
        """What all processes counted in the window that is open now."""
        counter = self._counters.get(key)
        if counter is None or counter.window != int(self._clock() // counter.seconds):
            return 0
        return counter.own + counter.others

    async def run(self) -> None:
        """Tell Redis what was counted here, and learn what was counted elsewhere, for ever."""
        if self._url is None:
            await asyncio.Event().wait()
            return
        client = redis_client(self._url)
        try:
            while True:
                await asyncio.sleep(FLUSH_SECONDS)
                await self._flush(client)
        finally:
            await client.aclose()

    def _counter(self, key: str, seconds: float) -> _Counter:
        window = int(self._clock() // seconds)
        counter = self._counters.get(key)
        if counter is None or counter.window != window or counter.seconds != seconds:
            self._counters.pop(key, None)  # so that the dict is ordered by age
            counter = self._counters[key] = _Counter(window, seconds)
            if len(self._counters) > COUNTERS_LIMIT:
                oldest = next(iter(self._counters))
                del self._counters[oldest]
                self._changed.pop(oldest, None)
        return counter

    async def _flush(self, client: redis.Redis) -> None:
        keys = list(islice(self._changed, FLUSH_LIMIT))
        if not keys:
            return
        sent = [(key, self._counters[key]) for key in keys]
        for key in keys:  # what is counted from here on is flushed next time
            del self._changed[key]
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answers = await self._exchange(client, sent)
        except LOST as lost:
            self._outage.failed(lost)
            self._changed = dict.fromkeys(key for key in (*keys, *self._changed) if key in self._counters)
        else:
            self._outage.worked()
            for (_, counter), shares in zip(sent, answers, strict=True):
                own = self._process.encode()
                counter.others = sum(_count(n) for process, n in shares.items() if process != own)

    async def _exchange(self, client: redis.Redis, sent: list[tuple[str, _Counter]]) -> list[dict[bytes, bytes]]:
        pipeline: Any = client.pipeline(transaction=False)  # its commands return the pipeline, whatever redis types say
        for key, counter in sent:
            name = f"medianest:count:{key}:{counter.seconds:g}:{counter.window}"
            pipeline.hset(name, self._process, counter.own)
            pipeline.expire(name, int(counter.seconds) + 60)
            pipeline.hgetall(name)
        answers: list[Any] = await pipeline.execute()
        return answers[2::3]


def _count(share: bytes) -> int:
    """A share as another process wrote it; what is none, from whoever may write to Redis, counts nothing."""
    return int(share) if share.isdigit() and len(share) <= DIGITS else 0
