// Starts `graphlang lsp` for open programs. Colours need none of this: they come from the grammar in package.json.
const { window, workspace } = require("vscode");

let client;

async function activate() {
  const command = workspace.getConfiguration("graphlang").get("command", "graphlang");
  try {
    const { LanguageClient } = require("vscode-languageclient/node");
    // Without a `transport` the client speaks over standard input and output, and adds no option of its own to the command.
    client = new LanguageClient("graphlang", "graphlang", { command, args: ["lsp"] }, {
      documentSelector: [
        { scheme: "file", language: "graphlang" },
        { scheme: "untitled", language: "graphlang" },
      ],
    });
    await client.start();
  } catch (error) {
    client = undefined;
    window.showWarningMessage(
      `graphlang: \`${command} lsp\` does not run (${error.message}). Install it with: pip install 'graphlang[lsp]', or set graphlang.command.`);
  }
}

function deactivate() {
  return client ? client.stop() : undefined;
}

module.exports = { activate, deactivate };
