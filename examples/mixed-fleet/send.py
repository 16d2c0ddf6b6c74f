"""The same chain, sent from Python."""
from celery import chain, signature

from tasks import app, count

text = "To be, or not to be, that is the question: whether 'tis nobler in the mind to suffer"

pipeline = chain(signature('fleet.words', args=[text], app=app), count.s(most=2), signature('fleet.report', app=app))
print(pipeline.delay().get(timeout=30))
