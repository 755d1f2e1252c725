"""The OpenAPI validator in front of Seerr: which query strings and bodies it refuses, in which words.

It reads the raw query: a `+` or any other reserved character in a value is refused, so a space must be %20.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

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
