"""The Python half of running.redis.test.ts: one task for each way in which a run may go."""
import os
import signal
import time

from celery.exceptions import Ignore, Reject, SoftTimeLimitExceeded

from interop_app import app


class Upstream(Exception):
    """An error that the other side has never heard of."""


@app.task(name='run.order')
def order(x, y, factor=10):
    return (x - y) * factor


@app.task(name='run.backoff', bind=True, autoretry_for=(Upstream,), retry_backoff=True, retry_jitter=False)
def backoff(self):
    if self.request.retries == 0:
        raise Upstream('refused')
    return self.request.retries


@app.task(name='run.exhausted', bind=True, max_retries=0)
def exhausted(self):
    raise self.retry()


@app.task(name='run.upstream')
def upstream():
    raise Upstream('refused', 402)


@app.task(name='run.ignore')
def ignore():
    raise Ignore()


@app.task(name='run.requeue', bind=True, acks_late=True)
def requeue(self):
    if not self.request.delivery_info['redelivered']:
        raise Reject('not now', requeue=True)
    return 'second time'


@app.task(name='run.progress', bind=True)
def progress(self):
    self.update_state(state='PROGRESS', meta={'done': 1, 'total': 3})
    time.sleep(0.3)
    return 'done'


@app.task(name='run.tidy')
def tidy():
    try:
        time.sleep(60)
    except SoftTimeLimitExceeded:
        return 'tidied up'


@app.task(name='run.forever')
def forever():
    time.sleep(600)


@app.task(name='run.die')
def die():
    os.kill(os.getpid(), signal.SIGKILL)
