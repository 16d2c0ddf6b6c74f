"""Writes test/fixtures/canvas-cases.json: what the real Celery sends for canvases, in the order of sending.

    python make-canvas-cases.py > ../fixtures/canvas-cases.json

Ids are replaced by n1, n2, ... in the order in which they turn up, so that the file does not change from run to run.
"""
import json
import re
import sys

import celery
from celery import Celery, chain, chord, group, signature
from celery.backends.redis import RedisBackend
from kombu.utils.json import dumps

app = Celery('cases', broker='memory://', backend='redis://127.0.0.1:1/0')
app.conf.task_publish_retry = False
steps = []


@app.task(name='add')
def add(x, y):
    return x + y


@app.task(name='mul')
def mul(x, y):
    return x * y


@app.task(name='xsum')
def xsum(numbers):
    return sum(numbers)


@app.task(name='on_error')
def on_error(request, exc, traceback):
    pass


def capture(producer, name, message, **options):
    args, kwargs, embed = message.body
    headers = message.headers
    kept = ('group', 'group_index', 'root_id', 'parent_id', 'eta', 'retries', 'timelimit', 'shadow', 'ignore_result',
            'replaced_task_nesting', 'stamped_headers', 'stamps')
    steps.append({'task': name, 'id': headers['id'], 'body': dumps([args, kwargs, embed]),
                  'headers': {key: headers[key] for key in kept}, 'queue': getattr(options.get('queue'), 'name', options.get('queue')),
                  'priority': options.get('priority')})


app.amqp.__dict__['send_task_message'] = capture
RedisBackend.on_task_call = lambda self, producer, task_id: None
RedisBackend.set_chord_size = lambda self, gid, size: steps.append({'chord': gid, 'size': size})
RedisBackend._set_chord_key = lambda self, key, value: steps.append({'saved': key.decode(), 'value': value})
app.backend.result_consumer.consume_from = lambda task_id: None
app.backend.add_pending_result = lambda *args, **kwargs: None
app.backend.result_consumer.start = lambda *args, **kwargs: None

s, m, t = add.s, mul.s, xsum.s


def errors(sig):
    sig.link_error(on_error.s())
    return sig


def linked(sig, *callbacks):
    for callback in callbacks:
        sig.link(callback)
    return sig


def stamped(sig, **stamps):
    sig.stamp(**stamps)
    return sig


