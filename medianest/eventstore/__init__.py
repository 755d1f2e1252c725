"""The log of events: append, read, subscribe, and the keys of people. Knows nothing of media.

store         append on a condition with group commit; read by query
head          where the log ends, and the wake-up when it grows
subscription  catch up, then live
codec         events to rows and back; upcasters lift old shapes
vault         seals personal fields under a key for each person; erasing destroys the key
"""
