"""Text on a button of any colour can be read."""

from hypothesis import given
from hypothesis import strategies as st

from guestlist.colours import ACCENT, CARDS, READABLE, VISIBLE, button_colours, contrast


def test_the_contrast_is_that_of_wcag():
    assert contrast("#000000", "#ffffff") == 21
    assert contrast("#ffffff", "#ffffff") == 1
    assert round(contrast("#767676", "#ffffff"), 2) == 4.54


@given(st.integers(0, 0xFFFFFF).map("#{:06x}".format))
def test_text_on_any_colour_can_be_read(colour):
    colours = button_colours(colour)
    assert colours["accent"] == colour
    assert contrast(colour, colours["on_accent"]) >= READABLE


@given(st.integers(0, 0xFFFFFF).map("#{:06x}".format))
def test_a_button_of_any_colour_can_be_seen_light_and_dark(colour):
    edge = button_colours(colour)["accent_edge"]
    assert all(contrast(edge, card) >= VISIBLE for card in CARDS)


def test_no_colour_is_ours():
    assert button_colours("") == {"accent": ACCENT, "on_accent": "#ffffff", "accent_edge": ACCENT}
