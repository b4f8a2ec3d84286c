"""What the site needs beside Sphinx, MyST and furo: formulas, pages made from docstrings, links to what is no page."""

from pages import claims, glossary, library, links, maths, notebooks, results, written


def setup(app):
    """Register the parts; pages are written before any is read."""
    maths.setup(app)
    claims.setup(app)
    links.setup(app)
    notebooks.setup(app)
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _write(app):
    made = claims.pages() | glossary.pages() | library.pages()
    for part in (links, notebooks, results):
        made |= part.pages(app.srcdir)
    written.write(app.srcdir / written.FOLDER, made)
