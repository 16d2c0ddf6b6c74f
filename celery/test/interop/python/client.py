"""A Celery client driven over pipes: one JSON request a line in, one JSON answer a line out."""
import datetime
import decimal
import importlib.metadata
import time
import uuid

from answer import answer_requests
from interop_app import app


def send(task, args=(), kwargs=None, **options):
    return app.send_task(task, args=args, kwargs=kwargs, **options).id


def get(id, timeout=20):
    result = app.AsyncResult(id)
    try:
        return {'value': result.get(timeout=timeout), 'state': result.state}
    except Exception as exc:  # the task's error, or the lack of a result
        return {'error': type(exc).__name__, 'args': list(exc.args), 'bases': [base.__name__ for base in type(exc).__mro__[1:]],
                'module': type(exc).__module__, 'state': result.state, 'traceback': result.traceback}


def meta(id):
    return app.backend.get_task_meta(id, cache=False)


def states(id, until, timeout=20):
    """Every state that the result goes through, as seen by asking again and again."""
    seen, end = [], time.monotonic() + timeout
    while time.monotonic() < end:
        state = app.AsyncResult(id).state
        if not seen or seen[-1] != state:
            seen.append(state)
        if state == until:
            break
        time.sleep(0.01)
    return seen


def ping(timeout=2, destination=None):
    return app.control.inspect(timeout=timeout, destination=destination).ping()


def echo_typed(timeout=20):
    """Values that JSON has no word for, sent to interop.echo, and what came back: as sent, or something else."""
    moment = datetime.datetime(2026, 11, 21, 10, 0, 0, 123000, tzinfo=datetime.timezone.utc)
    values = {'datetime': moment, 'bytes': bytes(range(256)), 'uuid': uuid.UUID(int=7), 'decimal': decimal.Decimal('1.50'),
              'date': datetime.date(2026, 11, 21), 'time': datetime.time(10, 30)}
    sent = {name: app.send_task('interop.echo', args=[value]) for name, value in values.items()}
    back = {name: result.get(timeout=timeout) for name, result in sent.items()}
    return {name: 'as sent' if back[name] == value else repr(back[name]) for name, value in values.items()}


def versions():
    """The packages that this run compares with."""
    return {package: importlib.metadata.version(package) for package in ('celery', 'kombu', 'redis')}


def capture(task, args, until, timeout=30, **options):
    """Events as Celery's own receiver gives them out, until the one of type `until` about a task that is sent once the first
    event has shown that the receiver hears."""
    events, sent = [], []

    def on_event(event):
        if receiver.should_stop:
            return  # a fast worker's event may overtake the client's own task-sent
        events.append(event)
        if not sent:
            sent.append(app.send_task(task, args=args, **options).id)
        if event['type'] == until and event.get('uuid') == sent[0]:
            receiver.should_stop = True

    with app.connection_for_read() as connection:
        receiver = app.events.Receiver(connection, handlers={'*': on_event})
        for _ in receiver.itercapture(limit=None, timeout=timeout, wakeup=True):
            pass
    return events


COMMANDS = {command.__name__: command for command in (send, get, meta, states, ping, echo_typed, versions, capture)}


def main():
    answer_requests(COMMANDS)


if __name__ == '__main__':
    main()
