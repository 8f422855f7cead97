"""The summary as a page for a browser."""

from string import Template

from markdown_it import MarkdownIt

# Paragraphs between the title and the first section are warnings.
PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Summary of the study</title>
<style>
body { font: 1rem/1.5 sans-serif; max-width: 60rem; margin: 1rem auto; padding: 0 1rem; }
li { overflow-wrap: anywhere; margin: .3rem 0; }
h1 ~ p strong { color: #c00000; }
</style>
</head>
<body>
$body</body>
</html>
""")


def page(text: str) -> str:
    """A markdown summary as HTML. HTML in it, as in an error's message, is escaped."""
    return PAGE.substitute(body=MarkdownIt("commonmark", {"html": False}).render(text))
