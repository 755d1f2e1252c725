"""The log from an operator's shell, beside a demo that goes on: follow, seal, verify, take it out and in again."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.journeys.household import Person, Process, eventually, free_port, ready

pytestmark = [pytest.mark.timeout(240), pytest.mark.xdist_group("journeys")]


class Shell:
    """`medianest …` typed beside a running demo."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url

    def types(self, *words: str, data: str = "data") -> subprocess.CompletedProcess[str]:
        where = [] if "--data" in words else ["--data", str(self.folder / data)]
        command = [sys.executable, "-m", "medianest", *words, *where]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Shell]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    demo = Process(tmp_path / "log.txt", "demo", "--port", str(port), "--data", str(tmp_path / "data"))
    await ready(url, demo)
    yield Shell(tmp_path, url)
    await demo.stop()


async def test_the_log_is_followed_sealed_verified_and_moved_while_people_use_it(shell: Shell) -> None:
    lines = shell.folder / "tail.jsonl"
    tail = Process(lines, "events", "tail", "--type", "account.opened", "--data", str(shell.folder / "data"))
    olivia = Person(shell.url, "olivia")
    await olivia.log_in()
    opened = await eventually(
        "the tail shows it", lambda: [one for one in lines.read_text().splitlines() if "{" in one]
    )
    assert json.loads(opened[0])["event"]["role"] == "owner"
    assert "olivia" not in lines.read_text()  # names stay sealed
    assert await tail.stop() == 0

    anchor = shell.types("audit", "seal").stdout.strip()
    verdict = shell.types("audit", "verify", "--anchor", anchor)
    assert (verdict.returncode, "as it was sealed" in verdict.stdout) == (0, True)
    position, digest = anchor.split(":")
    elsewhere = shell.types("audit", "verify", "--anchor", f"{position}:{digest[::-1]}")
    assert (elsewhere.returncode, "BROKEN" in elsewhere.stdout) == (1, True)
    key = shell.types("audit", "key").stdout.strip()
    assert shell.types("audit", "verify", "--trusted", key).returncode == 0

    listed = shell.types("projections", "list").stdout
    assert all(name in listed for name in ("accounts", "requests", "downloads", "services")), listed
    assert "accounts is rebuilt" in shell.types("projections", "rebuild", "accounts").stdout
    (rebuilt,) = (await olivia.get("/admin/audit", tag="projection:accounts"))["items"]
    assert (rebuilt["type"], rebuilt["by"]) == ("projection.rebuilt", "operator")
    first = str(json.loads(opened[0])["position"])
    then = [json.loads(line) for line in shell.types("projections", "as-of", "accounts", first).stdout.splitlines()]
    assert [(one["table"], one["row"]["role"]) for one in then] == [("accounts", "owner")]
    assert shell.types("projections", "as-of", "accounts", "9999", "--last", "0").stdout == ""
    assert "Give a position" in shell.types("projections", "as-of", "accounts", "yesterday").stderr

    newest = shell.types("events", "tail", "--last", "2", "--no-follow", "--about", f"account:{olivia.account}")
    assert (newest.returncode, len(newest.stdout.splitlines())) == (0, 2)

    out = str(shell.folder / "log.jsonl")
    assert shell.types("events", "export", out).returncode == 0
    assert shell.types("events", "export", out).returncode == 1  # it is there already
    assert shell.types("events", "import", out).stderr.startswith("medianest: Another MediaNest runs")
    assert shell.types("events", "import", out, data="copy").returncode == 0
    assert "This log is not empty" in shell.types("events", "import", out, data="copy").stderr
    trusting = shell.types("audit", "verify", "--anchor", anchor, "--trusted", key, data="copy")
    assert (trusting.returncode, "as it was sealed" in trusting.stdout) == (0, True)
    assert "a key not trusted" in shell.types("audit", "verify", data="copy").stdout
    (shell.folder / "copy" / "master.key").write_text((shell.folder / "data" / "master.key").read_text())
    copy = shell.types("audit", "verify", "--anchor", anchor, data="copy")
    assert (copy.returncode, "as it was sealed" in copy.stdout) == (0, True)
    await olivia.leave()


async def test_what_was_typed_wrongly_is_one_sentence(shell: Shell) -> None:
    half, other = shell.folder / "half.jsonl", ("--data", str(shell.folder / "other"))
    half.write_text('{"line":"end","lines":1}\n')
    for said, *words in (
        ("An anchor is POSITION:DIGEST", "audit", "verify", "--anchor", "yesterday"),
        ("An anchor is POSITION:DIGEST", "audit", "verify", "--anchor", "5"),
        ("a key is as `audit key` prints it", "audit", "verify", "--trusted", "abcd"),
        ("There is no event `film.seen`", "events", "tail", "--type", "film.seen"),
        ("`plex` is no tag", "events", "tail", "--about", "plex"),
        ("nothing.jsonl: No such file", "events", "import", str(shell.folder / "nothing.jsonl"), *other),
        ("was cut off", "events", "import", str(half), *other),
        ("half.jsonl is there already", "events", "export", str(half)),
        ("There is no read model `films`", "projections", "rebuild", "films"),
    ):
        typed = shell.types(*words)
        assert typed.returncode == 1
        assert typed.stderr.splitlines()[-1].startswith("medianest: ")
        assert said in typed.stderr.splitlines()[-1]
        assert "Traceback" not in typed.stderr


async def test_the_owner_comes_in_with_a_key_that_was_made_at_a_shell(shell: Shell) -> None:
    assert "sign in with Plex once" in shell.types("spare-key").stderr
    olivia = Person(shell.url, "olivia")
    await olivia.log_in()
    key, words = shell.types("spare-key").stdout.splitlines()
    assert "it opens once" in words
    async with httpx.AsyncClient(base_url=shell.url, trust_env=False) as caller:
        answer = await caller.post("/api/v1/auth/spare-key", json={"key": key})
        assert (answer.status_code, answer.json()["role"]) == (200, "owner")
    made, used = [
        one["words"]
        for one in reversed((await olivia.get("/admin/audit", tag=f"account:{olivia.account}"))["items"])
        if "spare" in one["type"]
    ]
    assert made.startswith("A spare key for the owner was made on the server.")
    assert used == "Olivia came in with a spare key."
    await olivia.leave()
