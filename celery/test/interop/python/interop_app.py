"""The Python half of the interop tests: tasks of the same names as in interop-app.ts, run by the real Celery."""
import os

from celery import Celery

url = os.environ['REDIS_URL']
app = Celery('interop', broker=url, backend=url)
app.conf.update(
    task_track_started=True,
    task_send_sent_event=True,
    worker_send_task_events=True,
    broker_transport_options={
        'visibility_timeout': float(os.environ.get('VISIBILITY_TIMEOUT', 3600)),
        # Look for what is overdue every second instead of every hundred.
        'unacked_restore_interval': 1,
        'unacked_restore_throttle': 1,
    },
)


class PaymentRefused(Exception):
    """An error that the other side has never heard of."""


@app.task(name='interop.add')
def add(x, y):
    return x + y


@app.task(name='interop.echo')
def echo(value):
    return value


@app.task(name='interop.fail')
def fail(message):
    raise ValueError(message)


@app.task(name='interop.refuse')
def refuse(reason, code):
    raise PaymentRefused(reason, code)


@app.task(name='interop.flaky', bind=True, max_retries=5)
def flaky(self, times):
    if self.request.retries < times:
        raise self.retry(countdown=0.3, exc=KeyError('missing'))
    return self.request.retries


@app.task(name='interop.describe', bind=True)
def describe(self, *args, **kwargs):
    request = self.request
    return {'id': request.id, 'args': list(args), 'kwargs': kwargs, 'retries': request.retries, 'root_id': request.root_id,
            'parent_id': request.parent_id, 'redelivered': bool(request.delivery_info.get('redelivered')),
            'from_beat': bool((request.headers or {}).get('celery_beat_task') or getattr(request, 'celery_beat_task', False))}


@app.task(name='interop.hold')
def hold():
    return 'let go by Python'
