"""The error types for what a user can mend; no other error is expected to reach a user."""


class UserError(Exception):
    """Bad input: the message is one line that says what was found, what was expected and what to change.

    Commands print the message without a traceback and exit with status 1 (`avinst.command.run`).
    """


class UsageError(UserError):
    """Flags that are missing or contradict each other; commands exit with status 2."""


class HandedOver(BaseException):
    """The work goes on elsewhere and nobody here waits for it; commands print the message and exit with status 0.

    No error, so nothing that handles errors catches it.
    """


class Interrupted(KeyboardInterrupt):
    """SIGINT or SIGTERM has come and what can be saved is; commands exit with `status`, 130 or 143."""

    def __init__(self, signal_number: int, message: str = "interrupted") -> None:
        super().__init__(message)
        self.signal_number = signal_number

    @property
    def status(self) -> int:
        """The shell's exit status of a process that a signal has ended."""
        return 128 + self.signal_number
