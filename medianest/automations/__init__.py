"""What MediaNest does by itself: a to-do list, one adapter, and a command that records the outcome.

A to-do list is a read model whose rows are work not yet done. A worker takes a row under a lease, acts, and the
event that its command leads to takes the row off the list. Any number of processes may run all of this.

    worker.py         the engine: takes rows, renews leases, puts off, gives up; `TodoList`, `Recurring`, `Record`
    attempts.py       the table of attempts: who has a row, when the next try is due, and why

    requests.py       requests_to_send: to Seerr, as the person who asked; release-requests and settle-requests: what
                      waits in vain for an approval, or for who is away
    relaying.py       decisions_to_relay: to Seerr, as the person who decided
    retries.py        retry-requests: what Seerr could not hand on, some times, each later
    observations.py   hints (what webhooks say is not believed) and poll-seerr: what became of them;
                      follow-seerr: what was asked for and decided in Seerr itself
    seerr_imports.py  takes over what was asked for there, or sets it aside until it can
    seerr_drift.py    compare-seerr: where Seerr and MediaNest differ about what is open, and seerr_drift to heal it
    seerr_people.py   who our people are in Seerr
    seerr_states.py   what Seerr's states mean, in one table
    downloads.py      downloads_to_run: fetches videos into their owners' folders
    publishing.py     downloads_to_publish: scan, find, collect in Plex
    removing.py       files_to_remove, and expire-videos: what was removed, or has been there for long enough
    plex_people.py    check-plex-people: each one's token kept alive, and whether the server is still shared with them
    services.py       probe-…: what is up, slow or down
    monitors.py       monitors_to_watch: what Uptime Kuma tells of them
    housekeeping.py   keys_to_destroy, seal, and sweep: old sessions, PINs and hints

A new automation starts with what is on its list, never at the first event: history must not order films again.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from medianest.adapters.plex_server import PlexServer
from medianest.adapters.plex_tv import PlexTv
from medianest.adapters.seerr import Seerr
from medianest.adapters.uptime_kuma import UptimeKuma
from medianest.adapters.ytdlp import YtDlp
from medianest.automations.downloads import Downloading
from medianest.automations.housekeeping import Erasing, Sweeping, sealing
from medianest.automations.monitors import Watching
from medianest.automations.observations import HINTS, Observer
from medianest.automations.plex_people import PlexPeople
from medianest.automations.publishing import PUBLISH, Publishing
from medianest.automations.relaying import RELAY, Relaying
from medianest.automations.removing import Removing
from medianest.automations.requests import SEND, Sending
from medianest.automations.retries import Retrying
from medianest.automations.seerr_drift import Drift
from medianest.automations.seerr_imports import Imports
from medianest.automations.seerr_people import SeerrPeople
from medianest.automations.services import Probing
from medianest.automations.worker import TodoList, Worker, recurring
from medianest.commands import Commands
from medianest.credentials import Credentials
from medianest.domain.signals import Signal
from medianest.eventstore.connections import Pool
from medianest.eventstore.head import Head
from medianest.eventstore.seals import Notary
from medianest.eventstore.store import EventStore
from medianest.eventstore.vault import Vault
from medianest.settings import Settings
from projections.engine import ProjectionEngine


def automations(
    *,
    settings: Settings,
    pool: Pool,
    store: EventStore,
    head: Head,
    engine: ProjectionEngine,
    commands: Commands,
    vault: Vault,
    credentials: Credentials,
    plex_tv: PlexTv,
    plex_server: PlexServer,
    seerr: Seerr,
    uptime_kuma: UptimeKuma,
    ytdlp: YtDlp,
    notary: Notary,
    signal: Callable[[Signal], None],
    sweep_sessions: Callable[[], Awaitable[int]],
) -> dict[str, Coroutine[Any, Any, None]]:
    """Everything a `work` process runs, each by its name and for ever: hand it to `medianest.tasks.running`."""
    people = SeerrPeople(pool, vault, seerr)
    imports = Imports(pool, vault, commands, seerr)
    observer = Observer(pool, commands, seerr, imports, signal)
    drift = Drift(pool, commands, seerr, imports, observer)
    probing = Probing(
        pool,
        commands,
        {"plex": plex_server.identity, "seerr": seerr.alive, "uptime-kuma": uptime_kuma.alive},
        signal,
        waiting_for={"plex": (PUBLISH,), "seerr": (SEND, RELAY, HINTS)},
    )
    sending = Sending(pool, commands, people, seerr, observer, settings)
    publishing = Publishing(pool, commands, credentials, plex_server, settings)
    removing = Removing(pool, store, commands, publishing, settings)
    todos: list[TodoList] = [
        sending.todo(),
        Relaying(pool, commands, people, seerr, observer).todo(),
        observer.hints(),
        drift.orders(),
        Downloading(pool, head, engine, commands, vault, ytdlp, settings, signal).todo(),
        publishing.todo(),
        publishing.hints(),
        removing.todo(),
        Erasing(pool, vault, credentials, plex_tv.sign_out).todo(),
        Watching(pool, commands, uptime_kuma, settings).todo(),
        recurring(
            [
                *probing.recurring(lambda: settings.probe_seconds),
                sending.releasing(),
                sending.settling(),
                Retrying(pool, commands).recurring(),
                observer.following(lambda: settings.seerr_poll_seconds),
                drift.comparing(),
                observer.polling(lambda: settings.seerr_poll_seconds),
                PlexPeople(pool, commands, credentials, plex_tv, plex_server).recurring(),
                Sweeping(pool, settings, sweep_sessions).recurring(),
                removing.expiring(),
                sealing(notary),
            ]
        ),
    ]
    return {todo.name: Worker(pool, head, engine, todo).run() for todo in todos}
