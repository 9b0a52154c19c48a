"""What an engine says of a program that it has no code for."""


class Unsupported(Exception):
    """The message completes "the engine has no code for …"."""
