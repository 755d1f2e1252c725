"""Pictures that many want at once: all come, each is fetched once, and a system that hangs keeps nobody waiting."""

import asyncio
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from medianest.adapters.errors import TokenRefused, Unreachable
from medianest.adapters.pictures import Picture
from medianest.api import picture_line
from medianest.api.kept_pictures import KeptPictures
from medianest.api.picture_line import PictureLine
from medianest.api.questions import StillAsked
from medianest.tasks import cancel

AT_ONCE = 5


class Painter:
    """Makes pictures, and counts how many at once, and how often each."""

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()
        self.at_once = self.most_at_once = 0
        self.began, self.ended = asyncio.Semaphore(0), asyncio.Semaphore(0)
        self.may_paint = asyncio.Event()
        self.may_paint.set()

    async def paint(self, key: str) -> Picture:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.began.release()
        await self.may_paint.wait()
        await asyncio.sleep(0.001)
        self.at_once -= 1
        self.made[key] += 1
        self.ended.release()
        return Picture("image/png", key.encode())


@pytest.fixture
def line(tmp_path: Path) -> PictureLine:
    return PictureLine("Plex", KeptPictures(tmp_path), at_once=AT_ONCE)


async def test_five_people_with_a_hundred_posters_each_get_them_all_and_each_is_made_once(line: PictureLine) -> None:
    painter = Painter()

    async def look(key: str) -> bytes:
        return (await line.picture(key, lambda: painter.paint(key))).body

    wanted = [f"{person // 2}/{n}" for person in range(5) for n in range(120)]  # some look at the same library
    assert await asyncio.gather(*map(look, wanted)) == [key.encode() for key in wanted]
    assert painter.made == Counter(set(wanted))
    assert painter.most_at_once == AT_ONCE


async def test_who_leaves_takes_the_picture_from_nobody(line: PictureLine) -> None:
    painter = Painter()
    painter.may_paint.clear()
    first, second = (asyncio.create_task(line.picture("a", lambda: painter.paint("a"))) for _ in range(2))
    await painter.began.acquire()
    await cancel(first)
    painter.may_paint.set()
    assert (await second).body == b"a"


async def test_of_a_system_that_hangs_nobody_waits_for_pictures_and_what_comes_late_is_there_for_who_comes_back(
    line: PictureLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_line, "STALLED_SECONDS", 0.05)
    painter = Painter()
    painter.may_paint.clear()
    looks = [line.picture(str(n), lambda n=n: painter.paint(str(n))) for n in range(20)]  # type: ignore[misc]
    found = await asyncio.gather(*looks, return_exceptions=True)
    assert {type(one) for one in found} == {StillAsked}
    painter.may_paint.set()
    for _ in range(20):
        await painter.ended.acquire()
    assert (await line.picture("7", lambda: painter.paint("7"))).body == b"7"
    assert painter.made["7"] == 1


async def test_a_picture_there_is_none_of_holds_up_nobody_and_is_asked_for_again(line: PictureLine) -> None:
    async def none() -> Picture:
        raise LookupError

    for _ in range(2):
        with pytest.raises(LookupError):
            await line.picture("a", none)
    assert (await line.picture("b", lambda: Painter().paint("b"))).body == b"b"


async def test_a_picture_that_is_refused_to_one_is_not_refused_to_others_with_it(line: PictureLine) -> None:
    painter, asked, refuse = Painter(), asyncio.Event(), asyncio.Event()

    async def refused() -> Picture:
        asked.set()
        await refuse.wait()
        raise TokenRefused

    ben = asyncio.create_task(line.picture("a", refused))
    await asked.wait()
    anna = asyncio.create_task(line.picture("a", lambda: painter.paint("a")))
    await asyncio.sleep(0.01)
    refuse.set()
    assert (await anna).body == b"a"
    with pytest.raises(TokenRefused):
        await ben


async def _every_turn_taken(line: PictureLine, painter: Painter) -> list[asyncio.Task[Picture]]:
    painter.may_paint.clear()
    looks = [asyncio.create_task(line.picture(str(n), lambda: painter.paint("x"))) for n in range(AT_ONCE)]
    for _ in looks:
        await painter.began.acquire()
    return looks


async def test_the_line_is_bounded(line: PictureLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_line, "LONGEST", AT_ONCE)
    monkeypatch.setattr(picture_line, "STALLED_SECONDS", 60.0)  # on a busy machine it would come first
    painter = Painter()
    looks = await _every_turn_taken(line, painter)
    with pytest.raises(Unreachable, match="too many"):
        await line.picture("one more", lambda: painter.paint("x"))
    painter.may_paint.set()
    assert len(await asyncio.gather(*looks)) == AT_ONCE


async def test_whose_turn_does_not_come_in_time_is_told_so(line: PictureLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_line, "GIVEN_UP_SECONDS", 0.05)
    monkeypatch.setattr(picture_line, "STALLED_SECONDS", 60.0)  # on a busy machine it would come first
    painter = Painter()
    looks = await _every_turn_taken(line, painter)
    with pytest.raises(Unreachable, match="too long"):
        await line.picture("one more", lambda: painter.paint("x"))
    painter.may_paint.set()
    assert len(await asyncio.gather(*looks)) == AT_ONCE


class Vanishing:
    """A file that another process deletes once its name was read."""

    path = "gone"

    def stat(self) -> os.stat_result:
        raise FileNotFoundError


def test_what_another_process_has_deleted_meanwhile_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = KeptPictures(tmp_path, kept_bytes=1_000)
    kept.keep("a", Picture("image/png", b"a" * 900))
    scandir: Any = os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: [Vanishing(), *scandir(folder)])
    kept.keep("b", Picture("image/png", b"b" * 900))
    assert (kept.find("a"), kept.find("b")) == (None, Picture("image/png", b"b" * 900))
