"""What keeps a process from starting is told to who started it: one line, the setting, the remedy, exit code 1."""

import asyncio
import errno
import json
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Coroutine
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from msgspec import structs

import medianest.database
import migrations
from medianest import app, logbook, server
from medianest.cli import _load, _new_file, _parser, main
from medianest.database import database
from medianest.demo import demo, forget
from medianest.eventstore.connections import Pool
from medianest.eventstore.vault import MasterKey, Vault
from medianest.master_key import master_key
from medianest.secret import Secret
from medianest.server import listening, serving
from medianest.settings import CannotStart, Settings, WrongSetting, load
from medianest.tasks import Interrupted
from tests.journeys.household import free_port

Role = Callable[[Settings, asyncio.Event], Coroutine[Any, Any, None]]
ROLES: tuple[Role, ...] = (app.up, app.api, app.stream, app.work, app.migrate_only)
KEY = "bWFzdGVya2V5LW9ubHktZm9yLXRoZS10ZXN0cy0xMjM="


def settings_of(folder: Path, **given: Any) -> Settings:
    return load(None, {}, data=folder / "data", port=0, stream_port=0, master_key=KEY, **given)


async def reason(role: Role, settings: Settings) -> str:
    with pytest.raises(CannotStart) as caught:
        await role(settings, asyncio.Event())
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("role", ROLES)
async def test_without_a_postgresql_the_setting_and_the_remedy_are_named(role: Role, tmp_path: Path) -> None:
    url = f"postgresql://medianest:hush@127.0.0.1:{free_port()}/medianest"
    said = await reason(role, settings_of(tmp_path, database_url=url))
    assert said.startswith("The setting `database_url` cannot be used: ")
    assert "Connection refused" in said
    assert said.endswith("Start PostgreSQL, or correct the address.")
    assert "hush" not in said


async def test_a_database_that_is_not_there_is_named_with_what_makes_it(postgres: str, tmp_path: Path) -> None:
    url = psycopg.conninfo.make_conninfo(postgres, dbname="nix")
    assert "`CREATE DATABASE nix`" in await reason(app.api, settings_of(tmp_path, database_url=url))


async def test_a_user_whom_postgresql_refuses_is_told(postgres: str, tmp_path: Path) -> None:
    url = psycopg.conninfo.make_conninfo(postgres, user="stranger")
    assert "Correct the user and the password" in await reason(app.work, settings_of(tmp_path, database_url=url))


async def test_a_user_who_may_not_make_tables_is_told(postgres: str, tmp_path: Path) -> None:
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as admin:
        await admin.execute("CREATE DATABASE theirs")
        await admin.execute("CREATE ROLE guest LOGIN")
        try:
            url = psycopg.conninfo.make_conninfo(postgres, user="guest", dbname="theirs")
            assert "OWNER TO" in await reason(app.api, settings_of(tmp_path, database_url=url))
        finally:
            await admin.execute("DROP DATABASE theirs WITH (FORCE)")
            await admin.execute("DROP ROLE guest")


async def test_a_postgresql_that_takes_no_more_connections_is_told(postgres: str, tmp_path: Path) -> None:
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as admin:
        await admin.execute("CREATE ROLE crowd LOGIN CONNECTION LIMIT 0")
        try:
            url = psycopg.conninfo.make_conninfo(postgres, user="crowd")
            assert "`max_connections`" in await reason(app.api, settings_of(tmp_path, database_url=url))
        finally:
            await admin.execute("DROP ROLE crowd")


async def test_who_stops_a_migration_waits_for_nobody_who_holds_it_up(database: str, tmp_path: Path) -> None:
    stop = asyncio.Event()
    async with await psycopg.AsyncConnection.connect(database) as busy:
        await busy.execute("SELECT pg_advisory_xact_lock(%s)", (migrations.LOCK,))
        work = asyncio.create_task(app.migrate_only(settings_of(tmp_path, database_url=database), stop))
        await asyncio.sleep(0.2)
        stop.set()
        async with asyncio.timeout(10):
            with pytest.raises(Interrupted):
                await work


@pytest.mark.parametrize(
    ("default", "said"),
    [
        ("default_transaction_read_only=on", "names a PostgreSQL that only reads"),
        ("transaction_timeout=1", "The database cannot be brought up to date: "),
    ],
)
async def test_a_postgresql_that_takes_no_migration_is_told(
    database: str, default: str, said: str, tmp_path: Path
) -> None:
    url = psycopg.conninfo.make_conninfo(database, options=f"-c {default}")
    async with await psycopg.AsyncConnection.connect(database) as busy:
        await busy.execute("LOCK migrations")
        assert said in await reason(app.api, settings_of(tmp_path, database_url=url))


