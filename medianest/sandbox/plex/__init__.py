"""Plex in small: plex.tv with its accounts, and Olivia's Media Server.

Modelled on developer.plex.tv, on captured answers in the test suites of Home Assistant and plex-api.rs, and on what
Seerr 3.1 and python-plexapi 4.18 send and read; python-plexapi itself runs against it in the tests.
"""

from medianest.sandbox.plex.link import link_app
from medianest.sandbox.plex.server import plex_server_app
from medianest.sandbox.plex.tv import plex_tv_app
from medianest.sandbox.plex.world import PlexWorld

__all__ = ["PlexWorld", "link_app", "plex_server_app", "plex_tv_app"]
