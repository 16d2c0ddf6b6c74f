import { appendFile, readFile } from "node:fs/promises";

// The API's own book of tickets. A real API keeps it in its database; a file does the same for a lesson.
const BOOK = "tickets.log";
const DAY_MS = 86_400_000; // results are kept for a day, so tickets are too

export async function remember(id: string): Promise<void> {
  await appendFile(BOOK, `${id} ${Date.now()}\n`);
}

/** Whether this API handed out the ticket, no longer than a day ago. */
export async function isKnown(id: string): Promise<boolean> {
  const book = await readFile(BOOK, "utf8").catch(() => ""); // no book yet, no tickets
  const line = book.split("\n").find((each) => each.startsWith(`${id} `));
  return line !== undefined && Date.now() - Number(line.slice(id.length)) < DAY_MS;
}
