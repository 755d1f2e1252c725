"""Progress from yt-dlp's hooks: never back, not too often, and the whole of several files."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from medianest.adapters.ytdlp_meter import Meter, Pace
from medianest.adapters.ytdlp_wire import Progress

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
