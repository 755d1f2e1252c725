"""A small video site: pages yt-dlp understands, files with ranges and a pace, HLS, a feed, and what goes wrong.

Nothing is fetched and nothing is shipped: the clips are test pictures and tones, drawn by the real encoder when the
first of them is asked for, and kept in a directory.
"""

import asyncio
import html
import json
import shutil
import tempfile
import zlib
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import parse_qs

import imageio_ffmpeg
from litestar import Litestar, MediaType, Request, Response, get
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from medianest.sandbox.serving import DROP_EXTENSION, Receive, Scope, Send

DEMO_BYTES_PER_SECOND: Final = 250_000  # a clip takes about four seconds: long enough to watch it move
ENCODING_SECONDS: Final = 60.0
CHUNK_BYTES: Final = 16 * 1024
CLIP_SECONDS: Final = 12
BODY_FAULTS: Final = frozenset({"/broken", "/stalled", "/damaged", "/manifest", "/swollen", "/unsized"})


@dataclass(frozen=True, slots=True)
class Clip:
    title: str
    uploader: str
    picture: str  # a source of ffmpeg's lavfi
    tone_hertz: int
    hls: bool = False


CLIPS: Final[dict[str, Clip]] = {
    "garden": Clip("A garden in spring", "Hedgerow Films", "testsrc2=size=640x360:rate=15", 330),
    "trains": Clip("Old trains, narrow valleys", "Hedgerow Films", "testsrc=size=640x360:rate=15", 262),
    "harbour": Clip(
        "The harbour at night", "Quayside", "gradients=size=640x360:rate=15:seed=7:speed=0.03", 392, hls=True
    ),
}
NO_VIDEOS: Final = {
    "/damaged": b"\0" * 4096 + b"this is no video " * 5000,
    "/manifest": b"""<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011" type="static"
 mediaPresentationDuration="PT2S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1">
<BaseURL>../elsewhere.mp4</BaseURL><SegmentBase indexRange="0-0"><Initialization range="0-100"/></SegmentBase>
</Representation></AdaptationSet></Period></MPD>""",
}
FEED: Final = ("garden", "trains", "harbour")
LONG_FEED: Final = 3000


def videos_app(
    media_dir: Path,
    *,
    bytes_per_second: int | None = DEMO_BYTES_PER_SECOND,
    prefix: str = "",
    ffmpeg: Path | None = None,
) -> "Site":
    """The site over `media_dir`; None for `bytes_per_second` serves as fast as it can.

    `prefix` is the path the site is mounted under: its pages link with whole addresses, as yt-dlp wants them.
    `/`, `/watch/{slug}`, `/feed.rss`, `/long.rss` (a list of thousands); media below `/media`; `?slow=<bytes per second>` on a media file sets its pace. Faults: `/gone` 404, `/busy` 429, `/members` 403, `/down` 503, `/nothing` (a page
    without video), `/broken` (ends early), `/stalled` (never ends), `/damaged` (bytes that are no video),
    `/manifest` (a list of files in a video's clothes: it names `../elsewhere.mp4`),
    `/swollen` (a page of 2 MB that unpacks to 2 GB), `/unsized` (no Content-Length), `/live` (a stream that has not ended), `/private-redirect`, `/loopback-redirect`.
    """
    return Site(Media(media_dir, ffmpeg or Path(imageio_ffmpeg.get_ffmpeg_exe())), _pages(prefix), bytes_per_second)


