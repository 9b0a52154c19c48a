"""Operations on whole arrays as NumPy source: results in buffers that are planned once and used again, sums of products by BLAS."""

from __future__ import annotations

import math
from typing import Callable, Iterable

import numpy

from graphlang.engines.dense import Program
from graphlang.engines.dense_nodes import Axis, Node, dimensions, root
from graphlang.engines.numpy_functions import NAMES, by_conditions, by_lists, functions, one_by_one, reductions, scatter
from graphlang.engines.unsupported import Unsupported

FUNCTIONS = functions(numpy)
REDUCTIONS = reductions(numpy)


def sigmoid(v, out=None):
    """A result below 10^-308 is 0."""
    e = numpy.exp(numpy.negative(v, out), out)
    return numpy.divide(1.0, numpy.add(e, 1.0, out), out)


def softmax(x):
    """nan wherever an element is not finite but -inf: the sum is."""
    weights = numpy.exp(x - numpy.maximum.reduce(x, -1, keepdims=True))
    return numpy.divide(weights, numpy.add.reduce(weights, -1, keepdims=True), weights)


FUNCTIONS["sigmoid"], REDUCTIONS["softmax"] = sigmoid, softmax


class Writer:
    """Source for a program. What depends on no leaf is computed once, when the source is loaded. `fresh`: outputs are arrays of their own,
    which a caller may keep; else they may be buffers, good until the next call."""

    library = numpy
    helpers: dict[str, Callable]  # of the library: whole, inside, scatter

    def __init__(self, program: Program, fresh: bool = True):
        self.program, self.fresh = program, fresh
        self.setup: list[str] = []
        self.lines: list[str] = []
        self.space: dict[str, object] = {}
        self.texts: dict[int, str] = {}
        self.static: set[int] = set()
        self.readers: dict[int, Node] = {}   # by array: the node, or the loop, that reads it last
        self.buffers: dict[str, tuple[int, ...]] = {}
        self.free: dict[tuple[int, ...], list[str]] = {}
        self.owner: dict[int, str] = {}      # arrays that are in a buffer
        self.given = {id(storage(n)) for n in program.outputs.values()}

    # ---- the whole

    def function(self, name: str) -> str:
        inputs = self.program.inputs
        last_readers(self.program.block.nodes, (), {}, self.readers)
        self.block(self.program.block.nodes, 1)
        outputs = [self.output(n, v) for n, v in self.program.outputs.items()]
        head = [f"def {name}({', '.join(f'x{k}' for k in range(len(inputs)))}):", *([f"    # {'; '.join(f'x{k} is {n}' for k, n in enumerate(inputs))}"] if inputs else [])]
        return "\n".join([*self.setup, *([""] if self.setup else []), *head, *self.lines, f"    return {', '.join(outputs)}{',' if len(outputs) == 1 else ''}"]) + "\n"

    def load(self, name: str) -> Callable:
        """The function, with its constants computed and its buffers there."""
        self.source = self.function(name)
        for b, shape in self.buffers.items():
            self.space[b] = numpy.zeros(shape)
        with numpy.errstate(all="ignore"):
            exec(compile(self.source, "<generated>", "exec"), self.space)
        return self.space[name]

    def output(self, name: str, node: Node) -> str:
        axes = dimensions(self.program.graph.variables[name].ranges)
        text = self.aligned(node, axes)
        own = storage(node)
        if not axes or node.axes == axes and (not self.fresh or own is root(node) and own.kind in OWN and id(own) in self.given and id(own) not in self.static):
            self.given.discard(id(own))  # a second name for it is a copy
            return text
        if set(node.axes) != set(axes):
            text = f"{self.use('broadcast_to', self.library.broadcast_to)}({text}, {tuple(a.range.extent for a in axes)})"
        return f"{self.use('array', self.library.array)}({text})" if self.fresh else text

    def block(self, nodes: Iterable[Node], depth: int) -> None:
        for node in nodes:
            getattr(self, f"emit_{node.kind}")(node, depth)
            for a in {id(storage(a)) for a in node.args}:
                self.release(a, node)

    def release(self, array: int, reader: Node) -> None:
        if self.readers.get(array) is reader and array in self.owner and not (array in self.given):
            buffer = self.owner.pop(array)
            self.free.setdefault(self.buffers[buffer], []).append(buffer)

    # ---- texts

    def text(self, node: Node) -> str:
        node = root(node)
        if node.kind == "number":
            return repr(node.about) if math.isfinite(node.about) else f'float("{node.about}")'
        return self.texts[id(node)]

    def aligned(self, node: Node, axes: tuple[Axis, ...]) -> str:
        """An array with its axes in the order of `axes`, which may be more."""
        text = self.text(node)
        have = [a for a in axes if a in node.axes]
        if len(have) != len(node.axes):
            raise AssertionError("an axis is lost")
        order = [node.axes.index(a) for a in have]
        if order != sorted(order):
            text = f"{text}.T" if order == [1, 0] else f"{text}.transpose({', '.join(map(str, order))})"
        missing = [a not in node.axes for a in axes]
        if have and any(missing[missing.index(False):]):
            inside = [("None" if m else ":") for m in missing]
            while inside[0] == "None":
                inside.pop(0)
            text += f"[{', '.join(inside)}]"
        return text

    def use(self, name: str, what: object) -> str:
        self.space[name] = what
        return name

    def let(self, node: Node, text: str, depth: int) -> None:
        note = f"  # {node.note}" if node.note else ""
        if depth == 1 and self.is_static(node):
            self.static.add(id(node))
            self.texts[id(node)] = f"c{len(self.static)}"
            self.setup.append(f"c{len(self.static)} = {text}{note}")
        else:
            self.texts[id(node)] = f"v{len(self.texts)}"
            self.lines.append("    " * depth + f"{self.texts[id(node)]} = {text}{note}")

    def room(self, node: Node, may_use: Iterable[Node] = ()) -> str | None:
        """A buffer for a result: that of an operand that is read here for the last time, or one that is free. None: an array of its own."""
        if not node.axes or (self.fresh and id(node) in self.given) or self.is_static(node):
            return None
        for a in may_use:
            own = root(a)
            if self.readers.get(id(own)) is node and a.axes == node.axes and id(own) in self.owner and id(own) not in self.given:
                self.owner[id(node)] = self.owner.pop(id(own))
                return self.owner[id(node)]
        stock = self.free.get(node.shape)
        if stock:
            self.owner[id(node)] = stock.pop()
        else:
            self.owner[id(node)] = f"b{len(self.buffers)}"
            self.buffers[self.owner[id(node)]] = node.shape
        return self.owner[id(node)]

    def is_static(self, node: Node) -> bool:
        return node.kind not in ("leaf", "time", "zeros", "store", "loop") and all(id(root(a)) in self.static or root(a).kind == "number" for a in node.args)

    # ---- operations

    def emit_leaf(self, node, depth):
        self.texts[id(node)] = f"x{self.program.inputs.index(node.about)}"

    def emit_constant(self, node, depth):
        name = f"c{len(self.static) + 1}"
        self.static.add(id(node))
        self.texts[id(node)] = name
        self.space[name] = numpy.array(node.about, dtype=float).reshape(node.shape)
        self.setup.append(f"# {name} is {node.note}")

    def emit_index(self, node, depth):
        r = node.axes[0].range
        self.let(node, f"{self.use('arange', self.library.arange)}({r.low}.0, {r.high + 1}.0)", depth)

    def emit_time(self, node, depth):
        loop, more = node.about
        self.let(node, f"float({loop}{plus(more)})", depth)

    def emit_stack(self, node, depth):
        self.let(node, f"{self.use('array', self.library.array)}([{', '.join(map(self.text, node.args))}], dtype=float).reshape({node.shape})", depth)

    def emit_view(self, node, depth):
        self.let(node, f"{self.text(node.args[0])}[{self.subscripts(node.about)}]", depth)

    def subscripts(self, spec) -> str:
        parts = []
        for s in spec:
            if type(s) is int:
                parts.append(str(s))
            elif s[0] == "time":
                _, loop, k, c = s
                parts.append(f"{loop}{plus(c)}" if k == 1 else f"{c} - {loop}")
            else:
                start, count, step = s
                stop = start + count * step
                parts.append(f"{start}:{stop if stop >= 0 else ''}" + (f":{step}" if step != 1 else ""))
        return ", ".join(parts)

    def emit_whole(self, node, depth):
        r = node.about
        self.let(node, f"{self.use('whole', self.helpers['whole'])}({self.text(node.args[0])}, {r.low}, {r.extent})", depth)

    def emit_inside(self, node, depth):
        r = node.about
        self.let(node, f"{self.use('inside', self.helpers['inside'])}({self.text(node.args[0])}, {r.low}, {r.high})", depth)

    def emit_take(self, node, depth):
        base, *places = node.args
        self.let(node, f"{self.text(base)}[{', '.join(self.aligned(p, node.axes) for p in places)}]", depth)

    def emit_float(self, node, depth):
        x = self.aligned(node.args[0], node.axes)
        self.let(node, f"{x}.astype(float)" if node.axes else f"float({x})", depth)

    def emit_call(self, node, depth):
        name, operands, first = node.about, node.args, root(node.args[0])
        args = [self.aligned(a, node.axes) for a in node.args]
        power = root(node.args[1]).about if name == "^" and root(node.args[1]).kind == "number" else None
        if power == 2.0:
            name, args, operands = "*", [args[0], args[0]], node.args[:1]
        if power == 3.0:
            return self.let(node, f"{args[0]}*{args[0]}*{args[0]}", depth)
        if name == "where" and (first.kind == "inside" or first.kind == "call" and first.about in BOOLEAN):
            return self.let(node, f"{self.use('choose', self.library.where)}({', '.join(args)})", depth)
        if name in NAMES:
            ufunc = self.use(NAMES[name], getattr(self.library, NAMES[name]))
            out = None if name in BOOLEAN else self.room(node, operands)
        else:
            ufunc = self.use(name.strip("_"), self.function_of(name))
            out = self.room(node) if ufunc == "sigmoid" else None
        place = [] if not out else [f"out={out}"] if ufunc in ("maximum", "minimum") else [out]  # by its place an argument takes less time
        self.let(node, f"{ufunc}({', '.join([*args, *place])})", depth)

    def emit_sum(self, node, depth):
        axes = tuple(node.args[0].axes.index(a) for a in node.about)
        out = self.room(node)
        self.let(node, f"{self.text(node.args[0])}.sum({axes if len(axes) > 1 else axes[0]}{f', out={out}' if out else ''})", depth)

    def emit_align(self, node, depth):
        (a,) = node.args
        text = self.aligned(a, node.axes)
        missing = [x for x in node.axes if x not in a.axes]
        if missing:
            text = f"{self.use('broadcast_to', self.library.broadcast_to)}({text}, {node.shape})"
        if text == self.text(a):
            self.texts[id(node)] = text
            self.static |= {id(node)} if id(root(a)) in self.static else set()
        else:
            self.let(node, text, depth)

    def emit_matmul(self, node, depth):
        a, b = node.args
        batch, rows, inner, columns = node.about
        left, right = self.flat(a, batch, rows, inner), self.flat(b, batch, inner, columns)
        if batch:
            left = left if rows else f"{left}[{':, ' * len(batch)}None, :]"
            right = right if columns else f"{right}[..., None]"
            pick = f"[{', '.join([*[':'] * len(batch), '0' if not rows else ':', '0' if not columns else ':'])}]" if not rows or not columns else ""
            text = f"{self.use('matmul', self.library.matmul)}({left}, {right}){pick}"
        else:
            flat_result = len(rows) <= 1 and len(columns) <= 1
            out = self.room(node) if flat_result else None
            text = f"{self.use('dot', self.library.dot)}({left}, {right}{f', {out}' if out else ''})"
        if len(rows) > 1 or len(columns) > 1:
            text = f"{text}.reshape({node.shape})"
        self.let(node, text, depth)

    def flat(self, node: Node, batch, first, second) -> str:
        """An array with the axes of each part as one."""
        text = self.aligned(node, (*batch, *first, *second))
        if len(first) > 1 or len(second) > 1:
            sizes = [x.range.extent for x in batch] + [math.prod(x.range.extent for x in p) for p in (first, second) if p]
            text = f"{text}.reshape({', '.join(map(str, sizes))})"
        return text

    def emit_reduce(self, node, depth):
        name, n = node.about
        around = node.args[0].shape[: len(node.args[0].axes) - n]
        args = [self.text(a) for a in node.args]
        sizes = [math.prod(a.shape[len(around):]) for a in node.args]
        args = [t if len(a.axes) == len(around) + 1 else f"{t}.reshape({(*around, s)})" for t, a, s in zip(args, node.args, sizes)]
        if not sizes[0] and name not in ("norm",):
            raise Unsupported(f"`{name.strip('_')}` of nothing")
        chosen = len(args) == 2 and name != "_solve"
        function = self.use(f"reduce_{name.strip('_')}{'_where' * chosen}", self.reduction_of(name, chosen))
        text = f"{function}({', '.join(args)})"
        if node.shape != around and len(node.axes) != len(around) + 1:
            text += f".reshape({node.shape})"
        self.let(node, text, depth)

    def function_of(self, name: str) -> Callable:
        return FUNCTIONS.get(name) or one_by_one(name)

    def reduction_of(self, name: str, chosen: bool) -> Callable:
        return by_conditions(name) if chosen else REDUCTIONS.get(name) or by_lists(name)

    def emit_scatter(self, node, depth):
        r, n = node.about
        places, values = node.args
        self.let(node, f"{self.use('scatter', self.helpers['scatter'])}({self.text(places)}, {self.text(values)}, {r.low}, {r.extent})", depth)

    def emit_zeros(self, node, depth):
        if self.fresh and id(node) in self.given:
            return self.let(node, f"{self.use('zeros', self.library.zeros)}({node.shape})", depth)
        buffer = f"b{len(self.buffers)}"
        self.buffers[buffer] = node.shape
        self.texts[id(node)] = buffer

    def emit_store(self, node, depth):
        table, value = node.args
        spec, axes = node.about
        self.lines.append("    " * depth + f"{self.text(table)}[{self.subscripts(spec)}] = {self.aligned(value, axes)}" + (f"  # {node.note}" if node.note else ""))

    def emit_loop(self, node, depth):
        loop = node.about
        ends = f"{loop.low}, {loop.high + 1}" if loop.step == 1 else f"{loop.high}, {loop.low - 1}, -1"
        self.lines.append("    " * depth + f"for {loop.name} in range({ends}):")
        self.block(loop.body, depth + 1)


