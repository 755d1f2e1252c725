"""The AsyncAPI document: what the server pushes, what it says of itself, and what a client may say.

The first is made from the table itself, by telling it one of each event; the others from their types.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from medianest.domain.examples import EXAMPLES, SIGNALS
from medianest.realtime.gateway import SAID
from medianest.realtime.pushes import OWN_MESSAGES, Namespace, Push, Status, push_of_signal, pushes_for

CHANNELS: dict[Namespace, tuple[str, str]] = {
    "/": ("visitors", "What the sign-in page may know: how all services are, in one word. No token is needed."),
    "/auth": (
        "auth",
        "What is the caller's own: sessions, account, quota, inbox; which services are up, and what is announced.",
    ),
    "/media": ("media", "What has become of the caller's requests and downloads, and of the requests they follow."),
    "/admin": ("admin", "For moderators: all requests and downloads. For admins: accounts, sign-ins, services too."),
}
_TYPES = [*OWN_MESSAGES, *(kind for payload, answers in SAID.values() for kind in (payload, *answers) if kind)]
_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_JSON_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", dict: "object", list: "array"}


def asyncapi(version: str = "1") -> dict[str, Any]:
    """An AsyncAPI 3.0 document, as JSON values."""
    _, shapes = msgspec.json.schema_components(_TYPES, ref_template="#/components/schemas/{name}")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "MediaNest live",
            "version": version,
            "description": (
                'Socket.IO 5, by polling or websocket. Connect to a namespace with `{"token": …, "since": …}`: `since`'
                " is the last `position` seen, and all that was missed comes first, in order; then comes `ready`."
                " Messages without a position are signals. What a client says is answered in its acknowledgement."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {
            name: {"address": namespace, "description": about, "messages": _messages(namespace)}
            for namespace, (name, about) in CHANNELS.items()
        },
        "operations": {
            key: value
            for namespace, (name, _) in CHANNELS.items()
            for key, value in _operations(name, _messages(namespace)).items()
        },
        "components": {"schemas": shapes},
    }


def _operations(channel: str, messages: Iterable[str]) -> dict[str, Any]:
    """As the server sees it: it sends what is pushed, and receives what a client says."""
    place = {"$ref": f"#/channels/{channel}"}
    of_clients = {*SAID, *map(answer_to, SAID)}
    pushed = [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages if name not in of_clients]
    heard = {
        f"hear-{said}-on-{channel}": {
            "action": "receive",
            "channel": place,
            "messages": [{"$ref": f"#/channels/{channel}/messages/{said}"}],
            "reply": {"channel": place, "messages": [{"$ref": f"#/channels/{channel}/messages/{answer_to(said)}"}]},
        }
        for said in SAID
    }
    return {f"push-on-{channel}": {"action": "send", "channel": place, "messages": pushed}, **heard}


def answer_to(said: str) -> str:
    """The name of the message that answers what a client said."""
    return "connect_error" if said == "connect" else f"{said}-answer"


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
    pushed = {
        name: {"name": name, "payload": _schema(found), "examples": [{"payload": payload} for payload in found]}
        for name, found in sorted(payloads.items())
    }
    return {**pushed, **_own_messages(namespace)}


def _own_messages(namespace: Namespace) -> dict[str, Any]:
    shapes: dict[str, list[type[msgspec.Struct]]] = {
        name: [kind] for kind, name in OWN_MESSAGES.items() if kind is not Status or namespace == "/"
    }
    for said, (payload, answers) in SAID.items():
        shapes |= {said: [payload] if payload else [], answer_to(said): list(answers)}
    return {name: {"name": name, "payload": _one_of(kinds)} for name, kinds in shapes.items()}


def _one_of(kinds: Sequence[type[msgspec.Struct]]) -> dict[str, Any]:
    """A payload of one of these shapes; of none: any at all."""
    refs = [{"$ref": f"#/components/schemas/{kind.__name__}"} for kind in kinds]
    return {"anyOf": refs} if len(refs) > 1 else refs[0] if refs else {}


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
