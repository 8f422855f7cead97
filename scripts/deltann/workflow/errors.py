"""Faults of the user's, as Snakemake shows them: one message, no traceback."""

from collections.abc import Callable
from typing import TypeVar

from snakemake.exceptions import WorkflowError

from deltann.errors import StudyError

Result = TypeVar("Result")


def raise_as_workflow_error(function: Callable[..., Result], *arguments: object) -> Result:
    """Call a function; turn its StudyError or OSError into an error that Snakemake shows plainly.

    Raises:
        WorkflowError: with the message of the function's error.
    """
    try:
        return function(*arguments)
    except (StudyError, OSError) as error:
        raise WorkflowError(str(error)) from None
