"""One store in one process: `python -m tests.bench.eventstore.worker <store> <where>`.

Reads a line of JSON, does what it says, and answers with a line: `{"do": "append", "load": {…}}` with the slice.
The peer in Node speaks the same. Ends when its input does. What fails is said on standard error and ends it.
"""

import asyncio
import importlib
import sys
from typing import Any

import msgspec
import uvloop

from tests.bench.eventstore.subject import Load, Moment, Subject

SUBJECTS = {
    "ours": ("tests.bench.eventstore.ours", "Ours"),
    "umadb": ("tests.bench.eventstore.umadb_peer", "Umadb"),
    "eventsourcing dcb": ("tests.bench.eventstore.eventsourcing_peers", "Tagged"),
    "eventsourcing": ("tests.bench.eventstore.eventsourcing_peers", "Aggregates"),
}


_following: list[asyncio.Task[list[Moment]]] = []


async def do(
    subject: Subject, asked: dict[str, Any]
) -> object:  # a line of the table is one of the methods of `Subject`
    match asked["do"]:
        case "append":
            return await subject.append(msgspec.convert(asked["load"], Load))
        case "refuses stale":
            return await subject.refuses_stale()
        case "count":
            return await subject.count()
        case "fill":
            await subject.fill(asked["events"])
            return None
        case "read":
            return await subject.read(asked["events"])
        case "send":
            return await subject.send(asked["events"], asked["pause"])
        case "follow":  # answers at once; "followed" asks for what it saw
            _following.append(asyncio.create_task(subject.follow(await subject.position(), asked["events"])))
            return None
        case "followed":
            return await _following.pop()
        case unknown:
            raise ValueError(f"A worker cannot {unknown}.")


async def serve(subject: Subject, where: str) -> None:
    await subject.open(where)
    try:
        while line := await asyncio.to_thread(sys.stdin.buffer.readline):
            answer = await do(subject, msgspec.json.decode(line))
            sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
            sys.stdout.buffer.flush()
    finally:
        await subject.close()


def main(name: str, where: str) -> None:
    module, kind = SUBJECTS[name]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as the application runs
        runner.run(serve(getattr(importlib.import_module(module), kind)(), where))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
