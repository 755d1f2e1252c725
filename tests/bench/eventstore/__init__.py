"""Our event store against its peers: `python -m tests.bench eventstore`.

subject   what every store under test can do, what is appended, and how a load is driven
worker    one store in one process, told what to do by lines of JSON
ours, umadb_peer, eventsourcing_peers, emmett/, limits   a store each
field     the servers on disk, the stores' processes, and the proof that none loses what it acknowledged
filled    long logs, made by PostgreSQL
appends, reads, rebuild, sizes   what is measured
bench     the rounds: every store once a round, in an order that turns
report, plots   medians, ratios and the targets; the plots of the README
"""
