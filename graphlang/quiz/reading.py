"""From the statements of a file to its quizzes and exams: what the blocks mean, and what is wrong with them.

    program = graphlang.load("q.graph")
    found, exams = quizzes(program)      # raises GraphError with every mistake, at its place in the file

The program of a quiz is a program of its own: its statements, its `vary` names as inputs without a value, and those consts and functions
of the file that it reads. It is built here once, without values, so that what is asked about it is checked against it.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Iterable, Iterator

from graphlang.diagnostics import NOWHERE, Diagnostic, GraphError, Label, Span, did_you_mean
from graphlang.graph.goals import sinks
from graphlang.graph.graph import Graph
from graphlang.quiz import model
from graphlang.quiz.amounts import FIGURES, Amounts
from graphlang.quiz.asking import Asking
from graphlang.quiz.borrowed import borrowed
from graphlang.syntax import ast

DEFAULT = model.Precision("figures", FIGURES)  # where nothing is said


def quizzes(program) -> tuple[dict[str, model.Quiz], tuple[model.Exam, ...]]:
    """The quizzes of a program, or of its tree, by name, in the order of the file, and its exams. Raises GraphError with every mistake found."""
    tree: ast.Program = program if isinstance(program, ast.Program) else program.tree
    found: list[Diagnostic] = []
    made: dict[str, model.Quiz] = {}
    places: dict[str, Span] = {}
    for s in tree.statements:
        if type(s) is ast.Quiz:
            if s.name in places:
                found.append(Diagnostic("E702", f"there are two quizzes `{s.name}`", s.name_span, "the second one", (Label(places[s.name], "the first one"),),
                                        ("give one of them another name",)))
                continue
            places[s.name] = s.name_span
            made[s.name] = _Reader(tree, s, found).quiz()
    titles: dict[str, Span] = {}
    for s in tree.statements:
        if type(s) is ast.Exam and titles.setdefault(s.title.value, s.title.span) != s.title.span:
            found.append(Diagnostic("E702", f"there are two exams \"{s.title.value}\"", s.title.span, "the second one", (Label(titles[s.title.value], "the first one"),),
                                    ("give one of them another title: `--exam` chooses by it",)))
    exams = tuple(_exam(s, places, found) for s in tree.statements if type(s) is ast.Exam)
    if found:
        unique = {(d.code, d.at, d.message): d for d in found}  # a mistake of a function of the file is met in every quiz that reads it
        raise GraphError(sorted(unique.values(), key=lambda d: d.at.start if d.at else -1), tree.source)
    return made, exams


class _Reader(Amounts):
    """One quiz. Mistakes go to `found`."""

    def __init__(self, tree: ast.Program, written: ast.Quiz, found: list[Diagnostic]):
        super().__init__(found)
        self.tree, self.written = tree, written

    def quiz(self) -> model.Quiz:
        s = self.written
        before = len(self.found)
        vary = tuple(v for part in s.statements if type(part) is ast.Vary for v in self.varied(part))
        working = self.working([part.precise for part in s.statements if type(part) is ast.Working])
        require = tuple(c for part in s.statements if type(part) is ast.Require for c in part.conditions)
        parts = tuple(self.part(part) for part in s.statements if type(part) in (ast.Ask, ast.Fill, ast.Choose))
        if not parts:
            self.report("E705", f"the quiz `{s.name}` asks nothing", s.name_span, "", (), ("`ask \"What is y?\" { y to 2 decimals }`, `fill backward { … }` or `choose \"…\" { … }`",))
        program = self.program(parts)
        quiz = model.Quiz(s.name, s.title.value if s.title else "", program, vary, require, parts, working, s.span)
        asking = Asking(quiz, self.found)
        for part in (s.title, *(part.text for part in parts if type(part) is not model.Fill)):
            if part is not None:
                asking.prose(part)
        graph = self.graph(program) if not any(d.code == "E711" for d in self.found[before:]) else None
        if graph is not None:
            asking.about(graph)
        if graph is not None and len(self.found) == before:
            return replace(quiz, program=with_goal(program, graph, parts))
        return quiz

    # ---- its program

    def program(self, parts: Iterable[model.Ask | model.Fill | model.Choose]) -> ast.Program:
        own: list = []
        for part in self.written.statements:
            if type(part) is ast.Vary:
                items = tuple(ast.Item(v.name, None, False, None, v.span, v.name_span) for v in part.items)
                own.append(ast.Declaration("input", items, part.span))
            elif type(part) not in (ast.Require, ast.Working, ast.Ask, ast.Fill, ast.Choose):
                own.append(part)
        others = borrowed(self.tree, self.written, own, self.found)
        return ast.Program((*others, *own), self.tree.source)

    def graph(self, program: ast.Program) -> Graph | None:
        from graphlang.pipeline import whole_graph

        try:
            return whole_graph(program)
        except GraphError as error:
            self.found += error.diagnostics
            return None

    def varied(self, part: ast.Vary) -> Iterator[model.Vary]:
        for v in part.items:
            values = self.steps(v) if v.bounds else tuple(Decimal(n.text) for n in v.values)
            if not values and not v.bounds:
                self.report("E703", f"`{v.name}` has no value to be drawn", v.span, "", (), (f"`{v.name} in {{1, 2, 3}}` or `{v.name} in 1..3 step 0.5`",))
            twice = next((n for k, n in enumerate(values) if n in values[:k]), None)
            if twice is not None:
                at = v.values[[Decimal(n.text) for n in v.values].index(twice, values.index(twice) + 1)].span
                self.report("E703", f"the value {twice} of `{v.name}` stands twice", at, "it would be drawn more often", (), ("keep one of them",))
            yield model.Vary(v.name, values, v.span)

    def part(self, part: ast.Ask | ast.Fill | ast.Choose) -> model.Ask | model.Fill | model.Choose:
        match part:
            case ast.Ask(text, lines, span):
                return self.ask(text, lines, span)
            case ast.Fill(direction, lines, span):
                return self.fill(direction, lines, span)
        return self.choose(part)

    def ask(self, text: ast.Text, lines: tuple, span: Span) -> model.Ask:
        asked = [line for line in lines if type(line) is ast.Asked]
        if not asked:
            self.report("E705", "this `ask` asks for nothing", _head(span, "ask"), "", (), ("a line for each number: `dy/dx to 2 decimals`",))
        answers = tuple(model.Asked(a.value, self.precision(a.precise), self.marks(a.marks), a.span) for a in asked)
        choices = self.one(lines, "choices", 2)
        return model.Ask(text, answers, choices or 0, span)

    def fill(self, direction: str, lines: tuple, span: Span) -> model.Fill:
        blanks = tuple(t for line in lines if type(line) is ast.Blanks for t in line.targets)
        if not blanks:
            name = next((e.target.name for e in self.written.statements if type(e) is ast.Equation and type(e.target) is ast.Name), "u")
            self.report("E705", "this `fill` has no blanks", _head(span, "fill"), "", (), (f"`blank {name}`",))
        precise = [line for line in lines if type(line) is ast.Precise]
        for again in precise[1:]:
            self.twice("how exact the numbers are", again.span, precise[0].span)
        carry = self.share([line for line in lines if type(line) is ast.Amount and line.word == "carry"])
        marks = [line for line in lines if type(line) is ast.Amount and line.word == "marks"]
        for again in marks[1:]:
            self.twice("`marks`", again.span, marks[0].span)
        return model.Fill(direction, blanks, self.precision(precise[0] if precise else None), self.marks(marks[0].number if marks else None), carry, span)

    def choose(self, part: ast.Choose) -> model.Choose:
        options = [line for line in part.lines if type(line) is ast.Option]
        answers = [o for o in options if o.kind == "answer"]
        head = _head(part.span, "choose")
        if not answers:
            self.report("E705", "this `choose` has no answer", head, "", (), ("`answer EXPRESSION`, or `answer none` where every other option is wrong",))
        for again in answers[1:]:
            self.report("E705", "a `choose` has one answer", again.span, "a second one", (Label(answers[0].span, "the first one"),), ("write `wrong` before one of them, or ask twice",))
        none = [o for o in options if o.special == "none"]
        for again in none[1:]:
            self.report("E705", "\"none of the above\" is one option", again.span, "a second one", (Label(none[0].span, "the first one"),), ("leave one of them out",))
        automatic = any(o.special == "auto" for o in options)
        count = self.one(part.lines, "options", 2) or 0
        if answers and not automatic and len(options) < 2:
            self.report("E705", "this `choose` has one option", head, "", (), ("`wrong EXPRESSION` adds one, `wrong auto` those that mistakes lead to",))
        elif count > len(options) and not automatic:
            amount = next(line for line in part.lines if type(line) is ast.Amount and line.word == "options")
            self.report("E705", f"{count} options are to be shown, and there are {len(options)}", amount.span, "", (), (f"`options {len(options)}`", "`wrong auto` makes more"))
        marks = [line for line in part.lines if type(line) is ast.Amount and line.word == "marks"]
        for again in marks[1:]:
            self.twice("`marks`", again.span, marks[0].span)
        return model.Choose(part.text, tuple(map(self.offered, options)), count, self.marks(marks[0].number if marks else None), part.span)

    def offered(self, o: ast.Option) -> model.Offered:
        because = ""
        if type(o.value) is ast.Name and o.value.name == "auto" and o.because is not None:
            o = o._replace(value=None, special="auto")
            self.report("E705", "`wrong auto` has no `because`", o.because.span, "it tells the mistake that it is made from", (), ("leave it out",))
        if type(o.because) is ast.Text:
            because = o.because.value
        elif o.because is not None:
            from graphlang.quiz.mistakes import MISTAKES  # the catalogue needs the whole calculus

            because = o.because.name
            if because not in MISTAKES:
                self.report("E708", f"there is no mistake `{because}`", o.because.span, "", (),
                            did_you_mean(because, MISTAKES) or ("a message of your own stands in quotes: `because \"…\"`",))
        if o.kind == "answer" and o.because is not None:
            self.report("E705", "an answer has no `because`", o.because.span, "it is told to who takes a wrong option", (), ("leave it out",))
        if type(o.value) is ast.Text:
            self.report("E706", "an option is an expression, not a text", o.value.span, "", (), ("leave the quotes out", "`answer none` is \"none of these\""))
        return model.Offered(o.kind, o.value, o.special, because, o.span)

    def precision(self, p: ast.Precise | None) -> model.Precision:
        return DEFAULT if p is None else self.exactness(p)


def with_goal(program: ast.Program, graph: Graph, parts: Iterable[model.Ask | model.Fill | model.Choose]) -> ast.Program:
    """The program with what its questions differentiate as outputs, where it names no goal and it could be one of several variables."""
    candidates = sinks(graph)
    if graph.goals or len(candidates) < 2:
        return program
    asked = (n.of for part in parts if type(part) is model.Ask for a in part.answers for n in ast.postorder(a.value) if type(n) is ast.Deriv and not n.partial)
    names = list(dict.fromkeys(asked)) or candidates
    return program._replace(statements=(*program.statements, ast.Goal("output", tuple(ast.Name(n, NOWHERE) for n in names), NOWHERE)))


def _exam(s: ast.Exam, known: dict[str, Span], found: list[Diagnostic]) -> model.Exam:
    numbers = Amounts(found)
    uses, seen = [], {}
    for use in (line for line in s.lines if type(line) is ast.Use):
        if use.quiz not in known:
            found.append(Diagnostic("E709", f"there is no quiz `{use.quiz}`", use.name_span, "", (),
                                    did_you_mean(use.quiz, known) or (("the file has " + ", ".join(f"`{n}`" for n in known),) if known else ("the file has no quiz",))))
        if use.quiz in seen:
            numbers.twice(f"the quiz `{use.quiz}`", use.span, seen[use.quiz])
        seen.setdefault(use.quiz, use.span)
        marks = [c for c in use.clauses if c.word == "marks"]
        for again in marks[1:]:
            numbers.twice("`marks`", again.span, marks[0].span)
        variants = numbers.one(use.clauses, "variants", 1) or 0
        uses.append(model.Use(use.quiz, numbers.marks(marks[0].number) if marks else None, variants, use.span))
    if not uses:
        found.append(Diagnostic("E705", "this exam has no quiz", _head(s.span, "exam"), "", (), (f"`use {next(iter(known), 'name')}`",)))
    minutes, versions, seed = (numbers.one(s.lines, word, least) for word, least in (("minutes", 1), ("versions", 1), ("seed", 0)))
    return model.Exam(s.title.value, tuple(uses), minutes or 0, versions or 1, seed or 0, s.span)


def _head(span: Span, word: str) -> Span:
    return Span(span.start, span.start + len(word))
