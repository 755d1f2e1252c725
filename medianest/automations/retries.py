"""What Seerr could not hand on to Radarr or Sonarr is tried again by itself: the domain says when, and how often."""

from medianest.automations.worker import Record, Recurring
from medianest.commands import Commands
from medianest.domain.command import Actor
from medianest.domain.requests import Media
from medianest.domain.retrying import RetryByItself
from medianest.eventstore.connections import Pool
from projections import requests

NAME = "retry-requests"
LOOK_SECONDS = 60.0


class Retrying:
    def __init__(self, pool: Pool, commands: Commands) -> None:
        self._pool = pool
        self._record = Record(commands, Actor.system(NAME), follows=True)

    def recurring(self) -> Recurring:
        return Recurring(NAME, LOOK_SECONDS, self.look)

    async def look(self) -> None:
        async with self._pool.connection() as rows:
            failed = await requests.failed_lately(rows)
        for request, media in failed:
            await self._retry(request, media)

    async def _retry(self, request: str, media: Media) -> None:
        await self._record(RetryByItself(request=request, media=media))
