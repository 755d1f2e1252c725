"""Socket.IO: who hears what, at once, and what they missed when they come back.

pushes.py      the one table event -> namespace, room, payload: pure
gateway.py     who may come in, what they may say, when they must go
asyncapi.py    the document made from those two
broadcast.py   the log -> the sockets, in order; catching up, then live
audience.py    who is connected to this process, as whom according to the log, and in which rooms
signals.py     progress and latencies: coalesced, not kept; through Redis to other processes
wire.py        the Socket.IO server with bounded queues, and strict about what it reads
"""
