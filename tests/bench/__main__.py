"""What the house can carry. Numbers of one machine and one run: compare ratios, not runs.

python -m tests.bench http          commands and reads over HTTP, against a demo in a process of its own
python -m tests.bench faults        pages while each outside system fails for long; exits 1 where they wait for it
python -m tests.bench web           the first pages of the web UI on a slow network; exits 1 where one takes over 2 s
python -m tests.bench past          admin pages as of earlier moments, on half a million events; exits 1 over 2 s
python -m tests.bench eventstore    the event store against its peers; exits 1 where a target is missed
"""

import asyncio
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

import uvloop


def asked() -> Namespace:
    parser = ArgumentParser(
        prog="python -m tests.bench", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    subjects = parser.add_subparsers(dest="subject", required=True)
    subjects.add_parser("http")
    faults = subjects.add_parser("faults")
    faults.add_argument("--seconds", type=float, default=120.0, help="how long each fault lasts (default: 120)")
    subjects.add_parser("past")
    web = subjects.add_parser("web")
    web.add_argument("--slower", type=float, default=1.0, help="how many times slower the processor is (default: 1)")
    web.add_argument("--brotli", action="store_true", help="files come packed with it, as they do over TLS")
    store = subjects.add_parser("eventstore")
    store.add_argument("--rounds", type=int, default=5, help="how often everything is measured (default: 5)")
    store.add_argument("--seconds", type=float, default=1.0, help="how long one slice takes (default: 1)")
    store.add_argument("--only", nargs="+", metavar="SECTION", help="some of: appends, reads, live, rebuild, sizes")
    store.add_argument("--deep", action="store_true", help="logs of up to five million events; takes long")
    store.add_argument("--plots", help="write the plots to this folder")
    store.add_argument("--all-peers", action="store_true", help="exit with 2 where a peer is not installed")
    store.add_argument("--folder", help="a folder on a disk for the databases (default: the system's temporary one)")
    return parser.parse_args()


def main() -> int:
    arguments = asked()
    if arguments.subject == "http":
        from tests.bench import over_http

        return asyncio.run(over_http.run())
    if arguments.subject == "faults":
        from tests.bench import faults

        return asyncio.run(faults.run(arguments))
    if arguments.subject == "past":
        from tests.bench import past

        return asyncio.run(past.run())
    if arguments.subject == "web":
        from tests.bench import first_page

        return asyncio.run(first_page.run(arguments))
    from tests.bench.eventstore import bench

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as the application runs
        return runner.run(bench.run(arguments))


if __name__ == "__main__":
    sys.exit(main())
