"""Quizzes as text, for the tests about variants, keys and checks."""

from graphlang.pipeline import loads
from graphlang.quiz.reading import quizzes

PATHS = '''quiz paths "Two paths to x" {
  vary x in {1.5, 2, 2.5, 3, 3.5, 4}, z in {0.5, 1, 1.5, 2, 2.5, 3}
  require abs(dy/dx) < 2000, abs(dy/dz) < 2000
  a = x*z
  b = log(x)
  y = exp(a) + a/b + sin(b)/a
  ask "Suppose x = {x} and z = {z}. What are `dy/dx` and `dy/dz` for `y`?" {
    dy/dx to 2 decimals, 2 marks
    dy/dz to 2 decimals, 2 marks
  }
  working 4 decimals
}
'''

CLASSIC = '''quiz classic "Differentiation quiz 1" {
  input x = 2, z = 3
  y = exp(x*z) + x*z/log(x) + sin(log(x))/(x*z)
  ask "Suppose x = {x} and z = {z}. What are `dy/dx` and `dy/dz`?" {
    dy/dx to 0 decimals
    dy/dz to 0 decimals
    choices 8
  }
}
'''

NEURON = '''quiz neuron "One neuron, backward" {
  input w = -1.5, x = 2, bias = 1
  data t = 1
  z = w*x + bias
  p = sigmoid(z)
  L = (p - t)^2
  fill backward {
    blank p, z, w, bias
    to 3 figures, 1 mark each
    carry 0.75
  }
}
'''

SHAPE = '''quiz shape "Gradient of a matrix" {
  input W[3, 2], x[2]
  h = W @ x
  L = sum(h*h)
  choose "Which expression is `dL/dW`, in the layout of W?" {
    answer 2*h @ x.T
    wrong  2*x @ h.T because layout
    wrong  h @ x     because "Multiplied where an outer product is needed"
    wrong  auto
    options 4
  }
}
'''

CHAIN = '''quiz chain "The chain rule in denominator layout" {
  dim P, K, M
  input x[P]
  opaque h(x)[K], g(u)[M]
  u = h(x)
  y = g(u)
  choose "Suppose y = g(u) and u = h(x). Which is the chain rule?" {
    wrong dy/du @ du/dx
    wrong (dy/du).T @ du/dx
    wrong dy/du @ (du/dx).T
    wrong (dy/du).T @ (du/dx).T
    wrong (dy/du @ du/dx).T
    answer none
  }
}
'''

EVERY = PATHS + CLASSIC + NEURON + SHAPE + CHAIN


def read(text: str) -> dict:
    """The quizzes of a text by name."""
    return quizzes(loads(text, "q.graph"))[0]


def one(text: str):
    (quiz,) = read(text).values()
    return quiz


def small(body: str):
    """A quiz of these lines."""
    return one(f'quiz q "Q" {{\n{body}\n}}\n')
