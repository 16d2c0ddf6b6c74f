"""The Python half of the canvas tests: tasks of the same names as in canvas.redis.test.ts. Its worker takes the queue `py`, ours `ts`."""
import os

from celery import Celery, chain, chord, group, signature

url = os.environ['REDIS_URL']
app = Celery('canvas', broker=url, backend=url)
app.conf.result_extended = True


@app.task(name='canvas.add')
def add(x, y):
    return x + y


@app.task(name='canvas.mul')
def mul(x, y):
    return x * y


@app.task(name='canvas.xsum')
def xsum(numbers):
    return sum(numbers)


@app.task(name='canvas.echo')
def echo(value):
    return value


@app.task(name='canvas.where')
def where(*_):
    return 'py'


@app.task(name='canvas.fail')
def fail(*_):
    raise ValueError('no')


@app.task(name='canvas.note', ignore_result=True)
def note(key, value=None):
    """Writes down what it was called with, for the test to read."""
    app.backend.client.rpush('notes:' + str(key), repr(value))


@app.task(name='canvas.on_id')
def on_id(failed_id):
    app.backend.client.rpush('failed', 'py ' + failed_id)


@app.task(name='canvas.on_failure')
def on_failure(request, exc, traceback):
    app.backend.client.rpush('failed', f'py {request.id} {type(exc).__name__} {exc}')


@app.task(name='canvas.replaced', bind=True)
def replaced(self, sig):
    return self.replace(signature(sig, app=app))


@app.task(name='canvas.replaced_by_group', bind=True)
def replaced_by_group(self, numbers, queue):
    return self.replace(group(add.s(n, 1).set(queue=queue) for n in numbers))


@app.task(name='canvas.grow', bind=True)
def grow(self, n):
    self.add_to_chord(add.s(n, 100).set(queue='ts'))
    return n


@app.task(name='canvas.parent', bind=True)
def parent(self, queue):
    add.s(1, 1).set(queue=queue).delay()
    group(add.s(2, 2).set(queue=queue), add.s(3, 3).set(queue=queue)).delay()
    return 'sent'


@app.task(name='canvas.stamps', bind=True)
def stamps(self, *_):
    return {'names': list(self.request.stamped_headers or []), 'stamps': dict(self.request.stamps or {})}


def q(sig, queue):
    """The task in this queue."""
    return sig.set(queue=queue)


def alternate(sigs, first='ts'):
    """One here, one there."""
    names = ['ts', 'py'] if first == 'ts' else ['py', 'ts']
    return [sig.set(queue=names[index % 2]) for index, sig in enumerate(sigs)]


__all__ = ['app', 'add', 'mul', 'xsum', 'echo', 'where', 'fail', 'note', 'on_id', 'on_failure', 'replaced', 'grow', 'parent', 'stamps',
           'replaced_by_group', 'q', 'alternate', 'chain', 'chord', 'group', 'signature']
