"""The client of client.py, with the task of calling_app.py."""
import sys

import calling_app

sys.modules['interop_app'] = calling_app

import client  # noqa: E402


def apply(task, args=(), kwargs=None, **options):
    """As `delay` does: arguments in a tuple, and the task's own options."""
    return calling_app.app.tasks[task].apply_async(tuple(args), kwargs, **options).id


client.COMMANDS.update(apply=apply)

if __name__ == '__main__':
    client.main()
