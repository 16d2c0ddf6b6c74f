"""The real `celery` command and client, driven over pipes: one JSON request a line in, one JSON answer a line out.

Commands run in this process: starting Python for each of them would take a second every time."""
from answer import answer_requests
from click.testing import CliRunner

from celery.bin.celery import celery
from control_app import app


def run(args):
    """Status and output of `celery -A control_app <args>`."""
    result = CliRunner().invoke(celery, ['-A', 'control_app', *args], prog_name='celery')
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return {'status': result.exit_code, 'output': result.output}


def send(task, args=(), **options):
    return app.send_task(task, args=args, **options).id


def state(id):
    return app.AsyncResult(id).state


def get(id, timeout=20):
    try:
        return {'value': app.AsyncResult(id).get(timeout=timeout)}
    except Exception as exc:
        return {'error': type(exc).__name__, 'args': list(exc.args)}


def broadcast(method, arguments=None, **options):
    """As `app.control.broadcast` answers."""
    return app.control.broadcast(method, arguments=arguments or {}, reply=True, **options)


def fold(until, task, args, queue):
    """The state that Celery's own State has made of a task once it is in the state `until`."""
    folded, sent = app.events.State(), []

    def on_event(event):
        folded.event(event)
        if not sent:
            sent.append(app.send_task(task, args=args, queue=queue).id)
        known = folded.tasks.get(sent[0])
        if known is not None and known.state == until:
            receiver.should_stop = True

    with app.connection_for_read() as connection:
        receiver = app.events.Receiver(connection, handlers={'*': on_event})
        receiver.capture(limit=None, timeout=30, wakeup=True)
    known = folded.tasks[sent[0]]
    return {'state': known.state, 'name': known.name, 'args': known.args, 'result': known.result,
            'worker': known.worker.hostname, 'workers': sorted(w.hostname for w in folded.alive_workers())}


if __name__ == '__main__':
    answer_requests({command.__name__: command for command in (run, send, state, get, broadcast, fold)})
