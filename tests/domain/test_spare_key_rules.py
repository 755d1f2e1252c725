"""The owner's way in while plex.tv is away."""

from datetime import timedelta

import pytest
from msgspec import structs

from medianest.domain.accounts import AccountOpened, SessionStarted
from medianest.domain.event import Personal
from medianest.domain.spare_keys import (
    ALPHABET,
    LENGTH,
    MakeSpareKey,
    SpareKeyMade,
    SpareKeyUsed,
    UseSpareKey,
    canonical,
)
from tests.domain.scenario import NOW, given

UNTIL = NOW + timedelta(minutes=15)
DEVICE = Personal("Firefox")
OLIVIA = AccountOpened("olivia", "olivia-plex", Personal("1"), Personal("Olivia"), "owner")
ANNA = AccountOpened("anna", "anna-plex", Personal("2"), Personal("Anna"), "member")
MADE = SpareKeyMade("olivia", "hash", UNTIL)
MAKE = MakeSpareKey(key="hash", until=UNTIL)
USE = UseSpareKey(key="hash", session="s1", device=DEVICE)


def test_a_key_is_made_for_the_owner_alone() -> None:
    given(ANNA, OLIVIA).when(MAKE).then(MADE)
    given(ANNA).when(MAKE).then_refused("owner-unknown")
    given(OLIVIA, MADE).when(MAKE).then_nothing()
    given(OLIVIA, MADE, SpareKeyUsed("olivia", "hash")).when(MAKE).then_nothing()
    given(OLIVIA, structs.replace(MADE, key="other")).when(MAKE).then(MADE)


def test_it_lets_the_owner_in_once_and_only_for_a_while() -> None:
    given(OLIVIA, MADE).when(USE).then(SpareKeyUsed("olivia", "hash"), SessionStarted("s1", "olivia", DEVICE))
    given(OLIVIA, MADE, SpareKeyUsed("olivia", "hash")).when(USE).then_refused("spare-key-wrong")
    last = given(OLIVIA, MADE).at(UNTIL - timedelta(seconds=1))
    last.when(USE).then(SpareKeyUsed("olivia", "hash"), SessionStarted("s1", "olivia", DEVICE))
    given(OLIVIA, MADE).at(UNTIL).when(USE).then_refused("spare-key-wrong")
    given(OLIVIA, MADE).when(structs.replace(USE, key="other")).then_refused("spare-key-wrong")


@pytest.mark.parametrize("typed", ["ABCD-EFGH", "abcdefgh", " abcd efgh\n"])
def test_it_may_be_typed_in_any_way(typed: str) -> None:
    assert canonical(typed) == "ABCDEFGH"


def test_nobody_guesses_it() -> None:
    assert len(ALPHABET) ** LENGTH > 2**78
