"""What Uptime Kuma sees stands beside what our own probes found, and changes nothing about it."""

import asyncio
from typing import Any

import httpx
import pytest
from msgspec import structs

from medianest.api.site import Site
from medianest.domain.command import Actor
from medianest.domain.monitors import MonitorState, ObserveMonitor, ObserveMonitors
from medianest.domain.services import ObserveService
from tests.api.conftest import problem

KUMA = Actor.outside("uptime-kuma")
PATH = "/admin/monitors"


class Told:
    """What the watch would have kept."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.position = 0

    async def look(self, monitor: int, name: str, address: str | None, state: MonitorState) -> None:
        async with self.site.pool.connection() as rows:
            await rows.execute(
                "INSERT INTO monitor_looks VALUES (%s, %s, 'http', %s, now(), 12.5, 'Kuma says so.')",
                (monitor, name, address),
            )
        await self.run(ObserveMonitor(monitor=str(monitor), called=name, state=state, service=None))

    async def run(self, command: ObserveMonitor | ObserveMonitors | ObserveService) -> None:
        self.position = (await self.site.commands.run(command, KUMA)).position

    async def tiles(self, caller: httpx.AsyncClient) -> dict[str, Any]:
        found = await caller.get("/dashboard/status", params={"at_least": self.position})
        return {one["service"]: one for one in found.json()["items"]}


@pytest.fixture
async def told(site: Site) -> Told:
    structs.force_setattr(site.settings, "uptime_kuma_way", "api-key")
    told = Told(site)
    await told.run(ObserveMonitors(why=None, kuma="2.5.3"))
    await told.look(3, "Films at home", "127.0.0.1:32400", "down")
    await told.look(4, "Overseerr", None, "up")
    await told.look(5, "Router", "10.0.0.1:80", "up")
    for service in ("plex", "seerr"):
        await told.run(ObserveService(service=service, state="up", why="It answers."))
    return told


async def test_beside_our_own_probe_stands_what_kuma_sees_and_whether_they_agree(
    told: Told, anna: httpx.AsyncClient, olivia: httpx.AsyncClient
) -> None:
    for caller, names in ((anna, (None, None)), (olivia, ("Films at home", "Overseerr"))):
        tiles = await told.tiles(caller)
        plex, seerr = tiles["plex"], tiles["seerr"]
        assert (plex["state"], plex["kuma"]["state"], plex["kuma"]["agrees"]) == ("up", "down", False)
        assert (seerr["state"], seerr["kuma"]["state"], seerr["kuma"]["agrees"]) == ("up", "up", True)
        assert (plex["kuma"]["monitor"], seerr["kuma"]["monitor"]) == names
        assert (plex["kuma"]["ping_ms"], bool(plex["kuma"]["since"])) == (12.5, True)
        assert tiles["uptime-kuma"]["kuma"] is None


async def test_when_kuma_is_gone_its_view_is_unknown_and_ours_stays(told: Told, anna: httpx.AsyncClient) -> None:
    await told.run(ObserveMonitors(why="No answer in time."))
    plex = (await told.tiles(anna))["plex"]
    assert plex["state"] == "up"
    assert (plex["kuma"]["state"], plex["kuma"]["agrees"], plex["kuma"]["since"]) == ("unknown", None, None)
    structs.force_setattr(told.site.settings, "uptime_kuma_way", "off")
    assert (await told.tiles(anna))["plex"]["kuma"] is None


async def test_admins_see_all_monitors_and_what_they_were_matched_by(
    told: Told, olivia: httpx.AsyncClient, anna: httpx.AsyncClient
) -> None:
    found = (await olivia.get(PATH, params={"at_least": told.position})).json()
    assert (found["way"], found["seen"], found["why"], found["kuma"]) == ("api-key", True, None, "2.5.3")
    assert [(one["name"], one["state"], one["stands_for"]) for one in found["items"]] == [
        ("Films at home", "down", [{"service": "plex", "by": "address"}]),
        ("Overseerr", "up", [{"service": "seerr", "by": "name"}]),
        ("Router", "up", []),
    ]
    assert found["unmatched"] == []
    answer = await olivia.put(
        "/admin/settings/uptime-kuma",
        json={"values": {"uptime_kuma_services": ["plex=Router", "seerr=99"]}, "untested": True},
    )
    assert answer.status_code == 200
    found = (await olivia.get(PATH)).json()
    assert [one["stands_for"] for one in found["items"]] == [[], [], [{"service": "plex", "by": "setting"}]]
    assert found["unmatched"] == [{"service": "seerr", "words": "There is no monitor 99: correct the setting."}]
    assert (await anna.get(PATH)).status_code == 403


async def test_one_monitor_may_stand_for_several_services(told: Told, olivia: httpx.AsyncClient) -> None:
    structs.force_setattr(told.site.settings, "uptime_kuma_services", ("plex=5", "seerr=Router"))
    found = (await olivia.get(PATH, params={"at_least": told.position})).json()
    assert [[one["service"] for one in item["stands_for"]] for item in found["items"]] == [[], [], ["plex", "seerr"]]


async def test_it_is_told_how_long_each_monitor_was_not_down(told: Told, olivia: httpx.AsyncClient) -> None:
    await asyncio.sleep(0.05)
    await told.run(ObserveMonitor(monitor="4", called="Overseerr", state="down", service="seerr"))
    await asyncio.sleep(0.05)
    items = (await olivia.get(PATH, params={"at_least": told.position})).json()["items"]
    films, overseerr, router = (item["uptime"] for item in items)
    assert films == {"day": 0, "week": 0, "month": 0}
    assert router == {"day": 1, "week": 1, "month": 1}
    assert 0 < overseerr["day"] == overseerr["month"] < 1


async def test_what_stands_for_no_service_is_refused(olivia: httpx.AsyncClient) -> None:
    for wrong in ("router=3", "plex", "plex="):
        body = {"values": {"uptime_kuma_services": [wrong]}, "untested": True}
        assert problem(await olivia.put("/admin/settings/uptime-kuma", json=body)) == (422, "setting-wrong")


async def test_before_kuma_told_of_anything_it_is_said_so(olivia: httpx.AsyncClient) -> None:
    found = (await olivia.get(PATH)).json()
    assert (found["seen"], found["why"], found["items"]) == (False, "It has not told of any yet.", [])
    assert [one["service"] for one in found["unmatched"]] == ["plex", "seerr"]