OWN = frozenset({"call", "matmul", "sum", "reduce", "scatter", "zeros", "float", "take"})
BOOLEAN = frozenset({"<", "<=", ">", ">=", "==", "!=", "and"})


def storage(node: Node) -> Node:
    """The node that made the array of which this one is a view."""
    while node.kind in ("same", "view", "align"):
        node = node.args[0]
    return node


def last_readers(nodes: Iterable[Node], around: tuple[Node, ...], made: dict[int, tuple[Node, ...]], readers: dict[int, Node]) -> None:
    """Which node reads each array last: for one that is made outside of a loop and read inside, the loop."""
    for node in nodes:
        made[id(node)] = around
        for a in node.args:
            own = storage(a)
            depth = len(made.get(id(own), ()))
            readers[id(own)] = around[depth] if len(around) > depth else node
        if node.kind == "loop":
            last_readers(node.about.body, (*around, node), made, readers)


def plus(k: int) -> str:
    return f" + {k}" if k > 0 else f" - {-k}" if k < 0 else ""


def whole(values, low: int, extent: int):
    """Subscripts as offsets, those outside moved inside."""
    at = numpy.asarray(values) - low
    return numpy.clip(numpy.where(numpy.isfinite(at), at, 0.0), 0, max(extent - 1, 0)).astype(numpy.int64)


def inside(values, low: int, high: int):
    return (values >= low) & (values <= high) & (values == numpy.floor(values))


Writer.helpers = {"whole": whole, "inside": inside, "scatter": scatter}
