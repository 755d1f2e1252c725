"""Clients of the systems MediaNest stands in front of; each speaks the other side's language and none knows our events.

plex_tv       sign-in by PIN, the account behind a token, the servers it may see, the owner's friends
plex_server   libraries, items, search, recently added, scans, collections, pictures (plex_answers: how it is read)
seerr         search, requests, users and quotas of Overseerr 1.33+ and Seerr 3
uptime_kuma   monitors and their beats, 1.23 and 2.x: over Socket.IO (uptime_kuma_socket), or looked at by API key or on a
              status page (uptime_kuma_ways)
exchange      the one place for timeouts, retries, circuit breakers and the limit on calls at once (breaker.py: its circuit)
errors        what may go wrong, named by who has to act
"""
