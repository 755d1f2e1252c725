"""What yt-dlp says and what it means to us: progress that never goes back, and errors of few kinds."""

from pathlib import Path
from typing import Any

import pytest
import yt_dlp
from hypothesis import given
from hypothesis import strategies as st

from medianest.adapters.ytdlp_dialect import Meter, Pace, kind_of, without_urls
from medianest.adapters.ytdlp_wire import PERMANENT, REMEDIES, Kind, Progress, VideoFailed

sizes = st.none() | st.integers(0, 10**10)
hooks = st.fixed_dictionaries(
    {"status": st.sampled_from(["downloading", "finished"]), "filename": st.sampled_from(["a", "b", "c"])},
    optional={
        "downloaded_bytes": sizes,
        "total_bytes": sizes,
        "total_bytes_estimate": st.none() | st.floats(0, 1e10),
        "fragment_index": st.integers(0, 50),
        "fragment_count": st.integers(0, 40),
    },
)


@given(st.lists(hooks, max_size=30), st.lists(st.none() | st.floats(1, 1e9), max_size=3))
def test_percent_never_goes_back_and_stays_within_bounds(calls: list[dict[str, Any]], expected: list[float]) -> None:
    meter = Meter()
    meter.expect(expected)
    seen = [progress.percent for call in calls if (progress := meter.update(call)).percent is not None]
    assert seen == sorted(seen)
    assert all(0 <= percent <= 100 for percent in seen)


def test_picture_and_sound_share_the_way_by_size() -> None:
    meter = Meter()
    meter.expect([300, 100])
    assert meter.update({"filename": "v", "downloaded_bytes": 150, "total_bytes": 300}).percent == 37.5
    assert meter.update({"filename": "v", "status": "finished", "downloaded_bytes": 300}).percent == 75
    halfway = meter.update({"filename": "a", "downloaded_bytes": 50, "total_bytes": 100})
    assert (halfway.percent, halfway.downloaded_bytes) == (87.5, 350)


def test_a_stream_advances_by_pieces_not_by_guessed_bytes() -> None:
    """Recorded: the estimate of one stream went from 3.4 to 6.7 to 3.9 MB."""
    meter = Meter()
    calls = [(1, 3.4e6), (2, 6.7e6), (3, 3.9e6)]
    seen = [
        meter.update({"filename": "v", "fragment_index": i, "fragment_count": 4, "total_bytes_estimate": e,
                      "downloaded_bytes": 900_000 * i}).percent
        for i, e in calls
    ]  # fmt: skip
    assert seen == [25, 50, 75]


def test_without_a_known_size_the_percentage_is_unknown() -> None:
    progress = Meter().update({"filename": "v", "status": "downloading", "downloaded_bytes": 5})
    assert (progress.percent, progress.downloaded_bytes) == (None, 5)


