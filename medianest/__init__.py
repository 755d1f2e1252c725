"""MediaNest: one door for the friends and family of a Plex server. The map of the house:

    cli.py           every command a person types; logbook.py what they do with the log from a shell
    app.py           the composition root: what is built, in which order, and how it is closed; demo.py on stand-ins
    settings.py      every setting: name, type, unit, default; configuration.py those that an admin changes meanwhile
    master_key.py    the one key that everything secret hangs from; outside.py an adapter for each outside system

    domain/          what can happen, and the functions that decide. Pure
    eventstore/      the log: append, read, subscribe, seal; the keys of people. Knows nothing of media
    commands.py      runs a command: read its facts, decide, append; decide again after a lost race
    sessions.py      access and refresh tokens; credentials.py the only door to tokens of other systems
    breakers.py      circuits, the same in every process through the log
    adapters/        clients of Plex, Seerr, Uptime Kuma and yt-dlp
    automations/     what MediaNest does by itself: to-do list -> one adapter -> a command
    api/             HTTP
    realtime/        Socket.IO
    web/             the web UI (TypeScript), built when the package is built
    sandbox/         stand-ins for everything outside

    database.py      PostgreSQL, configured or embedded; server.py HTTP and sockets on one port
    shared.py        what processes share through Redis; tasks.py begins and ends what runs for ever
    terminal.py      what a process says; trouble.py what it says of what it tries again and again
    secret.py        a text that no repr shows; histogram.py how often, by how much, for /metrics

Beside it: `projections/` the read models, `migrations/` SQL for what cannot be rebuilt.
"""
