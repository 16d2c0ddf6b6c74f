"""The client of client.py, with the queues of routing_app.py."""
import sys

import routing_app

sys.modules['interop_app'] = routing_app

import client  # noqa: E402
from kombu import Exchange  # noqa: E402


def send_through(task, exchange, type, routing_key, args=()):
    """Through an exchange whose type this process learns first: without that, Celery takes every exchange for a direct one."""
    with routing_app.app.connection_for_write() as connection:
        Exchange(exchange, type=type)(connection.default_channel).declare()
        result = routing_app.app.send_task(
            task, args=args, exchange=exchange, routing_key=routing_key, connection=connection)
    return result.id


def apply(task, args=(), kwargs=None, **options):
    return routing_app.app.tasks[task].apply_async(args, kwargs, **options).id


client.COMMANDS.update(send_through=send_through, apply=apply)

if __name__ == '__main__':
    client.main()
