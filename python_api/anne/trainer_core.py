"""A trainer's core where there is no native module: the same C code in a library on a PC, or plain Python."""

from .unfit import refuse_training

refuse_training()
try:
    from .host_trainer import Trainer
except ImportError:
    from .reference_trainer import Trainer

__all__ = ["Trainer"]
