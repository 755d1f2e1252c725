"""What people and scripts may turn of Plex: the page where one of the cast claims a PIN, as at plex.tv/link and
app.plex.tv/auth, and switches that take JSON.
"""

import html
from pathlib import Path
from string import Template
from urllib.parse import parse_qs, urlsplit

import msgspec

from medianest.sandbox.cast import Person
from medianest.sandbox.plex.world import PlexWorld, UnknownCode, UnknownPerson
from medianest.sandbox.serving import JSON, Answer, ASGIApp, Call, Route, answered, application, decoded, nowhere, page

LINK_PAGE = Path(__file__).with_name("link.html")


def link_app(world: PlexWorld) -> ASGIApp:
    """The page and the switches, to be mounted at /sandbox/plex (with or without that prefix taken off)."""
    switches = Switches(world)
    acts = (
        ("GET", "/link", switches.show_link_page),
        ("POST", "/link", switches.link),
        ("POST", "/expire", switches.expire_pin),
        ("POST", "/rate-limit", switches.limit_requests),
        ("POST", "/playing", switches.set_playing),
    )
    return application([Route(m, base + path, act) for base in ("/sandbox/plex", "") for m, path, act in acts], nowhere)


class Claim(msgspec.Struct, kw_only=True):
    """Who claims which code. `forward_url` is where the browser goes afterwards, if anywhere."""

    code: str = ""
    person: str = ""
    forward_url: str = msgspec.field(default="", name="forwardUrl")


class Limit(msgspec.Struct, forbid_unknown_fields=True):
    per_second: int | None  # None: no limit


class Playback(msgspec.Struct, forbid_unknown_fields=True):
    person: str
    rating_key: int | None = None  # None: they stop


class Switches:
    """What people and scripts may turn: the page at /link, and POST with JSON."""

    def __init__(self, world: PlexWorld) -> None:
        self._world = world

    async def show_link_page(self, call: Call) -> Answer:
        given = {name: values[0] for name, values in parse_qs(call.query).items()}
        claim = Claim(code=given.get("code") or given.get("pin") or "", forward_url=given.get("forwardUrl", ""))
        return _link_page(_link_form(self._world, claim))

    async def link(self, call: Call) -> Answer:
        """Takes a form and answers with a page or the way back, or takes JSON and answers in JSON."""
        claim, as_json = _claim(call), _speaks_json(call)
        try:
            person = self._world.link(claim.code, claim.person)
        except (UnknownCode, UnknownPerson) as refused:
            status = 404 if isinstance(refused, UnknownCode) else 400
            if as_json:
                return answered(status, {"linked": False, "error": str(refused)})
            return _link_page(_link_form(self._world, claim, str(refused)), status)
        if as_json:
            return answered(200, {"linked": True, "person": person.name})
        if urlsplit(claim.forward_url).scheme in {"http", "https"}:
            return Answer(303, headers=(("Location", claim.forward_url),))
        name = html.escape(person.title)
        return _link_page(f"<h1>Signed in as {name}</h1><p role=status>You can close this window.</p>")

    async def expire_pin(self, call: Call) -> Answer:
        """Ends a PIN before its time: polling it is 404 from now on."""
        try:
            self._world.expire(_claim(call).code)
        except UnknownCode as unknown:
            return answered(404, {"detail": str(unknown)})
        return answered(200, {"expired": True})

    async def limit_requests(self, call: Call) -> Answer:
        """How many requests a second plex.tv takes before it answers 429; null for no limit."""
        limit = decoded(call, Limit)
        self._world.requests_per_second = limit.per_second
        return answered(200, limit)

    async def set_playing(self, call: Call) -> Answer:
        """Somebody starts to watch an item, or stops."""
        playback = decoded(call, Playback)
        try:
            self._world.play(playback.person, playback.rating_key)
        except LookupError:
            return answered(404, {"detail": "Nobody here has that name, or there is no such item."})
        return answered(200, playback)


def _speaks_json(call: Call) -> bool:
    return JSON in call.headers.get("content-type", "") + call.headers.get("accept", "")


def _claim(call: Call) -> Claim:
    if JSON in call.headers.get("content-type", ""):
        return decoded(call, Claim)
    form = {name: values[0] for name, values in parse_qs(call.body.decode(errors="replace")).items()}
    return Claim(code=form.get("code", ""), person=form.get("person", ""), forward_url=form.get("forwardUrl", ""))


def _link_page(content: str, status: int = 200) -> Answer:
    return page(Template(LINK_PAGE.read_text(encoding="utf-8")).substitute(content=content), status)


def _link_form(world: PlexWorld, claim: Claim, complaint: str = "") -> str:
    choices = "".join(_choice(person, claim.person) for person in world.people.values())
    alert = f'<p role="alert" id="complaint">{html.escape(complaint)}</p>' if complaint else ""
    return f"""<h1>Who are you?</h1>
<p>This page stands in for plex.tv. Choose a person and go on: there are no passwords here.</p>
{alert}
<form method="post">
<label for="code">Code</label>
<input type="text" id="code" name="code" value="{html.escape(claim.code)}" required autocomplete="off" spellcheck="false">
<input type="hidden" id="forward" name="forwardUrl" value="{html.escape(claim.forward_url)}">
<fieldset><legend>Person</legend>{choices}</fieldset>
<button type="submit">Sign in</button>
</form>"""


def _choice(person: Person, chosen: str) -> str:
    checked = " checked" if person.name == chosen else ""
    field = f'<input type="radio" name="person" value="{person.name}" required{checked}>'
    return f"<label>{field}<span>{html.escape(person.title)} <small>({html.escape(person.hint)})</small></span></label>"
