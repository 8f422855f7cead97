"""The line between this project's code and the tools that it studies.

What a tool raises is a result of the study. What this project raises while it changes a model on a
tool's behalf is a fault of this project, and stops the job.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from deltann.errors import StudyError, Unreachable


class Fault(StudyError):
    """A fault of this project, not of a tool.

    Args:
        what: the work that went wrong.
        happened: the rest of the sentence: `failed: KeyError: 'bias'`.
    """

    def __init__(self, what: str, happened: str) -> None:
        super().__init__(
            f"a fault of this project, not of a tool (please report it): {what} {happened}"
        )


class Work:
    """What of this project's own work is going on.

    Attributes:
        names: of the work under way, the innermost last. A process that dies or hangs leaves no
            exception, so whoever watches it asks for these names.
        done: the names of the work that is finished, the latest last.
        report: called with `names` whenever they change.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.done: list[str] = []
        self.report: Callable[[list[str]], object] = lambda names: None


WORK = Work()


@contextmanager
def ours(what: str) -> Iterator[None]:
    """Mark work of this project, as a context or a decorator: what it raises is our fault.

    Calls of a tool whose failure is a result don't belong inside.

    Args:
        what: the work, for the message, as `the graph pass PackLayout`.

    Raises:
        Fault: in place of any exception from inside.
    """
    WORK.names.append(what)
    WORK.report(WORK.names)
    try:
        yield
        WORK.done.append(what)
    except (StudyError, Unreachable):
        raise
    except Exception as error:
        raise Fault(what, f"failed: {type(error).__name__}: {error}") from error
    finally:
        WORK.names.pop()
        WORK.report(WORK.names)
