"""Twenty people ask and look while each outside system in turn is slow, hangs, talks nonsense, fails and is gone.

Nothing that was accepted is lost or done twice, nobody's page waits for anything outside, and each timeline says
what really happened. A fault is one of 30 s or until it is mended; a page that waited for it would show.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from tests.journeys.household import Person, eventually
from tests.journeys.village import FAILS, FILMS, GONE, HANGS, NOBODY, NONSENSE, SLOW, Village

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("journeys")]
FAULTS: tuple[dict[str, Any], ...] = (SLOW, HANGS, NONSENSE, GONE, FAILS, NOBODY)
TITLE = "/media/movie/603"  # which everybody has seen before
UNSEEN = (6977, 275, 115, 120467, 313369, 244786)  # films that nobody has looked at
NOT_WAITED_SECONDS = 5.0  # far more than a busy machine needs for a page, far less than any of the faults takes
SOON_SECONDS = 90.0  # until all flows again: a look at the services, the pause of a circuit, and a turn on the list


@pytest.fixture
async def village() -> AsyncIterator[Village]:
    async with Village.settled() as village:
        yield village


async def test_nothing_accepted_is_lost_or_doubled_whatever_seerr_does(village: Village) -> None:
    askers, films, unseen, seconds = iter(village.people), iter(FILMS), iter(UNSEEN), list[float]()
    await village.reads(TITLE)
    for fault in FAULTS:
        async with village.fault("seerr", fault):
            requests = [await village.ask(next(askers), next(films)) for _ in range(len(FILMS) // len(FAULTS))]
            for request in requests:
                await eventually(f"who asked is told that it waits: {fault}", _told_to_wait(village, request), 60)
            seconds += await village.reads(TITLE)
            await eventually(f"the age of a title is said: {fault}", _is_of_before(village, TITLE), 60)
            assert await _is_told_that_it_is_not_known(village, next(unseen)), (
                "nor does who looks at something new wait"
            )
        for request in requests:
            await eventually(f"it is sent once Seerr is back after {fault}", _is_sent(village, request), SOON_SECONDS)
    assert max(seconds) < NOT_WAITED_SECONDS, "a page waited for Seerr"
    assert await village.over_there() == Counter(FILMS)
    for request in village.asked:
        await _is_true(village, request)


def _is_of_before(village: Village, path: str) -> Any:
    """Not at once where the fault before it was just mended: a late answer to that question is new for some seconds."""

    async def is_of_before() -> bool:
        return (await village.people[0].get(path))["as_of"] is not None

    return is_of_before


async def _is_told_that_it_is_not_known(village: Village, tmdb: int) -> bool:
    async with asyncio.timeout(NOT_WAITED_SECONDS):
        answer = await village.people[0].client.get(f"/media/movie/{tmdb}")
    return answer.status_code in (404, 502, 503)


async def _is_true(village: Village, request: str) -> None:
    """It was asked for once, waited, and was sent once; since then nothing says that it waits."""
    story = await village.story(request)
    assert story[0] == "request.submitted"
    assert Counter(story)["request.submitted"] == Counter(story)["request.sent"] == 1
    assert "request.deferred" in story[: story.index("request.sent")]
    assert "request.deferred" not in story[story.index("request.sent") :]
    asker = village.asked[request]
    assert (await asker.get(f"/media/requests/{request}"))["waiting"] is None
    assert [one["request"] for one in (await asker.get("/media/requests"))["items"]] == [request]


def _told_to_wait(village: Village, request: str) -> Any:
    async def told() -> bool:
        page = await village.asked[request].get(f"/media/requests/{request}")
        return page["state"] == "deferred" and bool(page["why"])

    return told


def _is_sent(village: Village, request: str) -> Any:
    async def sent() -> bool:
        return "request.sent" in await village.story(request)

    return sent


@pytest.mark.parametrize("services", [("plex", "kuma"), ("plex.tv", "videos")])
async def test_who_hangs_takes_nobody_elses_calls(village: Village, services: Sequence[str]) -> None:
    """Each system has its own calls at once: requests go on to Seerr while all the others hang."""
    async with village.fault(services[0], HANGS), village.fault(services[1], HANGS):
        requests = [await village.ask(village.people[n], FILMS[n]) for n in range(3)]
        for request in requests:
            await eventually("it is sent all the same", _is_sent(village, request), SOON_SECONDS)
        assert max(await village.reads()) < NOT_WAITED_SECONDS, "a page waited"
        if "plex" in services:
            olivia = village.people[0]
            await eventually("it is said that Plex is down", lambda: _is(olivia, "plex", "down"), SOON_SECONDS)
            await eventually("and left alone", lambda: _circuit(olivia, "plex", "open"), SOON_SECONDS)
            assert await _is(olivia, "seerr", "up")
    if "plex" in services:
        await eventually("it is said that Plex is up", lambda: _is(olivia, "plex", "up"), SOON_SECONDS)
        assert await _circuit(olivia, "plex", "closed")
        types = [one["type"] for one in (await olivia.get("/admin/audit", tag="service:plex"))["items"]]
        assert {"breaker.opened", "breaker.closed", "service.state-changed"} <= set(types)


async def _is(person: Person, service: str, state: str) -> bool:
    found = (await person.get("/dashboard/status"))["items"]
    return any(one["service"] == service and one["state"] == state for one in found)


async def _circuit(person: Person, service: str, state: str) -> bool:
    found = (await person.get("/admin/breakers"))["items"]
    return any(one["service"] == service and one["state"] == state for one in found)
