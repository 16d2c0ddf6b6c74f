import type { Express } from "express";

/** Opens the API on a port of this machine: the one in PORT, or 8000. */
export function serve(api: Express): void {
  const port = Number(process.env.PORT ?? 8000);
  api.listen(port, "127.0.0.1", (error?: NodeJS.ErrnoException) => {
    if (error === undefined) {
      console.log(`API ready on http://127.0.0.1:${port}`);
      return;
    }
    console.error(whyNot(error, port));
    process.exitCode = 1;
  });
}

function whyNot(error: NodeJS.ErrnoException, port: number): string {
  if (error.code !== "EADDRINUSE") return `The API cannot start: ${error.message}`;
  return `Port ${port} is taken by another program. Choose another, here and now: export PORT=${port + 1}`;
}
