"""The web UI as it is built: how heavy it is, whether its types are the API's, and what its own tests say."""

import gzip
import json
import re
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from medianest.api.pages import PAGES, PUBLIC
from tests.web.typed_client import TYPES, WEB, generated, missing

DIST = WEB / "dist"
DOOR_BYTES = 83_000  # of script before the sign-in shows, packed
HOME_BYTES = 106_500  # and before home does

needs_node = pytest.mark.skipif(bool(missing()), reason=missing())
needs_build = pytest.mark.skipif(
    not (DIST / "index.html").is_file(), reason="the web UI is not built: `pip install -e .` builds it"
)


@needs_build
@pytest.mark.parametrize(
    ("names", "most"), [({"early", "first"}, DOOR_BYTES), ({"early", "first", "home"}, HOME_BYTES)]
)
def test_the_first_page_is_light(names: set[str], most: int) -> None:
    """What it is made of and all that needs; what is fetched later, page by page, does not count."""
    manifest: dict[str, Any] = json.loads((DIST / ".vite" / "manifest.json").read_bytes())
    wanted, needed = [key for key, chunk in manifest.items() if chunk.get("name") in names], set[str]()
    assert len(wanted) == len(names)
    while wanted:
        chunk = wanted.pop()
        if chunk not in needed:
            needed.add(chunk)
            wanted += manifest[chunk].get("imports", [])
    sizes = {chunk: len(gzip.compress((DIST / manifest[chunk]["file"]).read_bytes())) for chunk in needed}
    assert 40_000 < sum(sizes.values()) < most, sizes


@needs_build
def test_nothing_on_the_page_is_inline_or_from_elsewhere() -> None:
    """The policy would forbid it."""
    page = (DIST / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=|https?://", page)


@needs_build
def test_it_can_be_installed_with_pictures_of_the_sizes_it_names() -> None:
    said = json.loads((DIST / "manifest.webmanifest").read_bytes())
    assert {one["sizes"] for one in said["icons"]} == {"any", "192x192", "512x512"}
    assert {one["purpose"] for one in said["icons"]} == {"any", "maskable"}
    for one in said["icons"]:
        assert one["src"] in PUBLIC
        if one["type"] == "image/png":
            wide, high = struct.unpack(">II", (DIST / one["src"][1:]).read_bytes()[16:24])
            assert one["sizes"] == f"{wide}x{high}"
    assert all(one["url"] in PAGES for one in said["shortcuts"])


@needs_build
def test_the_worker_keeps_the_page_and_what_that_names_alone() -> None:
    worker = (DIST / "sw.js").read_text(encoding="utf-8")
    files = json.loads(re.findall(r"^const FILES = (.+);$", worker, re.MULTILINE)[0])
    assert all((DIST / path[1:]).is_file() for path in files)
    assert sum((DIST / path[1:]).stat().st_size for path in files) < 500_000
    assert "__" not in worker.split("const FRAME")[0]


def test_every_address_of_the_ui_is_answered_with_its_page() -> None:
    table = (WEB / "src" / "app" / "routes.ts").read_text(encoding="utf-8")
    addresses = re.findall(r'^  \w+: "(/[^"]*)"', table, re.MULTILINE)
    assert len(addresses) > 4
    for address in addresses:
        first = "/" + address.split("/")[1]
        assert first in PAGES, address
        assert address == first or f"{first}/{{rest:path}}" in PAGES, address


def test_the_locked_packages_name_no_place_to_get_them() -> None:
    """Where packages come from is the affair of whoever installs: a mirror is as good."""
    locked = json.loads((WEB / "package-lock.json").read_bytes())["packages"]
    assert not [name for name, package in locked.items() if "resolved" in package]
    assert all("integrity" in package for name, package in locked.items() if name)


def test_no_type_of_the_ui_is_any() -> None:
    sources = [file for file in (WEB / "src").rglob("*.ts*") if file != TYPES]
    assert len(sources) > 20
    assert not [
        str(file) for file in sources if re.search(r"[:<|&] *any\b|\bas any\b", file.read_text(encoding="utf-8"))
    ]


@needs_node
def test_the_typed_client_is_that_of_this_api() -> None:
    assert TYPES.read_text(encoding="utf-8") == generated(), "Write it anew: python -m tests.web.typed_client"


@needs_node
@pytest.mark.parametrize("tool", ["typescript/bin/tsc --noEmit", "vitest/vitest.mjs run"])
def test_the_ui_passes_its_own(tool: str) -> None:
    program, *arguments = tool.split()
    command = ["node", str(WEB / "node_modules" / Path(program)), *arguments]
    ended = subprocess.run(command, cwd=WEB, capture_output=True, text=True, timeout=100, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
