# Calls the site once for each name and prints what came, a JSON line each:
# calls.py http|requests PORT NAME...

import base64
import http.client
import json
import sys

import requests

seconds = 1.0


def by_http(port, name):
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=seconds)
    try:
        connection.request('GET', '/whoami', headers={'Cookie': 'session=' + name})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def by_requests(port, name):
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(f'http://127.0.0.1:{port}/whoami', timeout=seconds,
                             headers={'Cookie': 'session=' + name}, allow_redirects=False)
        return answer.status_code, answer.content


call = {'http': by_http, 'requests': by_requests}[sys.argv[1]]
for name in sys.argv[3:]:
    try:
        status, body = call(int(sys.argv[2]), name)
        print(json.dumps({'name': name, 'status': status,
                          'body': base64.b64encode(body).decode()}), flush=True)
    except Exception as error:
        print(json.dumps({'name': name, 'error': repr(error)[:200]}), flush=True)
