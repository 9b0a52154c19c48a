from graphlang.cli.main import entry

entry()
