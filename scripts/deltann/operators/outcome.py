"""How one case went in one step: the words of bundles and of the matrix."""

from dataclasses import asdict, dataclass

OK, REFUSED, CRASHED = "ok", "refused", "crashed"


@dataclass(frozen=True)
class Outcome:
    """How a case went.

    Attributes:
        status: `OK`, `REFUSED` (an exception) or `CRASHED` (a signal, or a time limit).
        step: the edge or backend where it ended; empty if it is `OK`.
        type: the exception's class, the signal's name or `TimeLimit`.
        message: the line of the exception's that tells, or what happened.
        seconds: of the last step.
    """

    status: str
    step: str = ""
    type: str = ""
    message: str = ""
    seconds: float = 0.0

    def fields(self) -> dict:
        """What JSON can hold."""
        return asdict(self)
