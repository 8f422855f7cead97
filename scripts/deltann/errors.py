"""Exceptions that a user sees as one sentence, without a traceback, or that mean another try."""


class StudyError(Exception):
    """A fault the user can mend: the message names the file or key, and what is expected."""


class Transient(Exception):
    """An end that could be the machine's fault, while Snakemake has retries left."""


class Unreachable(Exception):
    """A device on another machine that doesn't answer: could be the machine's fault, too."""
