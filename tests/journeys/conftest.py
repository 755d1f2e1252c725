"""What the journeys in a browser share."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.journeys.browser import browser


@pytest.fixture
async def chromium() -> AsyncIterator[Any]:
    async with browser() as started:
        yield started
