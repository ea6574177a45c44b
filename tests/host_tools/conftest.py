"""Lets the tests below this folder import its helpers: data, tflite_writer."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
