"""The log of events: append, read, subscribe, seal, and the keys of people. Knows nothing of media.

    store.py         what it offers: append on a condition, read by query, the latest, what a command did
    writer.py        group commit: what waits goes together; group.py what may, as columns, and the answer to each append;
                     recent.py which conditions hold as far as the writer itself knows
    pipeline.py      the connection that appends: the next group is sent before the last one is answered; pace.py if that pays;
                     notices.py which groups wake who listens
    search.py        SQL for what a query finds; columns.py PostgreSQL's binary forms
    head.py          where the log and its readers stand, and who waits for them
    subscription.py  catch up, then live
    codec.py         events to rows and back; upcasters.py lifts old shapes
    vault.py         the keys of people; seals.py the notary, auditor.py who checks it; transfer.py out and in again

How it is laid out, and what was tried (medians of one run each, two shared cores, fsync on; ratios count):

- Look-ups inside `append_events` by index whatever the statistics say, the rarest tag first: 128 appends with a tag
  that many events have took 24 ms, then 11 ms. Plans were kept from when the tables were empty.
- Columns as binary arrays: 11 ms, then 6 ms; one statement for all tables, and one look a tag before any search: 4.5 ms.
- Hashed tags instead of text: 4.0 ms, and nobody can read them (tried again since: no difference). Text compared as bytes:
  4.3 ms, taken.
- Of 22 µs of PostgreSQL an event in a group, its three tags take 12, the command's id 3, the indexes by type and by actor
  for the audit trail 3, kept, and one by time 1, which nobody used: dropped. Tags sorted before they are inserted, or in
  an index that is not unique: no difference.
- Two groups under way on one connection, alike in size: 32 writers from 15,500 to 22,500 appends a second, 128 from 20,000
  to 36,000. A third gave nothing; one of one and one of thirty-one lose a fifth; psycopg's own pipeline mode was slower.
- Statements of `append_events` planned once a connection: half of its time for a lone append, nothing for groups.
  Simpler ones, with the usual case first and lists unnested in place: 80 µs to 54 for a lone append, 22 to 20 an event
  of a group (processor time of PostgreSQL alone). None of its `SET`s: no difference.
- A writer that the event loop calls back, instead of two tasks that wake each other: 48 µs to 42 for a lone append.
- Whether a command acted before is seen when its id is inserted again, instead of looked for first: 98 µs to 87 for a lone
  append, 24 to 22 an event of a group of 16 (processor time, no fsync). An index less, by type or by actor: 1 µs.
- Called back by the connection, instead of a future between it and the writer; columns of places kept once packed: 42 µs
  of ours to 35 for a lone append.
- Groups that follow each other within 5 ms share a NOTIFY (notices.py): each costs 10 µs in the commit and 40 in every
  process that listens. None at all: a lone writer from 388 µs an append to 323. One in 2, 5 and 60 ms: four processes
  of 32 writers from 0.92 of what one does to 1.01 and 1.05.
- One group under way instead of two where a commit, or the turn of other processes, takes longer than our own work on what
  it holds (pace.py): four processes of 32 writers from 91 µs of processor an append to 67; 32 writers on a disk that took
  milliseconds for an fsync from 4,800 and 3,800 appends a second to 15,800 and 9,300. On a quick disk two it is, as before. The
  times in the middle count, not their mean: a commit that waited for a new file of PostgreSQL's log cost 32 writers a fifth.
- Conditions settled by what the writer itself appended of late (recent.py), so that PostgreSQL looks up only what others
  may have brought: 27.3 µs of PostgreSQL an append to 22.6 with 32 writers, 20.1 to 16.5 with 128; 30,600 appends a second
  to 35,400, and 45,000 to 52,000.
- A commit without fsync would double a lone append, and let readers act on what a crash may take back: not taken. Commits
  without fsync, each answered after a flush for several on a connection of its own: 30,900 appends a second with 32
  writers to 26,700; after one of its own on two connections in turn: to 22,900, and with four processes from 28,700 to
  33,200. Not taken: it would have readers wait for the flush, too.
- An index a place of the tags instead of a table of them: a row less a tag, and three look-ups for each one; slower.
- `json` instead of `jsonb`, columns in the form they are sent in, the envelope decoded when it is asked for: catch-up
  from 71,000 to 264,000 events a second. The next page made while one is decoded: from 425,000 to 640,000 in one run.
  Pages of 250 rows are a third slower than of 500, longer ones are no faster. The head of the log in a row of its own
  instead of beside each row: 1.0 µs of PostgreSQL an event to 0.6.
- Ids in the order of time instead of chance, in a log of a million: from 7,900 to 10,700 appends a second.
"""
