"""Which video addresses are accepted, and what the guard in the child lets connect."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medianest.adapters.url_guard import (
    DEFAULT_HOSTS,
    UrlRefused,
    VideoUrl,
    check_url,
    is_public,
    says_it_is_a_list,
    site_of,
    sites_of,
    video_key,
)

ROOT = Path(__file__).parents[2]
DEMO = frozenset({"127.0.0.1:8123"})


def check(text: str, *, more: frozenset[str] = frozenset()) -> VideoUrl:
    return check_url(text, DEFAULT_HOSTS | more, DEMO)


HOSTILE = [
    ("", "url-invalid"),
    ("   ", "url-invalid"),
    ("not a url", "url-invalid"),
    ("youtube.com/watch?v=abc", "url-invalid"),
    ("//youtube.com/watch", "url-invalid"),
    ("https://", "url-invalid"),
    ("https:youtube.com", "url-invalid"),
    ("https://youtube.com/" + "a" * 2048, "url-invalid"),
    ("https://youtube.com/\x00", "url-invalid"),
    ("https://youtube.com/a\nb", "url-invalid"),
    ("https://youtube.com/a b", "url-invalid"),
    ("https://youtube.com/\u202ecod", "url-invalid"),
    ("https://youtube.com\\@evil.example/", "url-invalid"),
    ("https://user:secret@youtube.com/", "url-invalid"),
    ("https://youtube.com@evil.example/", "url-invalid"),
    ("https://youtube.com:99999/", "url-invalid"),
    ("https://youtube.com:0/", "url-invalid"),
    ("https://[::1/", "url-invalid"),
    ("https://../", "url-invalid"),
    ("file:///etc/passwd", "url-scheme"),
    ("ftp://youtube.com/x", "url-scheme"),
    ("javascript:alert(1)", "url-scheme"),
    ("ytsearch:cats", "url-scheme"),
    ("data:text/html,hi", "url-scheme"),
    ("gopher://127.0.0.1:6379/_FLUSHALL", "url-scheme"),
    ("https://evil.example/", "url-host-not-allowed"),
    ("https://youtube.com.evil.example/", "url-host-not-allowed"),
    ("https://notyoutube.com/", "url-host-not-allowed"),
    ("https://evil.youtube.com/", "url-host-not-allowed"),
    ("https://youtube.com:8443/", "url-host-not-allowed"),
    ("https://уoutube.com/", "url-host-not-allowed"),  # a Cyrillic у
    ("https://8.8.8.8/", "url-host-not-allowed"),
    ("http://127.0.0.1/", "url-private-address"),
    ("http://127.0.0.1:8124/", "url-private-address"),
    ("http://127.1/", "url-private-address"),
    ("http://2130706433/", "url-private-address"),
    ("http://0x7f000001/", "url-private-address"),
    ("http://0x7f.0.0.1/", "url-private-address"),
    ("http://0177.0.0.1/", "url-private-address"),
    ("http://017700000001/", "url-private-address"),
    ("http://0/", "url-private-address"),
    ("http://①②⑦.⓪.⓪.①/", "url-private-address"),
    ("http://127。0。0。1/", "url-private-address"),
    ("http://%31%32%37.0.0.1/", "url-private-address"),
    ("http://10.0.0.1/", "url-private-address"),
    ("http://172.16.0.1/", "url-private-address"),
    ("http://192.168.1.1/", "url-private-address"),
    ("http://100.64.0.1/", "url-private-address"),
    ("http://169.254.169.254/latest/meta-data/", "url-private-address"),
    ("http://168.63.129.16/metadata/", "url-private-address"),
    ("http://224.0.0.1/", "url-private-address"),
    ("http://255.255.255.255/", "url-private-address"),
    ("http://[::1]/", "url-private-address"),
    ("http://[::]/", "url-private-address"),
    ("http://[::ffff:127.0.0.1]/", "url-private-address"),
    ("http://[::ffff:7f00:1]/", "url-private-address"),
    ("http://[::127.0.0.1]/", "url-private-address"),
    ("http://[64:ff9b::7f00:1]/", "url-private-address"),
    ("http://[2002:7f00:1::]/", "url-private-address"),
    ("http://[fe80::1%25eth0]/", "url-private-address"),
    ("http://[fd00::1]/", "url-private-address"),
    ("http://localhost/", "url-private-address"),
    ("http://LOCALHOST./", "url-private-address"),
    ("http://a.localhost/", "url-private-address"),
    ("http://router.local/", "url-private-address"),
    ("http://metadata.google.internal/", "url-private-address"),
    ("http://postgres:5432/", "url-private-address"),
]


@pytest.mark.parametrize(("text", "code"), HOSTILE)
def test_a_hostile_address_is_refused(text: str, code: str) -> None:
    with pytest.raises(UrlRefused) as refused:
        check(text)
    assert refused.value.code == code
    assert "secret" not in str(refused.value)
    assert refused.value.remedy.endswith(".")


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "localhost", "nas"])
def test_a_list_entry_never_opens_a_private_address(host: str) -> None:
    with pytest.raises(UrlRefused) as refused:
        check(f"http://{host}/", more=frozenset({host, f"{host}:80"}))
    assert refused.value.code == "url-private-address"


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ", "https://www.youtube.com/watch?v=dQw4w9WgXcQ"),
        ("  HTTPS://YouTube.com./watch?v=dQw4w9WgXcQ#t=3\n", "https://youtube.com/watch?v=dQw4w9WgXcQ"),
        ("http://youtu.be", "http://youtu.be/"),
        ("https://youtu.be:443/x", "https://youtu.be/x"),
        ("https://youtube.com/é?q=ü&a=%20", "https://youtube.com/%C3%A9?q=%C3%BC&a=%20"),
        ("http://127.0.0.1:8123/watch/garden", "http://127.0.0.1:8123/watch/garden"),
        ("https://videos.example:8443/x", "https://videos.example:8443/x"),
        ("https://youtu.be/x#__youtubedl_smuggle=%7B%7D", "https://youtu.be/x"),
    ],
)
def test_an_accepted_address_has_one_spelling(text: str, spelled: str) -> None:
    assert check(text, more=frozenset({"videos.example:8443"})).text == spelled


def test_the_repr_of_an_address_shows_only_its_host() -> None:
    assert "token" not in repr(check("https://youtu.be/x?token=1"))


SAME_VIDEO = [
    "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
    "http://youtube.com/watch?t=43&v=dQw4w9WgXcQ&list=PL1",
    "https://youtu.be/dQw4w9WgXcQ?si=abc",
    "https://m.youtube.com/shorts/dQw4w9WgXcQ",
    "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ",
    "https://music.youtube.com/watch?v=dQw4w9WgXcQ&feature=share",
]


def test_all_addresses_of_one_video_have_one_key() -> None:
    keys = {video_key(check(text)) for text in SAME_VIDEO}
    assert len(keys) == 1
    assert len(keys.pop()) == 32


def test_different_videos_have_different_keys() -> None:
    site = frozenset({"videos.example"})
    texts = [
        "https://youtu.be/dQw4w9WgXcQ",
        "https://youtu.be/dQw4w9WgXcR",
        "https://www.youtube.com/playlist?list=PL1",
        "https://www.youtube.com/playlist?list=PL2",
        "https://videos.example/a",
        "https://videos.example/a?id=1",
        "https://videos.example/A",
        "http://127.0.0.1:8123/a",
    ]
    assert len({video_key(check(text, more=site)) for text in texts}) == len(texts)


PLAYLIST = "https://www.youtube.com/playlist?list=PL1"


def test_a_playlist_has_one_key_on_every_host_and_it_is_no_videos() -> None:
    same = [
        PLAYLIST,
        "https://music.youtube.com/playlist?si=x&list=PL1",
        "https://m.youtube.com/playlist?list=PL1&index=3",
    ]
    assert len({video_key(check(text)) for text in same}) == 1
    others = ["https://www.youtube.com/playlist?list=PL2", "https://www.youtube.com/watch?v=dQw4w9WgXcQ&list=PL1"]
    assert len({video_key(check(text)) for text in [PLAYLIST, *others]}) == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (PLAYLIST, True),
        ("https://www.youtube.com/@somebody/videos", True),
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ&list=PL1", False),
        ("https://youtu.be/dQw4w9WgXcQ", False),
        ("https://site.example/playlist", False),
    ],
)
def test_an_address_of_youtube_tells_a_list_from_a_video(text: str, told: bool) -> None:
    assert says_it_is_a_list(check(text, more=frozenset({"site.example"}))) is told


def test_order_tracking_and_spelling_do_not_change_the_key() -> None:
    site = frozenset({"videos.example"})
    one = check("https://videos.example/caf%C3%A9/?b=2&a=1&utm_source=x#top", more=site)
    other = check("http://VIDEOS.example/café?a=1&b=2", more=site)
    assert video_key(one) == video_key(other)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@given(st.text(max_size=60) | st.from_regex(r"https?://[^/]{1,30}/.{0,20}", fullmatch=True))
def test_any_text_is_refused_or_has_an_allowed_host(text: str) -> None:
    try:
        url = check(text)
    except UrlRefused:
        return
    assert url.host in DEFAULT_HOSTS or f"{url.host}:{url.port}" in DEMO


def guarded(script: str) -> subprocess.CompletedProcess[str]:
    """Runs `script` in its own process: an audit hook stays until the process ends."""
    setup = (
        "import socket, urllib.request\n"
        "from medianest.adapters.url_guard import AddressRefused, install_connect_guard\n"
        "server = socket.create_server(('127.0.0.1', 0)); port = server.getsockname()[1]\n"
        "other = socket.create_server(('127.0.0.1', 0)).getsockname()[1]\n"
        "guard = install_connect_guard(frozenset({f'127.0.0.1:{port}'}))\n"
    )
    return subprocess.run(
        [sys.executable, "-c", setup + script], check=False, capture_output=True, text=True, cwd=ROOT, timeout=30
    )


def test_the_guard_lets_only_the_exception_connect() -> None:
    done = guarded("socket.create_connection(('127.0.0.1', port), 5).close()\nprint(guard.refusals)")
    assert done.stdout.strip() == "0", done.stderr


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('127.0.0.1', other), 5)",
        "socket.create_connection(('localhost', other), 5)",
        "socket.socket().connect(('localhost', port))",  # a name is resolved below the guard
        "socket.socket().connect_ex(('10.0.0.1', 80))",
        "socket.socket(socket.AF_INET6).connect(('::ffff:127.0.0.1', other))",
        "socket.socket(socket.AF_UNIX).connect('/run/postgresql/.s.PGSQL.5432')",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('169.254.169.254', 53))",
    ],
)
def test_the_guard_refuses_what_is_not_on_the_open_internet(attempt: str) -> None:
    done = guarded(f"try:\n    {attempt}\nexcept AddressRefused:\n    print('refused', guard.refusals > 0)")
    assert done.stdout.strip() == "refused True", done.stderr


def test_a_name_that_changes_its_address_gains_nothing() -> None:
    """DNS rebinding: public when it was checked, private when it is dialled."""
    done = guarded(
        "real = socket.getaddrinfo\n"
        "socket.getaddrinfo = lambda host, *rest, **kw: real('127.0.0.1', *rest, **kw)\n"
        "try:\n    urllib.request.urlopen(f'http://videos.example:{other}/', timeout=5)\n"
        "except OSError as e:\n    print(type(e.reason).__name__)"
    )
    assert done.stdout.strip() == "AddressRefused", done.stderr


def test_a_site_has_one_name_whatever_its_hosts_and_ports() -> None:
    assert sites_of(DEFAULT_HOSTS) == {"youtube.com"}
    entries = ("Vimeo.com", "video.example:8080", "video.example:443", "[::1]:81", "::1", "127.0.0.1:8123")
    assert sites_of(entries) == {"vimeo.com", "video.example:8080", "video.example", "::1:81", "::1", "127.0.0.1:8123"}
    assert (site_of("youtu.be", 443), site_of("vimeo.com", 80)) == ("youtube.com", "vimeo.com")
    url = check("http://127.0.0.1:8123/x")
    assert site_of(url.host, url.port) in sites_of(DEMO)
