"""What a typesetter's notation is: spellings and templates, no decisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Mapping


@dataclass(frozen=True)
class Notation:
    """The spellings of one typesetter. A template has `{0}`, `{1}`, … for what is put in."""

    text: Callable[[str], str]                 # a name of several letters
    greek: Callable[[str], str]                # by its name: `alpha`
    function: Callable[[str], str]             # a function's template, by its name
    reduction: Callable[[str], str]            # a reduction's symbol
    hat: str
    star: str
    script: tuple[str, str]                    # round what is raised or lowered, if it is more than one character
    d: str
    partial: str
    fraction: str
    brackets: str
    element: str                               # subscripts in brackets, where low ones would be read as another name
    items: str                                 # a list
    bounds: str                                # of an index: name, low, high
    call: str
    close: str                                 # between subscripts of one letter
    times: str                                 # where nothing between two factors would not do
    divided: str
    transposed: str
    inverse: str
    inverse_transposed: str
    norm: str
    signs: Mapping[str, str]
    cases: str
    case: str
    otherwise: str
    case_end: str
    infinity: str
    nan: str
    span: str                                  # `j = 1, …, 4`
    quad: str                                  # before it, after a formula
    too_long: str
    begin: str
    equals: str
    line_end: str
    end: str
