"""`graphlang completion`: the files that let a shell complete commands, options and names of programs."""

from __future__ import annotations

from graphlang.cli.programs import usage

SHELLS = ("bash", "zsh", "fish")

EXAMPLES = """for example, what is typed, <Tab> being the key, and what the shell makes of it or offers:

    graphlang ru<Tab>                       graphlang run
    graphlang run --mode <Tab>              A  B  forward
    graphlang check prog<Tab>               programs/, and files that end in .graph
    graphlang explain sig<Tab>              sigmoid  sign

examples, for the shell you are in:
  source <(graphlang completion bash)       bash
  eval "$(graphlang completion zsh)"        zsh
  graphlang completion fish | source        fish

in every new shell, bash (with the package bash-completion; else put the `source` line above into ~/.bashrc):
  mkdir -p ~/.local/share/bash-completion/completions
  graphlang completion bash > ~/.local/share/bash-completion/completions/graphlang

zsh:
  mkdir -p ~/.zfunc
  graphlang completion zsh > ~/.zfunc/_graphlang
  and these lines in ~/.zshrc, unless they are there:
    fpath=(~/.zfunc $fpath)
    autoload -U compinit; compinit

fish:
  mkdir -p ~/.config/fish/completions
  graphlang completion fish > ~/.config/fish/completions/graphlang.fish
"""


def add(commands) -> None:
    p = commands.add_parser("completion", help="let the Tab key complete commands, options and files",
                            description="Print the file that lets a shell complete graphlang's commands, options, programs and pages.", epilog=EXAMPLES)
    p.add_argument("shell", choices=SHELLS, help="the shell that is to read the file")
    p.set_defaults(handler=handle)


def handle(options) -> int:
    try:
        from graphlang.cli.completion_files import text
    except ImportError:
        return usage("completion", "the file is made by shtab: pip install 'graphlang[completion]'")
    try:
        print(text(options.shell), end="")
    except LookupError as e:
        return usage("completion", f"{e.args[0]}: pip install --upgrade 'graphlang[completion]'")
    return 0
