"""What no arithmetic covers."""


class UnknownOperation(NotImplementedError):
    """A formula uses an operation, or a dtype, that no rule covers; the message names it and where it stands."""
