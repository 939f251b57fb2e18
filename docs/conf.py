"""The site: `make docs`."""

import sys
from pathlib import Path
from xml.etree import ElementTree

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))
import reference_generator  # noqa: E402
from site_extension import setup  # noqa: E402, F401  Sphinx looks for it here

reference_generator.write(DOCS)

project = "sac_control"
release = version = ElementTree.parse(DOCS.parent / "package.xml").findtext("version") or ""
extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4  # as GitHub has them
exclude_patterns = ["requirements.txt"]
html_theme = "furo"
html_title = project
html_math_renderer = "mathml"
html_copy_source = html_show_sourcelink = html_show_copyright = False
