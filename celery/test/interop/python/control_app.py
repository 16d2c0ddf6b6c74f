"""Tasks of the same names as in control-app.ts, for what remote control and monitors see."""
import os
import time

from celery import Celery

url = os.environ['REDIS_URL']
app = Celery('control', broker=url, backend=url)
app.conf.update(
    task_track_started=True,
    task_send_sent_event=True,
    worker_send_task_events=True,
    worker_pool_restarts=os.environ.get('POOL_RESTARTS') == '1',
)


@app.task(name='control.add', rate_limit='1000/s')
def add(x, y):
    return x + y


@app.task(name='control.wait')
def wait(seconds):
    time.sleep(seconds)
    return seconds


@app.task(name='control.fail')
def fail(text):
    raise ValueError(text)


@app.task(name='control.again', bind=True, max_retries=1)
def again(self):
    if self.request.retries == 0:
        raise self.retry(countdown=0.3)
    return 'at last'


@app.task(name='control.tell', bind=True)
def tell(self, amount):
    self.send_event('payment-refused', amount=amount)
