"""Pictures that take little room."""

import struct
import zlib
from collections import Counter
from typing import TypeAlias

Color: TypeAlias = tuple[int, ...]


def in_256_colors(png: bytes) -> bytes:
    """The same picture at half the size: frequent colors first, and for what is left out the nearest."""
    width, height, pixels = _pixels(png)
    counted = [color for color, _ in Counter(pixels).most_common()]
    palette = next(found for step in range(256) if len(found := _apart(counted, 3 * step * step)) <= 256)
    index = {color: min(range(len(palette)), key=lambda n: _distance(palette[n], color)) for color in counted}
    rows = (pixels[start : start + width] for start in range(0, width * height, width))
    data = b"".join(b"\0" + bytes(index[color] for color in row) for row in rows)
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", bytes(part for color in palette for part in color)),
        (b"IDAT", zlib.compress(data, 9)),
        (b"IEND", b""),
    ]
    written = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    ]
    return png[:8] + b"".join(written)


def _apart(colors: list[Color], least: int) -> list[Color]:
    """The first of `colors`, and of the others those that are not too near to one before, up to 257."""
    kept: list[Color] = []
    for color in colors:
        if all(_distance(other, color) > least for other in kept):
            kept.append(color)
            if len(kept) > 256:
                break
    return kept


def _distance(one: Color, other: Color) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _pixels(png: bytes) -> tuple[int, int, list[Color]]:
    """Width, height and colors of a PNG file as Chromium writes it: 8 bits, RGB, not interlaced."""
    width, height, *kind = struct.unpack(">IIBBBBB", png[16:29])
    assert kind == [8, 2, 0, 0, 0]
    packed, at = b"", 8
    while at < len(png):
        length, name = struct.unpack(">I4s", png[at : at + 8])
        packed += png[at + 8 : at + 8 + length] if name == b"IDAT" else b""
        at += length + 12
    lines, size = zlib.decompress(packed), 3 * width
    before, pixels = bytearray(size), []
    for start in range(0, len(lines), size + 1):
        before = _unfiltered(lines[start], bytearray(lines[start + 1 : start + 1 + size]), before)
        pixels += [tuple(before[x : x + 3]) for x in range(0, size, 3)]
    return width, height, pixels


def _unfiltered(method: int, line: bytearray, above: bytearray) -> bytearray:
    """A line of pixels, of which the file holds the difference to what is left of it and above."""
    for x in range(len(line)):
        a, b, c = (line[x - 3], above[x], above[x - 3]) if x >= 3 else (0, above[x], 0)
        nearest = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
        line[x] = (line[x] + (0, a, b, (a + b) // 2, nearest)[method]) & 255
    return line
