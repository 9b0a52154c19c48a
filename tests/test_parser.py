"""Programs are read as meant: trees of tricky lines, the grammar's soundness, depth and length."""

import io
import json
import logging
import subprocess
import sys
from importlib.metadata import version

import pytest

from graphlang.diagnostics import GraphError, Source
from graphlang.syntax import ast, parser
from graphlang.syntax.lexing import known_names
from graphlang.syntax.names import GREEK, NotAName, canonical


def parse(text, known=()):
    return parser.parse(Source("test.graph", text), known).statements


def s(node):
    """A node as an s-expression."""
    match node:
        case None:
            return "_"
        case ast.Num(_, text) | ast.Name(text):
            return text
        case ast.Deriv(of, wrt, partial):
            return f"{'∂' if partial else 'd'}{of}/{'∂' if partial else 'd'}{wrt}"
        case ast.Op(op, args):
            return f"({op} {' '.join(map(s, args))})"
        case ast.Subscript(base, subs):
            return f"{s(base)}[{' '.join(map(s, subs))}]"
        case ast.Call(name, args, binders):
            return f"({' '.join([name, *map(s, args), *map(s, binders)])})"
        case ast.Binder(name, low, high):
            return f"{{{name}}}" if low is None else f"{{{name} {s(low)} {s(high)}}}"
        case ast.Range(low, high):
            return f"{s(low)}..{s(high)}"
        case ast.List(items):
            return f"[{' '.join(map(s, items))}]"
        case ast.Text(value):
            return json.dumps(value)
        case ast.Keyword(name, value):
            return f"{name}:{s(value)}"
        case ast.Item(name, ranges, symmetric, value):
            dims = "" if ranges is None else f"[{' '.join(map(s, ranges))}]"
            return f"{name}{dims}{'~' if symmetric else ''}" + ("" if value is None else f":{s(value)}")
        case ast.Declaration(role, items):
            return f"({role} {' '.join(map(s, items))})"
        case ast.Dim(names):
            return f"(dim {' '.join(map(s, names))})"
        case ast.Equation(target, value, binders, override):
            return f"({' '.join(['override' if override else '=', s(target), s(value), *map(s, binders)])})"
        case ast.FunctionDef(name, params, body):
            return f"(def {name} ({' '.join(map(s, params))}) {s(body)})"
        case ast.Goal(kind, targets):
            return f"({kind} {' '.join(map(s, targets))})"
        case ast.Claim(left, right, binders):
            return f"({' '.join(['claim', s(left), s(right), *map(s, binders)])})"
        case ast.Expect(left, compare, right, within, relative, binders):
            tolerance = [] if within is None else [f"within:{s(within)}{'%' if relative else ''}"]
            return f"({' '.join(['expect', compare, s(left), s(right), *tolerance, *map(s, binders)])})"
        case ast.Setting(name, value):
            return f"(set {name} {s(value)})"
        case ast.Layout(kind):
            return f"(layout {kind})"
        case ast.Include(path):
            return f"(include {path})"
        case ast.Opaque(signatures):
            return f"(opaque {' '.join(map(s, signatures))})"
        case ast.Signature(name, params, ranges):
            return f"({' '.join([name, *map(s, params), *(map(s, ranges) if ranges else ())])})"
        case ast.Rule(name, params, wrt, body):
            return f"(derivative {name} ({' '.join(map(s, params))}) {s(wrt) + ' ' if wrt else ''}{s(body)})"
        case ast.Train(entries):
            return f"(train {' '.join(map(s, entries))})"
        case ast.Entry(name, slots):
            return f"{name}:{','.join(map(s, slots))}"
        case ast.Quiz(name, _, statements):
            return f"(quiz {name} {len(statements)})"
        case ast.Exam(title, lines):
            return f"(exam {title.value} {len(lines)})"
    raise AssertionError(node)


