"""How Uptime Kuma 2.5 and 1.23 write monitors, beats and certificates. The two differ in small ways everywhere."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from medianest.sandbox.kuma_state import Beat, KumaMonitor, StatusPage, Version

Json = dict[str, Any]


class KumaShapes(NamedTuple):
    version: Version
    monitors: Mapping[int, KumaMonitor]

    @property
    def is_v2(self) -> bool:
        return self.version.startswith("2.")

    def monitor(self, monitor: KumaMonitor) -> Json:
        """The whole object, its secrets included. `path` is 2.x only."""
        path = [one.name for one in self._line(monitor)]
        shape = (_MONITOR | _MONITOR_V2 if self.is_v2 else _MONITOR) | {
            "id": monitor.id,
            "name": monitor.name,
            "pathName": " / ".join(path),
            "parent": monitor.parent,
            "childrenIDs": [one.id for one in self.monitors.values() if one.parent == monitor.id],
            "url": monitor.url,
            "maxretries": monitor.retries,
            "active": monitor.active,
            "forceInactive": any(not one.active for one in self._line(monitor)[:-1]),
            "type": monitor.type,
            "interval": number(monitor.interval),
            "tags": self.tags(monitor),
            "maintenance": monitor.in_maintenance,
            "pushToken": monitor.push_token,
        }
        return shape | ({"path": path} if self.is_v2 else {})

    def tags(self, monitor: KumaMonitor, *, public: bool = False) -> list[Json]:
        return [
            ({"id": place} if public or not self.is_v2 else {})
            | {"tag_id": place, "monitor_id": monitor.id, "value": tag.value, "name": tag.name, "color": tag.color}
            for place, tag in enumerate(monitor.tags, start=1)
        ]

    def monitor_list(self, monitors: Iterable[KumaMonitor]) -> Json:
        return {str(monitor.id): self.monitor(monitor) for monitor in monitors}

    def live(self, beat: Beat) -> Json:
        """A beat as it is pushed: what is unknown is missing, `important` is true or false."""
        shape: Json = {
            "monitorID": beat.monitor,
            "status": int(beat.status),
            "time": stamp(beat.time),
            "msg": beat.message,
        }
        if beat.ping is not None:
            shape["ping"] = number(beat.ping)
        shape["important"] = beat.important
        return shape | ({"retries": beat.retries} if self.is_v2 else {"duration": beat.duration})

    def listed(self, beat: Beat) -> Json:
        """A beat as heartbeatList has it: `important` is 1 or 0, and the id is spelled monitor_id."""
        shape: Json = {
            "id": beat.id,
            "important": int(beat.important),
            "monitor_id": beat.monitor,
            "status": int(beat.status),
            "msg": beat.message,
            "time": stamp(beat.time),
            "ping": None if beat.ping is None else number(beat.ping),
            "duration": beat.duration,
            "down_count": 0,
        }
        return shape | ({"end_time": stamp(beat.time), "retries": beat.retries, "response": None} if self.is_v2 else {})

    def paged(self, beat: Beat) -> Json:
        """A beat as the lists of important ones have it."""
        shape = self.live(beat) | {"important": int(beat.important), "duration": beat.duration}
        shape["ping"] = None if beat.ping is None else number(beat.ping)
        return shape | ({"response": None} if self.is_v2 else {})

    def average_ping(self, monitor: KumaMonitor, now: datetime) -> float | None:
        average = monitor.average_ping(now)
        return None if average is None else number(round(average, 2)) if self.is_v2 else round(average)

    def certificate(self, days: int) -> str:
        """JSON text inside the event: to be parsed once more."""
        shape = {
            "valid": days > 0,
            "certInfo": {
                "subject": {"CN": "localhost"},
                "issuer": {"CN": "localhost"},
                "subjectaltname": "DNS:localhost, IP Address:127.0.0.1",
                "validFor": ["localhost", "127.0.0.1"],
                "daysRemaining": days,
                "certType": "self-signed",
                "raw": {"type": "Buffer", "data": [48, 130, 3, 11]},
                "fingerprint256": "00:11:22",
            },
        }
        return json.dumps(shape, separators=(",", ":"))

    def info(self, *, logged_in: bool) -> Json:
        """The version shows only to who has logged in."""
        shape: Json = {"primaryBaseURL": None, "serverTimezone": "UTC", "serverTimezoneOffset": "+00:00"}
        if not logged_in:
            return shape
        shape |= {"version": self.version, "latestVersion": None, "isContainer": False}
        return shape | ({"dbType": "sqlite", "runtime": {"platform": "linux", "arch": "x64"}} if self.is_v2 else {})

    def text(self, key: str) -> Json:
        """What an acknowledgement says: 2.x a key to be translated, 1.23 English."""
        return {"msg": key, "msgi18n": True} if self.is_v2 else {"msg": _V1_TEXT.get(key, key)}

    def page(self, page: StatusPage, number_of_page: int) -> Json:
        """A status page as statusPageList has it."""
        return {"id": number_of_page, **self.page_config(page), "domainNameList": []}

    def page_config(self, page: StatusPage) -> Json:
        shape: Json = {
            "slug": page.slug,
            "title": page.title,
            "description": None,
            "icon": "/icon.svg",
            "theme": "auto",
            "published": True,
            "showTags": True,
            "customCSS": "",
            "footerText": None,
            "showPoweredBy": True,
            "showCertificateExpiry": True,
        }
        if not self.is_v2:
            return shape | {"googleAnalyticsId": None}
        shape |= dict.fromkeys(("analyticsId", "analyticsScriptUrl", "analyticsType", "rssTitle"))
        return shape | {"autoRefreshInterval": 300, "showOnlyLastHeartbeat": False}

    def public_monitor(self, monitor: KumaMonitor) -> Json:
        shape: Json = {"id": monitor.id, "name": monitor.name, "sendUrl": 0, "type": monitor.type}
        shape["tags"] = self.tags(monitor, public=True)
        if self.is_v2 or monitor.certificate_days is not None:
            shape |= {"certExpiryDaysRemaining": "", "validCert": False}
        return shape

    def _line(self, monitor: KumaMonitor) -> list[KumaMonitor]:
        """From the outermost group to the monitor itself."""
        line = [monitor]
        while line[0].parent is not None and line[0].parent in self.monitors and len(line) < 20:
            line.insert(0, self.monitors[line[0].parent])
        return line


_V1_TEXT = {
    "authIncorrectCreds": "Incorrect username or password.",
    "authInvalidToken": "Invalid token.",
    "successAdded": "Added Successfully.",
    "successPaused": "Paused Successfully.",
    "successResumed": "Resumed Successfully.",
    "successDeleted": "Deleted Successfully.",
    "successAuthChangePassword": "Password has been updated successfully.",
    "passwordTooWeak": "Password is too weak. It should contain alphabetic and numeric characters."
    " It must be at least 6 characters in length.",
}


def stamp(moment: datetime) -> str:
    """UTC without a zone mark, a space for the T, milliseconds."""
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}"


def number(value: float) -> float:
    """JavaScript writes 1 where Python writes 1.0."""
    return int(value) if float(value).is_integer() else value


def _nulls(names: str) -> Json:
    return dict.fromkeys(names.split())


_MONITOR: Json = {
    **_nulls("description hostname port keyword dns_last_result docker_host proxyId databaseQuery authMethod grpcUrl"),
    **_nulls("grpcProtobuf grpcMethod grpcServiceName radiusCalledStationId radiusCallingStationId game jsonPath"),
    **_nulls("expectedValue kafkaProducerTopic kafkaProducerMessage screenshot headers body grpcBody grpcMetadata"),
    **_nulls("basic_auth_user basic_auth_pass oauth_client_id oauth_client_secret oauth_token_url oauth_scopes"),
    **_nulls("oauth_auth_method databaseConnectionString radiusUsername radiusPassword radiusSecret authWorkstation"),
    **_nulls("authDomain tlsCa tlsCert tlsKey"),
    **dict.fromkeys(("docker_container", "mqttTopic", "mqttSuccessMessage", "mqttUsername", "mqttPassword"), ""),
    **dict.fromkeys(("invertKeyword", "expiryNotification", "ignoreTls", "upsideDown", "grpcEnableTls"), False),
    **dict.fromkeys(("kafkaProducerSsl", "kafkaProducerAllowAutoTopicCreation"), False),
    "method": "GET",
    "weight": 2000,
    "timeout": 48,
    "retryInterval": 60,
    "resendInterval": 0,
    "packetSize": 56,
    "maxredirects": 10,
    "accepted_statuscodes": ["200-299"],
    "dns_resolve_type": "A",
    "dns_resolve_server": "1.1.1.1",
    "notificationIDList": {},
    "gamedigGivenPortOnly": True,
    "httpBodyEncoding": "json",
    "kafkaProducerBrokers": [],
    "kafkaProducerSaslOptions": {"mechanism": "None"},
    "includeSensitiveData": True,
}
_MONITOR_V2: Json = {
    **_nulls("location protocol subtype system_service_name remote_browser snmpOid jsonPathOperator smtpSecurity"),
    **_nulls("ipFamily expectedTlsAlert oauth_audience bearer_token gamedigToken mqttWebsocketPath rabbitmqUsername"),
    **_nulls("rabbitmqPassword"),
    **dict.fromkeys(
        ("wsIgnoreSecWebsocketAcceptHeader", "retryOnlyOnStatusCodeFailure", "domainExpiryNotification"), False
    ),
    **dict.fromkeys(("cacheBust", "saveResponse"), False),
    "wsSubprotocol": "",
    "mqttCheckType": "keyword",
    "screenshot_delay": 0,
    "snmpVersion": "2c",
    "rabbitmqNodes": [],
    "conditions": [],
    "ntpStratumThreshold": 5,
    "ntpTimeOffsetThreshold": 1000,
    "ntpRootDispersionThreshold": 500,
    "ping_numeric": True,
    "ping_count": 1,
    "ping_per_request_timeout": 2,
    "saveErrorResponse": True,
    "responseMaxLength": 1024,
}
COLUMNS = frozenset(
    {*_MONITOR, *_MONITOR_V2, "id", "name", "parent", "url", "maxretries", "active", "type", "interval", "pushToken"}
)
COLUMNS_V1 = COLUMNS - frozenset(_MONITOR_V2)
