"""The Python half of the routing tests: the same queues and exchanges as in routing.redis.test.ts."""
import os

from celery import Celery
from kombu import Exchange, Queue
from kombu.common import Broadcast

url = os.environ['REDIS_URL']
media = Exchange('media', type='topic')
pair = Exchange('pair', type='direct')
app = Celery('routing', broker=url, backend=url)
app.conf.update(
    task_queues=[
        Queue('celery', Exchange('celery'), routing_key='celery'),
        Queue('feeds', media, routing_key='feed.#'),
        Queue('images', media, routing_key='image.*.resize'),
        Queue('one', pair, routing_key='both'),
        Queue('two', pair, routing_key='both'),
        Broadcast('news'),
        Queue('alerts', Exchange('alarms', type='fanout'), routing_key='loud'),
    ],
    task_routes={'routed.*': {'queue': 'feeds', 'routing_key': 'feed.routed'}},
)


@app.task(name='routing.where', bind=True)
def where(self, mark=None):
    """Says where its message came from, and leaves a trace of each run."""
    info = self.request.delivery_info
    app.backend.client.rpush(f'trace:{self.request.id}', self.request.hostname)
    return [info['exchange'], info['routing_key']]


@app.task(name='routed.here', bind=True)
def routed(self):
    """What task_routes of either side sends by a key of its own."""
    info = self.request.delivery_info
    return [info['exchange'], info['routing_key']]
