"""Every command a person types: `medianest demo`, `up`, `api`, `stream`, `work`, `migrate`, `settings` …"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import aclosing, closing, contextmanager, suppress
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from medianest.settings import CannotStart, Settings, load, shown
from medianest.tasks import Interrupted, unless

Command = Callable[[Settings, asyncio.Event], Coroutine[Any, Any, None]]


def main(arguments: list[str] | None = None) -> int:
    """Run one command; answers with the exit code. What a person can mend is one sentence, without a traceback."""
    asked = _parser().parse_args(arguments)
    try:
        return int(asked.run(asked) or 0)
    except CannotStart as reason:
        print(f"medianest: {reason}", file=sys.stderr)
        return 1
    except Interrupted:
        print("medianest: stopped before its end.", file=sys.stderr)
        return 130
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="medianest", description="One door for the friends and family of a Plex server."
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    demo = _add(
        commands, "demo", _demo, "the whole system on stand-ins of Plex, Seerr, Uptime Kuma and a video site", "port"
    )
    demo.add_argument("--fresh", action="store_true", help="start over: throw away what an earlier demo left")
    _add(commands, "up", _process("up"), "everything in one process, with the services of the settings", "port")
    _add(commands, "api", _process("api"), "answer HTTP (any number of these)", "port")
    _add(commands, "stream", _process("stream"), "push events to Socket.IO (any number of these)", "stream_port")
    _add(
        commands,
        "work",
        _process("work"),
        "feed the read models, run the automations (any number of these)",
        "work_port",
    )
    _add(commands, "migrate", _migrate, "bring the database up to date")
    _add(commands, "settings", _settings, "print every setting, secrets hidden")
    _add(commands, "sandbox", _sandbox, "only the stand-ins, and the settings that point at them", "stream_port")
    _add(commands, "alive", _alive, "whether the process on this machine answers (for health checks)", "port")
    _add(commands, "new-key", _new_key, "print a new master key")
    _add(commands, "spare-key", _spare_key, "print a key that lets the owner in once, while plex.tv is away", "port")
    _add_log_commands(commands)
    _add_read_model_commands(commands)
    return parser


def _add_read_model_commands(commands: Any) -> None:
    models = commands.add_parser("projections", help="the read models: list, rebuild, as of").add_subparsers(
        required=True
    )
    _add(models, "list", _list, "print how far each read model is behind the log")
    rebuild = _add(models, "rebuild", _rebuild, "fill a read model anew beside the one that is read, and swap it in")
    then = _add(models, "as-of", _as_of, "print a read model's rows as they were, as JSON; personal words stay sealed")
    for command in (rebuild, then):
        command.add_argument("projection", help="as `medianest projections list` calls it")
    then.add_argument("when", help="a position, or a moment as in 2026-11-23T18:30:00Z")
    then.add_argument("--last", type=_how_many, help="only of so many things, those that changed last (default: all)")


def _add_log_commands(commands: Any) -> None:
    events = commands.add_parser("events", help="the log itself: tail, export, import").add_subparsers(required=True)
    tail = _add(events, "tail", _tail, "print the newest events, then each as it comes; personal words stay sealed")
    tail.add_argument(
        "--type", action="append", default=[], help="only of this type: request.submitted (repeat for more)"
    )
    tail.add_argument(
        "--about", action="append", default=[], help="only about this tag: account:…, request:… (all of them)"
    )
    tail.add_argument("--last", type=_how_many, default=10, help="how many to begin with (default: 10)")
    tail.add_argument("--no-follow", action="store_true", help="print those, and end")
    out = _add(events, "export", _export, "write the whole log as lines of JSON, seals included, keys of people not")
    out.add_argument("file", type=Path)
    take = _add(events, "import", _import, "fill an empty log from exported lines")
    take.add_argument("file", type=Path)
    audit = commands.add_parser("audit", help="whether the log is as it was written").add_subparsers(required=True)
    verify = _add(audit, "verify", _verify, "compute every seal anew; exit 1 and name the first event that is wrong")
    verify.add_argument("--anchor", action="append", default=[], help="POSITION:DIGEST of a seal you wrote down")
    verify.add_argument(
        "--trusted", action="append", default=[], help="what `audit key` printed under an earlier master key"
    )
    _add(audit, "seal", _seal, "seal what has come since the last seal, and print the anchor to write down")
    _add(audit, "key", _key, "print the public key of the seals, to trust them still under another master key")


def _add(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int | None], purpose: str, port: str | None = None
) -> Any:
    """`port`: the setting that `--port` stands for; None: of a command that has to do with none."""
    command = commands.add_parser(name, help=purpose, description=purpose)
    command.add_argument("--config", type=Path, help="a TOML file of settings (or MEDIANEST_CONFIG)")
    command.add_argument("--data", type=Path, help="the data folder")
    if port is not None:
        command.add_argument("--port", type=int, dest=port, help=f"where to listen (`{port}`)", metavar="PORT")
        command.add_argument("--host", help="on which address")
    command.set_defaults(run=run)
    return command


def _how_many(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError("give a number, from 0 on")
    return int(text)


def _load(asked: argparse.Namespace) -> Settings:
    config = asked.config or (Path(named) if (named := os.environ.get("MEDIANEST_CONFIG")) else None)
    given = {name: value for name, value in vars(asked).items() if name in Settings.__struct_fields__}
    return load(config, **given)


def _settings(asked: argparse.Namespace) -> None:
    with _while_read():
        for name, value in shown(_load(asked)).items():
            print(f"{name} = {value}")


@contextmanager
def _while_read() -> Iterator[None]:
    """What is printed may end early: whoever read it, `head` perhaps, has enough."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still to be written goes nowhere


