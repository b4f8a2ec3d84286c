"""The documentation site: `make docs` writes it to ntkverify/site, and `ntkverify docs` opens it.

It reads nothing from a network, when it is built or when it is read: formulas are MathML, fonts are those of the reader.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "ntkverify"
extensions = ["myst_nb", "pages"]
nb_execution_mode = "off"  # `make notebooks` executes them
nb_ipywidgets_js = {}  # sliders need a kernel, and their scripts a network
nb_merge_streams = True
exclude_patterns = ["README.md", "_ext", ".built"]
myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 4
highlight_language = "none"
html_theme = "furo"
html_title = "ntkverify"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_show_sphinx = False
html_math_renderer = "mathml"
