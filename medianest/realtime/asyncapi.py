"""The AsyncAPI document of what the server pushes, made from the table itself by telling it one of each event."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from medianest.domain.examples import EXAMPLES, SIGNALS
from medianest.realtime.pushes import Namespace, Push, push_of_signal, pushes_for

CHANNELS: dict[Namespace, tuple[str, str]] = {
    "/": ("visitors", "What the sign-in page may know. No token is needed."),
    "/auth": ("auth", "What is the caller's own: sessions, account, quota; and which services are up."),
    "/media": ("media", "What has become of the caller's requests and downloads, and of the requests they follow."),
    "/admin": ("admin", "For moderators: all requests and downloads. For admins: accounts, sign-ins, services too."),
}
_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_JSON_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", dict: "object", list: "array"}


def asyncapi(version: str = "1") -> dict[str, Any]:
    """An AsyncAPI 3.0 document, as JSON values."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "MediaNest live",
            "version": version,
            "description": (
                'Socket.IO 5. Connect to a namespace with `{"token": …, "since": …}`: `since` is the last `position`'
                " seen, and all that was missed comes first, in order. Messages without a position are signals."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {
            name: {"address": namespace, "description": about, "messages": _messages(namespace)}
            for namespace, (name, about) in CHANNELS.items()
        },
        "operations": {
            f"push-{name}": {"action": "send", "channel": {"$ref": f"#/channels/{name}"}}
            for name, _ in CHANNELS.values()
        },
    }


def example_pushes() -> Iterator[Push]:
    """What the table says of one of each event and signal."""
    for position, event in enumerate(EXAMPLES, start=1):
        yield from pushes_for(event, position, _AT)
    yield from (push_of_signal(signal) for signal in SIGNALS)


def _messages(namespace: Namespace) -> dict[str, Any]:
    payloads: dict[str, list[dict[str, Any]]] = {}
    for push in example_pushes():
        if push.namespace == namespace and push.payload not in payloads.setdefault(push.event, []):
            payloads[push.event].append(msgspec.to_builtins(push.payload))
    return {
        name: {"name": name, "payload": _schema(found), "examples": [{"payload": payload} for payload in found]}
        for name, found in sorted(payloads.items())
    }


def _schema(found: list[dict[str, Any]]) -> dict[str, Any]:
    """What all payloads have is required; what some have is a property."""
    types: dict[str, set[str]] = {}
    for payload in found:
        for field, value in payload.items():
            types.setdefault(field, set()).add("null" if value is None else _JSON_TYPES[type(value)])
    return {
        "type": "object",
        "properties": {field: {"type": sorted(kinds)} for field, kinds in sorted(types.items())},
        "required": sorted(field for field in types if all(field in payload for payload in found)),
    }
