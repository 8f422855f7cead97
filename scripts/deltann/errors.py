"""The one exception that means "tell the user this sentence", not "here is a bug"."""


class StudyError(Exception):
    """A fault the user can mend: its message names the file or key, the value and what is expected."""
