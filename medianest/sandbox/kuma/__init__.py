"""Uptime Kuma 2.5.3 in small, and 1.23.17 where the two differ.

Modelled on what both real programs sent over Socket.IO and HTTP when they were recorded: the tests compare with that.
"""

from medianest.sandbox.kuma.notifications import KumaWebhook
from medianest.sandbox.kuma.state import Account, KumaMonitor, Status, StatusPage, Tag, Version
from medianest.sandbox.kuma.web import kuma_app
from medianest.sandbox.kuma.world import KumaWorld, Seen

__all__ = [
    "Account",
    "KumaMonitor",
    "KumaWebhook",
    "KumaWorld",
    "Seen",
    "Status",
    "StatusPage",
    "Tag",
    "Version",
    "kuma_app",
]