@dataclass(slots=True)
class Media:
    """The encoded clips; made once, also when several ask at the same time or the last run was cut short."""

    directory: Path
    ffmpeg: Path
    _making: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def file(self, name: str) -> Path | None:
        """The file called `name`, as "garden.mp4" or "harbour/360p.m3u8"; None if there is none."""
        async with self._making:
            if not (self.directory / "complete").exists():
                await self._make()
        path = (self.directory / name).resolve()
        inside = path.is_relative_to(self.directory.resolve())
        return path if inside and path.is_file() else None

    async def _make(self) -> None:
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        # Made beside and renamed: a directory under its final name is always whole.
        unfinished = Path(tempfile.mkdtemp(prefix=".videos-", dir=self.directory.parent))
        try:
            for slug, clip in CLIPS.items():
                await self._encode(slug, clip, unfinished)
            (unfinished / "complete").touch()
            shutil.rmtree(self.directory, ignore_errors=True)
            unfinished.replace(self.directory)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    async def _encode(self, slug: str, clip: Clip, into: Path) -> None:
        await self._run(
            *("-f", "lavfi", "-i", f"{clip.picture}:duration={CLIP_SECONDS}"),
            *("-f", "lavfi", "-i", f"sine=frequency={clip.tone_hertz}:duration={CLIP_SECONDS}"),
            *("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-g", "30", "-b:v", "560k"),
            *("-minrate", "560k", "-maxrate", "560k", "-bufsize", "560k", "-x264-params", "nal-hrd=cbr"),
            *("-c:a", "aac", "-b:a", "64k", "-movflags", "+faststart", str(into / f"{slug}.mp4")),
        )
        await self._run(*self._thumbnail(into / f"{slug}.mp4"), str(into / f"{slug}.jpg"))
        if clip.hls:
            (into / slug).mkdir()
            await self._run(*self._variants(into / f"{slug}.mp4", into / slug))

    @staticmethod
    def _thumbnail(source: Path) -> tuple[str, ...]:
        return ("-ss", "2", "-i", str(source), "-frames:v", "1", "-vf", "scale=320:-2")

    @staticmethod
    def _variants(source: Path, into: Path) -> tuple[str, ...]:
        """Two pictures and one sound of their own, as the big sites serve them: the downloader has to merge."""
        streams = "v:0,agroup:sound,name:180p v:1,agroup:sound,name:360p a:0,agroup:sound,default:yes,name:sound"
        return (
            *("-i", str(source), "-map", "0:v", "-map", "0:v", "-map", "0:a", "-c:v", "libx264", "-g", "30"),
            *("-preset", "veryfast", "-filter:v:0", "scale=-2:180", "-filter:v:1", "scale=-2:360"),
            *("-b:v:0", "200k", "-b:v:1", "500k", "-c:a", "copy", "-f", "hls", "-hls_time", "2"),
            *("-hls_playlist_type", "vod", "-hls_segment_filename", str(into / "%v_%d.ts")),
            *("-master_pl_name", "master.m3u8", "-var_stream_map", streams, str(into / "%v.m3u8")),
        )

    async def _run(self, *arguments: str) -> None:
        encoder = await asyncio.create_subprocess_exec(
            str(self.ffmpeg),
            *("-hide_banner", "-nostdin", "-loglevel", "error", "-y", *arguments),
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(ENCODING_SECONDS):
                _, said = await encoder.communicate()
        finally:
            if encoder.returncode is None:
                encoder.kill()
                await encoder.wait()
        if encoder.returncode:
            raise RuntimeError(f"ffmpeg cannot draw the demo's clips; check the ffmpeg in use: {said[-300:]!r}")


@dataclass(slots=True)
class Site:
    """The whole site as one ASGI application; what needs the raw protocol is answered here: ranges, pace, faults."""

    media: Media
    pages: Litestar
    bytes_per_second: int | None
    seen: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=500))  # path and range, newest last

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http":
            self.seen.append((path, _header(scope, b"range")))
        if path.startswith("/media/"):
            await self._serve_media(scope, receive, send)
        elif path in BODY_FAULTS:
            await self._serve_fault(path, scope, receive, send)
        else:
            await self.pages(cast("Any", scope), cast("Any", receive), cast("Any", send))

    async def _serve_media(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = await self.media.file(scope["path"].removeprefix("/media/"))
        if path is None:
            await _head(send, 404, {"content-length": "0"})
            await _send(send, b"")
        else:
            await self._serve_file(path, scope, receive, send)

    async def _serve_file(self, path: Path, scope: Scope, receive: Receive, send: Send) -> None:
        body = path.read_bytes()
        status, first, last = _asked_range(_header(scope, b"range"), len(body))
        headers = {"content-type": _type_of(path), "accept-ranges": "bytes", "content-length": str(last + 1 - first)}
        if status == 206:
            headers["content-range"] = f"bytes {first}-{last}/{len(body)}"
        elif status == 416:
            headers["content-range"] = f"bytes */{len(body)}"
        await _head(send, status, headers)
        wanted = b"" if scope["method"] == "HEAD" else body[first : last + 1]
        if pace := self._pace(scope):
            await _send_paced(receive, send, wanted, pace)
        else:
            await _send(send, wanted)

    def _pace(self, scope: Scope) -> int | None:
        slow = parse_qs(scope.get("query_string", b"").decode()).get("slow", [""])[0]
        return int(slow) if slow.isdecimal() and int(slow) else self.bytes_per_second

    async def _serve_fault(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        if path == "/swollen":
            await _head(send, 200, {"content-type": "text/html", "content-encoding": "gzip"})
            await _send(send, swollen())
            return
        sample = await self.media.file("garden.mp4")
        assert sample is not None
        body = NO_VIDEOS.get(path) or sample.read_bytes()
        headers = {"content-type": "video/mp4", "accept-ranges": "none"}
        if path != "/unsized":
            headers["content-length"] = str(len(body))
        await _head(send, 200, headers)
        if path in {*NO_VIDEOS, "/unsized"}:
            await _send(send, body)
            return
        await send({"type": "http.response.body", "body": body[: 64 * 1024], "more_body": True})
        if path == "/broken":
            await asyncio.sleep(0.05)  # the bytes above are to arrive before the connection is cut
            scope["extensions"][DROP_EXTENSION]()
        await _client_left(receive)


def swollen() -> bytes:
    """Two gigabytes of a page, packed. After a full flush a packer begins anew: what it made of a piece stands for each."""
    piece, packer = b"<html>".ljust(2**24), zlib.compressobj(wbits=31)
    first, again = (packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + again * 127


async def _head(send: Send, status: int, headers: dict[str, str]) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def _send(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _send_paced(receive: Receive, send: Send, body: bytes, bytes_per_second: int) -> None:
    """Sends no faster than told, and stops when the client leaves."""
    leaving = asyncio.create_task(_client_left(receive))
    chunk = min(CHUNK_BYTES, max(1, bytes_per_second // 8))
    try:
        for start in range(0, len(body), chunk):
            await send({"type": "http.response.body", "body": body[start : start + chunk], "more_body": True})
            if (await asyncio.wait({leaving}, timeout=chunk / bytes_per_second))[0]:
                return
        await _send(send, b"")
    finally:
        leaving.cancel()


async def _client_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _asked_range(header: str, size: int) -> tuple[int, int, int]:
    """Status, first and last byte for `bytes=a-b`, `bytes=a-` or `bytes=-n`; all of it for anything else."""
    first, dash, last = header.removeprefix("bytes=").partition("-")
    if not dash or not (first + last).isdecimal():
        return 200, 0, size - 1
    if not first:
        return 206, max(0, size - int(last)), size - 1
    if int(first) >= size:
        return 416, 0, -1
    return 206, int(first), min(int(last), size - 1) if last else size - 1


def _type_of(path: Path) -> str:
    types = {".mp4": "video/mp4", ".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t", ".jpg": "image/jpeg"}
    return types.get(path.suffix, "application/octet-stream")


def _media_path(slug: str, clip: Clip) -> str:
    return f"/media/{slug}/master.m3u8" if clip.hls else f"/media/{slug}.mp4"


def _pages(prefix: str) -> Litestar:
    handlers = [
        home, watch, feed, long_feed, live, gone, busy, members, down, nothing, private_redirect, loopback_redirect,
    ]  # fmt: skip
    return Litestar(
        handlers,
        state=State({"prefix": prefix}),
        openapi_config=None,
        logging_config=None,
    )


def _base(request: Request[Any, Any, State]) -> str:
    return str(request.base_url).rstrip("/") + str(request.app.state.prefix)


@get("/", media_type=MediaType.HTML, sync_to_thread=False)
def home() -> str:
    rows = "".join(f'<li><a href="watch/{slug}">{html.escape(clip.title)}</a></li>' for slug, clip in CLIPS.items())
    return f'<!doctype html><title>Sandbox videos</title><ul>{rows}</ul><a href="feed.rss">All as a feed</a>'


@get("/watch/{slug:str}", media_type=MediaType.HTML, sync_to_thread=False)
def watch(slug: FromPath[str], request: Request[Any, Any, State]) -> str:
    clip = CLIPS.get(slug)
    if clip is None:
        raise NotFoundException("no such clip")
    base = _base(request)
    content = base + _media_path(slug, clip)
    described = {
        "@context": "https://schema.org",
        "@type": "VideoObject",
        "name": clip.title,
        "description": f"{clip.title}, by {clip.uploader}",
        "author": {"@type": "Person", "name": clip.uploader},
        "thumbnailUrl": f"{base}/media/{slug}.jpg",
        "uploadDate": "2026-11-01",
        "duration": f"PT{CLIP_SECONDS}S",
        "contentUrl": content,
    }
    title = html.escape(clip.title)
    return (
        f'<!doctype html><html><head><title>{title}</title><meta property="og:title" content="{title}">'
        f'<script type="application/ld+json">{json.dumps(described)}</script></head>'
        # yt-dlp prefers a <video src> to the description above, and would miss title and duration: a script sets it.
        f'<body><h1>{title}</h1><video controls></video><script>document.querySelector("video").src = JSON.parse('
        'document.querySelector("script[type]").textContent).contentUrl</script></body></html>'
    )


@get("/feed.rss", media_type="application/rss+xml", sync_to_thread=False)
def feed(request: Request[Any, Any, State]) -> str:
    base = _base(request)
    items = "".join(
        f"<item><title>{html.escape(CLIPS[slug].title)}</title><link>{base}/watch/{slug}</link></item>" for slug in FEED
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>A quiet summer</title>{items}</channel></rss>'


@get("/long.rss", media_type="application/rss+xml", sync_to_thread=False)
def long_feed(request: Request[Any, Any, State]) -> str:
    base = _base(request)
    items = "".join(
        f"<item><title>Part {n}</title><link>{base}/watch/garden?part={n}</link></item>"
        for n in range(1, LONG_FEED + 1)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>A long story</title>{items}</channel></rss>'


@get("/gone", sync_to_thread=False)
def gone() -> Response[str]:
    return Response("removed by its owner", status_code=404)


@get("/busy", sync_to_thread=False)
def busy() -> Response[str]:
    return Response("too many requests", status_code=429, headers={"Retry-After": "120"})


@get("/members", sync_to_thread=False)
def members() -> Response[str]:
    return Response("for members", status_code=403)


@get("/down", sync_to_thread=False)
def down() -> Response[str]:
    return Response("maintenance", status_code=503)


@get("/nothing", media_type=MediaType.HTML, sync_to_thread=False)
def nothing() -> str:
    return "<!doctype html><title>A page</title><p>Only words here."


@get("/private-redirect", sync_to_thread=False)
def private_redirect() -> Response[str]:
    return Response("", status_code=302, headers={"Location": "http://10.0.0.1/secret"})


@get("/loopback-redirect", sync_to_thread=False)
def loopback_redirect() -> Response[str]:
    return Response("", status_code=302, headers={"Location": "http://127.0.0.1:1/secret"})


@get("/live", media_type="application/vnd.apple.mpegurl", sync_to_thread=False)
def live(request: Request[Any, Any, State]) -> str:
    base = _base(request)
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:2,\n{base}/media/harbour/360p_0.ts\n"
