"""Which addresses a video may be fetched from: before a URL is accepted, and again when a socket connects.

The first check is pure and gives the user a reason. The second runs in the child process that downloads and sees
every connection there: extraction, redirects, fragments, and names that resolve to something else the second time.
"""

import hashlib
import ipaddress
import re
import socket
import sys
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

DEFAULT_HOSTS: Final = frozenset(
    {"youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com", "youtu.be", "www.youtube-nocookie.com"}
)
MAX_URL_LENGTH: Final = 2048
REFUSED_ADDRESS_TEXT: Final = "the address is not on the open internet"

_HTTP_PORTS: Final = {"http": 80, "https": 443}
_PRIVATE_SUFFIXES: Final = ("localhost", "local", "localdomain", "internal", "intranet", "lan", "home.arpa")
_YOUTUBE_HOSTS: Final = frozenset({*DEFAULT_HOSTS, "youtube-nocookie.com", "www.youtu.be"})
_YOUTUBE_ID: Final = re.compile(r"[A-Za-z0-9_-]{11}")
_YOUTUBE_PATH: Final = re.compile(r"/(?:shorts|embed|live|v|e)/([A-Za-z0-9_-]{11})(?:/|$)")
_TRACKING: Final = frozenset({"si", "feature", "pp", "fbclid", "gclid", "igshid"})
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_OF_AZURE: Final = ipaddress.IPv4Address("168.63.129.16")  # tells each machine there of itself, and looks public
_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")


class UrlRefused(Exception):
    """A URL that is not fetched; `remedy` is for the person who pasted it and repeats nothing of the URL."""

    def __init__(self, code: str, remedy: str) -> None:
        super().__init__(f"{code}: {remedy}")
        self.code = code
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class VideoUrl:
    """A checked URL, without fragment. Its repr shows the host only: paths and queries can hold secrets."""

    text: str = field(repr=False)
    host: str
    port: int


def check_url(text: str, allowed_hosts: frozenset[str], private_exceptions: frozenset[str]) -> VideoUrl:
    """The URL in `text` in its one spelling, if its host is in `allowed_hosts` or its host:port is excepted.

    An entry of `allowed_hosts` is a host (ports 80 and 443) or host:port, and matches exactly; it never opens a
    private address. `private_exceptions` are "host:port" of addresses in the own network (the demo's video site).
    Raises `UrlRefused` with `url-invalid`, `url-scheme`, `url-host-not-allowed` or `url-private-address`.
    """
    parts = _parts(text.strip())
    host, port = _host_and_port(parts)
    if f"{host}:{port}" not in private_exceptions:
        _refuse_private(host)
        _refuse_foreign(host, port, allowed_hosts)
    return VideoUrl(_spelled(parts, host, port), host, port)


def video_key(url: VideoUrl) -> str:
    """The same 32 hex digits for every address of the same video or playlist; the quality is no part of it."""
    parts = urlsplit(url.text)
    identity = _youtube_identity(url.host, parts) or _plain_identity(url, parts)
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


def site_of(host: str, port: int) -> str:
    """The site as people call it, all of YouTube's hosts being one: `youtube.com`, `video.example:8080`."""
    if host in _YOUTUBE_HOSTS:
        return "youtube.com"
    return host if port in _HTTP_PORTS.values() else f"{host}:{port}"


def sites_of(entries: Iterable[str]) -> set[str]:
    """The sites that these stand for: a host, or host:port."""
    return {site_of(*_entry(entry.lower())) for entry in entries}


