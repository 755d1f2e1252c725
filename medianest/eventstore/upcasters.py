"""Lifts old shapes of events to today's, on reading: the log itself is never rewritten.

One function for each `type@version` that was ever released and is no longer the newest: a dict in, a dict of the
next version out. Nothing was released in another shape yet; the first change of an event adds the first row.
"""

from collections.abc import Callable
from typing import Any

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
UPCASTERS: dict[tuple[str, int], Upcaster] = {}