EXPRESSIONS = """
-x^2                        | (neg (^ x 2))
2^3^2                       | (^ 2 (^ 3 2))
2^-1                        | (^ 2 (neg 1))
2**3                        | (^ 2 3)
x^-y^2                      | (^ x (neg (^ y 2)))
-x*y                        | (* (neg x) y)
x*-y                        | (* x (neg y))
--x                         | (neg (neg x))
a - b - c                   | (- (- a b) c)
a/b/c                       | (/ (/ a b) c)
a/b*c                       | (* (/ a b) c)
A @ B @ x.T                 | (@ (@ A B) (T x))
A.T @ x[1]                  | (@ (T A) x[1])
a + b < c*d                 | (< (+ a b) (* c d))
(a < b)*(b < c)             | (* (< a b) (< b c))
3t                          | (coef 3 t)
2(x + 1)                    | (coef 2 (+ x 1))
2x^2                        | (coef 2 (^ x 2))
2(a+1)^2                    | (coef 2 (^ (+ a 1) 2))
2x[j]^2                     | (coef 2 (^ x[j] 2))
-2x                         | (neg (coef 2 x))
3*2x                        | (* 3 (coef 2 x))
3e2x                        | (coef 3e2 x)
2x*y                        | (* (coef 2 x) y)
2x/3                        | (/ (coef 2 x) 3)
1/(2x)                      | (/ 1 (coef 2 x))
x^(2y)                      | (^ x (coef 2 y))
2exp(x)                     | (coef 2 (exp x))
2x.T                        | (coef 2 (T x))
A @ 2x                      | (@ A (coef 2 x))
(y-ystar)^2/2               | (/ (^ (- y ystar) 2) 2)
(y - ystar)^2 / 2           | (/ (^ (- y ystar) 2) 2)
1e-6                        | 1e-6
2e1                         | 2e1
.5 + 3e-2                   | (+ .5 3e-2)
1/2                         | (/ 1 2)
1e-6x                       | (coef 1e-6 x)
a − b·c×d                   | (- a (* (* b c) d))
sum(beta[j]*z[j] for j in 0..D) | (sum (* beta[j] z[j]) {j 0 D})
sum(e for i in 1..n, j in i+1..n) | (sum e {i 1 n} {j (+ i 1) n})
exp(S[i,j] - logsumexp(S[i,k] for k)) | (exp (- S[i j] (logsumexp S[i k] {k})))
normal(mean=0, sd=0.1)      | (normal mean:0 sd:0.1)
f()                         | (f)
E[c[i]]                     | E[c[i]]
x[2*i-1]                    | x[(- (* 2 i) 1)]
[[1, 2], [-3]]              | [[1 2] [(neg 3)]]
[]                          | []
csv("a\\"b\\n.csv")         | (csv "a\\"b\\\\n.csv")
where(2*i - 1 == m, 1, 0)   | (where (== (- (* 2 i) 1) m) 1 0)
dJ/dx                       | dJ/dx
dJ/dx^2                     | (^ dJ/dx 2)
dJ/dy * dy/db               | (* dJ/dy dy/db)
dJ/dbeta[j]                 | dJ/dbeta[j]
2dJ/dx                      | (coef 2 dJ/dx)
dJ / dx                     | (/ dJ dx)
dJ/dxx                      | (/ dJ dxx)
∂J/∂x                       | ∂J/∂x
∂u/∂v[1]                    | ∂u/∂v[1]
partial(z[j], a[j])         | (partial z[j] a[j])
diff(J, x, x)               | (diff J x x)
jacobian(y, x) @ hessian(J, x) | (@ (jacobian y x) (hessian J x))
dα/dβ                       | (/ dα dβ)
dist/duration               | (/ dist duration)
a/dist/duration             | (/ (/ a dist) duration)
dist/duration^2             | (/ dist (^ duration 2))
delta/dot(x, y)             | (/ delta (dot x y))
-dist/duration              | (/ (neg dist) duration)
2dist/duration              | (/ (coef 2 dist) duration)
dist/duration[1]            | (/ dist duration[1])
dist/duration.T             | (/ dist (T duration))
α1 + β_hat                  | (+ alpha1 beta_hat)
data + claim*for            | (+ data (* claim for))
""".strip().splitlines()


@pytest.mark.parametrize("line", EXPRESSIONS)
def test_expression_is_read_as_meant(line):
    text, _, tree = line.rpartition(" | ")
    expression, binders = parser.parse_expression(Source("e", text.strip()), "J x y b beta".split())
    assert (s(expression), binders) == (tree.strip(), ())


