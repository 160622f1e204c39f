"""How the documentation is built: `sphinx-build docs docs/_build`."""

project = "Guestlist"
author = "The Guestlist developers"
extensions = ["myst_parser"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "Guestlist"
html_copy_source = False
myst_heading_anchors = 3
# The pages are read without a network, so nothing is fetched from elsewhere.
html_theme_options = {"footer_icons": []}
