"""Who a session is according to the log, at this moment.

Read models run behind by a moment, or longer where one has stopped. Who may hear what must not depend on that: a
session that was revoked just now would still get in, and somebody who joined a request just now would miss what
becomes of it. So the few events that decide it are read from the log when a session's first socket comes, and
kept current by the broadcaster as long as it has sockets.
"""

from collections.abc import Sequence

from medianest.domain.accounts import (
    ACCOUNT_EVENTS,
    AccountErased,
    AccountOpened,
    AccountReinstated,
    AccountSuspended,
    Role,
    RoleChanged,
    SessionEnded,
)
from medianest.domain.event import Item, Query, tags, type_of
from medianest.domain.requests import RequestJoined
from medianest.eventstore.codec import Recorded


class Standing:
    """A session's account, its role, the requests of others it follows, and whether the session is still open."""

    def __init__(self, session: str, account: str) -> None:
        self.session = session
        self.account = account
        self.role: Role | None = None  # None: there is no such account
        self.active = True
        self.ended = False
        self.follows: frozenset[str] = frozenset()
        self.holders = 0  # members, and those who are about to become one
        self.query = Query(
            Item(*ACCOUNT_EVENTS, RequestJoined, tags=tags(account=account)),
            Item(SessionEnded, tags=tags(session=session)),
        )
        self._position: int | None = None  # up to where it is known; None: it is being read
        self._early: list[Recorded] = []  # what the broadcaster told before it was read

    @property
    def open(self) -> bool:
        return self.role is not None and self.active and not self.ended

    def read(self, history: Sequence[Recorded], head: int) -> None:
        """The log as it was at `head`; what came later has been heard meanwhile."""
        for recorded in (*history, *(early for early in self._early if early.position > head)):
            self._fold(recorded)
        self._position = head
        self._early.clear()

    def hear(self, recorded: Recorded) -> bool:
        """The next event of the log; answers whether it changed anything here."""
        if not self.query.matches(type_of(recorded.event), recorded.tags):
            return False
        if self._position is None:
            self._early.append(recorded)
            return False
        return recorded.position > self._position and self._fold(recorded)

    def _fold(self, recorded: Recorded) -> bool:
        match recorded.event:
            case AccountOpened(role=role) | RoleChanged(role=role):
                self.role = role
            case AccountSuspended():
                self.active = False
            case AccountReinstated():
                self.active = True
            case AccountErased():
                self.role = None
            case SessionEnded():
                self.ended = True
            case RequestJoined(request=request, follower=self.account):
                self.follows |= {request}
            case _:
                return False
        return True
