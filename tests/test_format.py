"""Printing: source text parses back to the same tree, pretty text reads as on a slide, depth and size do no harm."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphlang.diagnostics import NOWHERE, Source
from graphlang.graph.expressions import Pool
from graphlang.graph.spell import formula, spell, tree_size
from graphlang.syntax import ast
from graphlang.syntax.format import PRETTY, SOURCE, format_expr, style_for
from graphlang.syntax.format_statements import format_program, format_statement
from graphlang.syntax.parser import parse, parse_expression
from graphlang.syntax.pretty import Names

PROGRAMS = sorted((Path(__file__).parent.parent / "programs").rglob("*.graph"))
VARIABLES = ["J", "x", "u", "v", "t", "beta", "alpha", "z"]


def expression(text):
    return parse_expression(Source("test", text), VARIABLES)[0]


def op(sign, *args):
    return ast.Op(sign, args, NOWHERE)


def name(text):
    return ast.Name(text, NOWHERE)


def num(text):
    return ast.Num(float(text), text, NOWHERE)


def call(function, *args, binders=()):
    return ast.Call(function, args, binders, NOWHERE, NOWHERE)


def element(base, *subs):
    return ast.Subscript(base, subs, NOWHERE)


def total(of, wrt):
    return ast.Deriv(of, wrt, False, NOWHERE)


def outline(root):
    """What a tree is, places aside, as flat data: in postorder, each node with its own fields and number of operands."""
    out = []
    for node in ast.postorder(root):
        own = [type(node).__name__, len(ast.children(node))]
        own += [f for f in node[:-1] if isinstance(f, (str, float, bool))]
        if isinstance(node, ast.Call):
            own += [(b.name, b.high is None) for b in node.binders]
        out.append(own)
    return out


def parts(stmt):
    """A statement as flat data, places aside."""
    out = [type(stmt).__name__]
    stack = list(reversed(stmt))
    while stack:
        field = stack.pop()
        if type(field) is type(NOWHERE):
            continue
        if type(field) is tuple or type(field) in (ast.Binder, ast.Item, ast.Signature, ast.Entry):
            out.append(type(field).__name__ + str(len(field)))
            stack.extend(reversed(field))
        elif isinstance(field, tuple):
            out.append(outline(field))
        else:
            out.append(field)
    return out


# ---- source


TEXTS = """
3t
2x^2
2(x + 1)
2(x + 1)^2
(2x)^2
-x^2
(-x)^2
2^-1
2^-x
2^(-3x)
2^3^2
(2^3)^2
1/(2x)
x/(-2y)
3*2x
a*(b*c)
a*b*c
a/b/c
a/(b*c)
a - (b + c)
a - b + c
a + (-b)
a*(-b)
-(a*b)
-a*b
-(-x)
(a > b) + (a == b)/2
where(i == k, a, 0)
x.T @ B @ x
2*B @ x
(B + B.T) @ x
x @ y * 2
dJ/dx
dJ/dx*du/dv
(dJ/dx)^2
dJ/dbeta[j]
a/(dJ/dx)
dx / dy
a/dx / du
2dx / dy
3(e2)
3(e2^2)
0(x10)
3e
x[3(e)-1]
x[2*i-1]
x[i+k]
E[c[i]]
sum(alpha[j,i]*x[i] for i in 0..2)
sum(a[i,j] for i in 1..n, j in i+1..n)
max(x[i] for i)
sum([1, 2, 3])
[[a, b], [c, d]]
[a, b][i]
csv("a\\\\b\\"c", skip=1)
1e-6*x
diff(J, x, z)[i,j]
(2)[i]
(2).T
f()
""".strip().splitlines()


@pytest.mark.parametrize("text", TEXTS)
def test_canonical_text_is_printed_as_it_was_read(text):
    assert format_expr(expression(text), SOURCE) == text


@pytest.mark.parametrize(
    "loose, canonical",
    [
        ("((x))", "x"),
        ("x ** 2", "x^2"),
        ("(x*y)*z", "x*y*z"),
        ("α·β", "alpha*beta"),
        ("x - -y", "x - (-y)"),
        ("(a + b) > (c)", "a + b > c"),
        ("2 ^ (3 ^ 2)", "2^3^2"),
        ("sum( x[i]for i in 0 .. 2 )", "sum(x[i] for i in 0..2)"),
        ("∂u/∂v", "partial(u, v)"),
        ("∂u/∂z[j]", "partial(u, z[j])"),
        ("2*x^(-1)", "2*x^-1"),
    ],
)
def test_loose_text_becomes_canonical(loose, canonical):
    assert format_expr(expression(loose), SOURCE) == canonical


IDENTIFIERS = st.sampled_from(["x", "y1", "alpha", "ystar", "e", "E", "e2", "e2x", "x10", "_a", "J", "beta_2", "éa"])
NUMBERS = st.sampled_from(["0", "3", "0.5", ".5", "1e-3", "2E5", "17"])


def compound(inner):
    operands = st.tuples(inner, inner)
    binder = st.one_of(
        st.builds(lambda n: ast.Binder(n, None, None, NOWHERE), st.sampled_from("ijk")),
        st.builds(lambda n, a, b: ast.Binder(n, a, b, NOWHERE), st.sampled_from("ijk"), inner, inner),
    )
    arguments = st.one_of(inner, st.builds(lambda n, v: ast.Keyword(n, v, NOWHERE), IDENTIFIERS, inner))
    return st.one_of(
        st.builds(lambda o, a: op(o, *a), st.sampled_from("+-*/@^"), operands),
        st.builds(lambda o, a: op(o, *a), st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), operands),
        st.builds(lambda o, a: op(o, a), st.sampled_from(["neg", "T"]), inner),
        st.builds(lambda n, a: op("coef", num(n), a), NUMBERS, inner),
        st.builds(lambda b, s: element(b, *s), inner, st.lists(inner, min_size=1, max_size=2)),
        st.builds(lambda f, a: call(f, *a), IDENTIFIERS, st.lists(arguments, max_size=3)),
        st.builds(lambda f, a, b: call(f, a, binders=tuple(b)), IDENTIFIERS, inner, st.lists(binder, min_size=1, max_size=2)),
        st.builds(lambda a: ast.List(tuple(a), NOWHERE), st.lists(inner, max_size=3)),
    )


LEAVES = st.one_of(
    st.builds(name, IDENTIFIERS),
    st.builds(num, st.one_of(NUMBERS, st.just("2."))),
    st.just(total("J", "x")),
    st.builds(lambda s: ast.Text(s, NOWHERE), st.text(alphabet='ab\\" #;', max_size=4)),
)


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(st.recursive(LEAVES, compound, max_leaves=12))
def test_parse_undoes_format(tree):
    text = format_expr(tree, SOURCE)
    assert outline(expression(text)) == outline(tree), text
    assert format_expr(tree, SOURCE, len(text)) == text
    assert format_expr(tree, SOURCE, len(text) - 1) is None


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.recursive(LEAVES, compound, max_leaves=12))
def test_every_tree_has_a_pretty_text(tree):
    text = format_expr(tree, PRETTY)
    assert text and format_expr(tree, PRETTY, len(text)) == text


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_parse_undoes_format_of_programs(path):
    program = parse(Source(path.name, path.read_text(encoding="utf-8")))
    text = format_program(program)
    again = parse(Source(path.name, text))
    assert [parts(s) for s in again.statements] == [parts(s) for s in program.statements]
    assert format_program(again) == text


STATEMENTS = """
input x = 2, z[0..2] = [1, 2, 3], A[3, 3] symmetric
param W[4, 1..n+1] = normal(0, 0.1)
const M = 2
dim P, N
J = sum(x[i]^2 for i)
u[N+1] = 3
a[j] = sum(alpha[j,i]*x[i] for i in 0..M) for j in 1..D
override J = 2x
sigma(v) = 1/(1 + exp(-v))
minimize J
output y1, y[2]
maximize (-J)
claim J*z[j] = b*beta[j] for j in 1..D
expect J = 0.25 within 1e-6
expect y > 0
expect J != 0.25 within 1%
expect z[j] = 1 within 1e-6 for j in 1..D
set seed = 0
layout numerator
include "base.graph"
train { }
""".strip().splitlines()


@pytest.mark.parametrize("text", STATEMENTS)
def test_a_canonical_statement_is_printed_as_it_was_read(text):
    program = parse(Source("test", text + "\n"))
    assert format_program(program) == text + "\n"


# ---- pretty


@pytest.mark.parametrize(
    "text, shown",
    [
        ("u1 + u2", "u₁ + u₂"),
        ("3t", "3t"),
        ("3*t", "3t"),
        ("x^2", "x²"),
        ("t^-1", "t⁻¹"),
        ("x^n", "x^n"),
        ("x*z", "x z"),
        ("-(u/t^2)", "-(u/t²)"),
        ("-(2*x)", "-2x"),
        ("1/(2*u)", "1/(2u)"),
        ("(u/t)*x", "(u/t) x"),
        ("x*z/log(x)", "x z/log(x)"),
        ("x*3", "x·3"),
        ("2*3", "2·3"),
        ("z[1]*(1 - z[1])", "z₁ (1 - z₁)"),
        ("beta[j]*z[j]", "βⱼ zⱼ"),
        ("alpha[j,i]", "αⱼᵢ"),
        ("(y - ystar)^2/2", "(y - y*)²/2"),
        ("-ystar/y + (1 - ystar)/(1 - y)", "-y*/y + (1 - y*)/(1 - y)"),
        ("ystar*log(y) + (1 - ystar)*log(1 - y)", "y* log(y) + (1 - y*) log(1 - y)"),
        ("1/(1 + exp(-b))", "1/(1 + exp(-b))"),
        ("sum(theta[j]*x[j] for j in 0..2)", "Σ_j=0..2 θⱼ xⱼ"),
        ("sum(gamma[k]*r[k] for k in 1..2) + d", "(Σ_k=1..2 γₖ rₖ) + d"),
        ("d + sum(r[k] for k in 1..2)", "d + Σ_k=1..2 rₖ"),
        ("2*sum(r[k] for k)", "2(Σ_k rₖ)"),
        ("sum(a[i,j] + 1 for i in 1..n, j in i+1..n)", "Σ_i=1..n,j=i+1..n (aᵢⱼ + 1)"),
        ("prod(x[i] for i in 1..3)", "Π_i=1..3 xᵢ"),
        ("sum(s)", "sum(s)"),
        ("mean(x[i] for i in 1..3)", "mean(xᵢ for i in 1..3)"),
        ("dJ/du*du/dt", "dJ/du·du/dt"),
        ("dJ/dbeta[j]", "dJ/dβⱼ"),
        ("dJ/du*(y*(1 - y))", "dJ/du·(y (1 - y))"),
        ("dJ/dt*(2*x)", "dJ/dt·(2x)"),
        ("3*dJ/du", "3·dJ/du"),
        ("diff(z[j], a[j])", "dzⱼ/daⱼ"),
        ("partial(u, v)", "∂u/∂v"),
        ("diff(J, x, z)", "diff(J, x, z)"),
        ("a >= b", "a ≥ b"),
        ("beta.T @ z2", "βᵀ @ z₂"),
        ("h[k-1]", "hₖ₋₁"),
        ("h[12]", "h₁₂"),
        ("x[2*i-1]", "x[2i-1]"),
        ("z[q]", "z[q]"),
        ("alpha[1,12]", "α[1,12]"),
        ("u1[3]", "u₁[3]"),
        ("E[c[i]]", "E[cᵢ]"),
        ("log2(x)", "log2(x)"),
        ("sigma(v)", "σ(v)"),
    ],
)
def test_pretty_reads_as_on_a_slide(text, shown):
    assert format_expr(expression(text), PRETTY) == shown


@pytest.mark.parametrize(
    "text, shown",
    [
        ("a[j] = sum(alpha[j,i]*x[i] for i in 0..2) for j in 1..2", "aⱼ = Σ_i=0..2 αⱼᵢ xᵢ  ∀ j=1..2"),
        ("z[0] = 1", "z₀ = 1"),
        ("u2 = 3t", "u₂ = 3t"),
        ("expect y >= 0", "expect y ≥ 0"),
    ],
)
def test_pretty_statements(text, shown):
    assert format_statement(parse(Source("test", text)).statements[0], PRETTY) == shown


@pytest.mark.parametrize(
    "spelled, shown",
    [
        ("alpha", "α"), ("u1", "u₁"), ("u_1", "u₁"), ("u_12", "u₁₂"), ("alpha1", "α₁"), ("ystar", "y*"), ("y_star", "y*"),
        ("ystar1", "y*₁"), ("y_hat", "ŷ"), ("yhat", "ŷ"), ("y_hat_1", "ŷ₁"), ("d_alpha", "d_α"), ("alphabet", "alphabet"),
        ("what", "what"), ("star", "star"), ("restar", "restar"), ("net_h1", "net_h₁"), ("x", "x"), ("_1", "_1"),
        ("dJ/du1", "dJ/du₁"), ("dJ/dalpha[1,2]", "dJ/dα₁₂"), ("z[1]", "z₁"), ("z[0]", "z₀"), ("Alpha", "Alpha"),
    ],
)  # fmt: skip
def test_names_are_shown(spelled, shown):
    assert Names().pretty(spelled) == shown
    assert Names([spelled]).pretty(spelled) == shown
    assert Names([spelled], ascii=True).pretty(spelled) == spelled


@pytest.mark.parametrize(
    "names, raw",
    [
        ({"u1", "u_1", "t"}, {"u1", "u_1"}),
        ({"ystar", "y_star"}, {"ystar", "y_star"}),
        ({"nu", "v"}, {"nu", "v"}),
        ({"z[1]", "z1"}, {"z[1]", "z1"}),
        ({"alpha[1,1]", "alpha11", "alpha"}, {"alpha[1,1]", "alpha11"}),
    ],
)
def test_names_that_look_alike_are_shown_raw(names, raw):
    shown = Names(names)
    assert {n for n in names if shown.pretty(n) == n} >= raw
    assert len({shown.pretty(n) for n in names}) == len(names)


def test_an_element_does_not_look_like_another_variable():
    names = Names(["z", "z1"])
    assert (names.pretty("z1"), names.element("z", ["1"]), names.element("z", ["2"])) == ("z₁", "z[1]", "z₂")
    assert Names(["u1", "u_1"]).element("u1", ["j"]) == "u1[j]"


def test_derivatives_of_elements():
    shown, ascii = Names(), Names(ascii=True)
    assert (shown.derivative("J", "u1"), shown.partial("u", "v")) == ("dJ/du₁", "∂u/∂v")
    assert (ascii.derivative("J", "u1"), ascii.derivative("z[1]", "a[1]")) == ("dJ/du1", "diff(z[1], a[1])")
    assert style_for(ascii) == SOURCE


# ---- size


def test_a_sum_of_300_000_terms():
    tree = name("x")
    for _ in range(299_999):
        tree = op("+", tree, name("x"))
    assert format_expr(tree, SOURCE, 2000) is None
    assert len(format_expr(tree, SOURCE)) == 4 * 299_999 + 1


@pytest.mark.parametrize("wrap", ["call", "neg", "power", "right", "subscript", "coef", "large", "list"])
@pytest.mark.parametrize("style", [SOURCE, PRETTY], ids=["source", "pretty"])
def test_nesting_ten_thousand_deep(wrap, style):
    tree = name("x")
    for _ in range(10_000):
        match wrap:
            case "call": tree = call("sin", tree)
            case "neg": tree = op("neg", tree)
            case "power": tree = op("^", name("x"), tree)
            case "right": tree = op("-", name("x"), tree)
            case "subscript": tree = element(tree, num("1"))
            case "coef": tree = op("coef", num("2"), tree)
            case "large": tree = call("sum", tree, binders=(ast.Binder("i", num("1"), num("2"), NOWHERE),))
            case "list": tree = ast.List((tree,), NOWHERE)
    assert len(format_expr(tree, style)) > 10_000
    assert format_expr(tree, style, 100) is None


# ---- spelling what was derived


def spelled():
    p = Pool()
    number, read, i, j, k = p.number, p.read, p.index("i"), p.index("j"), p.index("k")
    over = lambda name, low, high: p.bound(name, number(low), number(high))
    yield p.call("+", p.call("*", read("dJ/du1"), p.call("cos", read("t"))), p.call("*", number(3), read("dJ/du2"))), \
        "dJ/du1*cos(t) + 3*dJ/du2", "dJ/du₁·cos(t) + 3·dJ/du₂"
    yield 3 * read("t"), "3*t", "3t"
    yield 1 - read("u") ** 2, "1 - u^2", "1 - u²"
    yield read("x") + number(-2), "x - 2", "x - 2"
    yield number(-2) * read("x"), "-2*x", "-2x"
    yield number(1e-7) * read("e2"), "1e-7*e2", "1e-7·e₂"
    yield number(1e22), "1e22", "1e22"
    yield number(-0.0), "-0", "-0"
    yield number(float("-inf")), "-inf", "-inf"
    yield read("z[1]") * read("alpha[1,2]"), "z[1]*alpha[1,2]", "z₁ α₁₂"
    yield read("dJ/dbeta", (j,)), "dJ/dbeta[j]", "dJ/dβⱼ"
    yield read("dJ/dz[1]"), "dJ/dz[1]", "dJ/dz₁"
    yield read("dy[1]/dx", (i,)), "diff(y[1], x[i])", "dy₁/dxᵢ"
    yield read("diff(J, x, z)", (i, j)), "diff(J, x, z)[i,j]", "diff(J, x, z)[i,j]"
    yield read("diff(y[1,2], x)"), "diff(y[1,2], x)", "dy₁₂/dx"
    yield p.sum((over("j", 0, 2),), read("theta", (j,)) * read("x", (j,))), "sum(theta[j]*x[j] for j in 0..2)", "Σ_j=0..2 θⱼ xⱼ"
    yield p.reduce("softmax", (over("i", 1, 3),), read("a", (i,)), (k,)), "softmax(a)[k]", "softmax(a)[k]"
    yield p.reduce("softmax", (over("i", 1, 3),), 2 * read("a", (i,)), (k,)), \
        "softmax(2*a[i] for i in 1..3)[k]", "softmax(2aᵢ for i in 1..3)[k]"
    pair = p.pick((read("a"), read("b")), (2,), (i,))
    yield p.reduce("max", (over("i", 1, 2),), pair), "max(a, b)", "max(a, b)"
    yield p.reduce("logsumexp", (over("i", 1, 2),), pair), "logsumexp([a, b])", "logsumexp([a, b])"
    yield p.reduce("sum", (over("i", 1, 1),), pair), "sum([a, b][i] for i in 1..1)", "Σ_i=1..1 [a, b][i]"
    yield p.pick((number(1), number(2), number(3), number(4)), (2, 2), (i, j)), "[[1, 2], [3, 4]][i,j]", "[[1, 2], [3, 4]][i,j]"
    yield p.call("where", p.call("==", i, k), p.neg(read("a")), number(0)), "where(i == k, -a, 0)", "where(i == k, -a, 0)"


@pytest.mark.parametrize("expr, source, pretty", list(spelled()))
def test_derived_formulas_are_spelled(expr, source, pretty):
    assert formula(expr, SOURCE) == source
    assert formula(expr, PRETTY) == pretty
    expression(source)


def test_a_shared_expression_that_would_swell_is_not_spelled():
    p = Pool()
    doubled = p.read("x")
    for _ in range(200):
        doubled = p.call("+", doubled, doubled)
    assert tree_size(doubled) == 2**201 - 1
    assert spell(doubled, 2000) is None
    assert formula(doubled, SOURCE) is None
    assert format_expr(spell(doubled), SOURCE, 2000) is None


def test_a_long_derived_sum_is_spelled():
    p = Pool()
    long = p.read("x")
    for _ in range(20_000):
        long = p.call("+", long, p.read("y"))
    assert formula(long, PRETTY) is None
    assert len(formula(long, PRETTY, None)) == 80_001
