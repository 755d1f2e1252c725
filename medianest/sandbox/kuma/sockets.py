"""Uptime Kuma over Socket.IO: greeting, log-in, lists, and the events a client may send."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

import socketio

from medianest.sandbox.kuma.state import COLUMNS, COLUMNS_V1, Account, Json, KumaMonitor, stamp
from medianest.sandbox.kuma.world import KumaWorld

ROOM = "1"  # of the one account: every socket of it hears all lists and live events
_NOT_LOGGED_IN = {"ok": False, "msg": "You are not logged in."}
_TOO_OFTEN = {"ok": False, "msg": "Too frequently, try again later."}


@dataclass
class Socket:
    """One connection. Before it is greeted its events are lost, as the real server registers its handlers late."""

    greeted: bool = False
    logged_in: bool = False
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


class Event(NamedTuple):
    act: Callable[..., Awaitable[Any]]
    arguments: int = 0  # fewer: the server takes the callback for an argument and never answers
    anyone: bool = False
    only_v2: bool = False


class KumaSocket:
    """The Socket.IO side of one Kuma. `greeting_seconds` delays `info`; 1.23 pauses in the middle of its lists."""

    def __init__(self, world: KumaWorld, greeting_seconds: float, pause_seconds: float) -> None:
        self.server: Any = socketio.AsyncServer(
            async_mode="asgi", ping_interval=25, ping_timeout=20, max_http_buffer_size=1_000_000
        )
        self._world = world
        self._greeting_seconds = greeting_seconds
        self._pause_seconds = pause_seconds
        self._sockets: dict[str, Socket] = {}
        self._events = self._table()
        self.server.on("connect", self._connected)
        self.server.on("disconnect", self._disconnected)
        self.server.on("*", self._received)
        world.audience = self

    async def tell(self, event: str, *arguments: Any) -> None:
        await self.server.emit(event, arguments, room=ROOM)

    async def dismiss(self, but: str | None) -> None:
        for sid in [sid for sid, socket in self._sockets.items() if socket.logged_in and sid != but]:
            await self.server.emit("refresh", (), to=sid)
            await self.server.disconnect(sid)

    async def close(self) -> None:
        """Ends the task that watches over silent clients."""
        await self.server.shutdown()

    def _table(self) -> dict[str, Event]:
        return {
            "needSetup": Event(self._need_setup, anyone=True),
            "setup": Event(self._setup, 2, anyone=True),
            "login": Event(self._login, 1, anyone=True),
            "loginByToken": Event(self._login_by_token, 1, anyone=True),
            "logout": Event(self._logout, anyone=True),
            "initServerTimezone": Event(self._set_timezone, 1),
            "getMonitorList": Event(self._monitor_list),
            "getMonitor": Event(self._monitor, 1),
            "getMonitorBeats": Event(self._beats, 2),
            "monitorImportantHeartbeatListCount": Event(self._important_count, 1, only_v2=True),
            "monitorImportantHeartbeatListPaged": Event(self._important_page, 3, only_v2=True),
            "getMonitorChartData": Event(self._chart, 2, only_v2=True),
            "pauseMonitor": Event(self._pause, 1),
            "resumeMonitor": Event(self._resume, 1),
            "deleteMonitor": Event(self._delete, 1),
            "add": Event(self._add, 1),
            "editMonitor": Event(self._edit, 1),
            "addAPIKey": Event(self._add_api_key, 1),
            "changePassword": Event(self._change_password, 1),
            "twoFAStatus": Event(self._two_factor_status),
        }

    async def _connected(self, sid: str, environ: Any, auth: Any = None) -> None:
        self._sockets[sid] = Socket()
        self._later(sid, self._greet(sid))

    async def _disconnected(self, sid: str, reason: str = "") -> None:
        socket = self._sockets.pop(sid, None)
        for task in socket.tasks if socket else ():
            if task is not asyncio.current_task():
                task.cancel()

    async def _received(self, name: str, sid: str, *arguments: Any) -> Any:
        """Answers an event, or leaves it without an answer for ever."""
        socket, event = self._sockets.get(sid), self._events.get(name)
        if socket is None or not socket.greeted or event is None or len(arguments) < event.arguments:
            return self.server.not_handled
        if event.only_v2 and not self._world.shapes.is_v2:
            return self.server.not_handled
        if not event.anyone and not socket.logged_in:
            return _NOT_LOGGED_IN
        try:
            return await event.act(sid, *arguments[: event.arguments])
        except (AttributeError, KeyError, TypeError, ValueError) as broken:  # the real one shows its exceptions, too
            return {"ok": False, "msg": str(broken)}

    def _later(self, sid: str, work: Any) -> None:
        socket = self._sockets[sid]
        task = asyncio.create_task(work, name="kuma socket")
        socket.tasks.add(task)
        task.add_done_callback(socket.tasks.discard)

    async def _greet(self, sid: str) -> None:
        """2.x: info, setup, loginRequired. 1.23: setup, info, and never loginRequired."""
        await asyncio.sleep(self._greeting_seconds)  # at least one turn: the client must hear of its connection first
        socket, v2 = self._sockets[sid], self._world.shapes.is_v2
        needs_setup = self._world.account is None
        if needs_setup and not v2:
            await self._send(sid, "setup")
        socket.greeted = True
        await self._send(sid, "info", self._world.shapes.info(logged_in=False))
        if needs_setup and v2:
            await self._send(sid, "setup")
        if self._world.auth_disabled:
            await self._enter(sid)
            await self._send_lists(sid)
            await self._send(sid, "autoLogin")
        elif v2:
            await self._send(sid, "loginRequired")

    async def _send(self, sid: str, event: str, *arguments: Any) -> None:
        await self.server.emit(event, arguments, to=sid)

    async def _enter(self, sid: str) -> None:
        self._sockets[sid].logged_in = True
        await self.server.enter_room(sid, ROOM)

    # ── log-in

    async def _need_setup(self, sid: str) -> bool:
        return self._world.account is None

    async def _setup(self, sid: str, username: str, password: str) -> Json:
        if _is_weak(password):
            return self._refusal("passwordTooWeak")
        if self._world.account is not None:
            return {"ok": False, "msg": "Uptime Kuma has been initialized."}
        self._world.account = Account(username, password)
        return self._success("successAdded")

    async def _login(self, sid: str, given: Any) -> Json:
        if not self._world.logins.passes():
            return _TOO_OFTEN
        account, code = self._world.account, str(given.get("token") or "")
        if account is None or (given.get("username"), given.get("password")) != (account.username, account.password):
            return self._refusal("authIncorrectCreds")
        if account.two_factor_secret is not None:
            if not code:
                return {"tokenRequired": True}
            if not account.accepts_code(code, self._world.clock()):
                return self._refusal("authInvalidToken", v1="Invalid Token!")
        await self._logged_in(sid)
        return {"ok": True, "token": account.token(self._world.clock())}

    async def _login_by_token(self, sid: str, token: Any) -> Json:
        """Neither limited nor asked for a second factor."""
        if self._world.account is None or not self._world.account.owns(str(token)):
            return self._refusal("authInvalidToken")
        await self._logged_in(sid)
        return {"ok": True}

    async def _logout(self, sid: str) -> Json:
        """Under the same limit as logins: when that is reached the socket stays logged in."""
        if not self._world.logins.passes():
            return _TOO_OFTEN
        self._sockets[sid].logged_in = False
        await self.server.leave_room(sid, ROOM)
        return {"ok": True}

    async def _logged_in(self, sid: str) -> None:
        """2.x sends all lists before it acknowledges, 1.23 afterwards."""
        await self._enter(sid)
        if self._world.shapes.is_v2:
            await self._send_lists(sid)
        else:
            self._later(sid, self._send_lists_later(sid))

    async def _send_lists_later(self, sid: str) -> None:
        await asyncio.sleep(0.02)  # the acknowledgement leaves first
        await self._send_lists(sid)

    async def _send_lists(self, sid: str) -> None:
        """All that a page needs. Most of it goes to every socket of the account, not only to the new one."""
        world, v2 = self._world, self._world.shapes.is_v2
        await self.tell("monitorList", world.shapes.monitor_list(world.monitors.values()))
        if v2:
            await self.tell("monitorTypeList", {"dns": {"supportsConditions": True, "conditionVariables": []}})
        await self.tell("maintenanceList", {})
        await self._send(sid, "info", world.shapes.info(logged_in=True))
        for event in ("notificationList", "proxyList", "dockerHostList"):
            await self.tell(event, [])
        await self.tell("apiKeyList", self._api_keys())
        if v2:
            await self.tell("remoteBrowserList", [])
        else:
            await asyncio.sleep(self._pause_seconds)
        pages = enumerate(world.status_pages.values(), start=1)
        await self.tell("statusPageList", {str(place): world.shapes.page(page, place) for place, page in pages})
        await self._send_beats(sid)

    async def _send_beats(self, sid: str) -> None:
        """Ids are strings here, and numbers in what follows live."""
        monitors, v2 = list(self._world.monitors.values()), self._world.shapes.is_v2
        figures = [figure for one in monitors for figure in self._world.figures(one, str(one.id))]
        early = [figure for figure in figures if v2 and figure[0] != "certInfo"]
        for event, *arguments in early:
            await self.tell(event, *arguments)
        for monitor in monitors:
            rows = [self._world.shapes.listed(beat) for beat in list(monitor.beats)[-100:]]
            await self._send(sid, "heartbeatList", str(monitor.id), rows, False)
        for monitor in monitors if not v2 else ():
            rows = [self._world.shapes.paged(beat) for beat in reversed(monitor.beats) if beat.important][:500]
            await self._send(sid, "importantHeartbeatList", str(monitor.id), rows, False)
        for event, *arguments in [figure for figure in figures if figure not in early]:
            await self.tell(event, *arguments)

    # ── asking

    async def _set_timezone(self, sid: str, timezone: Any) -> Any:
        """Sends `info` once more; there is no acknowledgement."""
        await self._send(sid, "info", self._world.shapes.info(logged_in=True))
        return self.server.not_handled

    async def _monitor_list(self, sid: str) -> Json:
        await self.tell("monitorList", self._world.shapes.monitor_list(self._world.monitors.values()))
        return {"ok": True}

    async def _monitor(self, sid: str, id_: Any) -> Json:
        monitor = self._world.monitors.get(_id(id_))
        if monitor is None:
            return {"ok": False, "msg": "Cannot read properties of null (reading 'id')"}
        shape = self._world.shapes.monitor(monitor)
        if self._world.shapes.is_v2:
            shape |= {"path": [None], "pathName": ""}
        return {"ok": True, "monitor": shape}

    async def _beats(self, sid: str, id_: Any, hours: Any) -> Json:
        monitor = self._world.monitors.get(_id(id_))
        since = self._world.clock() - timedelta(hours=float(hours))
        return {
            "ok": True,
            "data": [self._world.shapes.listed(beat) for beat in (monitor.since(since) if monitor else ())],
        }

    async def _important_count(self, sid: str, id_: Any) -> Json:
        return {"ok": True, "count": len(self._important(id_))}

    async def _important_page(self, sid: str, id_: Any, skip: Any, count: Any) -> Json:
        return {"ok": True, "data": self._important(id_)[int(skip) : int(skip) + int(count)]}

    def _important(self, id_: Any) -> list[Json]:
        """Newest first; of all monitors if `id_` is null."""
        wanted = [m for m in self._world.monitors.values() if id_ is None or m.id == _id(id_)]
        beats = sorted((b for m in wanted for b in m.beats if b.important), key=lambda beat: beat.id, reverse=True)
        return [self._world.shapes.paged(beat) for beat in beats]

    async def _chart(self, sid: str, id_: Any, hours: Any) -> Json:
        """Newest first, by minute; the real one goes by hour or day over longer spans."""
        monitor = self._world.monitors.get(_id(id_))
        since = self._world.clock() - timedelta(hours=float(hours))
        minutes: dict[int, list[Any]] = {}
        for beat in monitor.since(since) if monitor else ():
            minutes.setdefault(int(beat.time.timestamp()) // 60 * 60, []).append(beat)
        return {"ok": True, "data": [_chart_point(at, beats) for at, beats in sorted(minutes.items(), reverse=True)]}

    # ── changing

    async def _pause(self, sid: str, id_: Any) -> Json:
        await self._world.set_active(_id(id_), active=False)
        return self._success("successPaused")

    async def _resume(self, sid: str, id_: Any) -> Json:
        await self._world.set_active(_id(id_), active=True)
        return self._success("successResumed")

    async def _delete(self, sid: str, id_: Any) -> Json:
        await self._world.remove(_id(id_))
        return self._success("successDeleted")

    async def _add(self, sid: str, given: Json) -> Json:
        """The keys become database columns: an unknown one fails with the SQL in the text."""
        problem = self._problem(given)
        if problem:
            return {"ok": False, "msg": problem}
        id_ = max(self._world.monitors, default=0) + 1
        await self._world.add(_changed(KumaMonitor(id_, str(given.get("name", ""))), given))
        return self._success("successAdded") | {"monitorID": id_}

    async def _edit(self, sid: str, given: Json) -> Json:
        monitor = self._world.monitors[_id(given["id"])]
        _changed(monitor, given)
        await self._world.tell_changed(monitor.id)
        return self._success("Saved.") | {"monitorID": monitor.id}

    async def _add_api_key(self, sid: str, given: Json) -> Json:
        number = len(self._world.api_keys) + 1
        key = f"uk{number}_{'sandboxkey' * 4}"
        self._world.api_keys.append(key)
        await self.tell("apiKeyList", self._api_keys())
        return self._success("successAdded") | {"key": key, "keyID": number}

    async def _change_password(self, sid: str, given: Json) -> Json:
        account = self._world.account
        assert account is not None
        if given.get("currentPassword") != account.password:
            return {"ok": False, "msg": "Incorrect current password"}
        if _is_weak(str(given.get("newPassword"))):
            return self._refusal("passwordTooWeak")
        await self._world.change_password(str(given["newPassword"]), by=sid)
        answer = self._success("successAuthChangePassword")
        return answer | ({"token": account.token(self._world.clock())} if self._world.shapes.is_v2 else {})

    async def _two_factor_status(self, sid: str) -> Json:
        account = self._world.account
        return {"ok": True, "status": account is not None and account.two_factor_secret is not None}

    def _problem(self, given: Json) -> str | None:
        columns, least = (COLUMNS, 1) if self._world.shapes.is_v2 else (COLUMNS_V1, 20)
        for name in given:
            if name not in columns:
                return f"insert into `monitor` (`{name}`) values (?) - SQLITE_ERROR: table monitor has no column named {name}"  # noqa: S608 - only shown
        if float(given.get("interval", 60)) < least:
            return f"Interval cannot be less than {least} seconds"
        return None

    def _success(self, key: str) -> Json:
        return {"ok": True, **self._world.shapes.text(key)}

    def _refusal(self, key: str, v1: str | None = None) -> Json:
        shapes = self._world.shapes
        return {"ok": False, **(shapes.text(key) if v1 is None or shapes.is_v2 else {"msg": v1})}

    def _api_keys(self) -> list[Json]:
        made = stamp(self._world.clock())[:19]
        return [
            {
                "id": n,
                "name": f"key {n}",
                "userID": 1,
                "createdDate": made,
                "active": 1,
                "expires": None,
                "status": "active",
            }
            for n, _ in enumerate(self._world.api_keys, start=1)
        ]


def _id(value: Any) -> int:
    return int(value)


def _is_weak(password: str) -> bool:
    return len(password) < 6 or not (re.search(r"\d", password) and re.search(r"[A-Za-z]", password))


def _changed(monitor: KumaMonitor, given: Json) -> KumaMonitor:
    for ours, theirs in (
        *(("name", "name"), ("type", "type"), ("url", "url"), ("interval", "interval"), ("retries", "maxretries")),
        *(("parent", "parent"), ("push_token", "pushToken")),
    ):
        if theirs in given:
            setattr(monitor, ours, given[theirs])
    return monitor


def _chart_point(at: int, beats: list[Any]) -> Json:
    pings = [beat.ping for beat in beats if beat.ping is not None]
    figures = {"avgPing": round(sum(pings) / len(pings)), "minPing": min(pings), "maxPing": max(pings)} if pings else {}
    up = sum(int(beat.status == 1) for beat in beats)
    return {"up": up, "down": len(beats) - up, **figures, "timestamp": at}