CASES = {
    'task': lambda: s(2, 2),
    'task immutable': lambda: add.si(2, 2).set(queue='q', priority=3),
    'task with links': lambda: linked(s(1, 2), m(3), m(4)),
    'task with errback': lambda: errors(s(1, 2)),
    'task with countdown in chain': lambda: s(1, 2) | m(3).set(countdown=10),
    'chain of two': lambda: chain(s(2, 2), m(8)),
    'chain of three': lambda: chain(s(2, 2), m(8), s(1)),
    'chain by pipe': lambda: s(2, 2) | m(8) | s(1) | s(2),
    'chain in chain': lambda: chain(s(1, 1), chain(m(2), m(3)), s(4)),
    'chain of one': lambda: chain(s(1, 1)),
    'chain with errback': lambda: errors(chain(s(1, 1), m(2))),
    'chain with link': lambda: linked(chain(s(1, 1), m(2)), s(7)),
    'chain immutable': lambda: chain(s(1, 1), mul.si(2, 3), add.si(4, 5)),
    'chain ends in group': lambda: chain(s(1, 1), group(s(10), s(20))),
    'chain begins with group': lambda: chain(group(s(1, 1), s(2, 2)), t()),
    'chain with group inside': lambda: chain(s(1, 1), group(s(10), s(20)), t()),
    'chain with group inside and more': lambda: chain(s(1, 1), group(s(10), s(20)), t(), m(3), s(5)),
    'chain with two groups': lambda: chain(group(s(1, 1), s(2, 2)), group(m(1), m(2))),
    'chain group task group task': lambda: chain(s(1, 1), group(s(1), s(2)), t(), group(m(1), m(2)), t()),
    'chain of chords': lambda: chain(chord([s(1, 1), s(2, 2)], t()), chord([m(1), m(2)], t())),
    'chain with group of one': lambda: chain(s(1, 1), group(s(10)), m(2)),
    'chain with empty group': lambda: chain(s(1, 1), group(), m(2)),
    'group': lambda: group(s(1, 1), s(2, 2)),
    'group of group': lambda: group(s(1, 1), group(s(2, 2), s(3, 3))),
    'group of chains': lambda: group(chain(s(1, 1), m(2)), chain(s(2, 2), m(3))),
    'group of chord': lambda: group(chord([s(1, 1), s(2, 2)], t()), s(3, 3)),
    'group with errback': lambda: errors(group(s(1, 1), s(2, 2))),
    'group of one chain ending in group': lambda: group(chain(s(1, 1), group(s(2), s(3)))),
    'empty group': lambda: group(),
    'chord': lambda: chord([s(1, 1), s(2, 2)], t()),
    'chord of one': lambda: chord([s(1, 1)], t()),
    'chord by pipe': lambda: group(s(1, 1), s(2, 2)) | t(),
    'chord with more': lambda: (group(s(1, 1), s(2, 2)) | t()) | m(2) | m(3),
    'chord body chain': lambda: chord([s(1, 1), s(2, 2)], chain(t(), s(1))),
    'chord body group': lambda: chord([s(1, 1), s(2, 2)], group(t(), t())),
    'chord body chord': lambda: chord([s(1, 1), s(2, 2)], chord([t(), t()], t())),
    'chord header chain': lambda: chord([chain(s(1, 1), m(3)), s(2, 2)], t()),
    'chord header group': lambda: chord([group(s(1, 1), s(2, 2)), s(3, 3)], t()),
    'chord header chord': lambda: chord([chord([s(1, 1), s(2, 2)], t()), s(3, 3)], t()),
    'chord header chain ending in group': lambda: chord([chain(s(1, 1), group(s(2), s(3))), s(4, 4)], t()),
    'chord header chain ending in chord': lambda: chord([chain(s(1, 1), group(s(2), s(3)), t()), s(4, 4)], t()),
    'chord with errback': lambda: errors(chord([s(1, 1), s(2, 2)], t())),
    'chord with link': lambda: linked(chord([s(1, 1), s(2, 2)], t()), m(5)),
    'chord empty': lambda: chord([], t()),
    'chord with countdown': lambda: chord([s(1, 1), s(2, 2)], t()).set(queue='q'),
    'chord to queues': lambda: chord([s(1, 1).set(queue='a'), s(2, 2).set(queue='b')], t().set(queue='c')),
    'map': lambda: add.map([1, 2]),
    'starmap': lambda: add.starmap([(1, 1), (2, 2)]),
    'chunks': lambda: add.chunks([(1, 1), (2, 2), (3, 3)], 2),
    'chunks in chord': lambda: chord(add.chunks([(1, 1), (2, 2), (3, 3)], 2).group(), t()),
    'map in chain': lambda: chain(s(1, 1), add.map([1, 2]), t()),
    'stamped': lambda: stamped(s(1, 1), tenant='a'),
    'stamped chain': lambda: stamped(chain(s(1, 1), m(2)), tenant='a'),
    'stamped group': lambda: stamped(group(s(1, 1), s(2, 2)), tenant='a'),
    'stamped chord': lambda: stamped(chord([s(1, 1), s(2, 2)], t()), tenant='a'),
    'stamped links': lambda: stamped(linked(s(1, 1), m(2)), tenant='a'),
    'error on everything': lambda: errors(chain(s(1, 1), group(s(1), chain(s(2), m(3))), t())),
    'through json': lambda: signature(json.loads(dumps(chain(s(1, 1), group(s(10), s(20)), t(), m(2))))),
}

#: What a worker sends after a task: the next step of a chain, or a callback, applied to a result.
FOLLOWED = ['chain ends in group', 'chain with group inside', 'chain with group inside and more', 'chain of chords',
            'chain group task group task', 'task with links', 'chain with two groups']


def neutral(found):
    text, known = json.dumps(found), {}
    own = str(app.thread_oid)
    text = text.replace(own, 'client')
    pattern = r'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
    return json.loads(re.sub(pattern, lambda match: known.setdefault(match.group(), f'n{len(known) + 1}'), text))


def tuple_of(result):
    return None if result is None else json.loads(dumps(result.as_tuple()))


def sent(apply):
    steps.clear()
    result = apply()
    return {'steps': list(steps), 'result': tuple_of(result)}


def follow(name):
    """Applies what comes after the first message of a case to the result 42, as a worker does."""
    first = sent(CASES[name]().apply_async)['steps'][-1]
    embed = json.loads(first['body'])[2]
    found = {'embed': json.dumps(embed)}
    if embed['chain']:
        found |= sent(lambda: signature(embed['chain'][-1], app=app).apply_async(
            (42,), chain=embed['chain'][:-1], parent_id='parent', root_id='root', priority=None))
    elif embed['chord']:
        found |= sent(lambda: signature(embed['chord'], app=app).delay([42, 43]))
    else:
        sigs = [signature(callback, app=app) for callback in embed['callbacks']]
        found |= sent(lambda: group(sigs, app=app).apply_async((42,), parent_id='parent', root_id='root', priority=None))
    return found


def main():
    found = {'celery': celery.__version__, 'sent': {}, 'followed': {}}
    for name, make in CASES.items():
        found['sent'][name] = neutral(sent(make().apply_async) | {'signature': dumps(make())})
    for name in FOLLOWED:
        found['followed'][name] = neutral(follow(name))
    json.dump(found, sys.stdout, indent=1)
    print()


if __name__ == '__main__':
    main()
