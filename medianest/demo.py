"""The demo: the whole system on stand-ins of everything outside, for a first look and for scripts."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from msgspec import structs

from medianest.app import Extra, up_with
from medianest.database import alone
from medianest.sandbox.together import Sandbox, sandbox
from medianest.server import listening
from medianest.settings import RUN_AS_OWNER, Settings, WrongSetting, load, writable

SANDBOX_PORT_STEP = 10  # the stand-ins listen that many ports above the demo


async def demo(settings: Settings, stop: asyncio.Event) -> None:
    """Everything in one process, until `stop`."""
    _look_whose(settings.data)
    hooks = f"{settings.url}/api/v1/webhooks"
    port = settings.port + SANDBOX_PORT_STEP if settings.port else 0
    async with _sandbox(settings, port, "port", hooks) as stand_ins_:
        pointed = _pointed(settings, stand_ins_)
        await up_with(pointed, stop, Extra(stand_ins_.controls, _welcome))


def forget(folder: Path) -> None:
    """What a demo leaves in its folder, and nothing else: `--data` may have named somebody's home."""
    _look_whose(folder)
    if not folder.exists():
        return
    try:
        with alone(folder / "postgres"):
            for left in ("postgres", "sandbox", "media", "jobs"):
                if (folder / left).exists():
                    shutil.rmtree(folder / left)
            (folder / "master.key").unlink(missing_ok=True)
    except OSError as refused:
        raise WrongSetting(
            f"The setting `data` cannot be used: {refused.filename} cannot be removed ({refused.strerror}). {RUN_AS_OWNER}"
        ) from refused


def _look_whose(folder: Path) -> None:
    """Raises `WrongSetting` for the folder of a real one: stand-ins have no place in its log, nor may it be thrown away."""
    if (folder / "postgres").exists() and not (folder / "sandbox").exists():
        raise WrongSetting(
            f"The setting `data` cannot be used: {folder} is of a MediaNest that is no demo. Name another folder with --data."
        )


async def stand_ins(settings: Settings, stop: asyncio.Event) -> None:
    """Only the stand-ins, until `stop`; prints the settings that point other processes at them."""
    hooks = f"{settings.url}/api/v1/webhooks"
    async with _sandbox(settings, settings.stream_port, "stream_port", hooks) as running:
        for name, value in running.settings.items():
            text = ",".join(value) if isinstance(value, list) else value
            print(f"MEDIANEST_{name.upper()}={text}", flush=True)  # noqa: T201 - what the command is for
        await stop.wait()


@asynccontextmanager
async def _sandbox(settings: Settings, port: int, setting: str, hooks: str) -> AsyncIterator[Sandbox]:
    """The stand-ins. Raises `WrongSetting` where they have no port or no folder."""
    writable(settings.data, "data")
    writable(settings.media_folder, "media")
    with ExitStack() as ports:
        for theirs in (port, port + 1) if port else ():
            ports.enter_context(listening("127.0.0.1", theirs, setting))
    async with sandbox(settings.data / "sandbox", settings.media_folder, port, hooks) as running:
        yield running


def _pointed(settings: Settings, running: Sandbox) -> Settings:
    """The settings with every outside address that of a stand-in."""
    theirs = load(None, {}, **running.settings)
    return structs.replace(settings, **{name: getattr(theirs, name) for name in running.settings})


def _welcome(url: str) -> str:
    return f"""
  MediaNest is up:  {url}
  Sign in as:       olivia (owns the server), anna and ben (friends), sam (a stranger)
  Every call:       {url}/docs, once you are signed in
  Stop:             Ctrl-C; the next start goes on where this one ended
"""
