"""Every block of code in README.md and docs/ does what the page shows, block after block, as a reader follows it."""

from pathlib import Path

import pytest
from page_blocks import PAGES, ROOT, Block, blocks
from page_session import Session, agrees, commands
from page_terminal import typed_lines

# What a block may be: what runs, and what is text.
RUNNING, TEXT = ("python", "pycon", "console"), ("", "text", "c", "json")
# Why a block may be left out, and how often at most: what the tests cannot have.
REASONS = {
    "needs a board": 8,
    "needs Keras": 3,
    "needs PyTorch": 3,
    "minutes": 3,
    "installs": 3,
}


def running(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.kind in RUNNING and not block.not_run]


@pytest.mark.parametrize(
    "page", [page for page in PAGES if running(page)], ids=lambda page: str(page.relative_to(ROOT))
)
def test_each_block_does_what_the_page_shows(page, tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    session = Session(tmp_path)
    for block in running(page):
        session.run(block)


def test_blocks_are_of_a_known_kind():
    wrong = [f"{block.place}: {block.kind}" for page in PAGES for block in blocks(page)]
    assert [place for place in wrong if place.rpartition(": ")[2] not in RUNNING + TEXT] == []


def test_blocks_that_do_not_run_say_why_and_are_few():
    """The reason is one of the list, followed by more words if need be."""
    left_out = [block for page in PAGES for block in blocks(page) if block.not_run]
    counted = dict.fromkeys(REASONS, 0)
    for block in left_out:
        (reason,) = [reason for reason in REASONS if block.not_run.startswith(reason)]
        counted[reason] += 1
    print("\n".join(f"{block.place}: {block.not_run}" for block in left_out))
    assert {reason: n for reason, n in counted.items() if not 0 < n <= REASONS[reason]} == {}


def test_most_blocks_run():
    found = [block for page in PAGES for block in blocks(page) if block.kind in RUNNING]
    assert len([block for block in found if not block.not_run]) > 2 * len([b for b in found if b.not_run])


def test_a_block_is_found_with_what_is_said_above_it(tmp_path, monkeypatch):
    page = ROOT / "docs" / "x.md"
    text = "a\n\n<!-- files: VERSION, a/b.py as c.py -->\n<!-- not run: needs\na board -->\n```console\n$ ls\n```\n"
    monkeypatch.setattr(Path, "read_text", lambda self: text)
    (block,) = blocks(page)
    assert (block.kind, block.text, block.place) == ("console", "$ ls\n", "docs/x.md:6")
    assert block.files == [(ROOT / "VERSION", "VERSION"), (ROOT / "a/b.py", "c.py")]
    assert block.not_run == "needs a board"


def test_what_a_page_shows_may_leave_things_out():
    assert agrees("a ... c\n...\nz\n", "a b c  \nd\ne\nz\n")
    assert not agrees("a\n", "b\n")
    assert commands("$ ls  # all\nx\ny\n$ cd\n") == [("ls", "x\ny\n"), ("cd", "")]


def test_what_is_typed_begins_where_the_prompt_puts_it():
    block = ">>> for x in y:\n...     if x:\n...         f(x)\n...     g(x)\n...\n1\n...\n>>> x\n...\n"
    # a step back before g, and one more on the last line, which is left empty; other ... is what is left out
    assert typed_lines(block) == [b"for x in y:\r", b"if x:\r", b"f(x)\r", b"\x7fg(x)\r", b"\x7f\r", b"x\r"]