def _entry(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if host and port.isdecimal() and (":" not in host or host.startswith("[")):
        return host.strip("[]"), int(port)
    return text.strip("[]"), _HTTP_PORTS["https"]


def says_it_is_a_list(url: VideoUrl) -> bool:
    """Whether the address alone tells that many videos stand behind it; of other sites nobody knows without a look."""
    path = urlsplit(url.text).path
    return url.host in _YOUTUBE_HOSTS and (path == "/playlist" or path.endswith(("/videos", "/shorts", "/streams")))


def is_public(address: str) -> bool:
    """Whether an IP literal is an address of the open internet, addresses wrapped in IPv6 included."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return _is_public(parsed)


@dataclass(slots=True)
class ConnectGuard:
    """Refuses every connection of this process that does not lead to the open internet; counts what it refused."""

    allowed: frozenset[str]
    refusals: int = 0

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
            self._check(arguments[1])

    def _check(self, address: object) -> None:
        if address is None or self._may_connect(address):  # None: sendmsg on a socket that is connected already
            return
        self.refusals += 1
        raise AddressRefused(REFUSED_ADDRESS_TEXT)

    def _may_connect(self, address: object) -> bool:
        # A name would be resolved below us, so only literals pass; libraries resolve first and connect to literals.
        if not (isinstance(address, tuple) and len(address) >= 2 and isinstance(address[0], str)):
            return False
        return is_public(address[0]) or f"{address[0]}:{address[1]}" in self.allowed


class AddressRefused(OSError):
    """A connection the guard did not let happen."""


def install_connect_guard(allowed: frozenset[str]) -> ConnectGuard:
    """Guards this process until it ends: meant for a child process. `allowed` is "host:port" of literals.

    An audit hook sees each connect below every library and cannot be taken out again; it judges the address that is
    really dialled, so a name that changes its mind after the check gains nothing.
    """
    guard = ConnectGuard(allowed | {_loopback_literal(name) for name in allowed})
    sys.addaudithook(guard)
    return guard


def _loopback_literal(name: str) -> str:
    host, _, port = name.rpartition(":")
    return f"127.0.0.1:{port}" if host == "localhost" else name


def _parts(text: str) -> SplitResult:
    if not text or len(text) > MAX_URL_LENGTH:
        raise UrlRefused("url-invalid", f"Paste one address of at most {MAX_URL_LENGTH} characters.")
    if "\\" in text or any(c.isspace() or unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co"} for c in text):
        raise UrlRefused("url-invalid", "Paste the address alone, without spaces or invisible characters.")
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise UrlRefused("url-invalid", "Copy the address of the video from the browser once more.") from error
    _refuse_scheme(parts)
    return parts


def _refuse_scheme(parts: SplitResult) -> None:
    if not parts.scheme:
        raise UrlRefused("url-invalid", "Paste the whole address, from https:// on.")
    if parts.scheme not in _HTTP_PORTS:
        raise UrlRefused("url-scheme", "Paste an address that begins with https:// or http://.")
    if not parts.netloc:
        raise UrlRefused("url-invalid", "Paste the whole address, from https:// on.")
    if "@" in parts.netloc:
        raise UrlRefused("url-invalid", "Take the user name and password out of the address.")


def _host_and_port(parts: SplitResult) -> tuple[str, int]:
    try:
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UrlRefused("url-invalid", "The address has an impossible port: copy it once more.") from error
    # Browsers read ①②⑦ and 。as digits and dots; so would whoever resolves the name after us.
    name = unicodedata.normalize("NFKC", unquote(host or "")).replace("。", ".").lower().removesuffix(".")
    if not name or name.startswith(".") or port == 0:
        raise UrlRefused("url-invalid", "The address names no site: copy it once more.")
    return name, port or _HTTP_PORTS[parts.scheme]


def _refuse_private(host: str) -> None:
    literal = _literal(host)
    labels = host.split(".")
    named_private = any(host == suffix or host.endswith("." + suffix) for suffix in _PRIVATE_SUFFIXES)
    if (literal is not None and not _is_public(literal)) or (literal is None and (named_private or len(labels) == 1)):
        raise UrlRefused("url-private-address", "Paste the address of a public video site, not of a private network.")


def _literal(host: str) -> Address | None:
    """The IP address `host` spells, decimal, octal, hexadecimal and shortened forms included; None for a name."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeEncodeError):
        return None


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not (address.is_multicast or address.is_reserved or address == _OF_AZURE)
    wrapped = _wrapped_ipv4(address)
    if wrapped is not None:
        return _is_public(wrapped)
    return address in _GLOBAL_UNICAST and address.is_global


def _wrapped_ipv4(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.teredo:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour


def _refuse_foreign(host: str, port: int, allowed_hosts: frozenset[str]) -> None:
    at_home = host in allowed_hosts and port in _HTTP_PORTS.values()
    if not at_home and f"{host}:{port}" not in allowed_hosts:
        raise UrlRefused("url-host-not-allowed", "Videos come from sites on the list; ask an admin to add this one.")


def _spelled(parts: SplitResult, host: str, port: int) -> str:
    netloc = f"[{host}]" if ":" in host else host
    if port != _HTTP_PORTS[parts.scheme]:
        netloc = f"{netloc}:{port}"
    # The fragment never reaches a server, but yt-dlp hides orders to itself in it ("smuggled" data): it goes.
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/?%:@!$&'()*+,;=~-._")
    return f"{parts.scheme}://{netloc}{path}" + (f"?{query}" if query else "")


def _youtube_identity(host: str, parts: SplitResult) -> str | None:
    if host not in _YOUTUBE_HOSTS:
        return None
    if host.endswith("youtu.be"):
        found = re.fullmatch(r"/([A-Za-z0-9_-]{11})/?", parts.path)
    else:
        found = _YOUTUBE_PATH.match(parts.path)
    asked = dict(parse_qsl(parts.query))
    if parts.path == "/playlist" and asked.get("list"):
        return f"youtube-list:{asked['list']}"
    video = found.group(1) if found else asked.get("v", "")
    return f"youtube:{video}" if _YOUTUBE_ID.fullmatch(video) else None


def _plain_identity(url: VideoUrl, parts: SplitResult) -> str:
    port = "" if url.port in _HTTP_PORTS.values() else f":{url.port}"
    path = quote(unquote(parts.path), safe="/").rstrip("/") or "/"
    asked = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode(sorted((k, v) for k, v in asked if k not in _TRACKING and not k.startswith("utm_")))
    return f"{url.host}{port}{path}?{query}"
