"""Rate limits: a token bucket a key, in this process; with shared counters also a window over all processes.

Nothing here waits: what other processes counted is taken as it was last heard.
"""

import math
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

BUCKETS_LIMIT = 20_000  # keys; beyond it the one that was not asked about for longest is forgotten
WINDOW_SECONDS = 60.0


class Counters(Protocol):
    """Counts over several processes. A call returns at once, whatever has become of the others."""

    def add(self, key: str, n: int, window_seconds: float) -> int: ...


class Allowance(NamedTuple):
    """What is left of a limit."""

    name: str
    limit: int  # a minute
    remaining: int
    reset_seconds: int  # until all of it is there again
    retry_after_seconds: int = 0  # 0: go on


class _Bucket:
    __slots__ = ("at", "tokens")

    def __init__(self, tokens: float, at: float) -> None:
        self.tokens = tokens
        self.at = at


class RateLimits:
    def __init__(self, shared: Counters | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._shared = shared  # None: this is the only process
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def take(self, name: str, key: str, per_minute: int) -> Allowance:
        """Count one more of `name` for `key`: as many at once as may come in a minute, then one after another."""
        bucket = self._filled(f"{name}:{key}", per_minute)
        if bucket.tokens < 1:
            wait = (1 - bucket.tokens) * WINDOW_SECONDS / per_minute
            return self._allowance(name, per_minute, bucket, math.ceil(wait))
        bucket.tokens -= 1
        if self._shared is not None and self._shared.add(f"{name}:{key}", 1, WINDOW_SECONDS) > per_minute:
            # Within its limit here, beyond it over all processes: the window they share has to end.
            return self._allowance(name, per_minute, bucket, math.ceil(WINDOW_SECONDS / 2))
        return self._allowance(name, per_minute, bucket)

    def _filled(self, key: str, per_minute: int) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.pop(key, None) or _Bucket(per_minute, now)
        self._buckets[key] = bucket  # to the end: the dict is ordered by last use
        bucket.tokens = min(per_minute, bucket.tokens + (now - bucket.at) * per_minute / WINDOW_SECONDS)
        bucket.at = now
        if len(self._buckets) > BUCKETS_LIMIT:
            del self._buckets[next(iter(self._buckets))]
        return bucket

    @staticmethod
    def _allowance(name: str, per_minute: int, bucket: _Bucket, retry_after_seconds: int = 0) -> Allowance:
        missing = per_minute - bucket.tokens
        reset = math.ceil(missing * WINDOW_SECONDS / per_minute)
        return Allowance(name, per_minute, int(bucket.tokens), reset, retry_after_seconds)
