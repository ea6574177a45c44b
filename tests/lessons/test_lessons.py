"""The lessons: notebooks are as their sources say, and their cells run wherever pupils do, with the results told.

Behind a lesson's cells comes its `check`, whose values are arithmetic, or what the text says.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from anne_tools.errors import ModelError

ROOT = Path(__file__).parents[2]
UNIX_PORT = Path(os.environ.get("ANNE_UNIX_PORT", ROOT / "build/micropython-unix"))
ON_THE_PICO = (2, 4)  # the others are too long for an emulator

sys.path.insert(0, str(ROOT / "lessons"))
import make_lessons  # noqa: E402

LESSONS = make_lessons.lessons()
each = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: str(lesson.number))


def program(lesson: make_lessons.Lesson) -> str:
    return "\n".join([*lesson.code, lesson.one("check"), "print('all as told')"])


def test_there_are_eight():
    assert [lesson.number for lesson in LESSONS] == list(range(1, 9))


def test_files_are_as_their_sources_say():
    made = make_lessons.files()
    assert {path: path.read_text("utf-8") for path in made if path.exists()} == made
    there = {path for language in make_lessons.LANGUAGES for path in (ROOT / "lessons" / language).iterdir()}
    assert there == set(made)


@each
def test_notebooks_have_the_same_code(lesson):
    cells = {}
    for language in make_lessons.LANGUAGES:
        path = ROOT / "lessons" / language / f"{lesson.name(language)}.ipynb"
        content = json.loads(path.read_text("utf-8"))
        cells[language] = ["".join(c["source"]) for c in content["cells"] if c["cell_type"] == "code"]
        texts = [c for c in content["cells"] if c["cell_type"] == "markdown"]
        assert len(texts) >= 4
    assert cells["de"] == cells["en"] == lesson.code


# --- What teachers rely on --------------------------------------------------------------------------------------------

SECTIONS = {
    "de": (
        "Ziele", "Vorwissen", "Lösungen", "Häufige Fehlvorstellungen", "Differenzierung",
        "Ohne Pico, ohne Internet",
    ),
    "en": (
        "Aims", "They need to know", "Solutions", "Common misconceptions", "For different paces",
        "Without a Pico, without internet",
    ),
}  # fmt: skip
TASK = {"de": "Aufgabe", "en": "Task"}
both = pytest.mark.parametrize("language", make_lessons.LANGUAGES)


def pupils_text(lesson: make_lessons.Lesson, language: str) -> str:
    return "\n".join(text for what, text in lesson.pieces if what == language)


@each
@both
def test_a_sheet_plans_45_minutes_and_has_every_section(lesson, language):
    sheet = make_lessons.sheet(lesson, language)
    assert sum(map(int, re.findall(r"^\| (\d+) \|", sheet, re.M))) == 45
    for section in SECTIONS[language]:
        assert f"\n**{section}.**" in sheet, section


@each
@both
def test_every_task_has_its_solution(lesson, language):
    tasks = re.findall(rf"^\*\*{TASK[language]} (\d+)", pupils_text(lesson, language), re.M)
    solutions = re.findall(r"^- \*\*(\d+)\.\*\*", lesson.one(f"{language} teacher"), re.M)
    assert tasks == solutions == [str(n + 1) for n in range(len(tasks))]
    assert len(tasks) >= 6


@each
@both
def test_links_to_the_explorer_lead_to_what_it_has(lesson, language):
    links = re.findall(r"`#(\w+)/(\w+)/([-\d]+)/(\w+)`", pupils_text(lesson, language))
    assert links
    texts = json.loads((ROOT / f"web/texts/{language}.json").read_text("utf-8"))
    for to, data, sizes, screen in links:
        assert to == language and f"data.{data}.about" in texts and f"screen.{screen}" in texts
        assert all(1 <= int(size) <= 16 for size in sizes.split("-")), sizes


# --- What they compute ------------------------------------------------------------------------------------------------


@each
def test_on_cpython(lesson, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(program(lesson), f"lesson {lesson.number}", "exec"), {"__name__": "lesson"})
    assert printed.getvalue().endswith("all as told\n")


@each
def test_on_the_unix_port(lesson, tmp_path):
    if not UNIX_PORT.exists():
        pytest.skip(f"no {UNIX_PORT.name}; `make test` builds it")
    path = tmp_path / "lesson.py"
    path.write_text(program(lesson), "utf-8")
    done = subprocess.run(
        [UNIX_PORT, "-X", "heapsize=512k", path],
        cwd=tmp_path,
        env=os.environ | {"ASAN_OPTIONS": "detect_leaks=0"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.endswith("all as told\n"), done.stdout[-500:] + done.stderr[-2000:]


@pytest.fixture(scope="module")
def pico():
    from anne_tools.boards.open_device import open_device

    try:
        device = open_device("emulator", flash_cache=None)
    except ModelError as missing:
        pytest.skip(str(missing))
    with device:
        yield device


@pytest.mark.parametrize("number", ON_THE_PICO)
def test_on_the_emulated_pico(pico, number):
    (lesson,) = [lesson for lesson in LESSONS if lesson.number == number]
    assert pico.exec(program(lesson), timeout_s=60).endswith("all as told\n")
