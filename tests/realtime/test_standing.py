"""Who a session is: the log as it was read, and what was heard while it was being read."""

from medianest.domain.accounts import AccountErased, AccountOpened, RoleChanged, SessionEnded
from medianest.domain.event import Event, Personal
from medianest.domain.requests import Media, RequestHandedOn, RequestJoined, RequestLeft
from medianest.eventstore.codec import Recorded
from medianest.eventstore.columns import Texts
from medianest.realtime.audience import Standing

OPENED = AccountOpened("anna", "p", Personal("1"), Personal("Anna"), "member")
TO_ADMIN = RoleChanged("anna", "p", "admin", "member")
TO_MEMBER = RoleChanged("anna", "p", "member", "admin")


def at(position: int, event: Event) -> Recorded:
    return Recorded(position, event, Texts(event.tags()).packed, b"", b"")


def joined(request: str, account: str, follower: str) -> RequestJoined:
    return RequestJoined(request, account, Media("movie", 603), follower)


def anna(*history: Recorded, head: int) -> Standing:
    standing = Standing("s1", "anna")
    standing.read(history, head)
    return standing


def test_what_was_heard_while_it_was_read_counts_only_where_the_log_was_read_before_it() -> None:
    """Otherwise an old role would win over the newer one that was read."""
    standing = Standing("s1", "anna")
    standing.hear(at(2, TO_ADMIN))
    standing.hear(at(4, joined("r1", "ben", "anna")))
    standing.read([at(1, OPENED), at(2, TO_ADMIN), at(3, TO_MEMBER)], head=3)
    assert standing.role == "member"
    assert standing.follows == {"r1"}


def test_what_was_read_already_is_not_heard_again() -> None:
    standing = anna(at(1, OPENED), at(2, TO_ADMIN), at(3, TO_MEMBER), head=3)
    assert not standing.hear(at(2, TO_ADMIN))
    assert standing.role == "member"


def test_the_end_of_another_session_is_not_this_ones() -> None:
    standing = anna(at(1, OPENED), head=1)
    standing.hear(at(2, SessionEnded("s2", "anna", "logout")))
    assert standing.open
    standing.hear(at(3, SessionEnded("s1", "anna", "logout")))
    assert not standing.open


def test_who_is_followed_by_others_does_not_follow_them() -> None:
    standing = anna(at(1, OPENED), head=1)
    standing.hear(at(2, joined("r1", "anna", "ben")))
    assert not standing.follows


def test_who_left_or_has_it_now_as_their_own_follows_no_longer() -> None:
    film = Media("movie", 603)
    for end in (RequestLeft("r1", "ben", film, "anna"), RequestHandedOn("r1", "ben", film, "anna")):
        standing = anna(at(1, OPENED), at(2, joined("r1", "ben", "anna")), head=2)
        assert standing.hear(at(3, end))
        assert not standing.follows


def test_who_hands_a_request_on_does_not_follow_it() -> None:
    standing = anna(at(1, OPENED), head=1)
    standing.hear(at(2, RequestHandedOn("r1", "anna", Media("movie", 603), "ben")))
    assert not standing.follows


def test_an_account_that_is_not_there_or_was_erased_has_no_open_session() -> None:
    assert not anna(head=9).open
    assert not anna(at(1, OPENED), at(2, AccountErased("anna", "p")), head=9).open
