"""The controlling side of worker.redis.test.ts: Celery's own `app.control`, driven as client.py is."""
import client
from interop_app import app


def control(method, arguments=None, destination=None, timeout=5):
    """A command with an answer, e.g. `rate_limit` with {'task_name': …, 'rate_limit': …}: {node: answer}."""
    replies = app.control.broadcast(method, arguments=arguments or {}, destination=destination, reply=True, timeout=timeout,
                                    limit=len(destination) if destination else None)
    return {node: answer for reply in replies or [] for node, answer in reply.items()}


def revoke(id, destination=None, **options):
    app.control.revoke(id, destination=destination, **options)


def revoke_by_stamped_headers(headers, **options):
    app.control.revoke_by_stamped_headers(headers, **options)


client.COMMANDS.update({command.__name__: command for command in (control, revoke, revoke_by_stamped_headers)})

if __name__ == '__main__':
    client.main()
