"""Formulas in MathML, from the LaTeX that graphlang writes: one notation decides what stands where, and a new function needs no second spelling.

The LaTeX read here is that of show/latex.py and of the functions' rows: groups, fractions, roots, scripts, `\\left … \\right`, `cases`, names. It
is no LaTeX of an author. Like every walk over formulas it has a stack of its own, so depth costs nothing.
"""

from __future__ import annotations

import re
from html import escape
from typing import NamedTuple, Union

from graphlang.syntax.names import GREEK

NAMESPACE = "http://www.w3.org/1998/Math/MathML"
TOKEN = re.compile(r"\\(?P<raw>operatorname|mathit|mathrm|text|begin|end)\{(?P<inside>(?:[^{}\\]|\\.)*)\}|\\(?P<command>[A-Za-z]+|.)|(?P<number>\d+(?:\.\d*)?|\.\d+)|\s+|(?P<sign>.)")

OPERATORS = {"cdot": "⋅", "odot": "⊙", "oslash": "⊘", "le": "≤", "ge": "≥", "ne": "≠", "neq": "≠", "dots": "…", "top": "⊤", "bmod": "mod", "sum": "∑",
             "prod": "∏", "max": "max", "min": "min", "lVert": "‖", "rVert": "‖", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉", "{": "{", "}": "}"}
LETTERS = {"partial": "∂", "infty": "∞"}
SPACES = {",": "0.167em", "quad": "1em"}
LARGE = frozenset("∑∏") | {"max", "min"}  # scripts stand above and below
ARGUMENTS = {"frac": 2, "sqrt": 1, "hat": 1}


class Node(NamedTuple):
    """An element; `children` is the text of a leaf."""

    tag: str
    children: Union[str, tuple["Node", ...]]
    attributes: str = ""


class Frame:
    """What is open: the elements that are finished in it, and the commands that wait for arguments. `opening` is the LaTeX that opened it."""

    def __init__(self, opening: str, sign: str = ""):
        self.opening, self.sign = opening, sign
        self.done: list[Node] = []
        self.waiting: list[tuple[str, int, list[Node]]] = []
        self.cells: list[list[Node]] = [[]]  # of `cases`: rows of cells

    def put(self, node: Node) -> None:
        while self.waiting:
            name, needed, arguments = self.waiting[-1]
            arguments.append(node)
            if len(arguments) < needed:
                return
            self.waiting.pop()
            node = built(name, arguments)
        self.done.append(node)

    def script(self, mark: str) -> None:
        self.waiting.append((mark, 2, [self.done.pop() if self.done else row([])]))

    def cell(self) -> None:
        self.cells[-1].append(Node("mtd", tuple(self.done)))
        self.done = []


def mathml(latex: str) -> str:
    """`<math>…</math>`, with the LaTeX as its text for those who cannot see it."""
    frames = [Frame("")]
    delimiter = ""
    for token in TOKEN.finditer(latex):
        top, sign, command = frames[-1], token["sign"], token["command"]
        if delimiter:
            if token.lastgroup is None:
                continue
            shown = sign if sign else OPERATORS[command]
            if delimiter == "left":
                frames.append(Frame("left", shown))
            else:
                frames.pop()
                frames[-1].put(row([fence(top.sign), *top.done, fence(shown)]))
            delimiter = ""
        elif token["raw"]:
            named(frames, token["raw"], re.sub(r"\\(.)", lambda m: "\u2009" if m[1] == "," else m[1], token["inside"]))
        elif token["number"]:
            top.put(Node("mn", token["number"]))
        elif command:
            if command in ("left", "right"):
                delimiter = command
            elif command == "\\":
                top.cell()
                top.cells.append([])
            elif command in ARGUMENTS:
                top.waiting.append((command, ARGUMENTS[command], []))
            else:
                top.put(symbol(command))
        elif sign == "{" or sign == "[" and top.waiting and top.waiting[-1][0] == "sqrt":
            if sign == "[":  # the degree of a root
                top.waiting[-1] = ("root", 2, [])
            frames.append(Frame(sign))
        elif sign == "}" or sign == "]" and top.opening == "[":
            frames.pop()
            frames[-1].put(row(top.done))
        elif sign in ("^", "_"):
            top.script(sign)
        elif sign == "'":
            top.script("^")
            top.put(Node("mo", "′"))
        elif sign == "&":
            top.cell()
        elif sign:
            top.put(Node("mi", sign) if sign.isalpha() else Node("mo", "−" if sign == "-" else sign))
    (root,) = frames
    return f'<math xmlns="{NAMESPACE}" alttext="{escape(latex)}">{text(row(root.done))}</math>'


def named(frames: list[Frame], command: str, inside: str) -> None:
    """A word in braces: a name, a text, or an environment that begins or ends."""
    top = frames[-1]
    match command:
        case "begin":
            frames.append(Frame("begin"))
        case "end":
            top.cell()
            frames.pop()
            table = Node("mtable", tuple(Node("mtr", tuple(cells)) for cells in top.cells), ' columnalign="left left"')
            frames[-1].put(row([fence("{"), table]))
        case "text":
            top.put(Node("mtext", inside.replace(" ", "\u00a0")))
        case "mathit":
            top.put(Node("mi", inside, ' mathvariant="italic"'))
        case _:
            top.put(Node("mi", inside, ' mathvariant="normal"' if len(inside) == 1 else ""))


def symbol(command: str) -> Node:
    if command in SPACES:
        return Node("mspace", "", f' width="{SPACES[command]}"')
    if command in OPERATORS:
        return Node("mo", OPERATORS[command])
    return Node("mi", LETTERS.get(command) or GREEK.get(command, command))


def fence(sign: str) -> Node:
    return Node("mo", sign, ' stretchy="true"')


def row(nodes: list[Node]) -> Node:
    return nodes[0] if len(nodes) == 1 else Node("mrow", tuple(nodes))


def built(name: str, arguments: list[Node]) -> Node:
    """A command with all its arguments."""
    first, last = arguments[0], arguments[-1]
    match name:
        case "frac":
            return Node("mfrac", (first, last))
        case "sqrt":
            return Node("msqrt", (first,))
        case "root":
            return Node("mroot", (last, first))
        case "hat":
            return Node("mover", (first, Node("mo", "^")), ' accent="true"')
    over = first.tag == "mo" and first.children in LARGE
    if (name, first.tag) in (("^", "msub"), ("^", "munder"), ("_", "msup"), ("_", "mover")) and not first.attributes:
        base, script = first.children
        low, high = (script, last) if name == "^" else (last, script)
        return Node("munderover" if first.tag.startswith(("mu", "mo")) else "msubsup", (base, low, high))
    return Node({("^", True): "mover", ("_", True): "munder", ("^", False): "msup", ("_", False): "msub"}[name, over], (first, last))


def text(root: Node) -> str:
    out: list[str] = []
    stack: list[Node | str] = [root]
    while stack:
        node = stack.pop()
        if type(node) is str:
            out.append(node)
        elif type(node.children) is str:
            out.append(f"<{node.tag}{node.attributes}>{escape(node.children)}</{node.tag}>")
        else:
            out.append(f"<{node.tag}{node.attributes}>")
            stack.append(f"</{node.tag}>")
            stack.extend(reversed(node.children))
    return "".join(out)
