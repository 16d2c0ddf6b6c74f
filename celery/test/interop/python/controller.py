"""The controlling side of worker.redis.test.ts: Celery's own `app.control`, driven as client.py is."""
import client
from interop_app import app

from celery.utils.nodenames import worker_direct


def control(method, arguments=None, destination=None, timeout=5):
    """A command with an answer, e.g. `rate_limit` with {'task_name': …, 'rate_limit': …}: {node: answer}."""
    replies = app.control.broadcast(method, arguments=arguments or {}, destination=destination, reply=True, timeout=timeout,
                                    limit=len(destination) if destination else None)
    return {node: answer for reply in replies or [] for node, answer in reply.items()}


def revoke(id, destination=None, **options):
    app.control.revoke(id, destination=destination, **options)


def revoke_by_stamped_headers(headers, **options):
    app.control.revoke_by_stamped_headers(headers, **options)


def send_direct(node, task, args):
    """To the queue that only this worker consumes."""
    return app.send_task(task, args=args, queue=worker_direct(node)).id


client.COMMANDS.update({command.__name__: command for command in (control, revoke, revoke_by_stamped_headers, send_direct)})

if __name__ == '__main__':
    client.main()
