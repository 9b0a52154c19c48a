"""`graphlang explain`: a page on a code of a diagnostic, a function or a topic of the language."""

from __future__ import annotations

from graphlang.cli.programs import usage

EXAMPLES = """for example:

  $ graphlang explain inf --plain
    inf, nan  Infinity, and "not a number", the result of 0/0.
    ...
    for example:
        input x = 2
        J = min(x, inf)
        expect dJ/dx = 1

    gives:
      J      2
      dJ/dx  1

examples:
  graphlang explain                    everything that there is a page for
  graphlang explain E101               what an error means, with an example and its repair
  graphlang explain sigmoid '^' @      functions and operators: domain, derivative, conventions
  graphlang explain claim --plain      a statement of the language
"""


def add(commands) -> None:
    p = commands.add_parser("explain", help="a page on an error code, a function or a topic", description="What a code, a function or a word of the language means.",
                            epilog=EXAMPLES)
    p.add_argument("names", metavar="NAME", nargs="*", help="a code such as E101, a function, an operator, a keyword; without one a list of them all")
    p.add_argument("--all", action="store_true", help="every page")
    p.add_argument("--json", action="store_true", help="one JSON document and nothing else")
    p.add_argument("--plain", action="store_true", help="text only: no colour")
    p.set_defaults(handler=handle)


def handle(options) -> int:
    from graphlang.pages import contents, page, suggestions

    names = [n for pages in contents().values() for n, _ in pages] if options.all else options.names
    found = [page(n) for n in names]
    for n, p in zip(names, found):
        if p is None:
            usage("explain", "; ".join((f"there is no page `{n}`", *suggestions(n))) + " (`graphlang explain` lists all pages)")
    if None in found:
        return 2
    if options.json:
        import graphlang
        from graphlang.show.document import dumps

        listed = {heading: [{"name": n, "title": t} for n, t in pages] for heading, pages in contents().items()}
        print(dumps({"graphlang": graphlang.__version__, **({"pages": [p.as_json() for p in found]} if names else {"contents": listed})}))
        return 0
    from graphlang.pages.paint import paint, paint_contents
    from graphlang.show.console import Paper, console

    paper = Paper(console(plain=options.plain))
    if not names:
        paint_contents(contents(), paper)
    for k, p in enumerate(found):
        if k:
            paper.line("", "")
            paper.line("")
        paint(p, paper)
    return 0
