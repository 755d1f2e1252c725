"""Which groups of appends say where the log ends now, to whoever listens: a NOTIFY wakes every process, each time.

Where groups follow each other closely, they share one: nobody needs to be woken again before he has looked.
"""

import asyncio
from collections.abc import Callable

APART_SECONDS = 0.005  # between one NOTIFY and the next, while groups follow each other
OWED_SECONDS = 0.008  # after which what was kept back is said even if no group follows


class Notices:
    """`owed` is called when something was kept back and nothing that says it was sent since."""

    def __init__(self, owed: Callable[[], None]) -> None:
        self._owed = owed
        self._sent = 0.0  # when a group was sent that says it
        self._said = 0  # up to which position whoever listens was told
        self._added = 0  # and up to which there was something to tell
        self._reminder: asyncio.TimerHandle | None = None  # something was kept back
        self.owes = False  # and had better be said now

    @property
    def kept_back(self) -> bool:
        """Whether a group was sent that does not say it, and none since that does."""
        return self.owes or self._reminder is not None

    def says(self, now: float) -> bool:
        """Whether a group that is sent at this moment is to say it; whoever asks, sends it."""
        if self.owes or now >= self._sent + APART_SECONDS:
            self._sent, self.owes = now, False
            self.close()
            return True
        if self._reminder is None:
            self._reminder = asyncio.get_running_loop().call_later(OWED_SECONDS, self._owe)
        return False

    def answered(self, said: bool, last: int) -> None:
        """A group, which was to say it or not, added events up to a position; 0: none, and so it said nothing either."""
        self._added = max(self._added, last)
        if said and last:
            self._said = last
        elif said and self._added > self._said:
            self._owe()

    def close(self) -> None:
        if self._reminder is not None:
            self._reminder.cancel()
            self._reminder = None

    def _owe(self) -> None:
        self.close()
        self.owes = True
        self._owed()
