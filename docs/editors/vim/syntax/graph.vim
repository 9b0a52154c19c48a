" Vim syntax file for graphlang programs; written by tools/editors.py.
if exists("b:current_syntax")
  finish
endif

syn match graphOperator "[-+*/^@<>=−·×⋅]\|[!<>=]=\|\.\."
syn match graphNumber "\%(\k\)\@1<!\%(\d\+\%(\.\.\@!\d*\)\=\|\.\d\+\)\%([eE][+-]\=\d\+\)\="
syn match graphConstant "\<\%(inf\|nan\|pi\|π\)\>"
syn match graphFunction "\<\%(abs\|acos\|acosh\|asin\|asinh\|atan\|atan2\|atanh\|cbrt\|ceil\|clip\|cos\|cosh\|csv\|cumsum\|det\|diag\|diff\|digamma\|dot\|elu\|erf\|exp\|expm1\|eye\|floor\|gelu\|hessian\|hypot\|inv\|jacobian\|leaky_relu\|lgamma\|ln\|log\|log10\|log1p\|log2\|log_sigmoid\|log_softmax\|logaddexp\|logsumexp\|max\|mean\|min\|mod\|norm\|normal\|npy\|ones\|outer\|partial\|prod\|relu\|round\|sigmoid\|sign\|silu\|sin\|sinh\|slogdet\|softmax\|softplus\|solve\|sqrt\|std\|sum\|tan\|tanh\|trace\|uniform\|var\|where\|xlogy\|zeros\)\ze\s*("
syn match graphDerivative "\<d\K\k*/d\K\k*\|∂\K\k*/∂\K\k*"
syn match graphClause "\%(\%(\k\|[])"%]\)\s*\)\@60<=\<\%(for\|in\|symmetric\|within\|wrt\)\>\|^\s\+\zs\%(for\|in\|symmetric\|within\|wrt\)\>\ze\s\+\K"
syn match graphFirst "\%(\%(^\|;\)\s*\%(dim\|opaque\|input\|param\|data\|const\|claim\|derivative\|expect\|minimize\|maximize\|output\|layout\|override\|quiz\|set\)\s\+\)\@60<=\%(for\|in\|symmetric\|within\|wrt\)\>"
syn match graphRole "\%(^\|;\)\s*\zs\%(dim\|opaque\|input\|param\|data\|const\)\ze\s\+\K"
syn match graphStatement "\%(^\|;\)\s*\zs\%(claim\|derivative\|expect\|minimize\|maximize\|output\|layout\|override\|quiz\|set\)\ze\s\+[^=*/^+@<>! \t]"
syn match graphStatement "\%(^\|[;{]\)\s*\zs\%(answer\|ask\|blank\|carry\|choices\|choose\|fill\|minutes\|options\|require\|seed\|to\|use\|vary\|versions\|working\|wrong\)\ze\s\+[^=*/^+@<>! \t]"
syn match graphStatement "\%(^\|;\)\s*\zstrain\ze\s*{"
syn match graphStatement "\%(^\|;\)\s*\zs\%(include\|exam\)\ze\s*\""
syn match graphEntry "\%(^\|[;{]\)\s*\zs\%(batch\|data\|epochs\|optimizer\|patience\|rate\|report\|seed\|shuffle\|test\)\ze\s*:"
syn match graphLayout "\%(layout\s\+\)\@20<=\%(numerator\|denominator\)\>"
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
