"""Socket.IO: who hears what, at once, and what they missed when they come back.

pushes.py      the one table event -> namespace, room, payload: pure
asyncapi.py    the document made from it
gateway.py     who may come in, what they may say, when they must go
broadcast.py   the log -> the sockets, in order; catching up, then live
audience.py    who is connected to this process, and in which rooms
standing.py    who a session is, according to the log
signals.py     progress and latencies: coalesced, not kept
rooms.py       how a message reaches a room's members, in this process and, through Redis, in others
wire.py        the Socket.IO server with bounded queues, and strict about what it reads
"""
