"""The syntax file for Vim: as the TextMate grammar, but for the words inside of blocks, which it knows at the beginning of a line only."""

from __future__ import annotations

TEXT = r"""" Vim syntax file for graphlang programs; written by tools/editors.py.
if exists("b:current_syntax")
  finish
endif

syn match graphOperator "[-+*/^@<>=−·×⋅]\|[!<>=]=\|\.\."
syn match graphNumber "\%(\k\)\@1<!\%(\d\+\%(\.\.\@!\d*\)\=\|\.\d\+\)\%([eE][+-]\=\d\+\)\="
syn match graphConstant "\<\%(@CONSTANTS@\)\>"
syn match graphFunction "\<\%(@FUNCTIONS@\)\ze\s*("
syn match graphDerivative "\<d\K\k*/d\K\k*\|∂\K\k*/∂\K\k*"
syn match graphClause "\%(\%(\k\|[])"%]\)\s*\)\@60<=\<\%(@CLAUSES@\)\>\|^\s\+\zs\%(@CLAUSES@\)\>\ze\s\+\K"
syn match graphFirst "\%(\%(^\|;\)\s*\%(@ROLES@\|@STATEMENTS@\)\s\+\)\@60<=\%(@CLAUSES@\)\>"
syn match graphRole "\%(^\|;\)\s*\zs\%(@ROLES@\)\ze\s\+\K"
syn match graphStatement "\%(^\|;\)\s*\zs\%(@STATEMENTS@\)\ze\s\+[^=*/^+@<>! \t]"
syn match graphStatement "\%(^\|[;{]\)\s*\zs\%(@QUIZ@\)\ze\s\+[^=*/^+@<>! \t]"
syn match graphStatement "\%(^\|;\)\s*\zstrain\ze\s*{"
syn match graphStatement "\%(^\|;\)\s*\zs\%(include\|exam\)\ze\s*\""
syn match graphEntry "\%(^\|[;{]\)\s*\zs\%(@TRAIN@\)\ze\s*:"
syn match graphLayout "\%(layout\s\+\)\@20<=\%(@LAYOUTS@\)\>"
syn match graphString "\"\%([^\"\\]\|\\.\)*\""
syn match graphComment "#.*"

hi def link graphOperator Operator
hi def link graphNumber Number
hi def link graphConstant Constant
hi def link graphFunction Function
hi def link graphDerivative Identifier
hi def link graphClause Keyword
hi def link graphRole Type
hi def link graphStatement Statement
hi def link graphEntry Keyword
hi def link graphLayout Constant
hi def link graphString String
hi def link graphComment Comment

let b:current_syntax = "graph"
"""


def text(words) -> str:
    """`words`: see editors.Words. What stands further down has priority in Vim, so strings and comments are last."""
    roles = [w for kind, spelled, _ in words.STATEMENTS for w in spelled if kind in ("ROLE", "DIM", "OPAQUE")]
    others = [w for kind, spelled, _ in words.STATEMENTS for w in spelled if kind not in ("ROLE", "DIM", "OPAQUE", "TRAIN", "EXAM", "INCLUDE")]
    lists = {"CONSTANTS": [c for c in words.CONSTANTS if c != "e"], "FUNCTIONS": sorted(words.FUNCTIONS), "CLAUSES": words.CLAUSES, "ROLES": roles, "STATEMENTS": others,
             "QUIZ": words.QUIZ, "TRAIN": words.TRAIN, "LAYOUTS": words.LAYOUTS}  # fmt: skip
    made = TEXT
    for name, listed in lists.items():
        made = made.replace(f"@{name}@", r"\|".join(listed))
    return made
