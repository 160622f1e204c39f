"""Colours that organizations choose, and what can be read on them."""

# As the pages' own buttons.
ACCENT = "#4a47d6"
WHITE, NEAR_BLACK = "#ffffff", "#050505"
# The cards of messages, light and dark, and a grey that stands out from both.
CARDS = ("#ffffff", "#17171c")
EDGE = "#7d7d8a"
# WCAG 2.2: 1.4.3 for text; below the other a button would melt into its card.
READABLE, VISIBLE = 4.5, 1.5


def button_colours(accent: str) -> dict[str, str]:
    """`accent`, the text that can be read on it, and the edge that shows where it is, light or dark."""
    accent = accent or ACCENT
    text = WHITE if contrast(accent, WHITE) >= READABLE else NEAR_BLACK
    melts = any(contrast(accent, card) < VISIBLE for card in CARDS)
    return {"accent": accent, "on_accent": text, "accent_edge": EDGE if melts else accent}


def contrast(one: str, other: str) -> float:
    """How far two colours `#rrggbb` stand apart, from 1 to 21, as WCAG 2.2 defines it."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[start : start + 2], 16) / 255) for start in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
