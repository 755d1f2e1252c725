"""Every command a person types: `medianest demo`, `up`, `api`, `stream`, `work`, `migrate`, `settings` …"""

import argparse
import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from medianest.settings import CannotStart, Settings, load, shown

Command = Callable[[Settings, asyncio.Event], Coroutine[Any, Any, None]]


def main(arguments: list[str] | None = None) -> int:
    """Run one command; answers with the exit code. What a person can mend is one sentence, without a traceback."""
    asked = _parser().parse_args(arguments)
    try:
        return int(asked.run(asked) or 0)
    except CannotStart as reason:
        print(f"medianest: {reason}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="medianest", description="One door for the friends and family of a Plex server."
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    demo = _add(commands, "demo", _demo, "the whole system on stand-ins of Plex, Seerr, Uptime Kuma and a video site")
    demo.add_argument("--fresh", action="store_true", help="start over: throw away what an earlier demo left")
    _add(commands, "up", _process("up"), "everything in one process, with the services of the settings")
    _add(commands, "api", _process("api"), "answer HTTP (any number of these)")
    _add(commands, "stream", _process("stream"), "push events to Socket.IO (any number of these)")
    _add(commands, "work", _process("work"), "feed the read models, run the automations (any number of these)")
    _add(commands, "migrate", _migrate, "bring the database up to date")
    _add(commands, "settings", _settings, "print every setting, secrets hidden")
    _add(commands, "sandbox", _sandbox, "only the stand-ins, and the settings that point at them")
    _add(commands, "alive", _alive, "whether the process on this machine answers (for health checks)")
    _add(commands, "new-key", _new_key, "print a new master key")
    rebuild = _add(commands, "rebuild", _rebuild, "fill a read model anew and swap it in")
    rebuild.add_argument("projection", help="accounts, requests, downloads or services")
    return parser


def _add(commands: Any, name: str, run: Callable[[argparse.Namespace], int | None], purpose: str) -> Any:
    command = commands.add_parser(name, help=purpose, description=purpose)
    command.add_argument("--config", type=Path, help="a TOML file of settings (or MEDIANEST_CONFIG)")
    command.add_argument("--data", type=Path, help="the data folder")
    command.add_argument("--port", type=int, help="where to listen")
    command.add_argument("--host", help="on which address")
    command.set_defaults(run=run)
    return command


def _load(asked: argparse.Namespace, **given: Any) -> Settings:
    config = asked.config or (Path(os.environ["MEDIANEST_CONFIG"]) if "MEDIANEST_CONFIG" in os.environ else None)
    return load(config, data=asked.data, port=asked.port, host=asked.host, **given)


def _settings(asked: argparse.Namespace) -> None:
    for name, value in shown(_load(asked)).items():
        print(f"{name} = {value}")


def _new_key(_: argparse.Namespace) -> None:
    from medianest.eventstore.vault import MasterKey

    print(MasterKey.new().reveal())


def _alive(asked: argparse.Namespace) -> int:
    settings = _load(asked)
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - it is where, not what, we ask
    connection = HTTPConnection(host, settings.port, timeout=2)
    try:
        connection.request("GET", "/health/live")
        return 0 if connection.getresponse().status == HTTPStatus.OK else 1
    except OSError:
        return 1
    finally:
        connection.close()


def _process(role: str) -> Callable[[argparse.Namespace], int]:
    def run(asked: argparse.Namespace) -> int:
        from medianest import app

        return _run(_load(asked), getattr(app, role))

    return run


def _demo(asked: argparse.Namespace) -> int:
    settings = _load(asked)
    if asked.data is None:  # a demo must never touch the data of a real one
        asked.data = settings.data / "demo"
        settings = _load(asked)
    if asked.fresh and settings.data.exists():
        shutil.rmtree(settings.data)
    from medianest.demo import demo

    return _run(settings, demo)


def _sandbox(asked: argparse.Namespace) -> int:
    from medianest.demo import stand_ins

    return _run(_load(asked), stand_ins)


def _migrate(asked: argparse.Namespace) -> int:
    from medianest.app import migrate_only

    return _run(_load(asked), migrate_only)


def _rebuild(asked: argparse.Namespace) -> int:
    from medianest.app import rebuild

    async def run(settings: Settings, _: asyncio.Event) -> None:
        await rebuild(settings, asked.projection)

    return _run(_load(asked), run)


def _run(settings: Settings, command: Command) -> int:
    """Run until the command ends, or somebody sends SIGINT or SIGTERM."""
    from medianest.terminal import set_up_logging

    set_up_logging(settings.log_format)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_until_stopped(settings, command))
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


async def _until_stopped(settings: Settings, command: Command) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await command(settings, stop)


if __name__ == "__main__":
    sys.exit(main())
