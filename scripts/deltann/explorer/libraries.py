"""The JavaScript that others wrote, from Python packages, ready for a page.

- DataTables 2, with its extensions, from `itables`: sorting, searching and paging of the table with
  labels for screen readers. 0.6 MB, MIT. The package has no dependencies; importing it needs
  IPython, so that its file is read.
- Vega, Vega-Lite and Vega-Embed from `vl-convert-python`: plots as SVG, and an interpreter of their
  expressions, so that the page needs no `eval`. 0.9 MB, BSD-3-Clause; 84 MB in the environment, as
  the package can also draw.
"""

import base64
import hashlib
import re
from importlib import metadata
from pathlib import Path

LICENCES = Path(__file__).with_name("licences.txt")
DATATABLES = "itables/html/dt_bundle.js"
EXPORTS = re.compile(r"\bexport\s*\{([^{}]*)\}\s*;?")
# Ends a script element, or begins what a parser of HTML takes for a comment in it.
MARKUP = re.compile("<(?=/script|!--)", re.IGNORECASE)


def datatables() -> str:
    """DataTables as a classic script that sets `DataTable`.

    Raises:
        ValueError: the package's file is no module with the exports that are expected.
    """
    found = [path for path in metadata.files("itables") or [] if path.as_posix() == DATATABLES]
    if not found:
        raise ValueError(f"the package itables has no {DATATABLES}")
    return as_classic(Path(str(found[0].locate())).read_text(encoding="utf-8"), "DataTable")


def as_classic(module: str, name: str) -> str:
    """A module as a classic script that sets `name` to the module's default export.

    Raises:
        ValueError: the module has several export statements, or none with a default.
    """
    exports = list(EXPORTS.finditer(module))
    locals_ = [
        local
        for found in exports
        for local in re.findall(r"([\w$]+)\s+as\s+default\b", found.group(1))
    ]
    if len(exports) != 1 or len(locals_) != 1:
        raise ValueError(f"{len(exports)} export statements; expected one, with a default")
    start, end = exports[0].span()
    return f"(()=>{{{module[:start]}window.{name}={locals_[0]};{module[end:]}\n}})();"


def vega() -> str:
    """Vega as a classic script that sets `vegaEmbed`, `vega` and `vegaLite`."""
    import vl_convert

    return f"(()=>{{{vl_convert.javascript_bundle()}\n}})();"


def scripts() -> list[str]:
    """The libraries in the order in which a page loads them, with their licences as comments."""
    return [f"/*!\n{LICENCES.read_text(encoding='utf-8')}*/", datatables(), vega()]


def element(script: str) -> tuple[str, str]:
    """A script element, and its source for a content security policy.

    Nothing in the script ends the element; `\\x3C` is `<` in a string, a template and a regular
    expression, where alone scripts have such markup.

    Raises:
        ValueError: the script has a carriage return or a NUL, which browsers change.
    """
    if "\r" in script or "\0" in script:
        raise ValueError("a script with a carriage return or a NUL; expected neither")
    text = MARKUP.sub(r"\\x3C", script)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return f"<script>{text}</script>", f"'sha256-{digest}'"
