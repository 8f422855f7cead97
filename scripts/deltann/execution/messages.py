"""Messages of foreign tools: bounded, without control characters, and the line that tells."""

import re

# So many characters of a message or traceback are recorded; the job's log has all of it.
LONGEST = 4000
# So many characters of the line that tells.
LINE = 300
# Colours and other sequences of ANSI terminals (ECMA-48), and characters that print nothing.
ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
# `ValueError: …`, `tvm.error.InternalError: …`, `<class 'torch.onnx.errors.Unsupported'>: …`
EXCEPTION = re.compile(r"^(?:[\w.]*(?:Error|Exception|Unsupported\w*)|<class '[\w.]+'>): +\S")
# `file.mlir:1:2: error: …`, as compilers say
COMPILER = re.compile(r"(?:^|\s)(?:fatal )?error: ", re.IGNORECASE)
# Where in an MLIR module something happened, which can be longer than what happened
LOCATION = re.compile(r"loc\(.*\): ")
# What frameworks say before or after the line that tells.
AROUND = re.compile(
    r"""^(?:Exception\ encountered\ when\ calling | Traceback\ \( | File\ " | in\ user\ code: |
    Arguments\ received\ by | Call\ arguments\ received\ by | During\ handling\ of | The\ above\ e |
    Stack\ trace | Failed\ to\ export\ the\ model\ with | ⬇️ | [•\#*=~^-] | \d+: | \[bt\])""",
    re.VERBOSE,
)


def clean(text: str) -> str:
    """A text without ANSI codes and other control characters, except tabs and line ends."""
    return CONTROL.sub("", ANSI.sub("", text).replace("\r\n", "\n"))


def bounded(text: str, longest: int = LONGEST) -> str:
    """A clean text of at most about `longest` characters: its begin, its end, the line that tells.

    Args:
        text: a message or a traceback.
        longest: above that length, the middle is left out.
    """
    text = clean(text)
    if len(text) <= longest:
        return text
    line = telling(text)
    start, end = text[: longest // 2], text[-longest // 4 :]
    kept = "" if line in start or line in end else f"{line}\n"
    left_out = len(text) - len(start) - len(end)
    return f"{start}\n{kept}… {left_out:,} characters are left out here; the log has them …\n{end}"


def telling(message: str, longest: int = LINE) -> str:
    """The one line of a message that says what is wrong.

    That is the last line that begins with an exception's name, else the first compiler's `error:`,
    else the first line that isn't a framework's announcement.

    Args:
        message: an exception's text, of any length.
        longest: the line is cut to so many characters.
    """
    lines = [line.strip() for line in clean(message).splitlines() if line.strip()]
    named = [line for line in lines if EXCEPTION.search(line)]
    compilers = [line for line in lines if COMPILER.search(line)]
    plain = [line for line in lines if not AROUND.search(line)]
    line = next(iter([*named[-1:], *compilers, *plain, *lines]), "no message")
    line = LOCATION.sub("", line)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
