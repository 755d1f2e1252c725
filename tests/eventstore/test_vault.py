"""The vault: what was sealed opens for ever, at its own place, under its own key, and for nobody else."""

import base64

import pytest

from medianest.domain.event import Personal
from medianest.eventstore.connections import Pool
from medianest.eventstore.vault import MasterKey, PersonErased, SealBroken, Vault, _Key
from medianest.secret import Secret
from tests.conftest import MASTER_KEY

PLACE = "account.opened/name/c/0"

# As a release wrote them under the master key of the tests: each must open for ever.
ANNAS_KEY = bytes.fromhex(
    "5024917796c2f5ccd0179bfdde877caa41593dea5c7d423f2940a31f0dc66f6a97b5ed3013357c7df91f8950e4c2b57f2dc1e553fce1cfb246e1313f"
)
ANNAS_NAME = f"sealed:1:anna1:{PLACE}:fnozRDurX7+ixB+TDMR6DWG98OJBdf/N1LXvfdt8APXvdiauwysW"
PAPER = bytes.fromhex("70c5f2637bc62c407cdbf3fb11a1b358d817d5f4aca2b98229448cc86878e73066196355ccd0f33e3e14bc")


@pytest.fixture
async def anna(pool: Pool) -> str:
    """Somebody whose key is there already."""
    async with pool.connection() as connection:
        await connection.execute("INSERT INTO person_keys (person, wrapped) VALUES ('anna1', %s)", (ANNAS_KEY,))
    return "anna1"


@pytest.mark.usefixtures("anna")
async def test_what_an_earlier_release_sealed_opens_for_ever(vault: Vault) -> None:
    assert await vault.unseal_one(Personal(sealed=ANNAS_NAME)) == "Anna Ärmel"
    assert vault.opened("webhooks/1", PAPER) == b"body of anybody"


def test_a_pseudonym_is_the_same_for_ever_and_of_one_kind(vault: Vault) -> None:
    assert vault.pseudonym("plex", "4711") == "596686814611ff830b4afdcf5c353a87"
    assert vault.pseudonym("seerr", "4711") != vault.pseudonym("plex", "4711")


def test_each_purpose_has_a_key_of_its_own_and_keeps_it() -> None:
    master = MasterKey(MASTER_KEY)
    assert master.derived("seals").hex() == "274427087423acce1efb8b9dae17fb168b07ff24114cfb6481e784ae347d7129"
    assert len({master.derived(purpose) for purpose in ("seals", "person keys", "pseudonyms", "papers")}) == 4


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_master_key_has_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        MasterKey(Secret(base64.urlsafe_b64encode(bytes(length)).decode()))


def test_no_two_new_master_keys_are_alike() -> None:
    assert MasterKey(MasterKey.new()).derived("seals") != MasterKey(MasterKey.new()).derived("seals")


async def test_the_words_of_several_people_open_each_under_their_own_key(vault: Vault) -> None:
    sealed = {name: (await vault.seal(name, {PLACE: name.title()}))[PLACE] for name in ("anna", "ben", "cleo")}
    await vault.destroy("ben")
    plain = await vault.unseal([*sealed.values(), sealed["anna"], Personal("not sealed yet")])
    assert plain == {sealed["anna"]: "Anna", sealed["ben"]: "[erased]", sealed["cleo"]: "Cleo"}
    assert await vault.unseal([]) == {}


async def test_the_same_words_are_never_sealed_alike(vault: Vault) -> None:
    """Whoever reads the tables must not see who has the same name."""
    sealed = [(await vault.seal("anna", {PLACE: "Anna"}))[PLACE].sealed for _ in range(2)]
    assert sealed[0] != sealed[1]


async def test_a_person_has_one_key_for_as_long_as_they_are_not_erased(vault: Vault, pool: Pool) -> None:
    for _ in range(2):
        await vault.seal("anna", {PLACE: "Anna"})
    async with pool.connection() as connection:
        kept = await (await connection.execute("SELECT person, wrapped FROM person_keys")).fetchall()
    assert [person for person, _ in kept] == ["anna"]
    assert len(kept[0][1]) == len(ANNAS_KEY)


