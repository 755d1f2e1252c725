"""Stand-ins for the outside world: a small plex.tv, Plex server, Seerr, Uptime Kuma and video site.

`medianest demo` runs on them, and the tests run against them over real HTTP; each behaves like the
real program, its odd answers and its faults included. They import nothing of MediaNest but `Secret`.

    people.py          the cast: Olivia owns the server, Anna and Ben have the share, Sam has not
    serving.py         one HTTP server in the running loop; `mount` puts the stand-ins under prefixes
    faults.py          what may go wrong on purpose, for every stand-in, from code and over HTTP
    together.py        all of them side by side, as the demo runs them

    plex_world.py      all that both halves of Plex know: tokens, PINs, shares, the library, webhooks
    plex_library.py    sections, items and collections; scanning a folder; kept in a small JSON file
    plex_wire.py       how Plex writes: XML by default, JSON on request, pages, errors
    plex_tv.py         plex.tv: PINs, the account, resources, friends; plex_accounts.py what they look like
    plex_server.py     the Plex Media Server: libraries, items, pictures, scans
    plex_browsing.py   its filters, searches and collections; plex_metadata.py how it describes a thing

    seerr.py           Seerr over HTTP: settings and switches; seerr_requests.py requests, titles and people
    seerr_gate.py      who gets past its door; seerr_shapes.py how it writes
    seerr_world.py     what happens in it; seerr_state.py what it knows; seerr_arrivals.py what happens by itself

    uptime_kuma.py     Uptime Kuma over HTTP; kuma_socket.py over Socket.IO
    kuma_world.py      what happens in it; kuma_state.py what it remembers, and how two versions write it

    videos.py          a site with videos: a file, an HLS stream, a playlist

The names of the cast, their tokens and passwords are public constants: nothing here is a secret.
"""
