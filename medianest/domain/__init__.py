"""What can happen in MediaNest, and the functions that decide whether it does. Pure: no I/O, no clock, no chance.

event.py        events, tags and queries; command.py commands, facts and refusals: the words of all the others
accounts.py     who may come in, as what; sessions
requests.py     the life of a request; asking.py who may ask for what; quotas.py how much
sending.py      a request on its way to Seerr; observing.py what Seerr says of requests, those made there too;
                retrying.py when what it could not hand on is tried again
downloads.py    videos and playlists; fetching.py: what becomes of them; refetching.py what is fetched once more
services.py     what is up, what is down, what is in maintenance
notices.py      what of all that is told to whom in their inbox
announcements.py  what admins put on everybody's home: announcements, quick links
work.py         what admins order about work that is stuck, and read models filled anew
decisions.py    which facts and which function decide each command
catalogue.py    every event; timeline.py each in plain words; examples.py one of each; signals.py what is only shown
"""
