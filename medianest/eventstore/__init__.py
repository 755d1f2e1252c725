"""The log of events: append, read, subscribe, seal, and the keys of people. Knows nothing of media.

    store.py         what it offers: append on a condition, read by query, the latest, what a command did
    writer.py        group commit: what waits goes together, each append gets an answer of its own
    search.py        SQL for what a query finds; columns.py PostgreSQL's binary forms
    head.py          where the log and its readers stand, and who waits for them
    subscription.py  catch up, then live
    codec.py         events to rows and back; upcasters.py lifts old shapes
    vault.py         the keys of people; seals.py the notary and the auditor; transfer.py out and in again

How it is laid out, and what was tried (medians of one run each, two shared cores, fsync on; ratios count):

- Look-ups inside `append_events` by index whatever the statistics say, the rarest tag first: 128 appends with a tag
  that many events have took 24 ms, then 11 ms. Plans were kept from when the tables were empty.
- Columns as binary arrays: 11 ms, then 6 ms; one statement for all tables, and one look a tag before any search: 4.5 ms.
- Hashed tags instead of text: 4.0 ms, and nobody can read them. Text compared as bytes: 4.3 ms, taken.
- Indexes by type and by actor for the audit trail cost 5 %, kept.
- `json` instead of `jsonb`, columns in the form they are sent in, the envelope decoded when it is asked for: catch-up
  from 71,000 to 264,000 events a second. Pages of 1,000 and 2,000 rows were a fifth slower than of 500; fetching the
  next page while one is handled gained nothing on two cores.
- Ids in the order of time instead of chance, in a log of a million: from 7,900 to 10,700 appends a second.
"""
