"""Every setting: name, type, unit, default. Read once, from a TOML file and the environment.

`MEDIANEST_PLEX_URL=…` in the environment wins over `plex_url = "…"` in the file. A secret may also stand in a file
of its own: `MEDIANEST_SEERR_API_KEY_FILE=/run/secrets/seerr`.
"""

import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, structs
from platformdirs import user_data_path

from medianest.secret import Secret

PREFIX = "MEDIANEST_"
RUN_AS_OWNER = "Run this as the user whom the data folder belongs to, or name another folder with --data."
Port = Annotated[int, Meta(ge=0, le=65535)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
MonitorOf = Annotated[
    str, Meta(pattern=r"^(plex|seerr)=[^\x00]*\S[^\x00]*$", max_length=200)
]  # plex=3, seerr=My requests
ApprovalMode = Literal["seerr", "medianest"]
KumaWay = Literal["off", "login", "api-key", "status-page"]
Positive = Annotated[int, Meta(ge=1, le=1_000_000)]


class CannotStart(Exception):
    """What keeps a command from running: the text is for who typed it, and says how to mend it."""


class WrongSetting(CannotStart):
    """A setting that cannot be used; the text says which one, and so does `name` where it is one that can be changed."""

    def __init__(self, text: str, name: str = "") -> None:
        super().__init__(text)
        self.name = name


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    # Where things are
    data: Path = msgspec.field(default_factory=lambda: user_data_path("medianest"))  # embedded database, keys, media
    media: Path | None = None  # where downloads are kept; None: `media` in the data folder
    database_url: Secret | None = None  # postgresql://…; None: the embedded PostgreSQL
    database_password: Secret | None = None  # None: it stands in the address, or there is none
    redis_url: Secret | None = None  # redis://…; None: one process, which needs none
    master_key: Secret | None = None  # 32 bytes in URL-safe base64; None: `master.key` in the data folder

    # How people reach it
    host: str = "127.0.0.1"
    port: Port = 8484
    public_url: str = ""  # https://media.example.org; empty: http://host:port
    stream_port: Port = 8485  # of `medianest stream` on its own; `up` and `demo` serve both on `port`
    work_port: Port | None = None  # where `medianest work` tells of its health, and its metrics; None: nowhere
    metrics_token: Secret | None = None  # what who reads /metrics sends as bearer token; None: only admins are let in
    secure_cookies: bool = False  # true behind HTTPS
    trusted_proxies: tuple[str, ...] = ()  # addresses, or networks, whose X-Forwarded-For and -Proto count; "*": all

    # Plex
    plex_tv_url: str = "https://plex.tv"
    plex_auth_url: str = "https://app.plex.tv/auth"
    plex_link_url: str = "https://plex.tv/link"
    plex_url: str = "http://127.0.0.1:32400"
    plex_client: str = ""  # X-Plex-Client-Identifier; empty: derived from the master key
    plex_webhook_secret: Secret | None = None  # the end of the address Plex posts to; None: its webhooks are refused
    plex_video_section: str = ""  # key of the library that shows downloads; empty: found by its folder
    plex_media_path: str = ""  # the media folder as Plex sees it; empty: as we see it

    # Seerr or Overseerr
    seerr_url: str = "http://127.0.0.1:5055"
    seerr_api_key: Secret | None = None  # None: requests wait until there is one
    seerr_webhook_secret: Secret | None = None  # what Seerr sends as Authorization; None: webhooks are refused
    approval_mode: ApprovalMode = "seerr"  # who approves requests; medianest: only what is approved here is sent

    # Uptime Kuma
    uptime_kuma_url: str = "http://127.0.0.1:3001"
    uptime_kuma_way: KumaWay = "off"  # how its monitors are read; off: MediaNest only looks whether it is up
    uptime_kuma_username: str = ""  # empty: it asks for no log-in ("disable auth")
    uptime_kuma_password: Secret | None = None
    uptime_kuma_code_secret: Secret | None = None  # what an authenticator app is given; None: no two-factor log-in
    uptime_kuma_api_key: Secret | None = None
    uptime_kuma_status_page: str = ""  # the end of its address, after /status/
    uptime_kuma_services: tuple[MonitorOf, ...] = ()  # which monitor stands for which; those not named are found
    uptime_kuma_webhook_secret: Secret | None = None  # what it sends as Authorization; None: webhooks are refused
    uptime_kuma_poll_seconds: Annotated[float, Meta(ge=10, le=3600)] = 30.0  # of API key and status page

    # Circuits: how many failures in a row open one, and for how long a system is then left alone
    plex_breaker_failures: Positive = 5  # plex.tv too
    plex_breaker_pause_seconds: Seconds = 45.0
    seerr_breaker_failures: Positive = 5
    seerr_breaker_pause_seconds: Seconds = 30.0
    uptime_kuma_breaker_failures: Positive = 3
    uptime_kuma_breaker_pause_seconds: Seconds = 30.0
    video_breaker_failures: Positive = 3  # of each site that videos come from
    video_breaker_pause_seconds: Seconds = 120.0

    # Videos
    video_hosts: tuple[str, ...] = (
        "youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com", "youtu.be", "www.youtube-nocookie.com",
    )  # fmt: skip
    video_private_exceptions: tuple[str, ...] = ()  # host:port of a site in a private network that may be fetched
    downloads_at_once: Positive = 2
    downloads_per_hour: Annotated[int, Meta(ge=1, le=500)] = 20  # submissions of one account; a playlist is one
    playlist_items: Annotated[int, Meta(ge=1, le=200)] = 50  # the most that one submission takes of a playlist
    download_deadline_seconds: Seconds = 4 * 3600.0
    download_max_bytes: Annotated[int, Meta(ge=1)] = 20 * 1024**3

    # People
    new_people: Literal["welcome", "closed"] = "welcome"  # closed: only who was here before comes in, and the owner

    # How often
    probe_seconds: Seconds = 30.0
    seerr_poll_seconds: Seconds = 60.0
    access_token_seconds: Seconds = 900.0
    refresh_token_days: Positive = 30
    requests_per_minute: Positive = 300  # of one account
    logins_per_minute: Positive = 20  # of one address

    # How long
    videos_days: Annotated[int, Meta(ge=0, le=3650)] = 0  # then they are removed; 0: never
    webhooks_days: Annotated[int, Meta(ge=1, le=90)] = 7  # that what outside systems posted can be read

    log_format: Literal["text", "json"] = "text"

    @property
    def media_folder(self) -> Path:
        return self.media or self.data / "media"

    @property
    def url(self) -> str:
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def cookies_over_https_only(self) -> bool:
        return self.secure_cookies or self.url.startswith("https:")

    @property
    def origin(self) -> str:
        """As browsers say it of a page of ours."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


ADDRESSES = (
    "public_url", "plex_tv_url", "plex_auth_url", "plex_link_url", "plex_url", "seerr_url", "uptime_kuma_url",
)  # fmt: skip


def load(file: Path | None = None, environment: Mapping[str, str] | None = None, **given: Any) -> Settings:
    """The settings from defaults, then `file`, then the environment, then `given` (what the command line says).

    Raises `WrongSetting` for the first one that is unknown or cannot be used.
    """
    environment = os.environ if environment is None else environment
    values = {**_from_file(file), **_from_environment(environment)}
    values |= {name: value for name, value in given.items() if value is not None}
    settings = _convert(values)
    for name in ADDRESSES:
        _check_address(name, getattr(settings, name))
    _check_redis(settings.redis_url)
    _check_proxies(settings.trusted_proxies)
    return settings


def writable(folder: Path, setting: str) -> Path:
    """`folder`, made where it is missing. Raises `WrongSetting` where this user may not write to it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            return folder
    except OSError as refused:
        raise WrongSetting(
            f"The setting `{setting}` cannot be used: {folder} is not writable ({refused.strerror})."
            f" Give it to the user with the number {os.getuid()}, or name another folder."
        ) from refused


def shown(settings: Settings) -> dict[str, str]:
    """Each setting as text, secrets hidden."""
    return {name: str(getattr(settings, name)) for name in settings.__struct_fields__}


def _from_file(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as unreadable:
        raise WrongSetting(f"The settings file {file} cannot be read: {unreadable.strerror}.") from unreadable
    except UnicodeDecodeError as broken:
        raise WrongSetting(f"The settings file {file} is not TOML: it is not even text in UTF-8.") from broken
    except tomllib.TOMLDecodeError as broken:
        raise WrongSetting(f"The settings file {file} is not TOML: {broken}.") from broken


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    kinds = get_type_hints(Settings)
    values: dict[str, Any] = {}
    for variable, text in environment.items():
        name = variable.removeprefix(PREFIX).lower()
        if not variable.startswith(PREFIX) or name == "config":
            continue
        if name.endswith("_file") and name.removesuffix("_file") in kinds:
            values[name.removesuffix("_file")] = _secret_file(variable, Path(text))
        else:
            values[name] = [part.strip() for part in text.split(",") if part] if _is_list(kinds.get(name)) else text
    return values


def _is_list(kind: Any) -> bool:
    return getattr(kind, "__origin__", None) is tuple


def _secret_file(variable: str, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as unreadable:
        raise WrongSetting(f"{variable} names {file}, which cannot be read: {unreadable.strerror}.") from unreadable
    except UnicodeDecodeError:  # it quotes what it could not read
        raise WrongSetting(f"{variable} names {file}, which is not text in UTF-8.") from None


def changed(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """`settings` with other values, which may be of JSON. Raises `WrongSetting` for the first that cannot be used."""
    converted = structs.replace(settings, **{name: _converted(name, value) for name, value in values.items()})
    for name in ADDRESSES:
        if name in values:
            _check_address(name, getattr(converted, name))
    return converted


def _convert(values: dict[str, Any]) -> Settings:
    # An empty text is no setting, wherever it stands: an empty secret would be one that everybody knows.
    values = {name: value for name, value in values.items() if value not in ("", Secret(""))}
    return Settings(**{name: _converted(name, value) for name, value in values.items()})


def _converted(name: str, value: Any) -> Any:
    if name not in Settings.__struct_fields__:
        close = get_close_matches(name, Settings.__struct_fields__) or Settings.__struct_fields__
        raise WrongSetting(f"There is no setting `{name}`. There are: {', '.join(close)}.", name)
    try:
        return getattr(msgspec.convert({name: value}, Settings, strict=False, dec_hook=_read), name)
    except msgspec.ValidationError as wrong:
        why = str(wrong).split(" - at")[0]
        raise WrongSetting(f"The setting `{name}` cannot be used: {why}.{_wanted(name)}", name) from None


def _wanted(name: str) -> str:
    """What would do, where msgspec's own words do not say it."""
    kind = get_type_hints(Settings)[name]
    if get_origin(kind) is Literal:
        return f" Choose one of: {', '.join(get_args(kind))}."
    if kind is bool:
        return " Write true or false."
    if name == "uptime_kuma_services":
        return " Write plex=3 or seerr=My requests: the number of a monitor, or its name."
    return ""


def _read(kind: type, value: object) -> object:
    if issubclass(kind, Path) and isinstance(value, str | Path):
        return Path(value).expanduser().absolute()  # Plex names whole paths, and has ours named to it
    if isinstance(value, kind):
        return value
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError(f"expected {kind.__name__}")


def _check_address(name: str, address: str) -> None:
    if address and not _is_address(address):
        raise WrongSetting(f"The setting `{name}` must be an address like http://host:port, without a user name.", name)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:  # half an IPv6 address, or a port that there is not
        return False
    plain = text.isprintable() and " " not in text
    return plain and parts.scheme in ("http", "https") and bool(host) and port != 0 and not parts.username


def _check_redis(url: Secret | None) -> None:
    try:
        scheme, _ = ("redis", None) if url is None else (urlsplit(url.reveal()).scheme, urlsplit(url.reveal()).port)
    except ValueError:  # its text may quote the password
        scheme = ""
    if scheme not in ("redis", "rediss", "unix"):
        raise WrongSetting("The setting `redis_url` must be an address like redis://host:6379/0.")


def _check_proxies(proxies: tuple[str, ...]) -> None:
    for proxy in proxies:
        try:
            if proxies != ("*",):
                ip_network(proxy)
        except ValueError as wrong:
            raise WrongSetting(
                f"The setting `trusted_proxies` cannot be used: {wrong}. Write addresses like 10.0.0.2, networks like"
                " 10.0.0.0/8, or * alone where nobody but proxies can reach MediaNest."
            ) from None
