"""Strongly connected components of anything."""

from __future__ import annotations

from typing import Hashable, Iterable, Mapping, TypeVar

T = TypeVar("T", bound=Hashable)


def components(nodes: Iterable[T], below: Mapping[T, Iterable[T]]) -> list[list[T]]:
    """The strongly connected components, each after those it depends on (Tarjan's, without recursion)."""
    number: dict[T, int] = {}
    low: dict[T, int] = {}
    on_stack: set[T] = set()
    stack: list[T] = []
    out: list[list[T]] = []
    for root in nodes:
        if root in number:
            continue
        number[root] = low[root] = len(number)
        stack.append(root)
        on_stack.add(root)
        work = [(root, iter(below[root]))]
        while work:
            node, rest = work[-1]
            child = next((c for c in rest if c not in number or c in on_stack), None)
            if child is None:
                work.pop()
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[node])
                if low[node] == number[node]:
                    members = [stack.pop()]
                    while members[-1] is not node:
                        members.append(stack.pop())
                    on_stack.difference_update(members)
                    out.append(members)
            elif child in number:
                low[node] = min(low[node], number[child])
            else:
                number[child] = low[child] = len(number)
                stack.append(child)
                on_stack.add(child)
                work.append((child, iter(below[child])))
    return out
