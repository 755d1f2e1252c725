"""What a task that tries again and again says of what keeps it from its work."""

import time

import structlog

log = structlog.get_logger()
AGAIN_SECONDS = 600.0  # then what has not changed is told once more


class Trouble:
    """One line when it begins, one when it is over, and none for each try in between.

    What is foreseen, such as a database that is away, is told without its traceback: by its type, and by the code
    that PostgreSQL gave it, or by the `why` of an outside system.
    """

    def __init__(self, what: str, *foreseen: type[Exception], **about: str) -> None:
        self._what = what
        self._foreseen = foreseen
        self._about = about
        self._kind: object = None  # of what was told last; None: all is well
        self._told_at = 0.0

    def met(self, failure: Exception) -> None:
        foreseen = isinstance(failure, self._foreseen)
        kind = self._foreseen if foreseen else type(failure)
        if kind == self._kind and time.monotonic() < self._told_at + AGAIN_SECONDS:
            return
        self._kind, self._told_at = kind, time.monotonic()
        if foreseen:
            said = {name: getattr(failure, name) for name in ("sqlstate", "why") if hasattr(failure, name)}
            log.warning(self._what, **self._about, error=type(failure).__name__, **said)
        else:
            log.error(self._what, **self._about, exc_info=failure)

    def over(self) -> None:
        """To be called whenever the work is done: mostly there was no trouble, and nothing is said."""
        if self._kind is not None:
            self._kind = None
            log.info("the trouble is over", what=self._what, **self._about)
