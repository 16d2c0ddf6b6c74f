// `npm start`. This file only looks at the version of Node, in words that old ones understand; bootstrap.mjs does the rest.
const [major, minor] = process.versions.node.split(".").map(Number);
const isSupported = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22;

if (isSupported) {
  await import("./bootstrap.mjs").then(({ start }) => start(process.argv.slice(2)));
} else {
  process.stderr.write(
    `Celery Playground needs Node 20.19 or newer (or 22.12, or 24); this is Node ${process.versions.node}.\n` +
      "Install Node 24 from https://nodejs.org (or: nvm install 24), open a new terminal and type npm start again.\n",
  );
  process.exitCode = 1;
}
