"""Pages in the states they are seldom seen in, brought about between the browser and the demo: slow, cut off, full."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

API = "**/api/v1/**"
THE_DOOR = "/api/v1/auth/"  # answers as ever: who is signed in stays so
A_LIST = 48
LISTS = {"items", "results", "requests", "downloads", "seasons", "inside", "entries"}
NAMES = {"title", "name", "words", "note", "text", "label", "overview", "summary", "why"}
UNIQUE = {"request", "download", "position", "rating_key", "tmdb", "number", "account", "announcement", "session", "id"}
WORDS = (
    "The Curious and Altogether Improbable Voyage of Captain Bartholomew Featherstonehaugh and the Nine Lighthouses",
    "الطريق الطويل إلى البيت القديم في آخر المدينة",
    "🎬🍿👩‍👩‍👧‍👦 Family Film Night 🎉 (2019) 🇧🇷",
    "Donaudampfschifffahrtsgesellschaftskapitänswitwenrentenauszahlungsstelle",
    "千と千尋の神隠し",
    "It",
    "https://example.com/a/path/that/never/comes/to/an/end?with=questions&and=answers&of=no#interest-to-anybody-at-all",
)


@asynccontextmanager
async def slow(page: Any) -> AsyncIterator[None]:
    """Nothing is answered until it is over."""
    over = asyncio.Event()

    async def hold(route: Any) -> None:
        await over.wait()
        await route.abort()

    async with _between(page, hold):
        yield
        over.set()


@asynccontextmanager
async def cut_off(page: Any) -> AsyncIterator[None]:
    """Nothing is reached."""
    async with _between(page, lambda route: route.abort()):
        yield


@asynccontextmanager
async def full(page: Any) -> AsyncIterator[None]:
    """Every list is long, and every name is one that a designer had not thought of."""

    async def fill(route: Any) -> None:
        answer = await route.fetch()
        if route.request.method != "GET" or "json" not in answer.headers.get("content-type", ""):
            await route.fulfill(response=answer)
        else:
            await route.fulfill(response=answer, json=filled(await answer.json()))

    async with _between(page, fill):
        yield


def filled(value: Any, number: int = 0) -> Any:
    """An answer with many of each thing it has one of, under other names."""
    if isinstance(value, list):
        return [filled(one, number) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: _filled(key, one, number) for key, one in value.items()}


def _filled(key: str, value: Any, number: int) -> Any:
    if key in LISTS and isinstance(value, list) and value and isinstance(value[0], dict):
        return [filled(value[each % len(value)], each) for each in range(A_LIST)]
    if key in NAMES and isinstance(value, str):
        return WORDS[number % len(WORDS)]
    if key in UNIQUE and number and isinstance(value, int):
        return value + number
    if key in UNIQUE and number and isinstance(value, str):
        return f"{value}{number}"
    return filled(value, number)


@asynccontextmanager
async def _between(page: Any, handle: Callable[[Any], Any]) -> AsyncIterator[None]:
    async def beyond_the_door(route: Any) -> None:
        await (route.continue_() if THE_DOOR in route.request.url else handle(route))

    await page.route(API, beyond_the_door)
    try:
        yield
    finally:
        await page.unroute_all(behavior="ignoreErrors")
