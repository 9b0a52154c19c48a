"""`graphlang lsp`: the language server, for editors."""

from __future__ import annotations

import sys

EXAMPLES = """An editor starts this command and speaks with it over standard input and output. docs/editors/README.md says how to
set up VS Code, Neovim, Helix and Emacs.

for example, what an editor shows: values and adjoints behind the lines, and what is wrong below them:

    J  = cos(u1)            = -0.653644
    u1 = x^2                = 4   dJ/du1 = 0.756802
    input x = 2             dJ/dx = 3.02721
    expect J = -0.6
    ~~~~~~~~~~~~~~~         `J = -0.6` fails: -0.6536436209 on the left, -0.6 on the right

examples:
  graphlang lsp                     what an editor is told to start
  graphlang lsp --stdio             the same
  pip install 'graphlang[lsp]'      what the server needs
"""


def add(commands) -> None:
    p = commands.add_parser("lsp", help="the language server, for editors", description="Speak the language server protocol over standard input and output.",
                            epilog=EXAMPLES)
    p.add_argument("--stdio", action="store_true", help="speak over standard input and output, as without it; some clients add this")
    p.set_defaults(handler=handle)


def handle(options) -> int:
    try:
        from graphlang.lsp.server import serve
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        print("graphlang lsp: the language server needs pygls 2, which is not installed\n  pip install 'graphlang[lsp]'", file=sys.stderr)
        return 2
    if sys.stdin.isatty():
        print("graphlang lsp: this is for an editor, which speaks with it over standard input; docs/editors/README.md says how to set one up", file=sys.stderr)
        return 2
    return serve()
