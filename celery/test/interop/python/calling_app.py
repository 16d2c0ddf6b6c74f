"""The Python half of the calling tests."""
import os

from celery import Celery

url = os.environ['REDIS_URL']
app = Celery('calling', broker=url, backend=url)


@app.task(name='calling.see', bind=True)
def see(self, *args, **kwargs):
    """What a task of Python's sees of its message."""
    request = self.request
    return {
        'args': list(args), 'kwargs': kwargs, 'id': request.id, 'eta': request.eta, 'expires': request.expires,
        'timelimit': request.timelimit, 'shadow': request.shadow, 'headers': request.headers, 'reply_to': request.reply_to,
        'ignore_result': request.ignore_result, 'priority': request.delivery_info.get('priority'), 'retries': request.retries,
        'root_id': request.root_id, 'parent_id': request.parent_id, 'group': request.group, 'group_index': request.group_index,
        'callbacks': request.callbacks, 'errbacks': request.errbacks, 'argsrepr': request.argsrepr,
        'replaced_task_nesting': request.replaced_task_nesting, 'correlation_id': request.correlation_id,
    }
