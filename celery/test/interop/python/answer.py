"""Answers requests over pipes: one JSON object a line in, whose `command` names a function and whose rest is its arguments, one a line out."""
import json
import sys
import traceback


def answer_requests(commands):
    """Until the input ends. The first line says that it is ready. `commands`: functions by name."""
    print(json.dumps('ready'), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {'ok': commands[request.pop('command')](**request)}
        except Exception:
            answer = {'fault': traceback.format_exc()}
        print(json.dumps(answer, default=repr), flush=True)
