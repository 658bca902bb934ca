#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The Docker runtime against a real engine: what docker-events prints is compared with what the engine itself says
while containers come, change and go, and the time from the engine's event to the record is measured.

    runtime.py DOCKER_EVENTS

It runs itself again inside a private host (../lib/docker-host.sh) and reports as TAP."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

HOST = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib', 'docker-host.sh')
PATIENCE = 30  # seconds until something must have happened
RUNS = 10  # containers started for the measurement

checks = []


def check(name, good, *details):
    checks.append(bool(good))
    print('%sok %d - %s' % ('' if good else 'not ', len(checks), name), flush=True)
    for detail in [] if good else details:
        print('# ' + str(detail).replace('\n', '\n# '), flush=True)


def docker(*args):
    result = subprocess.run(('docker',) + args, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError('docker %s: %s' % (' '.join(args), result.stderr))
    return result.stdout.strip()


def inspect(name):
    return json.loads(docker('inspect', '--type', 'container', name))[0]


class Watcher:
    """What docker-events tells, folded into what an agent would know."""

    def __init__(self, program):
        self.process = subprocess.Popen([program, '/run/docker.sock'], stdout=subprocess.PIPE, text=True)
        self.changed = threading.Condition()
        self.known, self.named, self.lines = {}, set(), []
        self.counts = dict.fromkeys(('resync', 'container', 'gone', 'synced', 'lost'), 0)
        self.doubles = []  # addresses that two containers held at once
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for text in self.process.stdout:
            line = json.loads(text)
            with self.changed:
                self.take(line)
                self.changed.notify_all()

    def take(self, line):
        kind = line['kind']
        self.lines.append(line)
        if kind == 'resync':
            self.named = set()
        elif kind == 'container':
            self.known[line['id']] = line
            self.named.add(line['id'])
        elif kind == 'gone':
            del self.known[line['id']]
        elif kind == 'synced':
            self.known = {key: value for key, value in self.known.items() if key in self.named}
        self.counts[kind] += 1
        # Within a full list, what is not named yet is of before.
        addrs = [a['addr'] for key in self.known for a in self.known[key]['addrs']
                 if key in self.named or self.counts['synced'] == self.counts['resync']]
        self.doubles += [addr for addr in set(addrs) if addrs.count(addr) > 1]

    def by_name(self, name):
        return next((record for record in self.known.values() if record['name'] == name), None)

    def until(self, condition):
        with self.changed:
            return self.changed.wait_for(condition, PATIENCE)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


def expected(info):
    """The record that an inspection stands for, in the parts that can be compared."""
    image = json.loads(docker('inspect', '--type', 'image', info['Image']))[0]['Config']['Labels'] or {}
    every = info['Config']['Labels'] or {}
    hashed = 'com.docker.compose.config-hash'
    composed = hashed in every and image.get(hashed) != every[hashed]
    labels = {k: v for k, v in every.items()
              if image.get(k) != v or (composed and k.startswith('com.docker.compose.'))}
    networks = info['NetworkSettings']['Networks']
    pid = info['State']['Pid']
    # Of a container that died while the engine was down, the engine goes on to name the addresses it had.
    addrs = [n[key] for n in networks.values() for key in ('IPAddress', 'GlobalIPv6Address') if n[key] and pid]
    host = info['HostConfig']['NetworkMode'] == 'host'
    netns = info['NetworkSettings']['SandboxKey'] if pid and not host else None
    return {'name': info['Name'].lstrip('/'), 'labels': labels, 'networks': sorted(networks), 'addrs': sorted(addrs),
            'pid': pid, 'netns': netns or None}


def reported(record):
    if not record:
        return None
    result = {key: record[key] for key in ('name', 'labels', 'networks', 'pid', 'netns')}
    result['addrs'] = sorted(a['addr'] for a in record['addrs'])
    return result


def check_all(watcher, name):
    """Everything known is what the engine says of everything there is."""
    wanted = {info['Id']: expected(info) for info in
              (inspect(ident) for ident in docker('ps', '-aq', '--no-trunc').split())}

    def same():
        return {key: reported(record) for key, record in watcher.known.items()} == wanted

    good = watcher.until(same)
    check(name, good, 'want: %s' % json.dumps(wanted), 'got:  %s' % json.dumps(
        {key: reported(record) for key, record in watcher.known.items()}))


def test_starts(watcher):
    with open('/run/Dockerfile', 'w', encoding='ascii') as file:
        file.write('FROM vw\nLABEL team=theirs vethwall.io/namespace=prod com.docker.compose.project=shop\n')
    docker('build', '-q', '-t', 'labelled', '-f', '/run/Dockerfile', '/var/empty' if os.path.isdir('/var/empty') else '/run')
    docker('network', 'create', '--subnet', '172.30.0.0/24', 'one')
    docker('network', 'create', '--subnet', '172.31.0.0/24', '--ipv6', '--subnet', 'fd00:31::/64', 'two')
    check_all(watcher, 'nothing runs, nothing is known')
    docker('run', '-d', '--name', 'web', '--network', 'one', '-p', '8080:80', '-p', '127.0.0.1:5353:53/udp',
           '--label', 'com.docker.compose.project=shop', '--label', 'com.docker.compose.config-hash=1', '--label', 'app=web',
           'labelled', 'sleep', '1000')
    watcher.until(lambda: watcher.by_name('web') and watcher.by_name('web')['pid'])
    record = watcher.by_name('web')
    check('labels of the image are left out, Compose\'s are kept', record['labels'] == {
        'app': 'web', 'com.docker.compose.config-hash': '1', 'com.docker.compose.project': 'shop'}, record)
    check('published ports are known', record['published'] == [
        '0.0.0.0 8080 80/6', ':: 8080 80/6', '127.0.0.1 5353 53/17'], record)
    docker('run', '-d', '--name', 'plain', '--network', 'one', 'vw', 'sleep', '1000')
    check_all(watcher, 'a start is known as the engine has it')


def test_kinds(watcher):
    subprocess.run(['ip', 'link', 'add', 'parent', 'type', 'veth', 'peer', 'name', 'other'], check=True)
    subprocess.run(['ip', 'link', 'set', 'parent', 'up'], check=True)
    docker('network', 'create', '-d', 'macvlan', '-o', 'parent=parent', '--subnet', '192.0.2.0/24', 'lan')
    docker('run', '-d', '--name', 'hosted', '--network', 'host', 'vw', 'sleep', '1000')
    docker('run', '-d', '--name', 'lonely', '--network', 'none', 'vw', 'sleep', '1000')
    docker('run', '-d', '--name', 'joined', '--network', 'container:plain', 'vw', 'sleep', '1000')
    docker('run', '-d', '--name', 'lanned', '--network', 'lan', 'vw', 'sleep', '1000')
    check('all kinds of networks are known', watcher.until(
        lambda: all(watcher.by_name(name) and watcher.by_name(name)['pid'] for name in
                    ('hosted', 'lonely', 'joined', 'lanned'))))
    check('host network', watcher.by_name('hosted')['host'] and not watcher.by_name('hosted')['netns'])
    check('no network', watcher.by_name('lonely')['addrs'] == [] and watcher.by_name('lonely')['unenforced'] is None)
    check('another\'s network', watcher.by_name('joined')['joined'] == inspect('plain')['Id'])
    check('macvlan is said to be unenforced', 'macvlan' in (watcher.by_name('lanned')['unenforced'] or ''),
          watcher.by_name('lanned'))
    docker('rm', '-f', 'hosted', 'lonely', 'joined', 'lanned')
    check_all(watcher, 'they are gone')


def test_changes(watcher):
    docker('network', 'connect', 'two', 'web')
    check_all(watcher, 'a network connected later')
    docker('network', 'disconnect', 'two', 'web')
    check_all(watcher, 'and disconnected')
    docker('rename', 'web', 'shop')
    check_all(watcher, 'rename')
    docker('network', 'connect', 'two', 'shop')
    check_all(watcher, 'two networks')
    count = watcher.counts['container']
    docker('pause', 'shop')
    docker('unpause', 'shop')
    pid = inspect('shop')['State']['Pid']
    docker('restart', '-t', '0', 'shop')
    check_all(watcher, 'restart')
    check('a restart is another process', watcher.by_name('shop')['pid'] not in (0, pid))
    check('records came with it', watcher.counts['container'] > count)
    docker('stop', '-t', '0', 'shop')
    check_all(watcher, 'stop')
    check('a stopped container is known without addresses', watcher.by_name('shop')['addrs'] == [])
    docker('start', 'shop')
    check_all(watcher, 'start')


def test_reuse(watcher):
    docker('run', '-d', '--name', 'old', '--network', 'one', 'vw', 'sleep', '1000')
    addr = inspect('old')['NetworkSettings']['Networks']['one']['IPAddress']
    docker('rm', '-f', 'old')
    docker('run', '-d', '--name', 'new', '--network', 'one', 'vw', 'sleep', '1000')
    check('the engine hands out the address again', inspect('new')['NetworkSettings']['Networks']['one']['IPAddress'] == addr)
    check_all(watcher, 'the address has its new owner')
    docker('rm', '-f', 'new')
    started = [subprocess.Popen(['docker', 'run', '--rm', '--network', 'one', 'vw', 'true'], stdout=subprocess.DEVNULL)
               for _ in range(6)]
    check('short-lived containers ran', all(process.wait(PATIENCE * 4) == 0 for process in started))
    check_all(watcher, 'and left nothing behind')
    check('no address ever had two owners', not watcher.doubles, watcher.doubles)


def connect_times(since):
    """When the engine told of each connect, by container."""
    text = docker('events', '--since', str(since), '--until', str(int(time.time()) + 1), '--filter', 'event=connect',
                  '--format', '{{json .}}')
    events = [json.loads(line) for line in text.splitlines()]
    return {event['Actor']['Attributes']['container']: event['timeNano'] / 1e3 for event in events}


def test_latency(watcher):
    since, rows = int(time.time()), []
    os.makedirs('/run/marks')
    for i in range(RUNS):
        docker('run', '-d', '--name', 'timed%d' % i, '--network', 'one', '-v', '/run/marks:/marks', 'vw', 'sh', '-c',
               '>/marks/%d; sleep 1000' % i)
        watcher.until(lambda: watcher.by_name('timed%d' % i) and watcher.by_name('timed%d' % i)['pid'])
    connects = connect_times(since)
    for i in range(RUNS):
        ident = inspect('timed%d' % i)['Id']
        told = next(line for line in watcher.lines if line.get('id') == ident and line.get('addrs'))
        rows.append((told['time_us'] - connects[ident], told['lag_us'],
                     os.stat('/run/marks/%d' % i).st_mtime_ns / 1e3 - told['time_us']))
        docker('rm', '-f', 'timed%d' % i)
    for name, column in (('from the engine\'s connect event to the record', 0), ('of that within the runtime', 1),
                         ('from the record to the first act of the process', 2)):
        values = sorted(row[column] for row in rows)
        print('# %s: min %.2f, median %.2f, max %.2f ms (n=%d)' % (
            name, values[0] / 1e3, values[len(values) // 2] / 1e3, values[-1] / 1e3, len(values)), flush=True)
    check('every record came before the process acted', all(row[2] > 0 for row in rows), rows)


def kill_engine(number):
    with open('/run/docker.pid', encoding='ascii') as file:
        pid = int(file.read())
    os.kill(pid, number)
    deadline = time.monotonic() + PATIENCE
    while os.path.exists('/proc/%d' % pid) and time.monotonic() < deadline:
        time.sleep(0.02)


def test_engine_restarts(watcher):
    docker('run', '-d', '--name', 'doomed', '--network', 'one', 'vw', 'sleep', '1000')
    check_all(watcher, 'before the engine dies')
    doomed = inspect('doomed')['State']['Pid']
    count = watcher.counts['synced']
    kill_engine(signal.SIGKILL)
    check('the engine\'s death is noticed', watcher.until(lambda: watcher.counts['lost'] > 0))
    check('what was known stays known', watcher.by_name('doomed') and watcher.by_name('shop')['addrs'])
    os.kill(doomed, signal.SIGKILL)
    subprocess.run([HOST, '--engine'], check=True)
    check('a full list follows', watcher.until(lambda: watcher.counts['synced'] > count))
    check_all(watcher, 'after the engine\'s death, with a container that died meanwhile')
    count = watcher.counts['synced']
    kill_engine(signal.SIGTERM)
    subprocess.run([HOST, '--engine'], check=True)
    check('another full list follows', watcher.until(lambda: watcher.counts['synced'] > count))
    check_all(watcher, 'after an orderly restart of the engine')
    count, lost = watcher.counts['synced'], watcher.counts['lost']
    watcher.process.send_signal(signal.SIGHUP)
    check('a full list on request', watcher.until(lambda: watcher.counts['synced'] > count))
    check('without losing the engine', watcher.counts['lost'] == lost)
    check_all(watcher, 'after it')


def inside(program):
    watcher = Watcher(program)
    try:
        check('a full list comes first', watcher.until(lambda: watcher.counts['synced'] == 1))
        for test in (test_starts, test_kinds, test_changes, test_reuse, test_latency, test_engine_restarts):
            test(watcher)
    finally:
        status = watcher.stop()
    check('it ends in order', status == 0, 'status %d' % status)
    print('1..%d' % len(checks), flush=True)
    return 0 if all(checks) else 1


def main():
    program = os.path.abspath(sys.argv[1])
    if os.environ.get('VETHWALL_TEST_INSIDE'):
        return inside(program)
    # With live restore containers outlive their engine, and their end meanwhile is told by no event.
    env = dict(os.environ, VETHWALL_TEST_INSIDE='1', VETHWALL_DOCKERD_ARGS='--live-restore')
    with tempfile.TemporaryDirectory() as directory:
        status = subprocess.run([HOST, directory, sys.executable, os.path.abspath(__file__), program], env=env,
                                check=False).returncode
    if status == 77:
        print('1..0 # SKIP no Docker engine can be run here')
        return 0
    return status


if __name__ == '__main__':
    sys.exit(main())
