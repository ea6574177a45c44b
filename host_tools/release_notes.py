"""What a release says of itself: its notes, from the commits, and the table of its files' sizes. Markdown."""

import re
import subprocess
from pathlib import Path

# Files of dist/ by the end of their names, in the order of the table, and what each is.
_KINDS = (
    (r"ai_anne-.*-any\.whl", "Python package without the C core: the reference computes, any system"),
    (r"ai_anne-.*\.whl", "Python package with the C core, and all files for boards below"),
    (r"ai_anne-.*\.tar\.gz", "Python package's and firmwares' source"),
    (r"anne-pico\.uf2", "firmware for the Pico"),
    (r"anne-pico-models\.uf2", "firmware for the Pico, 1 MB for models in flash"),
    (r"anne-pico2\.uf2", "firmware for the Pico 2"),
    (r"_anne-\w+\.mpy", "native module for MicroPython's own firmware, one a processor"),
    (r"_anne-\w+-dense\.mpy", "the same with dense layers alone, in less than half of the RAM"),
    (r"anne/.*\.mpy", "package for MicroPython's own firmware"),
    (r"package\.json", "by which `mip` installs those two on a Pico"),
    (r"package-dense\.json", "the same with dense layers alone"),
    (r"package-.*\.json", "the same for each processor, and for boards without the native module"),
    (r"anne-explorer\.html", "page that trains networks and shows every neuron, in a browser"),
    (r"examples/.*", "programs, networks and data to begin with"),
    (r"lessons/.*", "eight lessons as notebooks, with teachers' sheets, in German and English"),
)
# Of these the sum is told.
_TOGETHER = {
    r"anne/.*\.mpy": "anne/*.mpy",
    r"package-.*\.json": "package-*.json",
    r"examples/.*": "examples/*",
    r"lessons/.*": "lessons/*",
}
_UF2_BLOCK, _UF2_PAYLOAD = 512, 256


def git(root: Path, *arguments: str) -> str:
    """Return what git says; subprocess.CalledProcessError where it fails."""
    done = subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def last_release(root: Path) -> tuple[str, str]:
    """Return the commit that the last release was made from, and how it is known: by its tag, else by VERSION.

    HEAD itself is none of them: what it says is this release. ("", "") before the first.
    """
    tags = git(root, "tag", "--merged", "HEAD", "--no-contains", "HEAD", "--sort=-creatordate").split()
    if tags:
        return tags[0], f"tag {tags[0]}"
    changes = git(root, "log", "--format=%H %h %cs", "--", "VERSION").splitlines()
    head = git(root, "rev-parse", "HEAD")
    for commit, short, date in map(str.split, changes):
        if commit != head:
            return commit, f"VERSION was written ({short}, {date})"
    return "", ""


def grouped(subjects: list[str]) -> dict[str, list[str]]:
    """Return the changes by the part that they are of, the first in "part/file: What"; those that name none last."""
    groups: dict[str, list[str]] = {}
    for subject in subjects:
        place, colon, what = subject.partition(": ")
        if not colon:
            place, what = "other", subject
        part, slash, rest = place.partition("/")
        part, comma, others = part.partition(", ")
        told = ", ".join(filter(None, [rest if slash else "", others if comma else ""]))
        groups.setdefault(part, []).append(f"{told}: {what}" if told else what)
    ordered = sorted(groups, key=lambda part: (part == "other", part.lower(), part))
    return {part: groups[part] for part in ordered}


def release_notes(root: Path, version: str, built_from: str) -> str:
    """Return the notes: what has changed since the last release, newest first in each part."""
    commit, since = last_release(root)
    span = f"{commit}..HEAD" if commit else "HEAD"
    subjects = git(root, "log", "--no-merges", "--format=%s", span).splitlines()
    lines = [f"# AI-ANNE {version}", "", built_from, ""]
    lines += [
        f"{len(subjects)} change{'s' * (len(subjects) != 1)}"
        + (f" since {since}." if since else ", the first release.")
    ]
    for part, changes in grouped(subjects).items():
        lines += ["", f"## {part}", "", *(f"- {change}" for change in changes)]
    return "\n".join(lines) + "\n"


def size_table(dist: Path, names: list[str]) -> str:
    """Return the table of the files, by their kind; of a UF2 file also what it takes in flash."""
    lines = ["| file | bytes | in flash | what |", "|---|--:|--:|---|"]
    left = sorted(names)
    for form, what in _KINDS:
        of_kind = [name for name in left if re.fullmatch(form, name)]
        left = [name for name in left if name not in of_kind]
        sizes = {name: (dist / name).stat().st_size for name in of_kind}
        if form in _TOGETHER and len(sizes) > 1:
            sizes = {f"{_TOGETHER[form]}, {len(sizes)} files": sum(sizes.values())}
        for name, n_bytes in sizes.items():
            flash = n_bytes // _UF2_BLOCK * _UF2_PAYLOAD if name.endswith(".uf2") else ""
            lines.append(f"| {name} | {n_bytes} | {flash} | {what} |")
    return "\n".join(lines) + "\n"
