"""The Python half: the same name, broker and routes as tasks.ts."""
import os
from collections import Counter

from celery import Celery

redis = os.environ.get('REDIS_URL', 'redis://localhost:6379/0')

app = Celery('fleet', broker=redis, backend=redis)
app.conf.task_routes = {'fleet.count': {'queue': 'python'}, 'fleet.*': {'queue': 'typescript'}}


@app.task(name='fleet.count')
def count(words, most=3):
    if not words:
        raise ValueError('nothing to count')
    return Counter(words).most_common(most)
