"""`python -m tests.web.typed_client` writes the web UI's types anew, from what the API says of itself."""

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import cast

import msgspec

from medianest.api.application import build_api
from medianest.api.docs import corrected
from medianest.api.site import Site
from medianest.settings import load

WEB = Path(__file__).parents[2] / "medianest" / "web"
TYPES = WEB / "src" / "api" / "schema.d.ts"
GENERATOR = WEB / "node_modules" / "openapi-typescript" / "bin" / "cli.js"


def missing() -> str:
    """What is not here that the tools of the web UI need; nothing, if all is."""
    if shutil.which("node") is None:
        return "node is not installed"
    return (
        "" if GENERATOR.is_file() else "the packages of the web UI are not installed: `npm ci --prefix medianest/web`"
    )


def generated() -> str:
    """The types as they ought to be."""
    with TemporaryDirectory() as folder:
        document, types = Path(folder) / "openapi.json", Path(folder) / "schema.d.ts"
        document.write_bytes(msgspec.json.encode(_document()))
        command = ["node", str(GENERATOR), str(document), "--output", str(types)]
        subprocess.run(
            [*command, "--root-types", "--root-types-no-schema-prefix"], check=True, capture_output=True, timeout=60
        )
        return types.read_text(encoding="utf-8")


def _document() -> dict[str, object]:
    """What /docs/openapi.json answers. Nothing of the house is asked for it but its settings."""
    app = build_api(cast("Site", SimpleNamespace(settings=load(None, {}), live=None)))
    return corrected(app.openapi_schema.to_schema())


if __name__ == "__main__":
    if why := missing():
        raise SystemExit(f"The types cannot be written: {why}")
    TYPES.write_text(generated(), encoding="utf-8")
