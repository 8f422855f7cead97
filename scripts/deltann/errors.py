"""The two exceptions that a user sees as one sentence, without a traceback."""


class StudyError(Exception):
    """A fault the user can mend: the message names the file or key, and what is expected."""


class Transient(Exception):
    """An end that could be the machine's fault, while Snakemake has retries left."""
