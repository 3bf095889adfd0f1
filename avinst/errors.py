"""The error types for what a user can mend; no other error is expected to reach a user."""


class UserError(Exception):
    """Bad input: the message is one line that says what was found, what was expected and what to change.

    Commands print the message without a traceback and exit with status 1 (`avinst.command.run`).
    """


class UsageError(UserError):
    """Flags that are missing or contradict each other; commands exit with status 2."""
