"""The blocks of code in a page of Markdown, and what comments right above them say.

<!-- not run: needs a board -->      why a block cannot run in the tests
<!-- files: examples/iris.csv, tests/golden/keras/keras3_mlp.keras as net.keras -->
                                     files of the repository that the reader has now, too; above what is
                                     typed on a board, this is a new one with them in its storage
<!-- after a reset -->               the board begins anew, its storage stays
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

_BLOCK = re.compile(
    r"(?P<comments>(?:^<!-- (?:(?!-->).)* -->\n+)*)^```(?P<kind>[^\n]*)\n(?P<text>.*?)^```$", re.M | re.S
)
_COMMENT = re.compile(r"<!-- (?P<what>not run|files|after a reset)(?:: (?P<value>.*?))? -->", re.S)


@dataclass
class Block:
    """A block of a page: the language behind its fence, its lines, and where it begins."""

    kind: str
    text: str
    place: str
    not_run: str = ""  # the reason
    files: list[tuple[Path, str]] = field(
        default_factory=list
    )  # of the repository, and their names for the reader
    after_reset: bool = False

    @property
    def on_board(self) -> bool:
        """Python with a prompt is what a board's terminal shows; without, a program for the PC."""
        return self.kind == "python" and self.text.startswith(">>> ")


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page in their order."""
    text, found = page.read_text(), []
    for match in _BLOCK.finditer(text):
        line = text.count("\n", 0, match.start("kind")) + 1
        block = Block(match["kind"], match["text"], f"{page.relative_to(ROOT)}:{line}")
        for comment in _COMMENT.finditer(match["comments"]):
            if comment["what"] == "not run":
                block.not_run = " ".join(comment["value"].split())
            elif comment["what"] == "files":
                block.files = [_file(name) for name in comment["value"].split(",")]
            else:
                block.after_reset = True
        found.append(block)
    return found


def _file(text: str) -> tuple[Path, str]:
    path, _, name = (part.strip() for part in text.partition(" as "))
    return ROOT / path, name or Path(path).name
