"""Signals: what is shown live and not kept. Losing one does no harm: the next one says the same, newer."""

from typing import Any, Literal

import msgspec

SignalName = Literal["download.progress", "request.progress", "service.latency"]


class Signal(msgspec.Struct, frozen=True):
    """Of two signals with one name and key, only the newer one need be shown."""

    name: SignalName
    account: str | None  # whose it is; None: everyone's who is signed in
    key: str  # what it is about: the download, the request, the service
    payload: dict[str, Any]

    def __post_init__(self) -> None:
        if (self.account is None) != (self.name == "service.latency"):
            raise ValueError(f"{self.name}: progress is its account's alone, and a service is everyone's.")
