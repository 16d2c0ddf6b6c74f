"""Applies canvases that it is told as Python, and reads results: one JSON request a line in, one JSON answer a line out."""
import canvas_app
from answer import answer_requests
from canvas_app import app
from celery.result import GroupResult, result_from_tuple


def outcome(result, timeout=20):
    try:
        return {'value': result.get(timeout=timeout)}
    except Exception as exc:
        return {'error': type(exc).__name__, 'args': [str(arg) for arg in exc.args]}


def run(code, timeout=20):
    """Sends the canvas and waits for its result."""
    result = eval(code, vars(canvas_app)).apply_async()
    return outcome(result, timeout) | {'id': result.id, 'tuple': result.as_tuple()}


def get(id, timeout=20):
    return outcome(app.AsyncResult(id), timeout)


def join(tuple, timeout=20):
    return outcome(result_from_tuple(tuple, app), timeout)


def children(id):
    result = app.AsyncResult(id)
    return [child.as_tuple() for child in result.children]


def leaves(id):
    return [value for child, value in app.AsyncResult(id).collect(timeout=20) if not child.children]


def save(code):
    result = eval(code, vars(canvas_app)).apply_async()
    result.save()
    return result.id


def restore(id):
    return outcome(GroupResult.restore(id, app=app))


def forget(id):
    app.AsyncResult(id).forget()


def info(id):
    result = app.AsyncResult(id)
    return {key: getattr(result, key) for key in ('name', 'args', 'kwargs', 'worker', 'retries', 'queue')}


def unlock(header, body, queue):
    """Sends the task that backends without counters use: it looks at the header's results, and sends the body."""
    results = [eval(code, vars(canvas_app)).apply_async() for code in header]
    callback = eval(body, vars(canvas_app))
    callback.freeze()
    app.send_task('celery.chord_unlock', (str(callback.id), dict(callback)),
                  {'interval': 0.1, 'max_retries': 100, 'result': [result.as_tuple() for result in results]}, queue=queue)
    return callback.id


if __name__ == '__main__':
    answer_requests({command.__name__: command for command in (run, get, join, children, leaves, save, restore, forget, info, unlock)})
