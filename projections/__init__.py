"""The read models: tables derived from the log, one file each, and the engine that feeds them.

Any of them may be thrown away and is filled again from the first event. None calls out, reads the clock, or
looks at another's tables.
"""

from projections import accounts, announcements, downloads, monitor_times, monitors, notices, requests, services

PROJECTIONS = (
    accounts.PROJECTION, requests.PROJECTION, downloads.PROJECTION, services.PROJECTION, monitors.PROJECTION,
    monitor_times.PROJECTION, notices.PROJECTION, announcements.PROJECTION,
)  # fmt: skip
