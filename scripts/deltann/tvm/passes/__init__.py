"""Graph passes that TVM doesn't have."""

from collections.abc import Callable
from typing import Any, NamedTuple

from deltann.ours import ours


class Info(NamedTuple):
    """What is known of a pass, as in `tvm.transform.PassInfo`."""

    name: str


class GraphPass:
    """A graph pass of this project, called as one of TVM's.

    It isn't a `tvm.transform.Pass`: an exception on its way through C++ loses its class, and so
    whose it is.

    Attributes:
        info: with the pass's name.
        what: what to call it in a message.
    """

    def __init__(self, name: str, rewrite: Callable[[Any], Any], what: str = "") -> None:
        """Make a pass of a function from a `tvm.IRModule` to another."""
        self.info, self._rewrite = Info(name), rewrite
        self.what = what or f"the graph pass {name}"

    def __call__(self, module: Any) -> Any:
        """The rewritten module.

        Raises:
            Fault: the function raised.
        """
        with ours(self.what):
            return self._rewrite(module)