STATEMENTS = """
u1 = sin(t)                     | (= u1 (sin t))
z[j] = sigmoid(a[j]) for j in 1..D | (= z[j] (sigmoid a[j]) {j 1 D})
u[N+1] = 3                      | (= u[(+ N 1)] 3)
h[k] = w*h[k-1] for k           | (= h[k] (* w h[(- k 1)]) {k})
y = a < b                       | (= y (< a b))
sigma(v) = 1/(1 + exp(-v))      | (def sigma (v) (/ 1 (+ 1 (exp (neg v)))))
σ(v) = v                        | (def sigma (v) v)
f(a, b) = a*b                   | (def f (a b) (* a b))
override J = x                  | (override J x)
input x = 2, z = 3              | (input x:2 z:3)
input x[0..M] = [1, 0.5, -1]    | (input x[0..M]:[1 0.5 (neg 1)])
param W[4, 3] = normal(0, 0.1)  | (param W[_..4 _..3]:(normal 0 0.1))
data x[0..M]                    | (data x[0..M])
const M = 2, D = 2              | (const M:2 D:2)
input B[P, P] symmetric         | (input B[_..P _..P]~)
input B[2, 2] symmetric = eye(2) | (input B[_..2 _..2]~:(eye 2))
dim P, K                        | (dim P K)
minimize J                      | (minimize J)
output y1, y[2]                 | (output y1 y[2])
claim dJ/dz[j] = dJ/db*beta[j] for j in 1..D | (claim (/ dJ dz[j]) (* (/ dJ db) beta[j]) {j 1 D})
claim (a) = -b                  | (claim a (neg b))
claim -a = b                    | (claim (neg a) b)
expect y > 0                    | (expect > y 0)
expect J = 0.105248 within 1e-6 | (expect = J 0.105248 within:1e-6)
expect J = 2 within 1%          | (expect = J 2 within:1%)
expect z[j] >= 0 for j in 1..3  | (expect >= z[j] 0 {j 1 3})
expect z[j] = 0 within 0.1 for j | (expect = z[j] 0 within:0.1 {j})
set seed = 0                    | (set seed 0)
layout numerator                | (layout numerator)
include "base.graph"            | (include base.graph)
opaque h(x)[K], g(u)[M]         | (opaque (h x _..K) (g u _..M))
derivative sigma(v) = sigma(v)*(1 - sigma(v)) | (derivative sigma (v) (* (sigma v) (- 1 (sigma v))))
derivative f(a, b) wrt b = a    | (derivative f (a b) b a)
data = 5                        | (= data 5)
claim = 1                       | (= claim 1)
output = claim + set            | (= output (+ claim set))
train = 3                       | (= train 3)
for = in + within               | (= for (+ in within))
numerator = symmetric           | (= numerator symmetric)
input[1] = 3                    | (= input[1] 3)
output[j] = 2 for j in 1..3     | (= output[j] 2 {j 1 3})
lambda = None                   | (= lambda None)
λ = 3                           | (= lambda 3)
""".strip().splitlines()


@pytest.mark.parametrize("line", STATEMENTS)
def test_statement_is_read_as_meant(line):
    text, _, tree = line.rpartition(" | ")
    assert [s(node) for node in parse(text.strip())] == [tree.strip()]


@pytest.mark.parametrize(
    ("program", "tree"),
    [
        ("input dist, duration; v = dist/duration", "(= v (/ dist duration))"),
        ("input ist, uration; v = dist/duration", "(= v dist/duration)"),
        ("input ist, uration, dist; v = dist/duration", "(= v (/ dist duration))"),
        ("input ist, uration\nv = dist/duration^2", "(= v (^ dist/duration 2))"),
        ("J = x\nx = 2\ny = dJ/dx", "(= y dJ/dx)"),
        ("x = 2\nJ = x\ny = dJ/dx", "(= y dJ/dx)"),
        ("J = x\ndJ = 3\nx = 2\ny = dJ/dx", "(= y (/ dJ dx))"),
        ("J = x # ; dJ = 3\nx = 2\ny = dJ/dx", "(= y dJ/dx)"),
        ("β = 1; α = β; y = dα/dbeta", "(= y dalpha/dbeta)"),
        ("J[j] = x for j in 1..2\nparam W[1..2, 3] = f(a, b = 2),\n  x\ny = dJ/dx", "(= y dJ/dx)"),
        ("param q = f(J, x)\ny = dJ/dx", "(= y (/ dJ dx))"),
        ("override J = 1\nconst x = 1; y = dJ/dx", "(= y dJ/dx)"),
        ('quiz a "b" {\n J = 1\n x = 2\n}\ny = dJ/dx', "(= y (/ dJ dx))"),
    ],
)
def test_a_quotient_is_a_derivative_iff_its_variables_say_so(program, tree):
    assert s(parse(program)[-1]) == tree