async def test_of_two_who_seal_for_somebody_first_the_key_of_one_counts(
    vault: Vault, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, look, first = Vault(pool, MasterKey(MASTER_KEY)), vault._keys, list[Personal]()

    async def look_a_moment_too_early(persons: set[str]) -> dict[str, _Key]:
        found = await look(persons)
        if not first:
            first.append((await other.seal("anna", {PLACE: "Anna"}))[PLACE])
        return found

    monkeypatch.setattr(vault, "_keys", look_a_moment_too_early)
    second = (await vault.seal("anna", {PLACE: "Anna too"}))[PLACE]
    assert await other.unseal([*first, second]) == {first[0]: "Anna", second: "Anna too"}


async def test_nothing_is_sealed_for_the_erased_and_their_key_never_comes_back(vault: Vault) -> None:
    sealed = (await vault.seal("anna", {PLACE: "Anna"}))[PLACE]
    await vault.destroy("anna")
    await vault.destroy("nobody")
    for person in ("anna", "nobody"):
        with pytest.raises(PersonErased):
            await vault.seal(person, {PLACE: "Anna"})
    assert await vault.unseal_one(sealed) == "[erased]"


ALTERED = {
    "moved to another field": ANNAS_NAME.replace("/name/", "/plex_id/"),
    "given to somebody else": ANNAS_NAME.replace("anna1", "ben"),
    "of another form": ANNAS_NAME.replace(":1:", ":2:"),
    "of another name": ANNAS_NAME.replace("sealed:", "closed:"),
    "of no form": "Anna",
    "emptied": "",
    "cut off": ANNAS_NAME[:-4],
    "cut off amid a letter": ANNAS_NAME[:-1],
    "emptied of its text": ANNAS_NAME.rpartition(":")[0] + ":",
    "without its text": ANNAS_NAME.rpartition(":")[0],
    "with something more": ANNAS_NAME + ":",
    "with a letter more": ANNAS_NAME.replace("fnoz", "fn!oz"),
    "with another letter": ANNAS_NAME.replace("fnoz", "fnoZ"),
}


@pytest.mark.parametrize("words", ALTERED.values(), ids=ALTERED)
@pytest.mark.usefixtures("anna")
async def test_sealed_words_that_were_altered_do_not_open(vault: Vault, pool: Pool, words: str) -> None:
    await vault.seal("ben", {PLACE: "Ben"})
    async with pool.connection() as connection:
        await connection.execute("INSERT INTO keys_left_behind VALUES ('cleo')")  # which is nothing to the others
    with pytest.raises(SealBroken):
        await vault.unseal_one(Personal(sealed=words))


@pytest.mark.parametrize("place", ["webhooks/2", ""])
def test_papers_open_at_their_own_place(vault: Vault, place: str) -> None:
    assert vault.opened(place, vault.closed(place, b"body")) == b"body"
    with pytest.raises(SealBroken, match="master key"):
        vault.opened(place, PAPER)
    for altered in (PAPER[:-1], PAPER[:20], b""):
        with pytest.raises(SealBroken):
            vault.opened("webhooks/1", altered)


async def test_under_another_master_key_nothing_opens_and_the_remedy_is_named(vault: Vault, pool: Pool) -> None:
    sealed = (await vault.seal("anna", {PLACE: "Anna"}))[PLACE]
    other = Vault(pool, MasterKey(MasterKey.new()))
    with pytest.raises(SealBroken, match="Restore the right one"):
        await other.unseal_one(sealed)
    async with pool.connection() as connection:
        await connection.execute("UPDATE person_keys SET wrapped = ''")
    with pytest.raises(SealBroken, match="Restore the right one"):
        await vault.unseal_one(sealed)
    with pytest.raises(SealBroken, match="restore the master key"):
        other.opened("webhooks/1", PAPER)
    assert other.pseudonym("plex", "4711") != vault.pseudonym("plex", "4711")


async def test_a_master_key_that_opens_nobody_s_key_is_told_before_anything_is_sealed_under_it(
    vault: Vault, pool: Pool
) -> None:
    other = Vault(pool, MasterKey(MasterKey.new()))
    await other.check()  # nobody is there yet: any key will do
    for person in ("anna", "ben"):
        await vault.seal(person, {PLACE: person})
    await vault.check()
    with pytest.raises(SealBroken, match="Restore the right one"):
        await other.check()
    await vault.destroy("anna")
    async with pool.connection() as connection:
        await connection.execute("UPDATE person_keys SET wrapped = '' WHERE person = 'ben'")
    await vault.seal("cleo", {PLACE: "cleo"})
    await vault.check()  # one row that was altered keeps nobody else out
