"""Boards: their memories and speed, the emulated and the real ones, and what is done there."""
