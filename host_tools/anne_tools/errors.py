"""The exceptions of the host tools: their text is what the user reads, so it says what, expected, got, what to do."""


class ModelError(ValueError):
    """A model, its data or a request about it cannot be used; shown without a traceback, exit status 1."""


class DeviceError(RuntimeError):
    """A Pico, emulated or real, did not do what was asked; exit status 1.

    `traceback` is the board's own, where a script ended with one.
    """

    def __init__(self, message: str, traceback: str = "") -> None:
        super().__init__(message)
        self.traceback = traceback