def test_a_sign_of_life_passes_twice_a_second_and_at_each_new_stage() -> None:
    pace = Pace()
    passed = [now for now in (0.0, 0.1, 0.4, 0.5, 0.9, 1.0) if pace.lets_pass(Progress(stage="downloading"), now)]
    assert passed == [0.0, 0.5, 1.0]
    assert pace.lets_pass(Progress(stage="post_processing"), 1.1)


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
    ("ERROR: [youtube] x: Try again later. The current session has been rate-limited by YouTube", Kind.THROTTLED),
    ("ERROR: [youtube] x: Please. YouTube is requiring a captcha challenge before playback", Kind.THROTTLED),
    ("ERROR: [x] x: This video is not available from your location due to geo restriction", Kind.UNAVAILABLE),
    ("ERROR: [x] x: This video is only available for registered users. Use --cookies", Kind.NEEDS_LOGIN),
    ("ERROR: [youtube] x: The uploader has not made this video available in your country", Kind.UNAVAILABLE),
    # From here on YouTube's own words, from memory.
    ("ERROR: [youtube] x: Sign in to confirm you’re not a bot. Use --cookies", Kind.THROTTLED),
    ("ERROR: [youtube] x: Private video. Sign in if you've been granted access to this video", Kind.UNAVAILABLE),
    ("ERROR: [youtube] x: Video unavailable. This video has been removed by the uploader", Kind.UNAVAILABLE),
    ("ERROR: [youtube] x: Sign in to confirm your age. This video may be inappropriate", Kind.NEEDS_LOGIN),
    ("ERROR: [youtube] x: Join this channel to get access to members-only content", Kind.NEEDS_LOGIN),
    ("ERROR: [youtube] x: This live event will begin in 3 hours.", Kind.LIVE),
    ("ERROR: [youtube] x: Premieres in 20 hours", Kind.LIVE),
    ("KeyError: 'something nobody foresaw'", Kind.BROKEN),
    # What the site's owner or whoever sent it has worded says nothing: the id, which is the end of the address, and that.
    ("ERROR: [generic] drm-explained: Unable to download webpage: HTTP Error 503: Unavailable", Kind.UNREACHABLE),
    ("ERROR: [generic] ffmpeg-tutorial: Unable to download webpage: HTTP Error 404: Not Found", Kind.UNAVAILABLE),
    ("ERROR: Unsupported URL: https://h/rate-limit?geo-restriction=members-only", Kind.UNSUPPORTED),
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
        ("ERROR: [youtube] dQw4w9WgXcQ: Video unavailable", "ERROR: [youtube] …: Video unavailable"),
        ("ERROR: [generic] watch?of=anna: Unable to: no", "ERROR: [generic] …: Unable to: no"),
        ("<a href='https://a.example/s'>", "<a href='https://a.example/…'>"),
    ],
)
def test_a_logged_text_keeps_only_the_host_of_an_address_and_no_id_of_a_video(text: str, plain: str) -> None:
    assert without_urls(text) == plain


# What the rules take from yt-dlp's source, and where it stands there.
IN_ITS_SOURCE = [
    ("HTTP Error {", "networking/exceptions.py"),
    (" more expected", "networking/exceptions.py"),
    ("Unsupported URL: ", "utils/_utils.py"),
    ("Giving up after ", "utils/_utils.py"),
    ("is not a valid URL", "extractor/generic.py"),
    ("No video formats found!", "YoutubeDL.py"),
    ("Requested format is not available", "YoutubeDL.py"),
    ("No suitable extractor", "YoutubeDL.py"),
    ("Postprocessing: ", "YoutubeDL.py"),
    ("content too short", "YoutubeDL.py"),
    ("unable to download video data: ", "YoutubeDL.py"),
    ("This format is DRM protected; Try selecting", "downloader/hls.py"),
    ("Got error: ", "downloader/common.py"),
    ("not found, unable to continue", "downloader/fragment.py"),
    ("This video is DRM protected", "extractor/common.py"),
    ("is only available for registered users", "extractor/common.py"),
    ("is not available from your location due to geo restriction", "extractor/common.py"),
    ("This content is no longer available", "extractor/mtv.py"),
    ("This video/podcast is for members only", "extractor/beacon.py"),
    ("There is no video in this post", "extractor/instagram.py"),
    ("The uploader has not made this video available in your country", "extractor/youtube/_video.py"),
    ("has been rate-limited by YouTube", "extractor/youtube/_video.py"),
    ("YouTube is requiring a captcha challenge", "extractor/youtube/_video.py"),
    ("'playabilityStatus'", "extractor/youtube/_video.py"),  # from where YouTube's own words are passed on
]


@pytest.mark.parametrize(("words", "file"), IN_ITS_SOURCE)
def test_what_is_said_to_stand_in_the_source_of_yt_dlp_stands_there(words: str, file: str) -> None:
    """A new release that words it in another way is found out here."""
    assert words in (Path(yt_dlp.__file__).parent / file).read_text(encoding="utf-8")
