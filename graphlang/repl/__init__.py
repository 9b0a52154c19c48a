"""The session at a prompt: a program that grows by a statement at a time, and answers about it."""
