"""Who gets past Seerr's door: the OpenAPI validator, then API key, session cookie and permissions, in the order and
the words of the real one.

The validator reads the raw query: a `+` or any other reserved character in a value is refused, so a space must be %20.
"""

import json
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from http.cookies import SimpleCookie
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from medianest.sandbox.seerr.state import Permission, SeerrPerson
from medianest.sandbox.seerr.world import Refusal, SeerrWorld
from medianest.sandbox.serving import Answer, Call, Handler, Route, Unanswered, answered

Problem = dict[str, Any]  # the body of a 400

_RESERVED = re.compile(r"[:/?#\[\]@!$&'()*+,;=]")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


class Rule(NamedTuple):
    """What the specification says of one parameter or field."""

    number: bool = False
    enum: tuple[str, ...] = ()
    required: bool = False


Rules = Mapping[str, Rule]


class Invalid(Exception):
    """The validator refuses: status and body."""

    def __init__(self, status: int, body: Problem) -> None:
        super().__init__(body["message"])
        self.status = status
        self.body = body


def checked_query(raw: str, rules: Rules) -> dict[str, str]:
    """The decoded parameters. Raises `Invalid`."""
    pairs = [pair.partition("=") for pair in raw.split("&") if pair]
    for name, _, _ in pairs:
        if name not in rules:
            raise Invalid(400, _problem(f".query.{name}", f"Unknown query parameter '{name}'"))
    for name, _, value in pairs:
        if not value:
            raise Invalid(400, _problem(f".query.{name}", f"Empty value found for query parameter '{name}'"))
        if _RESERVED.search(value):
            text = f"Parameter '{name}' must be url encoded. Its value may not contain reserved characters."
            raise Invalid(400, _problem(f".query.{name}", text))
    values = {name: unquote(value) for name, _, value in pairs}
    check("query", values, rules, coerce=True)
    return values


def checked_body(body: bytes, path: str, rules: Rules) -> dict[str, Any]:
    """The decoded object. Raises `Invalid`."""
    if not body:
        raise Invalid(415, _problem(path, "unsupported media type undefined"))
    try:
        value = json.loads(body)
    except ValueError as broken:
        raise Invalid(400, {"message": "Unexpected token in JSON at position 0"}) from broken
    if not isinstance(value, dict):
        raise Invalid(400, _problem(".body", "request.body should be object"))
    check("body", value, rules)
    return value


def check(where: str, values: Mapping[str, Any], rules: Rules, *, coerce: bool = False) -> None:
    """Raises `Invalid` for the first of `values` that breaks its rule. With `coerce` a text that reads as a number is one."""
    for name, rule in rules.items():
        if name not in values:
            if rule.required:
                raise Invalid(
                    400, _worded(where, name, f"should have required property '{name}'", "required", whole=True)
                )
        elif rule.number and not _is_number(values[name], coerce=coerce):
            raise Invalid(400, _worded(where, name, "should be number", "type"))
        elif rule.enum and values[name] not in rule.enum:
            allowed = f"should be equal to one of the allowed values: {', '.join(rule.enum)}"
            raise Invalid(400, _worded(where, name, allowed, "enum"))


def not_found(path: str) -> Problem:
    return _problem(path, "not found")


def unauthenticated(path: str) -> Problem:
    return _problem(path, "cookie 'connect.sid' required")


def _is_number(value: Any, *, coerce: bool) -> bool:
    if coerce:
        return bool(_NUMBER.fullmatch(str(value)))
    return isinstance(value, int | float) and not isinstance(value, bool)


def _worded(where: str, name: str, text: str, code: str, *, whole: bool = False) -> Problem:
    subject = f"request.{where}" if whole else f"request.{where}.{name}"
    error = {"path": f".{where}.{name}", "message": text, "errorCode": f"{code}.openapi.validation"}
    return {"message": f"{subject} {text}", "errors": [error]}


def _problem(path: str, text: str) -> Problem:
    return {"message": text, "errors": [{"path": path, "message": text}]}


PREFIX = "/api/v1"
FORBIDDEN = {"status": 403, "error": "You do not have permission to access this endpoint"}
NO_RULES: Rules = MappingProxyType({})
_COOKIE = "connect.sid"


