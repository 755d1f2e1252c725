"""The cast of the sandbox: who exists on plex.tv, and who may enter Olivia's server."""

from dataclasses import dataclass, field

MOVIES, SHOWS, VIDEOS = "1", "2", "3"  # section keys are strings on the wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A Plex account. `sections` are the libraries shared with it: none means no access to the server."""

    name: str
    title: str
    plex_id: int
    uuid: str
    email: str = field(repr=False)
    account_token: str = field(repr=False)  # opens plex.tv; of the owner also the server
    server_token: str = field(repr=False)  # opens the server, as long as there is a share
    sections: frozenset[str]
    owner: bool = False
    hint: str = ""  # what the link page says about them

    @property
    def username(self) -> str:
        return self.name


OLIVIA = Person(
    name="olivia",
    title="Olivia",
    plex_id=1001,
    uuid="0a1b2c3d4e5f6071",
    email="olivia@sandbox.example",
    account_token="sandbox-account-olivia",
    server_token="sandbox-server-olivia",
    sections=frozenset({MOVIES, SHOWS, VIDEOS}),
    owner=True,
    hint="owns the server",
)
ANNA = Person(
    name="anna",
    title="Anna",
    plex_id=1002,
    uuid="1b2c3d4e5f607182",
    email="anna@sandbox.example",
    account_token="sandbox-account-anna",
    server_token="sandbox-server-anna",
    sections=frozenset({MOVIES, SHOWS, VIDEOS}),
    hint="a friend who sees everything",
)
BEN = Person(
    name="ben",
    title="Ben",
    plex_id=1003,
    uuid="2c3d4e5f60718293",
    email="ben@sandbox.example",
    account_token="sandbox-account-ben",
    server_token="sandbox-server-ben",
    sections=frozenset({MOVIES, VIDEOS}),
    hint="a friend who does not see the shows",
)
SAM = Person(
    name="sam",
    title="Sam",
    plex_id=1004,
    uuid="3d4e5f60718293a4",
    email="sam@sandbox.example",
    account_token="sandbox-account-sam",
    server_token="sandbox-server-sam",
    sections=frozenset(),
    hint="a stranger without the share",
)

CAST = (OLIVIA, ANNA, BEN, SAM)