def test_names_of_a_session_count():
    assert s(parse("y = dJ/dx", known=["J", "x"])[0]) == "(= y dJ/dx)"


def test_names_are_found_in_statement_heads():
    text = "a = 1;b[j]=2 # ; c=3\n input x=2, z[1..3,2] = f(q, r=3),\n w; override α = 2\n x == 3\nf(v) = v\ndim P"
    assert known_names(text) == {"a", "b", "x", "z", "w", "alpha", "P"}


@pytest.mark.parametrize(
    ("text", "trees"),
    [
        ("a = 1; b = 2\nc = 3", ["(= a 1)", "(= b 2)", "(= c 3)"]),
        ("\n\n a = 1 # one\n# two; three\n\n;;b = 2;\n", ["(= a 1)", "(= b 2)"]),
        ("a = 1 # ; b = 2", ["(= a 1)"]),
        ("a = f(1,\n  2\n  # why; indeed\n)\nb = [1\n,2]", ["(= a (f 1 2))", "(= b [1 2])"]),
        ("a = b +\n  c *\n\n # yes\n d", ["(= a (+ b (* c d)))"]),
        ("input x = 1,\n  y = 2\nz = 3", ["(input x:1 y:2)", "(= z 3)"]),
        ("\ufeffa = 1\r\nb = 2\r\n", ["(= a 1)", "(= b 2)"]),
        ("\ufeffinput a = 1", ["(input a:1)"]),
        ("", []),
        ("# nothing", []),
        ("y = uniform(\n  low = 0,\n  high = 1)", ["(= y (uniform low:0 high:1))"]),
    ],
)
def test_newlines_and_semicolons(text, trees):
    assert [s(node) for node in parse(text)] == trees


QUIZ = '''
quiz paths "Two paths to x" {
  vary x in {1.5, 2}, z in 0.5..3 step 0.5   # not } a brace
  a = x*z
  ask "Suppose x = {x} and a { that isn't closed. What is `dy/dx`?" {
    dy/dx to 2 decimals, 2 marks
  }
}
exam "Quiz 3 - Backpropagation" {
  use paths, variants 20
}
quiz bare { }
train {
  data: csv("train.csv"), x[1..M], ystar      # columns in this order
  rate: 0.1

  shuffle: yes; seed: 0
  report: mean(J)
}
y = 3
'''


def test_blocks_have_a_tree_and_a_place():
    found = parse(QUIZ)
    assert [s(node) for node in found] == ["(quiz paths 3)", "(exam Quiz 3 - Backpropagation 1)", "(quiz bare 0)",
                                           '(train data:(csv "train.csv"),x[1..M],ystar rate:0.1 shuffle:yes seed:0 report:(mean J))', "(= y 3)"]
    assert QUIZ[slice(*found[1].span)].startswith('exam "Quiz 3') and QUIZ[found[1].span.end - 1] == "}"


def test_spans_hold_the_parentheses():
    text = "y = (a + b)*c[1] - 2f(x)"
    value = parse(text)[0].value
    assert [text[slice(*node.span)] for node in (value, *value.args, *value.args[0].args)] == [
        "(a + b)*c[1] - 2f(x)", "(a + b)*c[1]", "2f(x)", "(a + b)", "c[1]",
    ]  # fmt: skip


@pytest.mark.parametrize("text", [line.rpartition(" | ")[0].strip() for line in STATEMENTS])
def test_a_statement_spans_its_text(text):
    assert parse("x = 1; " + text + " ; z = 2")[1].span == (7, 7 + len(text))


def test_lone_expression_with_binders():
    expression, binders = parser.parse_expression(Source("e", "x[i]^2 for i in 0..2\n"), ["x"])
    assert (s(expression), [s(b) for b in binders]) == ("(^ x[i] 2)", ["{i 0 2}"])
    with pytest.raises(GraphError):
        parser.parse_expression(Source("e", "x = 3"), ["x"])


