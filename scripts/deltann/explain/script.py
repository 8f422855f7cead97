"""Cut one function out of a module's TVMScript."""

import re

LINES = 80
WIDTH = 400


def function(text: str, name: str) -> str | None:
    """A function's text, without the module's indentation and at most `LINES` lines long.

    Args:
        text: a module's TVMScript.
        name: the function's name.

    Returns:
        None if the module has no such function.
    """
    lines = text.splitlines()
    head = re.compile(rf"(\s*)def {re.escape(name)}\(")
    for start, line in enumerate(lines):
        match = head.match(line)
        if match:
            indent = match[1]
            body = [line]
            for more in lines[start + 1 :]:
                if more.strip() and not more.startswith(indent + " "):
                    break
                body.append(more)
            while not body[-1].strip():
                body.pop()
            cut = [_short(item.removeprefix(indent)) for item in body[:LINES]]
            left = len(body) - len(cut)
            return "\n".join([*cut, f"# … {left} more lines"] if left else cut)
    return None


def _short(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[:WIDTH]} …"
