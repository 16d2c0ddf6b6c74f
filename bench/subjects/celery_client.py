"""The real Celery as a program that sends: python celery_client.py <what> <count>"""
import json
import sys
import time

from celery import group

from celery_app import noop

what, count = sys.argv[1], int(sys.argv[2])


def repeat(times, work):
    for _ in range(times):
        work()


def rate(work):
    started = time.perf_counter()
    work()
    return {"rate": count / (time.perf_counter() - started)}


def awaited():
    repeat(count // 5, lambda: noop.delay(1, 2))
    return rate(lambda: repeat(count, lambda: noop.delay(1, 2)))


def bulk():
    send = lambda size: group(noop.s(1, 2) for _ in range(size)).apply_async()
    send(count // 5)
    return rate(lambda: [send(100) for _ in range(count // 100)])


def round_trip():
    samples = []
    repeat(count // 5, lambda: noop.delay(1, 2).get())
    for _ in range(count):
        started = time.perf_counter()
        noop.delay(1, 2).get()
        samples.append((time.perf_counter() - started) * 1000)
    return {"samples": samples}


print(json.dumps({"awaited": awaited, "bulk": bulk, "round-trip": round_trip}[what]()))
