import asyncio
import traceback
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from medianest.adapters.breaker import Breaker
from medianest.adapters.errors import Denied, Unexpected, Unreachable
from medianest.adapters.exchange import CALLS_AT_ONCE, Exchange, http_client, retry_after_seconds
from medianest.tasks import cancel

from .conftest import Speak, Wire

pytestmark = pytest.mark.usefixtures("quick_retries")
Serve = Callable[[Speak], AbstractAsyncContextManager[str]]


def exchange(client: httpx.AsyncClient, base_url: str = "http://service.test", **options: Any) -> Exchange:
    return Exchange("Service", base_url, client, **options)


async def test_a_query_is_percent_encoded_with_no_plus(wire: Wire, client: httpx.AsyncClient) -> None:
    """Seerr refuses `+` and raw reserved characters with a 400."""
    wire.answers("GET", "/find", httpx.Response(200))
    await exchange(client).get("/find", query=[("query", "what's up: tom & jerry+é!"), ("addedAt>>", 5)])
    assert wire.last().url.raw_path == (b"/find?query=what%27s%20up%3A%20tom%20%26%20jerry%2B%C3%A9%21&addedAt%3E%3E=5")


async def test_header_values_may_be_non_ascii(wire: Wire, client: httpx.AsyncClient) -> None:
    wire.answers("GET", "/", httpx.Response(200))
    await exchange(client, headers={"X-Plex-Device-Name": "Zoës Gerät"}).get("/")
    assert (b"X-Plex-Device-Name", "Zoës Gerät".encode()) in wire.last().headers.raw


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_get_that_is_put_off_is_asked_again(wire: Wire, client: httpx.AsyncClient, status: int) -> None:
    wire.answers("GET", "/", httpx.Response(status), httpx.ConnectError("refused"), httpx.Response(200, content=b"{}"))
    answer = await exchange(client).get("/")
    assert answer.status == 200
    assert len(wire.sent) == 3


async def test_a_get_is_asked_three_times_and_no_more(wire: Wire, client: httpx.AsyncClient) -> None:
    wire.answers("GET", "/", httpx.Response(503))
    with pytest.raises(Unreachable, match="it answers 503"):
        await exchange(client).get("/")
    assert len(wire.sent) == 3


@pytest.mark.parametrize("failure", [httpx.Response(503), httpx.ReadTimeout("late"), httpx.ConnectError("refused")])
async def test_a_post_is_never_asked_twice(
    wire: Wire, client: httpx.AsyncClient, failure: httpx.Response | Exception
) -> None:
    wire.answers("POST", "/", failure)
    with pytest.raises(Unreachable):
        await exchange(client).send("POST", "/", json={})
    assert len(wire.sent) == 1


async def test_a_long_retry_after_is_passed_on_rather_than_waited_for(wire: Wire, client: httpx.AsyncClient) -> None:
    wire.answers("GET", "/", httpx.Response(429, headers={"Retry-After": "120"}))
    with pytest.raises(Unreachable) as caught:
        await exchange(client).get("/")
    assert caught.value.retry_after_seconds == 120
    assert len(wire.sent) == 1


@pytest.mark.parametrize(("value", "seconds"), [("7", 7.0), ("", None), ("soon", None), ("-3", None)])
def test_retry_after_is_seconds_or_nothing(value: str, seconds: float | None) -> None:
    assert retry_after_seconds({"Retry-After": value}) == seconds


