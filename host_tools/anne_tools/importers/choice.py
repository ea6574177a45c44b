"""One of several networks in a file: by its number, or by a name that it has in the file."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ModelError

MAX_LISTED = 10


def refuse_choice(wanted: str | int | None) -> None:
    """ModelError if something is wanted of a file that holds one network without a name."""
    choose(["the only one"], [[]], wanted)


def choose(
    networks: Sequence[str],
    names: Sequence[Sequence[str]],
    wanted: str | int | None,
    default: int | None = None,
) -> int:
    """Return the index of the network that is `wanted`: its number, which counts from 1, or one of its `names`.

    `networks` says a few words about each, for the message. Where nothing is wanted, the only one, or index `default`.
    ModelError that lists them all where there are several, or none is the one wanted.
    """
    if wanted is None and (len(networks) == 1 or default is not None):
        return default or 0
    for index, own in enumerate(names):
        if str(wanted) in (*own, str(index + 1)):
            return index
    listed = [
        f"{index + 1}{f' or {own[0]}' if own else ''}: {network}"
        for index, (network, own) in enumerate(zip(networks, names, strict=True))
    ]
    if len(listed) > MAX_LISTED:
        listed[MAX_LISTED:] = [f"{len(listed) - MAX_LISTED} more"]
    word = "networks" if len(networks) > 1 else "network"
    found = f"the file holds {len(networks)} {word} ({'; '.join(listed)})"
    if wanted is None:
        raise ModelError(f"{found}; pick one with --network (in Python: network=), by number or name")
    raise ModelError(f"{found}, and none is {str(wanted)[:40]!r}")
