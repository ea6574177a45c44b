"""Names that stand in a model file, as they are shown: anyone may have written them."""


def listed(names):
    """Return names as a line of text."""
    return harmless(", ".join(names))


def harmless(text):
    """Return text of a file without control characters, which could move a cursor, or look like lines of ours."""
    raw = text.encode()
    if not raw or (min(raw) >= 32 and b"\x7f" not in raw and b"\xc2" not in raw):
        return text  # nearly always
    return "".join(c if 32 <= ord(c) < 127 or ord(c) >= 160 else "?" for c in text)
