"""What the builders of crafted files share: the lists they are put into, golden archives changed, archives alone."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections import defaultdict
from collections.abc import Callable

from hostile_files import GOLDEN

MAX_FILE_BYTES = 1 << 20
# suffix of a format -> builders of its files; options of `load` stand in hostile_files.FORMATS
CRAFTED: dict[str, list[Callable[[], bytes]]] = defaultdict(list)


def crafted(*suffixes: str) -> Callable:
    """Put a builder into the lists of these formats."""

    def add(builder: Callable[[], bytes]) -> Callable[[], bytes]:
        for suffix in suffixes:
            CRAFTED[suffix].append(builder)
        return builder

    return add


def golden(name: str, **members: bytes) -> bytes:
    """Return a golden zip file with members replaced, by the last part of their names with _ for points."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(GOLDEN / name) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for member in old.namelist():
            new.writestr(
                member, members.pop(member.rpartition("/")[2].replace(".", "_"), None) or old.read(member)
            )
    assert not members, members
    return out.getvalue()


def padded(data: bytes) -> bytes:
    """Return a zip file with a member that makes it as large as is promised, and its budget with it."""
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("padding", bytes(MAX_FILE_BYTES - len(data) - 4096))
    return out.getvalue()


def golden_json(name: str, member: str, change: Callable[[dict], None]) -> bytes:
    """Return a golden zip file whose JSON member was changed."""
    with zipfile.ZipFile(GOLDEN / name) as archive:
        (full,) = (m for m in archive.namelist() if m.endswith(member))
        document = json.loads(archive.read(full))
    change(document)
    return golden(name, **{member.replace(".", "_"): json.dumps(document).encode()})


# --- Archives ---------------------------------------------------------------------------------------------------------


@crafted("keras", "pt2", "pth")
def many_members() -> bytes:
    """A directory of 12,000 entries, each twice."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(6_000):
            archive.writestr(f"{number}", b"")
    data = out.getvalue()
    at = data.index(b"PK\1\2")
    end = data.rindex(b"PK\5\6")
    directory = data[at:end]
    tail = bytearray(data[end:])
    struct.pack_into("<HHI", tail, 8, 12_000, 12_000, 2 * len(directory))
    return data[:at] + directory * 2 + tail


@crafted("keras", "pt2", "pth")
def entries_with_much_beside_their_names() -> bytes:
    """14 entries with 16,000 empty fields each, which zipfile takes off one by one."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("config.json", "model.weights.h5", "net/data.pkl", "net/models/model.json"):
            archive.writestr(name, b"{}")
        for number in range(14):
            entry = zipfile.ZipInfo(f"{number}")
            archive.writestr(entry, b"")
            entry.extra = b"\2\0\0\0" * 16_000  # in the directory, which is written last
    return out.getvalue()


@crafted("keras", "pt2", "pth")
def bombs_side_by_side() -> bytes:
    """Every member unpacks to 20 MB, which one alone may."""
    out = io.BytesIO()
    names = ("config.json", "metadata.json", "model.weights.h5", "net/data.pkl", "net/data/0", "net/data/1")
    names += ("net/models/model.json", "net/archive_format", "net/byteorder", "net/data/weights/weight_0")
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in names:
            archive.writestr(name, b"{" + b" " * (20 << 20) + b"}")
    return out.getvalue()
