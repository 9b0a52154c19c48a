"""The words of the language and what they look like; written by tools/editors.py from the grammar and the tables."""

# Words that begin a statement: the grammar's terminal, its spellings, and what must follow for it to be a keyword.
STATEMENTS = (
    ("CLAIM", ('claim',), r'(?=[ \t]+(?:[^\W\d]|[-−(\[.\d∂]))'),
    ("DERIVATIVE", ('derivative',), r'(?=[ \t]+[^\W\d])'),
    ("DIM", ('dim',), r'(?=[ \t]+[^\W\d])'),
    ("EXAM", ('exam',), r'(?=[ \t]*")'),
    ("EXPECT", ('expect',), r'(?=[ \t]+(?:[^\W\d]|[-−(\[.\d∂]))'),
    ("GOAL", ('minimize', 'maximize', 'output'), r'(?=[ \t]+(?:[^\W\d]|[(\d∂]))'),
    ("INCLUDE", ('include',), r'(?=[ \t]*")'),
    ("LAYOUTKW", ('layout',), r'(?=[ \t]+[^\W\d])'),
    ("OPAQUE", ('opaque',), r'(?=[ \t]+[^\W\d])'),
    ("OVERRIDE", ('override',), r'(?=[ \t]+[^\W\d])'),
    ("QUIZ", ('quiz',), r'(?=[ \t]+[^\W\d])'),
    ("ROLE", ('input', 'param', 'data', 'const'), r'(?=[ \t]+[^\W\d])'),
    ("SET", ('set',), r'(?=[ \t]+[^\W\d])'),
    ("TRAIN", ('train',), r'(?=[ \t]*\{)'),
)

# Keywords behind an operand.
CLAUSES = tuple("for in symmetric within wrt".split())

# After `layout`.
LAYOUTS = tuple("numerator denominator".split())

# Built-in functions.
FUNCTIONS = frozenset("""
    abs acos acosh asin asinh atan atan2 atanh cbrt ceil clip cos cosh csv cumsum det diag diff digamma dot elu erf exp expm1 eye floor gelu
    hessian hypot inv jacobian leaky_relu lgamma ln log log10 log1p log2 log_sigmoid log_softmax logaddexp logsumexp max mean min mod norm
    normal npy ones outer partial prod relu round sigmoid sign silu sin sinh slogdet softmax softplus solve sqrt std sum tan tanh trace uniform
    var where xlogy zeros
""".split())

# Names that are numbers; a program may define `e`.
CONSTANTS = tuple("e inf nan pi π".split())

# Entries of `train`.
TRAIN = tuple("batch data epochs optimizer patience rate report seed shuffle test".split())

# Values of entries of `train`.
SWITCHES = tuple("no yes".split())

# Words that begin a line in the block of a quiz or an exam.
QUIZ = tuple("answer ask blank carry choices choose fill minutes options require seed to use vary versions working wrong".split())

# Words behind an operand in there, which an operand follows,
QUIZ_CLAUSES = tuple("because step to".split())

# and those that end one.
QUIZ_UNITS = tuple("decimal decimals each exactly figure figures mark marks".split())

# Options that are a word.
QUIZ_CHOICES = tuple("auto none".split())

# The grammar's own patterns.
NAME = r'[^\W\d][\w\u0300-\u036f]*'
NUMBER = r'(?:[0-9]+(?:\.(?!\.)[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?'
COEFFICIENT = r'(?>(?:[0-9]+(?:\.(?!\.)[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?=[^\W\d]|\()'
DERIVATIVE = r'd[^\W\d][\w\u0300-\u036f]*\/d[^\W\d][\w\u0300-\u036f]*|∂[^\W\d][\w\u0300-\u036f]*\/∂[^\W\d][\w\u0300-\u036f]*'
STRING = r'"(?:[^"\\\n]|\\.)*"'
