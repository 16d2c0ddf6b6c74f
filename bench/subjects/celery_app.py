"""The real Celery, as a worker loads it: celery -A celery_app worker"""
import os

from celery import Celery

url = os.environ["BENCH_REDIS_URL"]
app = Celery("bench", broker=url, backend=url)


@app.task(name="bench.noop")
def noop(*_args):
    return None