def _new_key(_: argparse.Namespace) -> None:
    from medianest.eventstore.vault import MasterKey

    print(MasterKey.new().reveal())


def _spare_key(asked: argparse.Namespace) -> int:
    from medianest import logbook

    async def run(settings: Settings) -> None:
        made = await logbook.make_spare_key(settings)
        print(f"{made.key}\nType it in at {settings.url}/spare-key: it opens once, until {made.until:%H:%M} UTC.")

    return _log(asked, run)


def _alive(asked: argparse.Namespace) -> int:
    settings = _load(asked)
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - it is where, not what, we ask
    with closing(HTTPConnection(host, settings.port, timeout=2)) as connection:
        try:
            connection.request("GET", "/health/live")
            if connection.getresponse().status == HTTPStatus.OK:
                return 0
        except (OSError, HTTPException, UnicodeError) as problem:  # the last: of a name that cannot be one
            raise CannotStart(f"Nothing that is alive answers at {host}:{settings.port} ({problem}).") from problem
    raise CannotStart(f"What answers at {host}:{settings.port} is no MediaNest that is alive.")


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
    from medianest.demo import demo, forget

    if asked.fresh:
        forget(settings.data)
    return _run(settings, demo)


def _sandbox(asked: argparse.Namespace) -> int:
    from medianest.demo import stand_ins

    return _run(_load(asked), stand_ins)


def _migrate(asked: argparse.Namespace) -> int:
    from medianest.app import migrate_only

    return _run(_load(asked), migrate_only)


def _list(asked: argparse.Namespace) -> int:
    from medianest import logbook

    async def run(settings: Settings) -> None:
        for line in await logbook.read_models(settings):
            print(line)

    return _log(asked, run)


def _rebuild(asked: argparse.Namespace) -> int:
    from medianest import logbook

    async def run(settings: Settings) -> None:
        position = await logbook.rebuild(settings, asked.projection)
        print(f"{asked.projection} is rebuilt, and stands at {position}.")

    return _log(asked, run)


def _as_of(asked: argparse.Namespace) -> int:
    from medianest import logbook

    async def run(settings: Settings) -> None:
        async with aclosing(logbook.rows_as_of(settings, asked.projection, asked.when, asked.last)) as lines:
            async for line in lines:
                print(line)

    return _log(asked, run)


def _tail(asked: argparse.Namespace) -> int:
    from medianest import logbook

    follow = not asked.no_follow
    with suppress(Interrupted):  # which is how it ends
        _log(asked, lambda settings: logbook.tail(settings, asked.type, asked.about, asked.last, follow=follow))
    return 0


def _export(asked: argparse.Namespace) -> int:
    from medianest import logbook

    async def run(settings: Settings) -> None:
        with _new_file(asked.file) as file:
            lines = await logbook.take_out(settings, file)
        print(f"{lines} lines are in {asked.file}.")

    return _log(asked, run)


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """Whole, or not there: half a log must not be taken for one. Only its owner reads it, as with the log itself."""
    if path.exists():
        raise CannotStart(f"{path} is there already: name a new file, or remove that one.")
    with open(path, "xb", opener=partial(os.open, mode=0o600)) as file:
        try:
            yield file
            file.flush()  # here, where a disk that is full is met in time
            os.fsync(file.fileno())
        except BaseException:  # Ctrl-C too
            path.unlink()
            raise


def _import(asked: argparse.Namespace) -> int:
    from medianest import logbook

    async def run(settings: Settings) -> None:
        with asked.file.open("rb") as file:
            print(f"{await logbook.bring_in(settings, file)} events are in the log. Now: medianest audit verify")
        print("From under another master key? Then with --trusted, and what `medianest audit key` prints over there.")

    return _log(asked, run)


def _verify(asked: argparse.Namespace) -> int:
    from medianest import logbook

    broken = False

    async def run(settings: Settings) -> None:
        nonlocal broken
        verdict = await logbook.verify(settings, asked.anchor, asked.trusted)
        broken = verdict.finding is not None
        print(verdict)

    return _log(asked, run) or int(broken)


def _seal(asked: argparse.Namespace) -> int:
    from medianest import logbook

    async def run(settings: Settings) -> None:
        print(await logbook.seal(settings) or "The log is empty: there is nothing to seal.")

    return _log(asked, run)


def _key(asked: argparse.Namespace) -> int:
    from medianest import logbook

    async def run(settings: Settings) -> None:
        print(await logbook.key_of_seals(settings))

    return _log(asked, run)


def _log(asked: argparse.Namespace, command: Callable[[Settings], Coroutine[Any, Any, None]]) -> int:
    """Run a command on the log, which prints what it was asked for; what else happens is told on standard error."""
    from medianest.eventstore.codec import UnknownEvent
    from medianest.eventstore.connections import DatabaseAway
    from medianest.eventstore.transfer import NotALog, NotEmpty
    from medianest.eventstore.vault import SealBroken

    async def run(settings: Settings, stop: asyncio.Event) -> None:
        await unless(command(settings), stop.wait())

    try:
        with _while_read():
            _run(_load(asked), run, sys.stderr)
    except OSError as problem:
        about = f"{problem.filename}: " if problem.filename else ""
        raise CannotStart(f"{about}{problem.strerror or problem}.") from problem
    except DatabaseAway as away:
        raise CannotStart("The database went away: look after it, and try again.") from away
    except (NotEmpty, NotALog, UnknownEvent, SealBroken) as problem:
        raise CannotStart(str(problem)) from problem
    return 0


def _run(settings: Settings, command: Command, tell: TextIO | None = None) -> int:
    """Run until the command ends, or somebody sends SIGINT or SIGTERM."""
    from medianest.terminal import set_up_logging

    set_up_logging(settings.log_format, tell or sys.stdout)
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
