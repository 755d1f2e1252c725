"""A value that must never be shown: tokens, API keys, passwords."""

import hmac
from typing import final


@final
class Secret:
    """Keeps a secret out of every repr, format and log line; `reveal()` is the one way to the text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def matches(self, given: str) -> bool:
        """Whether it is what somebody sent. How long that takes says nothing of how much of it was right."""
        return hmac.compare_digest(given.encode(), self._text.encode())

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)
