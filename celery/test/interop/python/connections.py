"""The real Celery with any configuration: one JSON request a line in, one JSON answer a line out."""
from contextlib import ExitStack

from answer import answer_requests
from celery import Celery
from celery.contrib.testing.worker import start_worker

workers = ExitStack()


def add(x, y):
    return x + y


def make_app(conf):
    app = Celery('connections', set_as_current=False)
    app.conf.update(conf)
    app.task(name='connections.add')(add)
    return app


def call(conf, args):
    with make_app(conf) as app:
        result = app.send_task('connections.add', args=args)
        return result.get(timeout=30)


def work(conf):
    """A worker in a thread of this process, until `rest`."""
    workers.enter_context(start_worker(make_app(conf), pool='solo', perform_ping_check=False, shutdown_timeout=20))


def rest():
    workers.close()


if __name__ == '__main__':
    answer_requests({command.__name__: command for command in (call, work, rest)})
