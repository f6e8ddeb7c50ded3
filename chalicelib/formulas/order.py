"""In which order formulas that use each other are computed."""

from collections.abc import Collection, Mapping
from graphlib import CycleError as GraphCycle
from graphlib import TopologicalSorter

from chalicelib.formulas.errors import CycleError


def ordered(uses: Mapping[str, Collection[str]]) -> list[str]:
    """Order names so that each comes after those it uses, and otherwise as they came.

    What is used but has no entry of its own is an input. Raises CycleError if some need each other.
    """
    place = {name: number for number, name in enumerate(uses)}
    graph = {
        name: sorted((used for used in needed if used in place), key=place.__getitem__) for name, needed in uses.items()
    }
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except GraphCycle as cycle:
        # graphlib's cycle begins and ends with the same name, and each is needed by the next.
        names = list(reversed(cycle.args[1]))[:-1]
        first = names.index(min(names, key=place.__getitem__))
        raise CycleError(names[first:] + names[:first]) from None
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=place.__getitem__)
        order += ready
        sorter.done(*ready)
    return order
