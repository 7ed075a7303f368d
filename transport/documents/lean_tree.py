"""Frees what a tree needs no longer once its document is valid."""

from __future__ import annotations

from graphql import DocumentNode, NameNode, Node, SelectionSetNode

# Nodes are frozen for the sake of those who share them; nobody else has this tree yet.
_set = object.__setattr__


def free_tokens(tree: DocumentNode) -> None:
    """Free the tokens, and share equal names: half of the memory, and two thirds of the objects.

    The tokens of a document are one cycle, which only a garbage collection frees. Every collection of old
    objects stops the process and looks at each of them: with a full cache of other people's large documents
    that took half a second. Fields, arguments and values keep their location, which errors show; names and
    selection sets lose it.
    """
    first = tree.loc.start_token if tree.loc else None
    names: dict[str, NameNode] = {}
    nodes: list[Node] = [tree]
    while nodes:
        node = nodes.pop()
        _free_locations(node)
        for key in node.keys:
            found = getattr(node, key)
            if isinstance(found, NameNode):
                _set(node, key, _shared(found, names))
            elif isinstance(found, Node):
                nodes.append(found)
            elif isinstance(found, tuple):
                nodes.extend(found)
    token = first
    while token is not None:
        following = token.next
        token.prev = token.next = None
        token = following


def _free_locations(node: Node) -> None:
    if isinstance(node, SelectionSetNode):
        _set(node, "loc", None)
    elif node.loc is not None:
        _set(node.loc, "start_token", None)
        _set(node.loc, "end_token", None)


def _shared(name: NameNode, names: dict[str, NameNode]) -> NameNode:
    _set(name, "loc", None)
    return names.setdefault(name.value, name)