def test_retry_after_may_be_a_date() -> None:
    assert retry_after_seconds({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0


async def test_the_circuit_opens_after_failures_and_closes_after_a_success(
    wire: Wire, client: httpx.AsyncClient
) -> None:
    now = [0.0]
    way = exchange(client, breaker=Breaker(threshold=2, pause_seconds=30, clock=lambda: now[0]))
    wire.answers("GET", "/", httpx.Response(503))
    for _ in range(2):
        with pytest.raises(Unreachable):
            await way.get("/")
    sent = len(wire.sent)
    with pytest.raises(Unreachable, match="left alone") as caught:
        await way.get("/")
    assert caught.value.retry_after_seconds == 30
    assert len(wire.sent) == sent, "an open circuit asks nothing"
    now[0] = 30.0
    wire.answers("GET", "/", httpx.Response(200))
    await way.get("/")
    assert way.breaker.state == "closed"


@pytest.mark.parametrize("status", [200, 202, 400, 401, 403, 404, 409, 410, 422])
async def test_answers_about_the_question_open_no_circuit(wire: Wire, client: httpx.AsyncClient, status: int) -> None:
    way = exchange(client, breaker=Breaker(threshold=1))
    wire.answers("GET", "/", httpx.Response(status))
    assert (await way.get("/")).status == status
    assert way.breaker.state == "closed"


async def test_a_500_counts_unless_the_service_says_it_for_other_things(wire: Wire, client: httpx.AsyncClient) -> None:
    wire.answers("GET", "/", httpx.Response(500, content=b"{}"))
    strict = exchange(client, breaker=Breaker(threshold=1))
    with pytest.raises(Unexpected):
        await strict.get("/")
    assert strict.breaker.state == "open"
    lenient = exchange(client, breaker=Breaker(threshold=1), counts_500=False)
    assert (await lenient.get("/")).status == 500
    assert lenient.breaker.state == "closed"


async def test_a_redirect_is_not_followed(wire: Wire, client: httpx.AsyncClient) -> None:
    """The token must not travel to where an answer points."""
    wire.answers("GET", "/", httpx.Response(302, headers={"Location": "http://elsewhere.test/"}))
    with pytest.raises(Denied, match="redirect"):
        await exchange(client).get("/")
    assert len(wire.sent) == 1


@pytest.mark.parametrize("address", ["no-address", "ftp://service.test", "http://service.test:port"])
async def test_a_bad_address_is_a_matter_of_the_settings(address: str) -> None:
    async with http_client() as client:
        with pytest.raises(Denied):
            await exchange(client, address).get("/")


async def test_a_token_with_a_line_break_stays_out_of_the_error(serve: Serve) -> None:
    """The HTTP library refuses such a header, and quotes it."""
    token = "hunter2" + "\r\nx: y"

    async def never_asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.read() == b""

    async with serve(never_asked) as address, http_client() as client:
        with pytest.raises(Denied) as caught:
            await exchange(client, address).get("/", headers={"X-Plex-Token": token})
    told = "".join(traceback.format_exception(caught.value))
    assert "hunter2" not in told


class Shape(msgspec.Struct):
    id: int


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"[]", b'{"id": "x"}', b"\xff\xfe", b"null"])
async def test_garbage_is_unexpected(wire: Wire, client: httpx.AsyncClient, body: bytes) -> None:
    wire.answers("GET", "/", httpx.Response(200, content=body))
    answer = await exchange(client).get("/")
    with pytest.raises(Unexpected):
        answer.decode(Shape)


async def test_an_answer_without_bottom_is_unexpected(wire: Wire, client: httpx.AsyncClient) -> None:
    wire.answers("GET", "/", httpx.Response(200, content=b"[" * 100_000))
    answer = await exchange(client).get("/")
    with pytest.raises(Unexpected):
        answer.decode(list[Any])
    assert answer.json_or_none() is None


async def test_numbers_may_come_as_text(wire: Wire, client: httpx.AsyncClient) -> None:
    wire.answers("GET", "/", httpx.Response(200, content=b'{"id": "7", "more": []}'))
    assert (await exchange(client).get("/")).decode(Shape).id == 7


async def test_an_answer_shows_no_body(wire: Wire, client: httpx.AsyncClient) -> None:
    wire.answers("GET", "/", httpx.Response(200, content=b"secret"))
    assert "secret" not in repr(await exchange(client).get("/"))


async def test_a_huge_body_is_cut_off(serve: Serve) -> None:
    """Without a Content-Length, as a liar would send it."""

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with serve(endless) as address, http_client() as client:
        with pytest.raises(Unexpected, match="larger than"):
            await exchange(client, address, body_limit_bytes=1_000_000).get("/")


async def test_a_body_that_trickles_is_not_waited_for(serve: Serve) -> None:
    """A deadline a read would never fire: each byte comes in time, the whole never does."""

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with serve(trickle) as address, http_client() as client:
        way = exchange(client, address, total_timeout_seconds=0.2, breaker=Breaker(threshold=1))
        with pytest.raises(Unreachable, match="no answer in time"):
            await way.get("/")
        assert way.breaker.state == "open"


async def test_a_caller_who_gives_up_does_not_blame_the_service(serve: Serve) -> None:
    asked = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await reader.read()

    async with serve(silent) as address, http_client() as client:
        way = exchange(client, address, breaker=Breaker(threshold=1))
        call = asyncio.create_task(way.get("/"))
        await asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert way.breaker.state == "closed"


async def test_only_so_many_calls_go_out_at_once(serve: Serve) -> None:
    inside, most, go = 0, 0, asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal inside, most
        await reader.readuntil(b"\r\n\r\n")
        inside += 1
        most = max(most, inside)
        if inside == CALLS_AT_ONCE:
            go.set()
        await go.wait()
        inside -= 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()

    async with serve(slow) as address, http_client() as client:
        way = exchange(client, address)
        await asyncio.gather(*(way.get("/") for _ in range(4 * CALLS_AT_ONCE)))
    assert most == CALLS_AT_ONCE


