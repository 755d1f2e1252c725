"""Error texts of yt-dlp, as recorded from 2026.10.26 or read in its YouTube extractor, and what they mean to us."""

import pytest

from medianest.adapters.ytdlp_failures import PERMANENT, REMEDIES, Kind, VideoFailed, kind_of, without_urls

PAGE = "ERROR: [generic] x: Unable to download webpage: "
TEXTS = [
    (PAGE + "HTTP Error 404: Not Found (caused by <HTTPError 404: Not Found>)", Kind.UNAVAILABLE),
    (PAGE + "HTTP Error 410: Gone", Kind.UNAVAILABLE),
    (PAGE + "HTTP Error 403: Forbidden (caused by <HTTPError 403: Forbidden>)", Kind.NEEDS_LOGIN),
    (PAGE + "HTTP Error 401: Unauthorized", Kind.NEEDS_LOGIN),
    (PAGE + "HTTP Error 429: Too Many Requests (caused by <HTTPError 429>)", Kind.THROTTLED),
    (PAGE + "HTTP Error 500: Internal Server Error", Kind.UNREACHABLE),
    (PAGE + "HTTPConnectionPool(host='h', port=80): Read timed out. (read timeout=3.0)", Kind.UNREACHABLE),
    (PAGE + "HTTPConnection(host='h', port=1): Failed to establish a new connection: [Errno 111]", Kind.UNREACHABLE),
    (PAGE + "Failed to resolve 'no-such-host.invalid' ([Errno -2] Name or service not known)", Kind.UNREACHABLE),
    ("ERROR: \r[download] Got error: HTTPConnectionPool(host='h', port=1): Read timed out.. Giving up after 1 retries",
     Kind.UNREACHABLE),
    ("ERROR: \r[download] Got error: 300000 bytes read, 3382034 more expected. Giving up after 1 retries", Kind.BROKEN),
    ("ERROR: \r[download] Got error: HTTP Error 404: Not Found. Giving up after 1 retries", Kind.BROKEN),
    ("ERROR: unable to download video data: HTTP Error 403: Forbidden", Kind.THROTTLED),
    ("ERROR: Unsupported URL: http://h/x", Kind.UNSUPPORTED),
    ("ERROR: [generic] 'not a url' is not a valid URL", Kind.UNSUPPORTED),
    ("ERROR: [generic] master: Requested format is not available. Use --list-formats", Kind.UNSUPPORTED),
    ("ERROR: This format is DRM protected; Try selecting another format", Kind.UNSUPPORTED),
    ("ERROR: Postprocessing: Exiting normally, received signal 15.", Kind.BROKEN),
    ("ERROR: unable to write data: [Errno 28] No space left on device", Kind.NO_SPACE),
    ("ERROR: [youtube] x: Sign in to confirm you’re not a bot. Use --cookies", Kind.THROTTLED),
    ("ERROR: [youtube] x: Private video. Sign in if you've been granted access to this video", Kind.UNAVAILABLE),
    ("ERROR: [youtube] x: Video unavailable. This video has been removed by the uploader", Kind.UNAVAILABLE),
    ("ERROR: [youtube] x: The uploader has not made this video available in your country", Kind.UNAVAILABLE),
    ("ERROR: [youtube] x: Sign in to confirm your age. This video may be inappropriate", Kind.NEEDS_LOGIN),
    ("ERROR: [youtube] x: Join this channel to get access to members-only content", Kind.NEEDS_LOGIN),
    ("ERROR: [youtube] x: This live event will begin in 3 hours.", Kind.LIVE),
    ("ERROR: [youtube] x: Premieres in 20 hours", Kind.LIVE),
    ("KeyError: 'something nobody foresaw'", Kind.BROKEN),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind"), TEXTS)
def test_an_error_text_has_its_kind(text: str, kind: Kind) -> None:
    assert kind_of(text) is kind


@pytest.mark.parametrize("kind", list(Kind))
def test_each_kind_says_what_to_do_and_names_no_address(kind: Kind) -> None:
    failed = VideoFailed(kind)
    assert failed.remedy == REMEDIES[kind]
    assert "://" not in str(failed)
    assert failed.permanent == (kind in PERMANENT)
    assert failed.permanent != ("by itself" in failed.remedy)  # only what passes is tried again


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Unsupported URL: https://a.example/p?token=t#x, sorry", "Unsupported URL: https://a.example/… sorry"),
        ("see http://me:secret@a.example:8080/x", "see http://a.example:8080/…"),
        ("\x1b[0;31mERROR:\x1b[0m \r[download] no", "ERROR: [download] no"),
        ("<a href='https://a.example/s'>", "<a href='https://a.example/…'>"),
    ],
)
def test_a_logged_text_keeps_only_the_host_of_an_address(text: str, plain: str) -> None:
    assert without_urls(text) == plain
