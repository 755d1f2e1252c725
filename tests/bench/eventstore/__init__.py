"""Our event store against its peers: `python -m tests.bench eventstore`.

subject   what every store under test can do, what is appended, and how a load is driven
worker    one store in one process, told what to do by lines of JSON
ours, umadb_peer, eventsourcing_peers, emmett/, limits   a store each
bench     the rounds: every store once a round, in an order that turns
report    medians, ratios, the targets, and the plots
"""
