"""Training: stochastic gradient descent over a data set, as the `train` block of a program says (language.md §10)."""
