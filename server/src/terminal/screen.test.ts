import { expect, test } from "vitest";
import { BrowserTerminal } from "../../test/browser-terminal.ts";
import { Screen } from "./screen.ts";

interface Drawn {
  readonly screen: Screen;
  /** A terminal that saw everything. */
  readonly reference: BrowserTerminal;
  readonly answers: string[];
}

function draw(output: string, cols = 40, rows = 10): Drawn {
  const answers: string[] = [];
  const screen = new Screen({ cols, rows, scrollback: 1000, reply: (data) => answers.push(data) });
  const reference = new BrowserTerminal(cols, rows);
  screen.write(Buffer.from(output));
  reference.terminal.write(output);
  return { screen, reference, answers };
}

async function restored(screen: Screen, cols = 40, rows = 10): Promise<BrowserTerminal> {
  const browser = new BrowserTerminal(cols, rows);
  browser.terminal.write(await screen.snapshot(1000));
  await browser.settled();
  return browser;
}

const log = Array.from(
  { length: 60 },
  (_, n) => `\x1b[36m[${n}]\x1b[0m \x1b[1mtask\x1b[0m 日本 🎉 e\u0301 \x1b[41;97mred\x1b[0m\r\n`,
);

const SCREENS: Readonly<Record<string, string>> = {
  "coloured lines, wide characters and scrollback": log.join(""),
  "a half-typed wrapped line": `$ ${"long ".repeat(40)}\x1b[10D`,
  "a colour that is still on": "\x1b[32mgreen from here ",
  "an editor on the alternate screen after a colour": `\x1b[31;44mshell\r\n\x1b[?1049h\x1b[H\x1b[2J~ plain\r\n\x1b[7mstatus\x1b[0m`,
  "blank rows in colours": `\x1b[?1049h\x1b[H\x1b[44m\x1b[2J\x1b[0mtop\x1b[8;5H\x1b[48;2;1;2;3m\x1b[7X`,
  "a cursor in the last column": `${"x".repeat(40)}`,
  "nothing at all": "",
};

for (const [name, output] of Object.entries(SCREENS)) {
  test(`given ${name}, when a browser gets the snapshot, then every cell and the cursor are the same`, async () => {
    const { screen, reference } = draw(output);

    const browser = await restored(screen);

    expect(await browser.cells(100)).toEqual(await reference.cells(100));
  });
}

test("given a full-screen program with a region, a hidden cursor and mouse reports, when it goes on after a snapshot, then it looks the same", async () => {
  const { screen, reference } = draw(
    `\x1b[?1049h\x1b[?25l\x1b[?1000h\x1b[?1006h\x1b[2;6r\x1b[6;1H${"row\r\n".repeat(8)}here`,
  );
  const browser = await restored(screen);

  const more = "\r\nscrolled\r\nin the region";
  browser.terminal.write(more);
  reference.terminal.write(more);

  expect(await browser.cells()).toEqual(await reference.cells());
  expect(await screen.snapshot(0)).toContain("\x1b[?25l");
  expect(await screen.snapshot(0)).toContain("\x1b[?1006h");
});

test("given queries on the screen, when it is restored from a snapshot, then the browser answers nothing", async () => {
  const { screen, answers } = draw("\x1b[c\x1b[6n\x1b[5n\x1b[>c\x1b]11;?\x07\x1bP$qm\x1b\\text");

  const browser = await restored(screen);

  expect(answers.length).toBeGreaterThan(3);
  expect(browser.answers).toEqual([]);
});

test("given wrapped lines and trailing spaces, when the text is read, then lines are whole and plain", async () => {
  const { screen } = draw(`\x1b[31mone\x1b[0m   \r\n${"wrapped words ".repeat(6)}end\r\n\r\nlast\r\n\r\n`);

  expect(await screen.text()).toEqual(["one", `${"wrapped words ".repeat(6)}end`, "", "last"]);
});

test("given a scrollback full of one endless line, when the text is read, then what follows it is plain all the same", async () => {
  const { screen } = draw(`${"x".repeat(60_000)}\r\nlast   `);

  const lines = await screen.text();

  expect(lines.at(-1)).toBe("last");
  expect(lines).toHaveLength(2);
});

test("given a resize behind unparsed output, when it takes effect, then the output was laid out before", async () => {
  const { screen } = draw(`${"x".repeat(60)}\r\n`);

  screen.resize({ cols: 20, rows: 10 });
  screen.write(Buffer.from("y".repeat(25)));

  expect(await screen.text()).toEqual(["x".repeat(60), "y".repeat(25)]);
});

test("given a screen that is given up, when somebody looked before, then they get it; who looks later is told", async () => {
  const { screen } = draw("last words");

  const before = screen.text();
  screen.dispose();

  expect(await before).toEqual(["last words"]);
  await expect(screen.text()).rejects.toThrow(/replaced/);
});