# ---- names


@pytest.mark.parametrize(
    ("written", "name"),
    [("α", "alpha"), ("α1", "alpha1"), ("β_hat", "beta_hat"), ("x_α", "x_alpha"), ("θ", "theta"), ("Σ", "Sigma"),
     ("alphabet", "alphabet"), ("αx", "αx"), ("αβ", "αβ"), ("α̂", "α̂"), ("ϵ", "epsilon"), ("y\u0302", "ŷ"), ("größe", "größe")],
)  # fmt: skip
def test_canonical_names(written, name):
    assert canonical(written) == name
    assert canonical(name) == name


def test_every_greek_letter_has_one_spelling():
    assert all(canonical(glyph) == name == canonical(name) for name, glyph in GREEK.items())
    assert len(set(GREEK.values())) == len(GREEK)


@pytest.mark.parametrize(("written", "proposal"), [("x²", "x^2"), ("½x", "x/2"), ("u₁", "u1"), ("x⁻¹", "x^-1"), ("¾x", "3x/4")])
def test_what_is_not_a_name_is_proposed_otherwise(written, proposal):
    with pytest.raises(NotAName) as wrong:
        canonical(written)
    assert wrong.value.proposal == proposal


# ---- the grammar


def test_the_grammar_has_no_conflicts():
    import lark

    log = io.StringIO()
    handler = logging.StreamHandler(log)
    level = lark.logger.level
    lark.logger.addHandler(handler)
    lark.logger.setLevel(logging.DEBUG)
    try:
        lark.Lark("start: x\nx: x x | \"a\"", parser="lalr")
        assert "conflict" in log.getvalue().lower(), "the log would show a conflict"
        log.truncate(0)
        log.seek(0)
        parser.build()
        assert "conflict" not in log.getvalue().lower()
    finally:
        lark.logger.removeHandler(handler)
        lark.logger.setLevel(level)


def test_the_shipped_tables_are_current():
    shipped = (parser.grammar_folder() / "graph.tables.json").read_text(encoding="utf-8")
    assert shipped == parser.tables_text(), "run python -m graphlang.syntax.parser"
    assert json.loads(shipped)["key"]["lark"] == version("lark")


def test_tables_of_another_grammar_are_not_used(monkeypatch):
    monkeypatch.setattr(parser, "_grammar_hash", lambda: "another")
    made = parser._load()
    assert made["key"]["grammar"] == "another"


def test_lark_reads_the_same_language_with_its_own_lexer_and_loop():
    """Our loop skips unit rules and lexes with fewer matchers; Lark itself accepts what it accepts."""
    theirs = parser.build()
    for line in STATEMENTS:
        theirs.parse(line.rpartition(" | ")[0].strip(), start="program")


def test_the_parser_loads_no_third_party_package():
    code = "import sys, graphlang.syntax.parser as p; from graphlang.diagnostics import Source; p.parse(Source('a', 'x = 1'));" \
           "print(sorted({'lark', 'numpy', 'rich'} & set(sys.modules)))"  # fmt: skip
    folder = parser.grammar_folder().parent
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, check=True)
    assert out.stdout.strip() == "[]"


# ---- depth and length: nothing recurses


@pytest.mark.parametrize(
    "value",
    ["(" * 10_000 + "x" + ")" * 10_000, "sin(" * 10_000 + "x" + ")" * 10_000, "-" * 10_000 + "x", "x" + "^x" * 10_000,
     "[" * 10_000 + "]" * 10_000, "x" + "[x" * 10_000 + "]" * 10_000, "x" + " + x" * 100_000],
    ids=["parentheses", "calls", "signs", "powers", "lists", "subscripts", "sum"],
)  # fmt: skip
def test_depth_has_no_limit(value):
    (equation,) = parse(f"y = {value}")
    assert equation.span == (0, len(value) + 4)


def test_many_lines():
    text = "u0 = 1\n" + "".join(f"u{i} = sin(u{i - 1})*u{i // 2} + 2\n" for i in range(1, 10_000))
    found = parse(text)
    assert len(found) == 10_000
    assert s(found[-1]) == "(= u9999 (+ (* (sin u9998) u4999) 2))"
