"""Pictures for what has none here: a landscape for each title, drawn row by row, the same whenever it is asked for."""

import hashlib
import random
import struct
import zlib
from colorsys import hls_to_rgb
from functools import lru_cache
from typing import NamedTuple

from medianest.sandbox.serving import Answer

LARGEST_SIDE = 2000  # pixels
SUBJECTS_KEPT = 256
RIDGES = 4
CITIES = 0.3  # of all pictures

Colour = tuple[float, float, float]


class Peak(NamedTuple):
    """A mountain, or with no slope a tower; in parts of the width and the height."""

    across: float
    top: float
    slope: float
    breadth: float  # at the top


class Scene(NamedTuple):
    """A sky, what stands in it, and hills before it, the farthest first."""

    above: Colour
    below: Colour
    light: Colour
    across: float
    up: float
    radius: float  # in parts of the width
    ridges: tuple[tuple[Colour, tuple[Peak, ...]], ...]


def picture(subject: str, width: int, height: int) -> Answer:
    return Answer(200, _png_of(subject, width, height), "image/png")


@lru_cache(maxsize=SUBJECTS_KEPT)
def _png_of(subject: str, width: int, height: int) -> bytes:
    width, height = (max(8, min(side, LARGEST_SIDE)) for side in (width, height))
    scene = _scene(random.Random(hashlib.sha256(subject.encode()).digest()))
    rows = bytearray()
    for y in range(height):
        rows += b"\x00" + _row(scene, y, width, height)
    return _png(width, height, bytes(rows))


def _scene(chance: random.Random) -> Scene:
    hue = chance.random()
    glow = hue + chance.choice((0.06, 0.1, 0.45, -0.08))
    above, below = _colour(hue, chance.uniform(0.1, 0.26), 0.5), _colour(glow, chance.uniform(0.48, 0.66), 0.55)
    ground = _colour(hue + 0.02, 0.05, 0.45)
    is_city = chance.random() < CITIES
    ridges = []
    for number in range(RIDGES):
        near = (number + 1) / RIDGES
        peaks = tuple(_peak(chance, 0.45 + 0.42 * near, is_city=is_city) for _ in range(14 if is_city else 5))
        ridges.append((_between(below, ground, 0.35 + 0.65 * near), peaks))
    light = _colour(glow + 0.03, 0.86, 0.7)
    return Scene(
        above,
        below,
        light,
        chance.uniform(0.2, 0.8),
        chance.uniform(0.2, 0.48),
        chance.uniform(0.07, 0.2),
        tuple(ridges),
    )


def _peak(chance: random.Random, foot: float, *, is_city: bool) -> Peak:
    across, top = chance.uniform(-0.1, 1.1), foot - chance.uniform(0, 0.22)
    if is_city:
        return Peak(across, top, 0, chance.uniform(0.03, 0.09))
    return Peak(across, top, chance.uniform(0.5, 1.3), 0)


def _row(scene: Scene, y: int, width: int, height: int) -> bytearray:
    down = y / height
    row = bytearray(_pixel(_between(scene.above, scene.below, down / 0.8)) * width)
    off = (down - scene.up) * height
    radius = scene.radius * width
    if abs(off) < radius:
        _draw(row, scene.across * width, (radius**2 - off**2) ** 0.5, scene.light)
    for colour, peaks in scene.ridges:
        for peak in peaks:
            if down > peak.top:
                _draw(row, peak.across * width, peak.breadth * width + (down - peak.top) * height * peak.slope, colour)
    return row


def _draw(row: bytearray, middle: float, half: float, colour: Colour) -> None:
    """Some pixels of one row, as far as they are in it."""
    width = len(row) // 3
    first, last = (min(width, max(0, round(edge))) for edge in (middle - half, middle + half))
    row[3 * first : 3 * last] = _pixel(colour) * (last - first)


def _colour(hue: float, bright: float, strong: float) -> Colour:
    return hls_to_rgb(hue % 1, bright, strong)


def _between(one: Colour, other: Colour, share: float) -> Colour:
    share = min(1.0, share)
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def _pixel(colour: Colour) -> bytes:
    return bytes(round(255 * part) for part in colour)


def _png(width: int, height: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
