"""Whether it pays to send a second group of appends while PostgreSQL has the first."""

from collections import deque

MEMORY = (
    9  # groups; of their times the one in the middle counts, so that one that had to wait for the disk changes nothing
)
OURS = 1.5  # of PostgreSQL's time for an append: what we need to encode it and to tell its caller (measured)


class Pace:
    """What PostgreSQL's work on an append takes, and what a group takes around it.

    A second group hides our work on as many appends behind PostgreSQL's, and costs once more what is around them: the
    commit, and the turn. That pays with many writers on a quick disk. On a slow one, with few writers, or where other
    processes append too, so that each group waits for its turn, all had better go in one.
    """

    def __init__(self) -> None:
        self._inside = deque[float](maxlen=MEMORY)  # seconds an append
        self._around = deque[float](maxlen=MEMORY)  # seconds a group
        self._last = 0.0  # when the last answer came

    def divides(self, appends: int) -> bool:
        """Whether so many had better go in two groups."""
        return _middle(self._around) <= OURS * _middle(self._inside) * appends

    def answered(self, sent: float, now: float, appends: int, inside: float) -> None:
        """A group of so many, sent and answered at these moments of one clock, took so many seconds inside."""
        self._around.append(now - max(sent, self._last) - inside)  # it was next in turn since then
        self._inside.append(inside / appends)
        self._last = now


def _middle(times: deque[float]) -> float:
    return sorted(times)[len(times) // 2] if times else 0.0
