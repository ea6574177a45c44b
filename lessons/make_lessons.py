"""Makes the lessons: a notebook and a teacher's sheet in each language, of one source a lesson.

    python lessons/make_lessons.py

A source (sources/N.md) is pieces, each below a line that says what it is: `--- de` and `--- en` text, `--- code` for
both languages, so that code cannot differ; `--- de title`, `--- de teacher`, and `--- check`, which tests run behind
the cells. @ROWS@ stands for the 20 published IRIS rows.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROWS = HERE.parent / "host_tools/anne_tools/networks/iris_test_20.json"
LANGUAGES = ("de", "en")
MARK = re.compile(r"^--- (.+)$", re.M)
# What every notebook and every sheet says.
MADE_BY = "Made by lessons/make_lessons.py from lessons/sources/{number}.md; do not edit."
SHEET = {"de": "Für Lehrkräfte: {title}", "en": "For teachers: {title}"}
HOW = {
    "de": """\
**So arbeitest du.** Erst *vorhersagen*, dann die Zelle *ausführen* (Umschalt + Enter), dann *verändern* und noch einmal
ausführen, am Ende mit eigenen Worten *erklären*. Führe die Zellen von oben nach unten aus. Sie laufen auf deinem
Rechner und, in Thonny eingefügt, genauso auf einem Pico. Namen und Kommentare im Programm sind englisch.""",
    "en": """\
**How to work.** First *predict*, then *run* the cell (Shift + Enter), then *change* it and run it again, and in the end
*explain* in your own words. Run the cells from top to bottom. They run on your computer and, pasted into Thonny, on a
Pico just the same.""",
}
WITHOUT = {
    "de": """\
**Ohne Pico, ohne Internet.** Das Notizbuch rechnet auf jedem Rechner wie der Pico; `anne emulate` bildet einen nach,
und der Explorer (`anne explore`, oder die Datei `anne-explorer.html`) braucht nur einen Browser. Nichts davon braucht
das Internet. Was in Klassen mit wenigen Picos hilft, steht in `docs/teaching.md`.""",
    "en": """\
**Without a Pico, without internet.** The notebook computes on any computer as the Pico does; `anne emulate` emulates
one, and the explorer (`anne explore`, or the file `anne-explorer.html`) needs only a browser. None of them needs the
internet. What helps a class with few Picos is in `docs/teaching.md`.""",
}


@dataclass(frozen=True)
class Lesson:
    """A lesson as its source has it: pieces are (what, text), in their order."""

    number: int
    pieces: list[tuple[str, str]]

    def one(self, what: str) -> str:
        """The only piece of that name."""
        (text,) = [text for name, text in self.pieces if name == what]
        return text

    @property
    def code(self) -> list[str]:
        """The cells that a Python runs."""
        return [text for name, text in self.pieces if name == "code"]

    def name(self, language: str) -> str:
        """The files' name, without what kind they are."""
        title = self.one(f"{language} title").lower()
        for letter, plain in {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}.items():
            title = title.replace(letter, plain)
        return f"{self.number}_{re.sub('[^a-z0-9]+', '_', title)}"


def lessons() -> list[Lesson]:
    return [_read(path) for path in sorted((HERE / "sources").glob("*.md"))]


def _read(path: Path) -> Lesson:
    _, *parts = MARK.split(path.read_text("utf-8"))
    texts = [text.strip("\n").replace("@ROWS@", _rows()) for text in parts[1::2]]
    return Lesson(int(path.stem), list(zip(parts[::2], texts, strict=True)))


def _rows() -> str:
    data = json.loads(ROWS.read_text())
    rows = [[*(round(v, 4) for v in x), y] for x, y in zip(data["inputs"], data["labels"], strict=True)]
    return "rows = [\n" + "".join(f"    {row},\n" for row in rows) + "]"


def notebook(lesson: Lesson, language: str) -> str:
    """The notebook's text: cells without outputs, for the reader to run."""
    title = f"# {lesson.number}. {lesson.one(f'{language} title')}"
    cells = [_cell("markdown", f"{title}\n\n{HOW[language]}", 0)]
    for what, text in lesson.pieces:
        if what in ("code", language):
            cells.append(_cell("code" if what == "code" else "markdown", text, len(cells)))
    about = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "made_by": MADE_BY.format(number=lesson.number),
    }
    content = {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _cell(kind: str, text: str, number: int) -> dict:
    cell = {
        "cell_type": kind,
        "id": f"cell-{number}",
        "metadata": {},
        "source": text.splitlines(keepends=True),
    }
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def sheet(lesson: Lesson, language: str) -> str:
    title = SHEET[language].format(title=f"{lesson.number}. {lesson.one(f'{language} title')}")
    made = MADE_BY.format(number=lesson.number)
    return f"<!-- {made} -->\n# {title}\n\n{lesson.one(f'{language} teacher')}\n\n{WITHOUT[language]}\n"


def files() -> dict[Path, str]:
    """Every file of the lessons, and its text."""
    made = {}
    for lesson in lessons():
        for language in LANGUAGES:
            base = HERE / language / lesson.name(language)
            made[base.with_suffix(".ipynb")] = notebook(lesson, language)
            made[base.with_name(f"{base.name}_teacher.md")] = sheet(lesson, language)
    return made


def main() -> None:
    for path, text in files().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        print(path.relative_to(HERE.parent))


if __name__ == "__main__":
    main()
