"""Runs a command in a pseudo terminal: `pty_run.py <rows> <columns> <command>…`. What comes in is typed, what is shown goes out.

SIGUSR1 makes the terminal 30 rows by 60 columns, as if somebody had pulled its corner."""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios


def resize(master, rows, columns):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))


def main():
    rows, columns, *command = sys.argv[1:]
    child, master = pty.fork()
    if child == 0:
        # Not before its size is known: what it draws first would be for another one.
        sys.stdin.readline()
        os.execvp(command[0], command)
    resize(master, int(rows), int(columns))
    os.write(master, b'\n')
    signal.signal(signal.SIGUSR1, lambda *_: resize(master, 30, 60))
    inputs = [master, 0]
    while True:
        ready, _, _ = select.select(inputs, [], [])
        for source in ready:
            try:
                data = os.read(source, 65536)
            except OSError:  # the command has ended
                data = b''
            if source == master and not data:
                return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if source == 0 and not data:
                inputs.remove(0)
            elif source == 0:
                os.write(master, data)
            else:
                os.write(1, data)


sys.exit(main())
