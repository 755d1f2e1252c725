"""HTTP: one controller a subject, and what stands before and around them all.

application.py   build_api: every route there is
site.py          what the controllers need, and how they write: idempotency keys, and waiting until the next page shows it
gate.py          who comes in: access tokens, permissions, rate limits, content types, `at_least`
problems.py      RFC 9457: the one table from errors to status codes
envelope.py      what every answer carries: security headers, ETag, a line in the access log
sign_in.py       the way in by Plex, for auth.py
pages.py         the web UI: its page, its files, and what browsers may do with them
library.py       what Plex says to each person, and what it said last while it is out of reach; for plex.py
posters.py       pictures of Plex through our own door, by tickets
title_pictures.py  posters and backdrops of titles, of TMDB by way of Seerr; kept_pictures.py has both on disk
kept.py          the questions to the tables beside the log
notices.py       the inbox; announcements.py what admins tell everybody
history.py       events in plain words, with names, which are unsealed here
seerr.py         how far Seerr was followed, and where it and MediaNest differ
settings.py      what admins may change while it runs; trying.py on the real systems first
admin.py         accounts, quotas, read models, and work that is stuck
"""
