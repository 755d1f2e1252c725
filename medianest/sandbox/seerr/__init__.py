"""Seerr 3.1 in small, and Overseerr 1.34, its elder brother, where the two differ.

Modelled on what both real programs answered when they were recorded: the tests replay that conversation.
"""

from medianest.sandbox.seerr.settings import seerr_app, switches_app
from medianest.sandbox.seerr.state import MediaStatus, Permission, RequestStatus, SeerrPerson, Variant
from medianest.sandbox.seerr.world import InLibrary, PlexAccount, SeerrWorld

__all__ = [
    "InLibrary",
    "MediaStatus",
    "Permission",
    "PlexAccount",
    "RequestStatus",
    "SeerrPerson",
    "SeerrWorld",
    "Variant",
    "seerr_app",
    "switches_app",
]
