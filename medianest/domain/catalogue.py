"""Every type of event there is: what the log can hold, and the codec can read."""

from medianest.domain import (
    accounts,
    announcements,
    breakers,
    configuration,
    downloads,
    monitors,
    notices,
    quotas,
    requests,
    services,
    spare_keys,
    work,
)
from medianest.domain.event import Event, type_of

_ALL: tuple[tuple[type[Event], ...], ...] = (
    accounts.ACCOUNT_EVENTS,
    accounts.SESSION_EVENTS,
    (accounts.LoginRefused,),
    spare_keys.SPARE_KEY_EVENTS,
    requests.REQUEST_EVENTS,
    (quotas.QuotaSet, quotas.QuotaTakenBack, quotas.DefaultQuotaSet),
    (*downloads.DOWNLOAD_EVENTS, downloads.DownloadPinned),
    monitors.MONITOR_EVENTS,
    services.SERVICE_EVENTS,
    breakers.BREAKER_EVENTS,
    (configuration.SettingsChanged,),
    work.WORK_EVENTS,
    (work.ProjectionRebuilt,),
    notices.NOTICE_EVENTS,
    announcements.ANNOUNCEMENT_EVENTS,
    (announcements.LinksArranged,),
)
EVENTS: dict[str, type[Event]] = {type_of(event): event for events in _ALL for event in events}
