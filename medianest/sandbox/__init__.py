"""Stand-ins for the outside world: a small plex.tv, Plex server, Seerr, Uptime Kuma and video site.

`medianest demo` runs on them, and the tests run against them over real HTTP; each behaves like the
real program, its odd answers and its faults included. They import nothing of MediaNest but `Secret`.

    cast.py        people and titles: Olivia owns the server, Anna and Ben have the share, Sam has not
    serving.py     what each runs on: a server in the running loop, HTTP by the byte, a memory on disk
    faults.py      what may go wrong on purpose, for every stand-in, from code and over HTTP
    together.py    all of them side by side, as the demo runs them

    plex/          plex.tv with its accounts, and Olivia's Media Server
    seerr/         Seerr, or Overseerr: requests, and what arrives by itself
    kuma/          Uptime Kuma: monitors that beat, over Socket.IO and HTTP, and a webhook that tells of changes
    videos.py      a site with videos: a file, an HLS stream, a playlist

The names of the cast, their tokens and passwords are public constants: nothing here is a secret.
"""
