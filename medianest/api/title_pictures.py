"""Posters and backdrops of films and series, in the library or not: Seerr has them of TMDB, and what came is kept.

So no browser tells TMDB what anybody looks at.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Literal, get_args

from medianest.adapters.pictures import Picture
from medianest.adapters.seerr import PictureWidth, Seerr
from medianest.adapters.seerr_answers import SERVICE, Title, TitleDetail
from medianest.api.kept_pictures import KeptPictures
from medianest.api.picture_line import PictureLine
from medianest.api.problems import Problem
from medianest.domain.requests import Kind

Form = Literal["small", "medium", "large", "backdrop"]  # of a poster, but for the last
WIDTHS: dict[Form, PictureWidth] = {"small": 185, "medium": 342, "large": 500, "backdrop": 1280}
AT_ONCE = 3  # of the calls Seerr may have: a page full of posters leaves some to whoever asks for something
KNOWN_LIMIT = 10_000  # pictures whose places at TMDB are remembered


class TitlePictures:
    def __init__(self, kept: KeptPictures, seerr: Seerr) -> None:
        self._line = PictureLine(SERVICE, kept, at_once=AT_ONCE)
        self._seerr = seerr
        self._places: OrderedDict[tuple[Kind, int, bool], str | None] = (
            OrderedDict()
        )  # by title, and whether it is a backdrop

    def saw(self, titles: Iterable[Title | TitleDetail]) -> None:
        """What Seerr told of these anyway: it need not be asked for their pictures' places."""
        for title in titles:
            self._places[title.kind, title.tmdb, False] = title.poster_path
            if isinstance(title, TitleDetail):
                self._places[title.kind, title.tmdb, True] = title.backdrop_path
        while len(self._places) > KNOWN_LIMIT:
            self._places.popitem(last=False)

    async def picture(self, kind: Kind, tmdb: int, form: Form) -> Picture:
        """Raises what Seerr's client does, and `Problem` where TMDB has none."""
        return await self._line.picture(f"{kind}/{tmdb}/{form}", lambda: self._fetched(kind, tmdb, form))

    async def _fetched(self, kind: Kind, tmdb: int, form: Form) -> Picture:
        wanted = kind, tmdb, form == "backdrop"
        if wanted not in self._places:
            self.saw([await self._seerr.title(kind, tmdb)])
        place = self._places[wanted]
        if place is None:
            raise Problem(404, "not-found", "Nobody has made a picture for it yet.")
        return await self._seerr.picture(place, WIDTHS[form])


assert set(WIDTHS) == set(get_args(Form))
