"""The one exception of the host tools: its text is what the user reads, so it says what, expected, got, and what to do."""


class ModelError(ValueError):
    """A model, its data or a request about it cannot be used; shown without a traceback, exit status 1."""


class DeviceError(RuntimeError):
    """A Pico, emulated or real, did not do what was asked: its traceback, or why it cannot be reached; exit status 1."""
