"""Operations on whole arrays as JAX source: the lines of the engine `numpy`, but no array is changed in place, and loops are `fori_loop`.

JAX compiles the function for what it runs on: CPU, GPU or TPU, one device or many. All is in float64.
"""

from __future__ import annotations

from typing import Callable

import jax
import jax.numpy as jnp
import numpy
from jax import lax
from jax.scipy import special

from graphlang.engines.dense import Program
from graphlang.engines.dense_nodes import Node
from graphlang.engines.numpy_engine import Writer, plus
from graphlang.engines.numpy_functions import functions, reductions
from graphlang.engines.unsupported import Unsupported

NAME = "compute"


def cofactors(x):
    """By the singular values, so that it exists where the inverse does not: det(U V) U (product of the others) V."""
    n = round(x.shape[-1] ** 0.5)
    u, s, v = jnp.linalg.svd(x.reshape(*x.shape[:-1], n, n))
    sign = jnp.linalg.det(u) * jnp.linalg.det(v)
    return (sign[..., None, None] * jnp.matmul(u * REDUCTIONS["_others"](s)[..., None, :], v)).reshape(x.shape)


def square(x):
    n = round(x.shape[-1] ** 0.5)
    return x.reshape(*x.shape[:-1], n, n)


FUNCTIONS = functions(jnp) | {"erf": special.erf, "_erfc": special.erfc, "lgamma": special.gammaln, "digamma": special.digamma,
                              "_polygamma": lambda n, v: special.polygamma(jnp.asarray(n).astype(int), v), "gelu": lambda v: jnp.where(v == -jnp.inf, -0.0, v * 0.5 * special.erfc(-v * 0.5**0.5))}
REDUCTIONS = reductions(jnp) | {
    "det": lambda x: jnp.linalg.det(square(x)), "slogdet": lambda x: jnp.linalg.slogdet(square(x))[1], "inv": lambda x: jnp.linalg.inv(square(x)).reshape(x.shape),
    "_solve": lambda a, b: jnp.linalg.solve(square(a), b[..., None])[..., 0], "_cofactor": cofactors,
}


def whole(values, low: int, extent: int):
    """Subscripts as offsets, those outside moved inside."""
    at = jnp.asarray(values) - low
    return jnp.clip(jnp.where(jnp.isfinite(at), at, 0.0), 0, max(extent - 1, 0)).astype(int)


def inside(values, low: int, high: int):
    return (values >= low) & (values <= high) & (values == jnp.floor(values))


def scatter(places, values, low: int, extent: int):
    """Each of `values` added to its place; what names no place goes nowhere."""
    values = jnp.broadcast_to(values, (*places.shape, *values.shape[places.ndim :]))
    at = places - low
    good = (at >= 0) & (at < extent) & (at == jnp.floor(at))
    where = jnp.where(good, at, extent).astype(int)
    return jnp.zeros((extent + 1, *values.shape[places.ndim :])).at[where].add(values)[:extent]


class JaxWriter(Writer):
    library = jnp
    helpers = {"whole": whole, "inside": inside, "scatter": scatter}

    def room(self, node, may_use=()):
        return None

    def load(self, name: str) -> Callable:
        self.source = self.function(name)
        exec(compile(self.source, "<generated>", "exec"), self.space)
        return self.space[name]

    def emit_constant(self, node: Node, depth: int) -> None:
        super().emit_constant(node, depth)
        self.space[self.texts[id(node)]] = jnp.asarray(self.space[self.texts[id(node)]])

    def emit_time(self, node, depth):
        loop, more = node.about
        self.let(node, f"1.0*({loop}{plus(more)})", depth)

    def emit_float(self, node, depth):
        self.let(node, f"1.0*{self.aligned(node.args[0], node.axes)}", depth)

    def emit_zeros(self, node, depth):
        self.texts[id(node)] = f"w{len(self.texts)}"
        self.lines.append("    " * depth + f"{self.texts[id(node)]} = {self.use('zeros', jnp.zeros)}({node.shape})" + (f"  # {node.note}" if node.note else ""))

    def emit_store(self, node, depth):
        table, value = node.args
        spec, axes = node.about
        name = self.text(table)
        self.lines.append("    " * depth + f"{name} = {name}.at[{self.subscripts(spec)}].set({self.aligned(value, axes)})" + (f"  # {node.note}" if node.note else ""))

    def emit_loop(self, node, depth):
        loop = node.about
        tables = ", ".join(self.text(t) for t in loop.tables) + ","
        self.lines.append("    " * depth + f"def {loop.name}_round(k, tables):")
        self.lines.append("    " * depth + f"    {loop.name} = {f'{loop.low} + k' if loop.step == 1 else f'{loop.high} - k'}")
        self.lines.append("    " * depth + f"    {tables} = tables")
        self.block(loop.body, depth + 1)
        self.lines.append("    " * depth + f"    return {tables}")
        self.lines.append("    " * depth + f"{tables} = {self.use('fori_loop', lax.fori_loop)}(0, {loop.high - loop.low + 1}, {loop.name}_round, ({tables}))")

    def function_of(self, name: str) -> Callable:
        if name not in FUNCTIONS:
            raise Unsupported(f"`{name.strip('_')}`")
        return FUNCTIONS[name]

    def reduction_of(self, name: str, chosen: bool) -> Callable:
        if chosen:
            raise Unsupported(f"`{name.strip('_')}` over a range that depends on an index")
        return REDUCTIONS[name]


def traced(program: Program) -> tuple[Callable, str]:
    """The function of a program, to be compiled by JAX alone or inside of another, and its source."""
    with jax.enable_x64(True):
        writer = JaxWriter(program)
        return writer.load(NAME), writer.source


def loaded(program: Program, fresh: bool) -> Callable:
    """The function of a program, compiled; arrays of NumPy in and out."""
    run, source = traced(program)
    run = jax.jit(run)

    def call(*args):
        with jax.enable_x64(True):
            return tuple(numpy.array(x) for x in run(*args))

    call.source = source
    return call
