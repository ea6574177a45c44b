"""How Sphinx makes the site (`make docs`): the pages of docs/ and the root's, as they lie, into build/site.

Two things are filled in while it builds. The navigation is what docs/index.md lists: a hidden table of contents for
each of its headings. And `<!-- reference: NAME -->` in a page becomes what reference.py makes of docstrings and stubs.
"""

import re
import sys
from pathlib import Path

from docutils.nodes import document
from sphinx.application import Sphinx

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

import reference  # noqa: E402 - it lies beside this file

project = "AI-ANNE for the Raspberry Pi Pico"
copyright = "the authors of AI-ANNE for the Pico, MIT licence"
version = release = (ROOT / "VERSION").read_text().strip()

extensions = ["myst_parser"]
root_doc = "docs/index"
# The folder of the pages is the repository, so that their links are those that GitHub shows.
include_patterns = ["*.md", "docs/*.md", "examples/README.md"]
exclude_patterns = ["build", ".*", "micropython", "tests", "native_module", "python_api", "host_tools"]

myst_heading_anchors = 4  # as GitHub names headings
myst_enable_extensions = ["attrs_block"]
# A list of links may begin a page's part, a table an include: nothing to warn of. Folders have no page to link to.
suppress_warnings = ["myst.header"]

html_theme = "furo"
html_title = f"AI-ANNE {version}"
html_copy_source = False
html_show_sourcelink = False
html_static_path = ["static"]
html_css_files = ["site.css"]

_HEADING_OR_LINK = re.compile(
    r"^## (?P<heading>.+)$|^- .*?\[(?P<title>[^]]+)\]\((?P<path>[^)#]+\.md)\)", re.M
)


def _navigation(page: str) -> str:
    """Return the tables of contents that the lists of docs/index.md stand for, one for each heading."""
    parts: list[str] = []
    for match in _HEADING_OR_LINK.finditer(page):
        if match["heading"]:
            parts += ["```", "", "```{toctree}", ":hidden:", f":caption: {match['heading']}", ""]
        else:
            name = match["path"].removesuffix(".md")
            path = name.removeprefix("../") if name.startswith("../") else f"docs/{name}"
            parts.append(f"{match['title']} </{path}>")
    return "\n".join([*parts[1:], "```", ""])


def _fill_in(app: Sphinx, name: str, content: list[str]) -> None:
    if name == root_doc:
        content[0] += "\n" + _navigation(content[0])
    content[0] = reference.fill_in(content[0])


def _show_text_as_text(app: Sphinx, tree: document) -> None:
    """A block without a language is text or a drawing; nobody should guess at its colours."""
    for block in tree.findall(lambda node: node.tagname == "literal_block"):
        if not block.get("language") or block["language"] == "default":
            block["language"] = "text"


def _lead_in(app: Sphinx, error: Exception | None) -> None:
    """Write what brings from the site's folder to its first page."""
    if error is None:
        line = '<meta http-equiv="refresh" content="0; url=docs/index.html">\n'
        (Path(app.outdir) / "index.html").write_text(f"<!doctype html>\n<title>{project}</title>\n{line}")


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _fill_in)
    app.connect("doctree-read", _show_text_as_text)
    app.connect("build-finished", _lead_in)
