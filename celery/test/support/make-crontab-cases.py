"""Writes celery/test/fixtures/crontab-cases.json: what the real Celery answers about crontabs.

Run it with a Python that has Celery installed, from anywhere:

    python3 celery/test/support/make-crontab-cases.py

The choice of cases is seeded, so a run with the same Celery writes the same file. With a seed and a count as arguments it prints that many
other cases instead, and writes nothing.
"""
import functools
import json
import random
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import celery
from celery import Celery
from celery.schedules import ParseException, crontab, crontab_parser, schedule as interval

ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe',
         'Africa/Casablanca', 'America/Sao_Paulo', 'Pacific/Auckland']
FIELDS = {'minute': (60, 0), 'hour': (24, 0), 'day_of_week': (7, 0), 'day_of_month': (31, 1), 'month_of_year': (12, 1)}
DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'Monday', 'SUNDAY', 'thursday']
MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec', 'January', 'AUGUST']
rng = random.Random(20261121)


def number(field):
    size, low = FIELDS[field]
    names = {'day_of_week': DAYS, 'month_of_year': MONTHS}.get(field)
    return rng.choice(names) if names and rng.random() < 0.4 else str(rng.randrange(low, low + size))


def part(field):
    kind = rng.random()
    if kind < 0.35:
        return number(field)
    if kind < 0.55:
        return f'*/{rng.randrange(1, FIELDS[field][0] + 3)}'
    text = f'{number(field)}-{number(field)}'
    return text if kind < 0.8 else f'{text}/{rng.randrange(1, 9)}'


def pattern(field, star):
    if rng.random() < star:
        return '*'
    if rng.random() < 0.1:
        size, low = FIELDS[field]
        return sorted(rng.sample(range(low, low + size), rng.randrange(1, 4)))
    return ','.join(part(field) for _ in range(rng.choice([1, 1, 1, 2, 3])))


def schedule():
    # Mostly few fields at once, as people write them, and some with all five.
    star = {'minute': 0.15, 'hour': 0.4, 'day_of_week': 0.6, 'day_of_month': 0.6, 'month_of_year': 0.75}
    return {field: pattern(field, star[field]) for field in FIELDS}


def moment(zone):
    if rng.random() < 0.4:
        return near_a_clock_change(zone)
    start = datetime(2024, 1, 1, tzinfo=timezone.utc)
    return start + timedelta(seconds=rng.randrange(5 * 365 * 86400), milliseconds=rng.choice([0, 0, 1, 500, 999]))


def near_a_clock_change(zone):
    year = rng.choice([2025, 2026, 2027])
    changes = clock_changes(zone, year)
    at = rng.choice(changes) if changes else datetime(year, 1, 1, tzinfo=timezone.utc)
    return at + timedelta(seconds=rng.randrange(-6 * 3600, 6 * 3600))


@functools.cache
def clock_changes(zone, year):
    tz, day = ZoneInfo(zone), datetime(year, 1, 1, tzinfo=timezone.utc)
    return [at for at in (day + timedelta(hours=h) for h in range(366 * 24))
            if at.astimezone(tz).utcoffset() != (at + timedelta(hours=1)).astimezone(tz).utcoffset()]


def ms(at):
    return round(at.timestamp() * 1000)


@functools.cache
def app_in(zone, deadline=None):
    app = Celery('cases', set_as_current=False)
    app.conf.timezone = zone
    app.conf.beat_cron_starting_deadline = deadline
    return app


def next_cases(count):
    cases = []
    while len(cases) < count:
        fields, zone = schedule(), rng.choice(ZONES)
        last = moment(zone)
        try:
            entry = crontab(**fields, app=app_in(zone), nowfun=lambda at=last: at)
            cases.append([fields, zone, ms(last), ms(last + entry.remaining_estimate(last))])
        except ValueError:
            continue  # a date that never occurs, such as the 31st of February
    return cases


def due_cases(count):
    cases = []
    while len(cases) < count:
        fields, zone, deadline = schedule(), rng.choice(ZONES), rng.choice([None, None, 0, 60, 3600, 86400])
        last = moment(zone)
        now = last + timedelta(seconds=rng.choice([30, 600, 7200, 90000, 700000]) * rng.random())
        now = now.replace(microsecond=0)
        try:
            entry = crontab(**fields, app=app_in(zone, deadline), nowfun=lambda at=now: at)
            answer = entry.is_due(last)
        except ValueError:
            continue
        cases.append([fields, zone, ms(last), ms(now), deadline, answer.is_due, round(answer.next * 1000)])
    return cases


def relative_cases(count):
    """Intervals rounded to the clock: [seconds, zone, last run, next run]."""
    cases = []
    for _ in range(count):
        seconds = rng.choice([1, 7, 45, 60, 90, 600, 3599, 3600, 5400, 7200, 43200, 86400, 100000, 172800, 604800])
        zone = rng.choice(ZONES)
        last = moment(zone).astimezone(ZoneInfo(zone))
        entry = interval(timedelta(seconds=seconds), relative=True, app=app_in(zone), nowfun=lambda at=last: at)
        cases.append([seconds, zone, ms(last), ms(last.astimezone(timezone.utc) + entry.remaining_estimate(last))])
    return cases


def parse_cases():
    odd = ['', ',', '1,', '*/', '*/0', '5/2', '-1', '1-', 'xyz', '60', '7', '0', '13', '32', '1-5/', '*-5', 'sun-sat',
           'sat-sun', 'fri-mon', '22-2', '22-2/2', 'mon-fri/2', '*/61', '*/100', '58-3/3', '1,1,1', 'dec-feb', '31-1', '9-17/24',
           'tues', 'wednesday', 'sept', 'june-july', '00', '007', ' 3', '1, 2', '0-0', '5-5/5', '*,*', '*/2,*/3']
    cases = []
    for field, (size, low) in FIELDS.items():
        for text in odd + [pattern(field, 0) for _ in range(60)]:
            if not isinstance(text, str):
                continue
            try:
                cases.append([field, text, sorted(crontab_parser(size, low).parse(text))])
            except (ValueError, ParseException):
                cases.append([field, text, None])
    return cases


def main():
    if len(sys.argv) == 3:
        rng.seed(int(sys.argv[1]))
        count = int(sys.argv[2])
        print(json.dumps({'next': next_cases(count), 'due': due_cases(count // 4), 'relative': relative_cases(count // 2)}))
        return
    target = Path(__file__).resolve().parent.parent / 'fixtures' / 'crontab-cases.json'
    data = {'celery': celery.__version__, 'parse': parse_cases(), 'next': next_cases(1000), 'due': due_cases(500)}
    lines = [f'  {json.dumps(key)}: ' + (json.dumps(value) if isinstance(value, str) else
             '[\n' + ',\n'.join('    ' + json.dumps(case) for case in value) + '\n  ]') for key, value in data.items()]
    target.write_text('{\n' + ',\n'.join(lines) + '\n}\n')


if __name__ == '__main__':
    main()
