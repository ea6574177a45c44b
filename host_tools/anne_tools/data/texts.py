"""Text that others wrote: files in whatever encoding, lists of names; and made harmless before it is printed."""

from __future__ import annotations

import codecs
import re
import unicodedata
from pathlib import Path

from ..errors import ModelError
from .files import read_whole

# UTF-32's mark begins with UTF-16's, so it is looked for first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# What no list of names looks like: one word with a folder in front, or an ending of files of text.
_FILE_NAME = re.compile(
    r"^[^,]*[/\\][^,]*$|\.(txt|csv|tsv|names|labels|list|lst|json|ya?ml|pbtxt|md|data)$", re.I
)


def read_text(path: Path) -> str:
    """Return what a text file says, its line ends as "\\n": UTF-8, or what a byte order mark at its start names.

    Other encodings are refused, not guessed: a wrong guess makes wrong names. ModelError in one line for those, and for
    a file that cannot be read.
    """
    content = read_whole(path)
    mark, encoding = next((known for known in _MARKS if content.startswith(known[0])), (b"", "utf-8"))
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: len(mark) + error.start].count(b"\n") + 1
        raise ModelError(
            f"{path.name}: line {line} is not {encoding.upper()} text; save it as UTF-8"
        ) from None
    if "\0" in text:
        raise ModelError(
            f"{path.name}: zero bytes in it: not text, or UTF-16 without its mark; save it as UTF-8"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def harmless(text: str) -> str:
    """Return `text` as one line in which nothing moves the cursor, colours, hides or reorders: that is escaped.

    Letters of any script and spaces stay. Line ends, control characters, Unicode's direction marks, characters without
    width or meaning and halves of surrogate pairs become `\\n`, `\\x1b`, `\\u202e` and so on.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or unicodedata.category(c) == "Zs" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def same_name(name: object) -> str:
    """Return `name` as it is compared: without spaces around it, accents as one character each."""
    return unicodedata.normalize("NFC", str(name).strip())


def names_of(text: str, what: str) -> list[str]:
    """Return names from the command line: those of a text file, one a line, or those in `text` between commas.

    A name of a file that is not there is no list: ModelError, naming the option `what`.
    """
    try:
        is_file = Path(text).is_file()
    except OSError:  # a list longer than any file's name
        is_file = False
    if not is_file and _FILE_NAME.search(text):
        raise ModelError(f"{what}: {text}: no such text file; expected one, or names between commas")
    names = read_text(Path(text)).split("\n") if is_file else text.split(",")
    names = [name.strip() for name in names if name.strip()]
    if not names:
        raise ModelError(f"{what}: no names in {text!r}")
    return names
