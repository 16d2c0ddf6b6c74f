import type { Pty, PtyFactory, PtyOptions } from "./pty.ts";
import { ptyOfChild, startChild } from "./pty-child.ts";

/**
 * Holds a terminal and speaks JSON lines: `{"w": text}` types, `{"s": [columns, rows]}` resizes. Output is raw bytes.
 * End of input closes the terminal. Exits with the program's status, 128 + signal when it was killed.
 */
const BRIDGE = `
import fcntl, json, os, pty, select, struct, sys, termios
def size(fd, columns, rows):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
pid, terminal = pty.fork()
if pid == 0:
    size(0, int(sys.argv[1]), int(sys.argv[2]))
    os.execvp(sys.argv[3], sys.argv[3:])
os.set_blocking(terminal, False)
lines, typed = b"", b""
while True:
    readable, writable, _ = select.select([0, terminal], [terminal] if typed else [], [])
    if terminal in readable:
        try:
            output = os.read(terminal, 65536)
        except BlockingIOError:
            output = None
        except OSError:
            break
        if output == b"":
            break
        while output:
            output = output[os.write(1, output):]
    if 0 in readable:
        data = os.read(0, 65536)
        if not data:
            os._exit(0)
        *whole, lines = (lines + data).split(b"\\n")
        for line in whole:
            message = json.loads(line)
            if "s" in message:
                size(terminal, *message["s"])
            typed += message.get("w", "").encode()
    if writable:
        try:
            typed = typed[os.write(terminal, typed):]
        except BlockingIOError:
            pass
status = os.waitpid(pid, 0)[1]
os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
`;

/** The second rung: Python has terminals in its standard library, and who uses Celery has Python. */
export function pythonPty(python: string): PtyFactory {
  return { rung: "python", open: (options) => openBridge(python, options) };
}

function openBridge(python: string, options: PtyOptions): Pty {
  const { cols, rows, file, args } = options;
  // -I: no user site, no PYTHON* variables; -S: no site packages to search at start.
  const bridge = startChild(python, ["-I", "-S", "-c", BRIDGE, `${cols}`, `${rows}`, file, ...args], options);
  const send = (message: object): void => {
    if (bridge.stdin?.writable) bridge.stdin.write(`${JSON.stringify(message)}\n`);
  };
  return {
    ...ptyOfChild(bridge),
    write: (data) => send({ w: data }),
    resize: (columns, lines) => send({ s: [columns, lines] }),
  };
}
