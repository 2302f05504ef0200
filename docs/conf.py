"""Sphinx builds the pages of this folder, and those that `generate` makes of docstrings, help texts and cards."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import docstrings  # noqa: E402
import generate  # noqa: E402

import cginit  # noqa: E402

project = "cginit"
author = "The cginit developers"
project_copyright = f"{author}, BSD-3-Clause"
release = version = cginit.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "myst_nb",
    "mathml",
]
exclude_patterns = ["_build", "**/jupyter_execute"]
nitpicky = False

# Pages
myst_enable_extensions = ["dollarmath", "deflist", "colon_fence", "attrs_inline"]
myst_heading_anchors = 3
myst_links_external_new_tab = False
suppress_warnings = ["myst.header"]  # generated pages may begin below a heading that stands elsewhere

# Docstrings: numpydoc; names in single backticks are objects where there is one of that name, and code elsewhere.
default_role = "py:obj"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style")]
autodoc_member_order = "bysource"
autodoc_typehints = "none"
add_module_names = False
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

# Notebooks run when the pages are built; an error in one is an error of the build.
nb_execution_mode = "cache"
nb_execution_timeout = 300
nb_execution_show_tb = True
nb_merge_streams = True

# Look
html_math_renderer = "mathml"
html_theme = "furo"
html_title = f"cginit {release}"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True}
pygments_style, pygments_dark_style = "friendly", "monokai"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

generate.write_all(HERE)


def setup(app):
    """Connect what `generate` does to pages and docstrings."""
    app.connect("source-read", generate.read_page)
    app.connect("autodoc-process-docstring", docstrings.read_docstring)
    app.connect("doctree-read", docstrings.read_references)
