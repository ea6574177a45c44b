"""Types of the core that a trainer has where there is no native module."""

from .reference_trainer import Trainer as Trainer

__all__ = ["Trainer"]
