"""Colours that people have to tell apart, by the measure of WCAG 2.2 (1.4.3, 1.4.11), in both themes."""

import re
from importlib import resources

import pytest

CSS = (resources.files("guestlist") / "static" / "guestlist" / "app.css").read_text()
TOKENS = dict(re.findall(r"--([\w-]+): light-dark\((#\w{3,6}, #\w{3,6})\)", CSS)) | dict(
    re.findall(r"--(on-accent): (#\w{6});", CSS)
)
GROUNDS = ("canvas", "surface", "raised", "sunken", "hover", "active")
TEXT = [
    *((text, ground) for text in ("text", "text-2") for ground in GROUNDS),
    *(("accent-text", ground) for ground in ("canvas", "surface", "raised", "sunken", "accent-soft")),
    *((f"{tone}-text", ground) for tone in ("danger", "warn", "ok") for ground in ("surface", "raised")),
    *((f"{tone}-text", f"{tone}-soft") for tone in ("danger", "warn", "ok")),
    *(("on-accent", ground) for ground in ("accent", "accent-hover", "danger", "danger-hover")),
    ("text", "neutral-soft"),
    ("text-2", "neutral-soft"),
]
EDGES = [
    *((edge, ground) for edge in ("line-strong", "accent-text") for ground in GROUNDS[:4]),
    ("accent", "surface"),
    ("danger", "surface"),
]


def luminance(color: str) -> float:
    """From #rgb or #rrggbb, 0 for black to 1 for white."""
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    parts = (int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """1 for the same colour, 21 for black on white."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def color(token: str, theme: int) -> str:
    """The value of a token in light (0) or dark (1)."""
    values = TOKENS[token].split(", ")
    return values[min(theme, len(values) - 1)]


def test_contrast_is_measured_as_wcag_does():
    assert round(contrast("#fff", "#000000"), 2) == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT)
def test_text_can_be_read(text, ground, theme):
    assert contrast(color(text, theme), color(ground, theme)) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), EDGES)
def test_edges_of_controls_and_the_focus_ring_can_be_seen(edge, ground, theme):
    assert contrast(color(edge, theme), color(ground, theme)) >= 3


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("number", range(1, 6))
def test_initials_can_be_read(number, theme):
    rule = re.search(
        rf"\.tint-{number} \{{ background: light-dark\((.*?)\); color: light-dark\((.*?)\);", CSS
    )
    ground, text = (part.split(", ")[theme] for part in rule.groups())
    assert contrast(text, ground) >= 4.5
