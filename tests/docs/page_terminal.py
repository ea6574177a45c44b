"""The terminal of an emulated Pico: what it shows when the lines of a block are typed."""

import re
import time

from anne_tools.boards.emulator import EmulatedPico

PATIENCE_S = 120


def typed_lines(block: str) -> list[bytes]:
    """Return what is typed for each line behind a prompt, with the Enter.

    Lines behind `...` are typed only into a statement that ends in a colon, up to an empty one; else `...` stands for
    what a page leaves out. A continued line begins where the prompt puts it, as far in as the line before it, or
    further behind a colon; a backspace takes it out a step.
    """
    typed, place, is_open = [], 0, False
    for line in block.splitlines():
        if line.startswith(">>> "):
            text, back = line[4:], 0
            is_open = text.endswith(":")
        elif is_open and (line.rstrip() == "..." or line.startswith("... ")):
            text = line[4:].rstrip()
            back = (place - _indentation(text)) // 4
            is_open = bool(text)
        else:
            continue
        place = _indentation(text) + (4 if text.endswith(":") else 0)
        typed.append(b"\x7f" * back + text.lstrip().encode() + b"\r")
    return typed


def _indentation(text: str) -> int:
    return len(text) - len(text.lstrip())


def terminal(pico: EmulatedPico, block: str) -> str:
    """Return what the terminal shows when the lines of a block are typed one by one, without the banner.

    TimeoutError with what it shows if it never comes back to its prompt.
    """
    typed, shown = typed_lines(block), bytearray()
    end = time.monotonic() + PATIENCE_S

    def read(timeout_s: float) -> bytes | None:
        if time.monotonic() > end:
            raise TimeoutError(f"no prompt in {PATIENCE_S} s; the terminal shows\n{shown.decode()}")
        if not re.search(rb"(^|\n)(>>> |\.\.\. +)$", shown):
            return b""
        return typed.pop(0) if typed else None

    pico.interact(read, shown.extend)
    lines = seen(shown.decode()).split("\n")
    begin = next(i for i, line in enumerate(lines) if line.startswith(">>> "))
    return "".join(f"{line}\n" for line in lines[begin:-1])


def seen(text: str) -> str:
    """Return what one sees in the end of what was written to a terminal, without spaces at the end of lines.

    A backspace deletes up to the end of a line; progress is written over, so what stands last in a line is seen.
    """
    lines = re.sub(r"\x08+\x1b\[K", "", text.replace("\r\n", "\n")).split("\n")
    return "\n".join(line.split("\r")[-1].rstrip() for line in lines)