async def test_a_postgresql_that_is_too_old_is_told(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(medianest.database, "OLDEST", 99)
    assert "Bring it to 99 or newer." in await reason(app.api, settings_of(tmp_path, database_url=postgres))


async def test_a_database_of_a_newer_release_is_left_alone(database: str, tmp_path: Path) -> None:
    """All that this one wrote would be refused, and it would take that for an outage."""
    async with await psycopg.AsyncConnection.connect(database) as connection:
        await connection.execute("INSERT INTO migrations VALUES ('9999_later.sql', '')")
    said = await reason(app.api, settings_of(tmp_path, database_url=database))
    assert said.startswith("A newer MediaNest was here: 9999_later.sql has run")


@pytest.mark.parametrize("url", ["hush", "postgresql://medianest:hu sh@127.0.0.1/x"])
async def test_an_address_that_is_none_is_not_repeated(url: str, tmp_path: Path) -> None:
    """What stands where an address should may be a password."""
    said = await reason(app.api, settings_of(tmp_path, database_url=url))
    assert "hush" not in said
    assert "hu sh" not in said
    assert "postgresql://user:password@host" in said


async def test_a_password_may_stand_beside_the_address(postgres: str, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, database_url=postgres, database_password="hu sh@/'")
    async with database(settings) as conninfo:
        assert psycopg.conninfo.conninfo_to_dict(conninfo)["password"] == "hu sh@/'"


def test_a_fresh_demo_throws_away_what_a_demo_left_and_nothing_else(tmp_path: Path) -> None:
    for name in ("postgres", "sandbox", "media", "Documents"):
        (tmp_path / name).mkdir()
    forget(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"Documents", ".postgres.lock"}


async def test_a_fresh_demo_throws_nothing_away_that_another_runs_on(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    (settings.data / "sandbox").mkdir(parents=True)
    async with database(settings) as conninfo:
        with pytest.raises(CannotStart, match="Another MediaNest runs on"):
            forget(settings.data)
        async with await psycopg.AsyncConnection.connect(conninfo) as connection:
            await connection.execute("SELECT FROM events")


async def test_a_demo_neither_runs_on_the_folder_of_a_real_one_nor_throws_it_away(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    (settings.data / "postgres").mkdir(parents=True)
    assert "is of a MediaNest that is no demo" in await reason(demo, settings)
    with pytest.raises(WrongSetting, match="is of a MediaNest that is no demo"):
        forget(settings.data)
    assert [path.name for path in settings.data.iterdir()] == ["postgres"]


@pytest.mark.skipif(os.getuid() != 0, reason="else PostgreSQL runs as who starts it")
async def test_root_opens_no_folder_for_others_to_read(tmp_path: Path) -> None:
    """The data folder is below the home of root, where nothing else says otherwise."""
    home = tmp_path / "root"
    home.mkdir(mode=0o700)
    async with database(settings_of(home)):
        assert home.stat().st_mode & 0o777 == 0o711


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to somebody")
async def test_root_takes_no_folder_from_whose_it_is(tmp_path: Path) -> None:
    """`sudo medianest audit verify` would be the last that an ordinary user's MediaNest did."""
    settings = settings_of(tmp_path)
    folder = settings.data / "postgres"
    folder.mkdir(parents=True)
    os.chown(folder, 4711, 4711)
    assert "postgres belongs to the user with the number 4711" in await reason(app.up, settings)
    assert folder.stat().st_uid == 4711


async def test_a_master_key_that_is_none_is_named(tmp_path: Path) -> None:
    said = await reason(app.api, structs.replace(settings_of(tmp_path), master_key=Secret("hush")))
    assert said.startswith("The setting `master_key` must be ")
    assert "hush" not in said


@pytest.mark.parametrize("role", [app.up, app.api, app.stream, app.work])
async def test_nothing_starts_under_another_master_key_but_the_log_can_be_taken_out(
    role: Role, database: str, pool: Pool, tmp_path: Path
) -> None:
    """Whoever signed in would become somebody new, and nobody's name would open."""
    await Vault(pool, MasterKey(MasterKey.new())).seal("anna", {"account.opened/name/c/0": "Anna"})
    settings = settings_of(tmp_path, database_url=database)
    assert "`master_key` (or `master.key` in the data folder" in await reason(role, settings)
    assert await logbook.take_out(settings, BytesIO()) == 1  # which is the line that ends it


def test_a_master_key_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk may be full at the first start, and have room at the next."""
    settings = load(None, {}, data=tmp_path)
    with monkeypatch.context() as full:
        full.setattr(Path, "write_text", raiser(OSError(errno.ENOSPC, "No space left on device")))
        with pytest.raises(WrongSetting, match=r"`data` cannot be used: .*master\.key .*No space left"):
            master_key(settings)
    assert list(tmp_path.iterdir()) == []
    made = master_key(settings).derived("seals")
    assert master_key(settings).derived("seals") == made
    assert (tmp_path / "master.key").stat().st_mode & 0o777 == 0o600


def raiser(problem: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise problem

    return fail


@pytest.mark.parametrize(
    ("role", "setting"),
    [(app.up, "port"), (app.api, "port"), (app.stream, "stream_port"), (app.work, "work_port"), (demo, "port")],
)
async def test_a_port_that_is_taken_is_told_before_anything_is_begun(role: Role, setting: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = structs.replace(settings_of(tmp_path), port=port, stream_port=port, work_port=port)
        if role is demo:  # its stand-ins listen ten above
            settings = structs.replace(settings, port=port - 10)
        assert f"`{setting}` cannot be used: 127.0.0.1:{port} is taken" in await reason(role, settings)
    assert not (tmp_path / "data" / "postgres").exists()


async def test_an_address_that_is_not_ours_is_told(tmp_path: Path) -> None:
    said = await reason(app.api, structs.replace(settings_of(tmp_path), host="203.0.113.1"))
    assert said.startswith("The setting `host` cannot be used: 203.0.113.1")


@pytest.mark.parametrize("role", [app.up, app.migrate_only, demo])
async def test_a_data_folder_that_cannot_be_written_is_told(role: Role, tmp_path: Path) -> None:
    """A file in its place: root may write into any folder."""
    (tmp_path / "data").touch()
    assert "`data` cannot be used" in await reason(role, settings_of(tmp_path))


async def test_a_data_folder_that_leaves_no_room_for_a_socket_is_told(tmp_path: Path) -> None:
    """Elsewhere it would let in whoever has an account on this machine: it asks for no password."""
    said = await reason(app.up, settings_of(tmp_path / ("l" * 90)))
    assert "is too long for the socket of PostgreSQL" in said
    assert not list(tmp_path.glob("*/data/postgres"))


async def test_a_second_process_on_the_same_folder_is_told(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    async with database(settings):
        assert "Another MediaNest runs on" in await reason(app.up, settings)


def test_on_the_terminal_it_is_one_line_and_the_exit_code_is_1(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "MEDIANEST_DATABASE_URL": f"postgresql://medianest:hush@127.0.0.1:{free_port()}/medianest",
        "MEDIANEST_MASTER_KEY": KEY,
    }
    ended = subprocess.run(
        [sys.executable, "-m", "medianest", "api", "--port", "0", "--data", str(tmp_path)],
        capture_output=True, text=True, env=environment, timeout=30, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("medianest: The setting `database_url` cannot be used: ")


SAYS = """
import logging, sys, warnings
from medianest.terminal import set_up_logging
set_up_logging(sys.argv[1], sys.stdout)
for pool in ("pool-1", "pool-1", "pool-2"):
    logging.getLogger("psycopg.pool").warning("error connecting in %r: %s", pool, "first line\\nsecond line")
logging.getLogger("psycopg.pool").warning("discarding closed connection: %s", "this one")
logging.getLogger("psycopg").warning("error ignored")
logging.getLogger("psycopg").warning("error ignored")
try:
    raise OSError("gone")
except OSError:
    logging.getLogger("uvicorn.error").exception("it broke")
warnings.warn("old", stacklevel=1)
logging.getLogger("httpx").info("GET https://plex.tv/?q=words")
"""


def test_what_libraries_log_is_one_json_line_each_and_no_flood_of_what_a_pool_repeats() -> None:
    said = subprocess.run([sys.executable, "-c", SAYS, "json"], capture_output=True, text=True, timeout=30, check=True)
    assert said.stderr == ""
    lines = [json.loads(line) for line in said.stdout.splitlines()]
    assert [(line["logger"], line["level"]) for line in lines] == [
        ("psycopg.pool", "warning"), ("psycopg.pool", "warning"), ("psycopg", "warning"), ("psycopg", "warning"),
        ("uvicorn.error", "error"), ("py.warnings", "warning"),
    ]  # fmt: skip
    assert lines[0]["event"] == "error connecting in 'pool-1': first line\nsecond line"
    assert lines[1]["event"] == "discarding closed connection: this one"
    assert "OSError: gone" in lines[4]["exception"]
    assert all("timestamp" in line for line in lines)


@pytest.mark.parametrize(
    ("proxies", "client"),
    [
        ((), "127.0.0.1"),
        (("10.0.0.9",), "127.0.0.1"),
        (("127.0.0.1",), "10.0.0.9"),
        (("127.0.0.1", "10.0.0.0/8"), "203.0.113.1"),
    ],
)
async def test_a_proxy_of_ours_is_believed_about_who_calls(proxies: tuple[str, ...], client: str) -> None:
    """Anybody may write X-Forwarded-For: from who is no proxy of ours it would be a way round every limit."""
    seen: list[tuple[str, str]] = []

    async def look(scope: Any, _: Any, send: Any) -> None:
        seen.append((scope["client"][0], scope["scheme"]))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    with listening("127.0.0.1", 0) as listener:
        async with serving(look, listener, proxies), httpx.AsyncClient(trust_env=False) as caller:
            await caller.get(
                f"http://127.0.0.1:{listener.getsockname()[1]}",
                headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.1, 10.0.0.9", "X-Forwarded-Proto": "https"},
            )
    assert seen == [(client, "http" if client == "127.0.0.1" else "https")]


@pytest.mark.parametrize(
    ("said", "client"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("::ffff:203.0.113.1", "203.0.113.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("203.0.113.1", "203.0.113.1"),
        ("a:b", "a:b"),
    ],
)
async def test_all_addresses_of_one_household_are_one_caller(said: str, client: str) -> None:
    """Whoever has one address of IPv6 has as many as they like: each would have limits of its own."""
    seen: list[str] = []

    async def look(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["client"][0])
        await _after_the_body(scope, receive, send)

    with listening("127.0.0.1", 0) as listener:
        async with serving(look, listener, ("127.0.0.1",)), httpx.AsyncClient(trust_env=False) as caller:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            await caller.get(url, headers={"X-Forwarded-For": said})
    assert seen == [client]


def test_where_the_system_allows_more_connections_they_are_taken() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
        with listening("127.0.0.1", 0):
            allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert most == before[1]
        assert allowed == (65_536 if most == resource.RLIM_INFINITY else min(65_536, most))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
BEGUN = {
    "nothing": b"",
    "half a head": b"GET / HTTP/1.1\r\nHost: x\r\n",
    "empty lines": b"\r\n",
    "half a body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
    "half a second call": b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT",
}


@pytest.mark.parametrize("sent", BEGUN.values(), ids=BEGUN)
async def test_a_call_that_does_not_come_to_its_end_does_not_keep_its_connection(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "REQUEST_SECONDS", 0.2)
    with listening("127.0.0.1", 0) as listener:
        async with serving(_after_the_body, listener, ()), asyncio.timeout(10):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            writer.write(sent)
            await reader.read()  # until the server closes it
            writer.close()


async def test_a_call_that_is_here_whole_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "REQUEST_SECONDS", 0.1)

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.3)
        await _after_the_body(scope, receive, send)

    with listening("127.0.0.1", 0) as listener:
        async with serving(slow, listener, ()), httpx.AsyncClient(trust_env=False) as caller:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            assert [(await caller.post(url, content=b"x")).status_code for _ in range(2)] == [204, 204]


ENDLESS = {
    "address": (b"GET /", b"a" * 65_536),
    "header": (b"GET / HTTP/1.1\r\nHost: x\r\nX: ", b"a" * 65_536),
    "headers": (b"GET / HTTP/1.1\r\nHost: x\r\n", b"a: b\r\n" * 10_000),
    "trailers": (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"a: b\r\n" * 10_000),
    "calls": (b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2_000),
    "pings": (HANDSHAKE, b"\x89\xfd\0\0\0\0" + b"p" * 125),
    "pieces": (HANDSHAKE, b"\0\x80\0\0\0\0" * 10_000),
}


@pytest.mark.parametrize(("begun", "more"), ENDLESS.values(), ids=ENDLESS)
async def test_what_has_no_end_ends_the_connection_before_it_fills_our_memory(begun: bytes, more: bytes) -> None:
    with listening("127.0.0.1", 0) as listener:
        async with serving(_opened_and_left, listener, ()), asyncio.timeout(30):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            writer.write(begun)
            if begun == HANDSHAKE:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"\x01\x80\0\0\0\0")  # a message begins, and what follows is amid it
            with pytest.raises(ConnectionError):
                await _written(writer, more)
            writer.close()


async def _written(writer: asyncio.StreamWriter, more: bytes) -> None:
    for _ in range(64):  # megabytes, and nothing is read
        writer.write(more * (1_048_576 // len(more)))
        await writer.drain()


async def test_an_answer_that_nobody_reads_does_not_keep_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "UNREAD_SECONDS", 0.2)
    with listening("127.0.0.1", 0) as listener:
        async with serving(_opened_and_left, listener, ()), asyncio.timeout(20):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            with pytest.raises(ConnectionError):
                await _kept_up(writer)
            writer.close()


async def _kept_up(writer: asyncio.StreamWriter) -> None:
    while True:
        await asyncio.sleep(0.1)
        writer.write(b"\r\n")  # which is no call, and shows whether the connection is there
        await writer.drain()


async def test_a_large_body_in_small_chunks_is_no_head() -> None:
    chunks = b"".join(b"400\r\n%b\r\n" % (b"x" * 1024) for _ in range(2_000))
    with listening("127.0.0.1", 0) as listener:
        async with serving(_after_the_body, listener, ()), asyncio.timeout(30):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 204")
            writer.close()


async def _opened_and_left(scope: Any, receive: Any, send: Any) -> None:
    """Listens to a websocket and says nothing; answers a call by more than fits into the buffers of the network."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x" * 16_777_216})


async def _after_the_body(_: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


@pytest.mark.parametrize(
    ("proxies", "works"), [("*", True), ("::1,10.0.0.0/8", True), ("nginx", False), ("*,::1", False)]
)
def test_a_proxy_is_an_address_or_a_network(proxies: str, works: bool) -> None:
    environment = {"MEDIANEST_TRUSTED_PROXIES": proxies}
    if works:
        assert load(None, environment).trusted_proxies == tuple(proxies.split(","))
        return
    with pytest.raises(WrongSetting, match="trusted_proxies"):
        load(None, environment)


@pytest.mark.parametrize("asked", ["audit verify", "events export log.jsonl", "projections list"])
def test_who_asks_about_a_log_that_is_not_there_is_told_so_and_none_is_made(asked: str, tmp_path: Path) -> None:
    """A folder that was mistyped must not be found to be in order."""
    ended = subprocess.run(
        [sys.executable, "-m", "medianest", *asked.split(), "--data", "typo"],
        capture_output=True, text=True, timeout=30, check=False, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"medianest: There is no log in {tmp_path / 'typo'}: name the data folder with --data.\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("last", ["-1", "many", "1e3", ""])
def test_a_number_of_events_that_is_none_is_refused_before_anything_starts(
    last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["events", "tail", f"--last={last}"])
    assert refused.value.code == 2
    assert "give a number, from 0 on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "setting"), [("api", "port"), ("stream", "stream_port"), ("work", "work_port"), ("up", "port")]
)
def test_the_port_on_the_command_line_is_that_of_the_process(command: str, setting: str) -> None:
    asked = _parser().parse_args([command, "--port", "4711", "--host", "::1"])
    settings = _load(asked)
    assert (getattr(settings, setting), settings.host) == (4711, "::1")


def test_who_asks_whether_a_process_is_alive_is_told_why_not(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = str(gone.getsockname()[1])
    assert main(["alive", "--port", port]) == 1
    assert f"answers at 127.0.0.1:{port} (" in capsys.readouterr().err
    assert main(["alive", "--host", "bad..host"]) == 1
    assert "answers at bad..host:" in capsys.readouterr().err


def test_a_file_that_the_disk_has_no_room_for_is_not_there_afterwards(tmp_path: Path) -> None:
    """Half a log must not be taken for one, and what is small is written only at the end."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"), _new_file(tmp_path / "log.jsonl") as file:
            file.write(bytes(100))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_is_taken_out_is_read_by_nobody_else(tmp_path: Path) -> None:
    with _new_file(tmp_path / "log.jsonl") as file:
        file.write(b"{}")
    assert (tmp_path / "log.jsonl").stat().st_mode & 0o077 == 0


def test_who_has_read_enough_of_the_settings_is_told_nothing() -> None:
    typed = f"{sys.executable} -m medianest settings | true"
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", typed], capture_output=True, text=True, timeout=30, check=False
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
