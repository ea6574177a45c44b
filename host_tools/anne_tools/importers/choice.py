"""One of several networks in a file: by its number, or by a name that it has in the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from ..errors import ModelError

Network = TypeVar("Network")
MAX_LISTED = 10


def choose(
    networks: Sequence[Network],
    names: Sequence[Sequence[str]],
    wanted: str | int | None,
    default: int | None = None,
) -> Network:
    """Return the one of `networks` that is `wanted`: a number from 1, or one of its `names`, which come first.

    Where nothing is wanted, the only one, or number `default`. ModelError that lists them all (as `str` shows them)
    where there are several, or none is the one wanted.
    """
    if wanted is None and (len(networks) == 1 or default is not None):
        return networks[(default or 1) - 1]
    for index, network in enumerate(networks):
        if wanted is not None and str(wanted) in (*names[index], str(index + 1)):
            return network
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
