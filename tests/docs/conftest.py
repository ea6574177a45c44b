"""Lets the tests in this folder import what reads and follows pages: page_blocks, page_session, page_terminal."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
