"""The pictures of TMDB that Seerr hands on to anybody: below /imageproxy/tmdb, in Overseerr below /imageproxy."""

import re
from collections.abc import Iterable

from medianest.sandbox.cast import TITLES
from medianest.sandbox.pictures import picture
from medianest.sandbox.seerr.state import Variant
from medianest.sandbox.serving import Answer, Call, Route

_WIDTH = re.compile(r"w(\d{2,4})")
_SHAPES = {"poster": 3 / 2, "backdrop": 9 / 16}  # how high for how broad
_SUBJECTS = {
    path: (title.title, shape)
    for title in TITLES
    for path, shape in ((title.poster, "poster"), (title.backdrop, "backdrop"))
}


def picture_routes(variant: Variant) -> Iterable[Route]:
    below = "/imageproxy/tmdb" if variant == "seerr" else "/imageproxy"
    return [Route("GET", f"{below}/t/p/{{width}}/{{name}}", _hand_on)]


async def _hand_on(call: Call) -> Answer:
    """What TMDB has not is a 500 without a word."""
    width, known = _WIDTH.fullmatch(call.params["width"]), _SUBJECTS.get(f"/{call.params['name']}")
    if width is None or known is None:
        return Answer(500, b"", "text/plain")
    subject, shape = known
    return picture(subject, int(width[1]), round(int(width[1]) * _SHAPES[shape]))