async def test_no_cookie_of_one_call_goes_out_with_the_next(serve: Serve) -> None:
    """The client speaks for many people: a session cookie would make one the other."""
    asked: list[bytes] = []

    async def baker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(
            b"HTTP/1.1 200 OK\r\nSet-Cookie: sid=anna; Path=/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        await writer.drain()

    async with serve(baker) as address, http_client() as client:
        for _ in range(2):
            await exchange(client, address).get("/")
    assert len(asked) == 2
    assert b"cookie" not in asked[1].lower()


async def test_no_proxy_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch, serve: Serve) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()

    async with serve(plain) as address, http_client() as client:
        assert (await exchange(client, address).get("/")).status == 204


def test_texts_name_the_service_and_the_remedy() -> None:
    assert str(Unreachable("Seerr", "it answers 503")) == "Seerr: it answers 503. MediaNest tries again by itself."


async def test_a_long_retry_after_is_obeyed_by_everybody(wire: Wire, client: httpx.AsyncClient) -> None:
    wire.answers("GET", "/", httpx.Response(429, headers={"Retry-After": "120"}))
    way = exchange(client)
    with pytest.raises(Unreachable):
        await way.get("/")
    with pytest.raises(Unreachable) as caught:
        await way.get("/")
    assert caught.value.retry_after_seconds == pytest.approx(120, abs=5)
    assert len(wire.sent) == 1, "who asks to be left alone is"


async def test_who_waits_behind_a_service_that_hangs_is_bounded(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medianest.adapters.exchange.WAITING_LIMIT", 2)
    holding = asyncio.Semaphore(0)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        holding.release()
        await reader.read()

    async with serve(silent) as address, http_client() as client:
        way = exchange(client, address, total_timeout_seconds=60)
        calls = [asyncio.create_task(way.get("/")) for _ in range(CALLS_AT_ONCE + 2)]
        for _ in range(CALLS_AT_ONCE):
            await holding.acquire()
        with pytest.raises(Unreachable, match="too many calls"):
            await way.get("/")
        assert (way.under_way, way.waiting) == (CALLS_AT_ONCE, 2)
        await cancel(*calls)
        assert (way.under_way, way.waiting) == (0, 0)
        assert way.calls.ended == {"given-up": CALLS_AT_ONCE, "no-turn": 1}


async def test_a_new_address_begins_with_a_closed_circuit(wire: Wire, client: httpx.AsyncClient) -> None:
    way = exchange(client, breaker=Breaker(threshold=1))
    wire.answers("GET", "/", httpx.Response(503))
    with pytest.raises(Unreachable):
        await way.get("/")
    way.point_at("http://elsewhere.test/", {"X-Key": "new"})
    assert (way.base_url, way.breaker.state) == ("http://elsewhere.test", "closed")


@pytest.mark.parametrize(("headers", "asked"), [({}, 1), ({"Retry-After": "1"}, 3), ({"Retry-After": "60"}, 1)])
async def test_who_is_asked_too_often_is_asked_again_only_when_it_says_so(
    wire: Wire, client: httpx.AsyncClient, headers: dict[str, str], asked: int
) -> None:
    """plex.tv has a limit that it tells nobody of, and promises no `Retry-After`."""
    wire.answers("GET", "/", httpx.Response(429, headers=headers))
    with pytest.raises(Unreachable):
        await exchange(client).get("/")
    assert len(wire.sent) == asked


async def test_an_authority_of_the_house_is_trusted_where_the_machine_names_it(
    over_tls: str, own_authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with http_client() as stranger:
        with pytest.raises(Unreachable, match="certificate"):
            await Exchange("x", over_tls, stranger).get("/")
    monkeypatch.setenv("SSL_CERT_FILE", str(own_authority))
    async with http_client() as client:
        assert (await Exchange("x", over_tls, client).get("/")).status == 204


async def test_a_certificate_that_is_not_trusted_is_told_from_a_server_that_is_gone(
    wire: Wire, client: httpx.AsyncClient
) -> None:
    """A Plex server at home has one for its name at plex.direct, not for its number."""
    refused = httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: IP address mismatch")
    wire.answers("GET", "/", refused)
    with pytest.raises(Unreachable, match="certificate"):
        await exchange(client).get("/")


async def test_calls_are_counted_by_how_they_ended_and_how_long_they_took(serve: Serve) -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.read()

    async with serve(slow) as address, http_client() as client:
        way = exchange(client, address, total_timeout_seconds=0.2)
        with pytest.raises(Unreachable):
            await way.get("/")
    assert way.calls.ended == {"failed": 1}, "our own deadline ended it, and that is the service's fault"
    counts = dict(way.calls.seconds.up_to_each())
    assert (counts[0.1], counts[float("inf")]) == (0, 1)
    assert way.calls.seconds.sum >= 0.2
