"""The keys of people: seals personal fields, unseals them, and forgets a person for good.

Each person has a key of their own (AES-256-GCM), wrapped by the master key. A sealed field is text that names
its person and its place: `sealed:1:<person>:<type>/<field>/<command>/<n>:<base64 of nonce and ciphertext>`. The
place is authenticated, so that words cannot be moved to another event or field. Read models keep sealed text
as it is; it is opened at the edges, and a destroyed key leaves nothing behind but `[erased]`. So does one that did not
come along when the log was moved (`keys_left_behind`), though its person may have another by now.
"""

import base64
import hmac
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from medianest.domain.event import Personal
from medianest.eventstore.connections import Pool
from medianest.secret import Secret

ERASED = "[erased]"
NONCE_BYTES = 12
OTHER_MASTER_KEY = (
    "A person's key does not open: the master key is not the one it was made with. Restore the right one."
)


class SealBroken(Exception):
    """Sealed words do not open: the row was altered, or the master key is not the one they were sealed under."""


class PersonErased(Exception):
    """Nothing can be sealed for somebody whose key is destroyed."""


class MasterKey:
    """The one key that everything secret hangs from; each purpose has a key derived from it."""

    def __init__(self, secret: Secret) -> None:
        raw = base64.urlsafe_b64decode(secret.reveal())
        if len(raw) != 32:
            raise ValueError("The master key must be 32 bytes in URL-safe base64: make one with `medianest new-key`.")
        self._raw = raw

    def derived(self, purpose: str) -> bytes:
        """32 bytes for `purpose`, always the same ones."""
        return HKDFExpand(SHA256(), 32, purpose.encode()).derive(self._raw)

    @staticmethod
    def new() -> Secret:
        return Secret(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())


class Vault:
    def __init__(self, pool: Pool, master: MasterKey) -> None:
        self._pool = pool
        self._wrap = AESGCM(master.derived("person keys"))
        self._pseudonyms = master.derived("pseudonyms")
        self._papers = AESGCM(master.derived("papers"))

    def pseudonym(self, kind: str, text: str) -> str:
        """A keyed hash, 32 hexadecimal digits: the same for the same text, and no way back."""
        return hmac.digest(self._pseudonyms, f"{kind}:{text}".encode(), "sha256").hex()[:32]

    def closed(self, place: str, body: bytes) -> bytes:
        """`body`, which may name anybody, sealed with a key of the house's own; `opened` gives it back."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._papers.encrypt(nonce, body, place.encode())

    def opened(self, place: str, sealed: bytes) -> bytes:
        """What was `closed` for the same `place`."""
        try:
            return self._papers.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError) as broken:
            raise SealBroken("What was kept does not open: restore the master key it was sealed under.") from broken

    async def seal(self, person: str, words: Mapping[str, str]) -> dict[str, Personal]:
        """Seals `words` (place -> words) for `person`, making their key at the first use."""
        key = AESGCM(await self._key_to_seal(person))
        return {place: Personal(sealed=_written(key, person, place, text)) for place, text in words.items()}

    async def unseal(self, sealed: Iterable[Personal]) -> dict[Personal, str]:
        """The plain words of each; `[erased]` where the person's key is destroyed."""
        wanted = [words for words in set(sealed) if words.sealed is not None]
        keys = await self._keys({_read(words).person for words in wanted})
        return {words: _opened(words, keys) for words in wanted}

    async def unseal_one(self, sealed: Personal) -> str:
        return (await self.unseal([sealed]))[sealed]

    async def check(self) -> None:
        """Raises `SealBroken` where the master key opens nobody's key of those there are."""
        async with self._pool.connection() as connection:
            found = await connection.execute("SELECT person, wrapped FROM person_keys WHERE wrapped IS NOT NULL")
            keys = await found.fetchall()
        if keys and not any(self._opens(*key) for key in keys):
            raise SealBroken(OTHER_MASTER_KEY)

    async def destroy(self, person: str) -> None:
        """Forget `person`: whatever was sealed for them reads as erased, everywhere and for ever."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "INSERT INTO person_keys (person) VALUES (%s) ON CONFLICT (person) DO UPDATE SET wrapped = NULL",
                (person,),
            )

    async def _key_to_seal(self, person: str) -> bytes:
        keys = await self._keys({person})
        if person not in keys:
            wrapped = self._wrapped(person, AESGCM.generate_key(256))
            async with self._pool.connection() as connection:
                await connection.execute(
                    "INSERT INTO person_keys (person, wrapped) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                    (person, wrapped),
                )
            keys = await self._keys({person})  # somebody else's key may have been first: that one counts
        if (raw := keys[person].raw) is None:
            raise PersonErased("This person was erased: nothing more is kept about them.")
        return raw

    async def _keys(self, persons: set[str]) -> "dict[str, _Key]":
        """The key of each person who has one, or had. Never cached: erasing counts at once."""
        if not persons:
            return {}
        async with self._pool.connection() as connection:
            found = await connection.execute(
                "SELECT person, wrapped, EXISTS (SELECT FROM keys_left_behind AS old WHERE old.person = keys.person)"
                " FROM person_keys AS keys WHERE person = ANY (%s)",
                (list(persons),),
            )
            return {
                person: _Key(self._unwrapped(person, wrapped), *rest)
                for person, wrapped, *rest in await found.fetchall()
            }

    def _wrapped(self, person: str, key: bytes) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._wrap.encrypt(nonce, key, person.encode())

    def _unwrapped(self, person: str, wrapped: bytes | None) -> bytes | None:
        if wrapped is None:
            return None
        try:
            return self._wrap.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], person.encode())
        except (InvalidTag, ValueError) as broken:
            raise SealBroken(OTHER_MASTER_KEY) from broken

    def _opens(self, person: str, wrapped: bytes) -> bool:
        with suppress(SealBroken):
            return self._unwrapped(person, wrapped) is not None
        return False


class _Key(NamedTuple):
    raw: bytes | None  # None: destroyed
    second: bool  # another was left behind where the log came from


class _Envelope(NamedTuple):
    """What sealed words say of themselves."""

    person: str
    place: str
    text: str  # base64 of nonce and ciphertext


def place_of(sealed: Personal) -> str:
    """Where sealed words belong: `<type>/<field>/<command>/<n>`. Raises `SealBroken`."""
    return _read(sealed).place


def _read(sealed: Personal) -> _Envelope:
    assert sealed.sealed is not None
    form, _, parts = sealed.sealed.partition(":1:")
    if form != "sealed" or parts.count(":") != 2:
        raise SealBroken("What stands where sealed words should is something else: the row was altered.")
    return _Envelope(*parts.split(":"))


def _written(key: AESGCM, person: str, place: str, words: str) -> str:
    nonce = secrets.token_bytes(NONCE_BYTES)
    ciphertext = key.encrypt(nonce, words.encode(), f"{person}:{place}".encode())
    return f"sealed:1:{person}:{place}:{base64.b64encode(nonce + ciphertext).decode()}"


def _opened(sealed: Personal, keys: Mapping[str, _Key]) -> str:
    person, place, text = _read(sealed)
    key = keys.get(person)
    if key is None or key.raw is None:
        return ERASED
    try:
        raw = base64.b64decode(text, validate=True)
        return AESGCM(key.raw).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], f"{person}:{place}".encode()).decode()
    except (InvalidTag, ValueError) as broken:
        if key.second:
            return ERASED  # sealed under the first, or altered, which the seals would tell
        raise SealBroken(f"The words at {place} do not open: the row was altered.") from broken
