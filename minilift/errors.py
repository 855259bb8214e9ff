"""The one exception that stands for "the user can mend this"."""


class InputError(ValueError):
    """A file, flag or value that the user gave cannot be used.

    Its message is one line that names the file or flag, the value and the remedy. The command-line
    programs print it without a traceback and exit with status 2.
    """
