"""What each version of a read model is made of, as it was released. Whoever changes that raises the version.

Then both stand side by side while processes of both releases run. Without it the one of the release before goes on in
the tables of this one, and leaves out what it does not know.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from projections import PROJECTIONS
from projections.folding import Projection

FROZEN: list[dict[str, Any]] = [
    json.loads(line) for line in (Path(__file__).parent / "frozen_models.jsonl").read_text().splitlines()
]


def row(projection: Projection) -> dict[str, Any]:
    tables = " ".join(projection.tables.split())
    return {
        "name": projection.name, "version": projection.version, "handled": projection.handled,
        "tables": hashlib.sha256(tables.encode()).hexdigest()[:16],
    }  # fmt: skip


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)
def test_what_a_read_model_is_made_of_changes_with_its_version_alone(projection: Projection) -> None:
    today = row(projection)
    frozen = [one for one in FROZEN if (one["name"], one["version"]) == (projection.name, projection.version)]
    assert frozen == [today], f"Raise its version, and add this line, changing none: {json.dumps(today)}"


def test_each_version_is_frozen_once() -> None:
    versions = [(one["name"], one["version"]) for one in FROZEN]
    assert len(versions) == len(set(versions))