class Ask(NamedTuple):
    """A request that got past the door. `number` names a path parameter that is a number."""

    world: SeerrWorld
    caller: SeerrPerson
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, Any]
    raw_body: bytes

    def number(self, name: str) -> int:
        """-1 for what is no number: nothing has that id."""
        text = self.params[name]
        return int(text) if text.isdecimal() else -1


Act = Callable[[Ask], Awaitable[Answer]]


class SeerrRoute(NamedTuple):
    method: str
    path: str
    act: Act
    needs: tuple[Permission, ...] = ()  # any of them
    anyone: bool = False  # no credentials needed
    query: Rules = NO_RULES
    params: Rules = NO_RULES
    body: Rules | None = None  # None: whatever was sent is not looked at


def behind(world: SeerrWorld, route: SeerrRoute) -> Route:
    """The route with the door in front of it."""

    async def handler(call: Call) -> Answer:
        try:
            return await route.act(_admitted(world, route, call))
        except (Invalid, Refusal) as no:
            return answered(no.status, no.body)
        except Forbidden:
            return answered(403, FORBIDDEN)

    return Route(route.method, PREFIX + route.path, _guarded(world, handler))


class Forbidden(Exception):
    """403 with `error` and no `message`: a bad key, an unknown user or a missing permission; one cannot tell."""


def paging() -> Rules:
    return {"take": Rule(number=True), "skip": Rule(number=True)}


def take_and_skip(query: Mapping[str, str], default: int = 10) -> tuple[int, int]:
    return int(query.get("take", 0)) or default, int(query.get("skip", 0))


def new_session(world: SeerrWorld, person: SeerrPerson) -> tuple[str, str]:
    """The Set-Cookie header of a new session."""
    session = secrets.token_urlsafe(24)
    world.state.sessions[session] = person.id
    world.save()
    value = quote(f"s:{session}.{secrets.token_urlsafe(32)}", safe="")
    return "Set-Cookie", f"{_COOKIE}={value}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"


def end_session(world: SeerrWorld, cookie_header: str) -> None:
    world.state.sessions.pop(_session(cookie_header) or "", None)
    world.save()


def _guarded(world: SeerrWorld, handler: Handler) -> Handler:
    """The header that kills the process: its authentication runs before anything else, on every route."""

    async def guarded(call: Call) -> Answer:
        if _has_key(world, call) and not re.fullmatch(r"\d+", call.headers.get("x-api-user", "1")):
            world.crashes += 1
            raise Unanswered(drop=True)
        return await handler(call)

    return guarded


def _admitted(world: SeerrWorld, route: SeerrRoute, call: Call) -> Ask:
    if not route.anyone and "x-api-key" not in call.headers and f"{_COOKIE}=" not in call.headers.get("cookie", ""):
        raise Invalid(401, unauthenticated(call.path))
    check("params", call.params, route.params, coerce=True)
    query = checked_query(call.query, route.query)
    body = {} if route.body is None else checked_body(call.body, call.path, route.body)
    caller = _caller(world, call)
    if caller is None and not route.anyone:
        raise Forbidden
    if caller is not None and route.needs and not caller.may(*route.needs):
        raise Forbidden
    return Ask(world, caller or _NOBODY, call.params, query, body, call.body)


def _caller(world: SeerrWorld, call: Call) -> SeerrPerson | None:
    if _has_key(world, call):
        return world.state.people.get(int(call.headers.get("x-api-user", "1")))
    session = _session(call.headers.get("cookie", ""))
    return world.state.people.get(world.state.sessions.get(session or "", 0))


def _has_key(world: SeerrWorld, call: Call) -> bool:
    return secrets.compare_digest(call.headers.get("x-api-key", "").encode(), world.api_key.encode())


def _session(cookie_header: str) -> str | None:
    cookie: SimpleCookie = SimpleCookie(cookie_header)
    if _COOKIE not in cookie:
        return None
    return unquote(cookie[_COOKIE].value).removeprefix("s:").partition(".")[0]


_NOBODY = SeerrPerson(0, None, "", "", permissions=0)
