"""Stand-ins for the outside world: a small plex.tv, Plex server, Seerr, Uptime Kuma and video site.

`medianest demo` runs on them, and the tests run against them over real HTTP; each behaves like the
real program, its odd answers and its faults included. They import nothing of MediaNest but `Secret`.

    people.py         the cast: Olivia owns the server, Anna and Ben have the share, Sam has not
    serving.py        one HTTP server in the running loop; `mount` puts the stand-ins under prefixes
    faults.py         what may go wrong on purpose, for every stand-in, from code and over HTTP

    plex_world.py     all that both halves of Plex know: tokens, PINs, shares, the library, webhooks
    plex_library.py   sections, items and collections; scanning a folder; kept in a small JSON file
    plex_catalog.py   the films and shows that stand in the library from the start
    plex_wire.py      how Plex writes: XML by default, JSON on request, pages, errors
    plex_metadata.py  an item, a section or a collection as the server describes it
    plex_tv.py        plex.tv: PINs, the account, resources, friends
    plex_link.py      the page where a PIN is claimed, and the switches of the Plex stand-ins
    plex_server.py    the Plex Media Server: libraries, items, pictures, scans; plex_search.py its searches
    plex_collections.py  the Plex Media Server's collections
    plex_pictures.py  posters drawn on the spot

    seerr*.py, kuma*.py, videos*.py   the other stand-ins, one family of files each

The names of the cast, their tokens and passwords are public constants: nothing here is a secret.
"""
