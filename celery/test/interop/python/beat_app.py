"""The interop app with a schedule, for the real Celery's Beat."""
from interop_app import add, app

app.conf.beat_schedule = {
    'often': {
        'task': 'interop.describe',
        'schedule': 0.5,
        'args': (1, 'two'),
        'kwargs': {'deep': [True]},
        'options': {'queue': 'for-ts', 'priority': 6, 'expires': 60},
    },
}
app.add_periodic_task(0.5, add.s(2, 3), name='sums', queue='for-ts')
