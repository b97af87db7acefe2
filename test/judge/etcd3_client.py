"""Debian's python3-etcd3, on gRPC's C core, against a server: all that it can do.

etcd3_client.py HOST PORT: prints the name of each check that has passed, and ends with 1 at the first that has not.
"""
import io
import sys
import threading
import time

import etcd3
import etcd3.exceptions as errors


def one_key(client):
    assert client.get('foo') == (None, None)
    client.put('foo', 'bar')
    value, meta = client.get('foo')
    assert (value, meta.key, meta.version, meta.lease_id) == (b'bar', b'foo', 1, 0)
    assert meta.create_revision == meta.mod_revision == meta.response_header.revision
    assert client.put('foo', 'new', prev_kv=True).prev_kv.value == b'bar'
    assert client.get('foo', serializable=True)[0] == b'new'
    assert client.put('bytes', bytes(range(256))) is not None
    assert client.get('bytes')[0] == bytes(range(256))
    assert client.delete('foo') is True
    assert client.delete('foo') is False


def many_keys(client):
    for i in range(50):
        client.put('many/%02d' % i, str(99 - i))
    assert [m.key for _, m in client.get_prefix('many/')] == [b'many/%02d' % i for i in range(50)]
    by_value = client.get_prefix('many/', sort_order='ascend', sort_target='value')
    assert next(by_value)[0] == b'50'
    got = client.get_range('many/10', 'many/13', sort_order='descend')
    assert [m.key for _, m in got] == [b'many/12', b'many/11', b'many/10']
    keys_only = list(client.get_prefix('many/', keys_only=True))
    assert len(keys_only) == 50 and all(value == b'' for value, _ in keys_only)
    assert client.delete_prefix('many/').deleted == 50


def large_values(client):
    large = b'x' * 1000000
    client.put('large', large)
    assert client.get('large')[0] == large
    for i in range(3):
        client.put('large/%d' % i, large)
    # More than one window and more than one frame, in one message.
    client.delete('large')
    assert sum(len(value) for value, _ in client.get_prefix('large/')) == 3000000
    client.delete_prefix('large/')


def transactions(client):
    assert client.put_if_not_exists('t', '1') is True
    assert client.put_if_not_exists('t', '2') is False
    assert client.replace('t', '1', '2') is True
    assert client.replace('t', '1', '3') is False
    at = client.transactions
    ok, answers = client.transaction(
        compare=[at.value('t') == '2', at.version('t') > 1, at.create('none') == 0],
        success=[at.put('t', '3'), at.get('t'), at.delete('u')],
        failure=[at.get('u')])
    assert ok and answers[1][0][0] == b'3', answers
    ok, answers = client.transaction(
        compare=[at.mod('t') == 1], success=[at.put('t', 'x')],
        failure=[at.txn(compare=[at.value('t') != 'z'], success=[at.put('t', '4')], failure=[])])
    assert not ok and client.get('t')[0] == b'4'


def leases(client):
    lease = client.lease(60)
    client.put('leased', 'x', lease=lease)
    assert client.get('leased')[1].lease_id == lease.id
    assert lease.granted_ttl == 60 and 55 <= lease.remaining_ttl <= 60 and lease.keys == [b'leased']
    assert lease.refresh()[0].TTL == 60
    lease.revoke()
    assert client.get('leased')[0] is None
    assert lease.remaining_ttl == -1
    brief = client.lease(2)
    client.put('brief', 'x', lease=brief)
    event = client.watch_once('brief', timeout=15)
    assert isinstance(event, etcd3.events.DeleteEvent)


def locks(client):
    lock = client.lock('mutex', ttl=20)
    assert lock.acquire() and lock.is_acquired()
    # Waiting for it is broken in Debian's client: it calls its retries with the arguments of an older library.
    assert client.get(lock.key)[1].lease_id == lock.lease.id
    assert lock.refresh()[0].TTL == 20
    assert lock.release() and not lock.is_acquired()
    for _ in range(5):
        with client.lock('mutex', ttl=20) as held:
            assert held.is_acquired()


def watches(client):
    events, cancel = client.watch_prefix('w/', prev_kv=True)
    first = client.put('w/a', '1').header.revision
    client.put('w/a', '2')
    client.put('elsewhere', '3')
    client.delete('w/a')
    got = [next(events) for _ in range(3)]
    assert [type(e).__name__ for e in got] == ['PutEvent', 'PutEvent', 'DeleteEvent']
    assert [e.mod_revision for e in got[:2]] == [first, first + 1]
    assert got[1].prev_value == b'1' and got[2].prev_value == b'2'
    cancel()
    history, cancel = client.watch('w/a', start_revision=first)
    assert [next(history).value for _ in range(2)] == [b'1', b'2']
    cancel()
    seen = []
    many = [client.add_watch_callback('n%d' % i, seen.append) for i in range(20)]
    assert sorted(many) == sorted(set(many))
    for i in range(20):
        client.put('n%d' % i, 'x')
    deadline = time.time() + 10
    while sum(len(answer.events) for answer in seen) < 20 and time.time() < deadline:
        time.sleep(0.01)
    assert sorted(e.key for answer in seen for e in answer.events) == sorted(b'n%d' % i for i in range(20))
    for watch in many:
        client.cancel_watch(watch)


def compaction(client):
    first = client.put('c', '1').header.revision
    last = client.put('c', '2').header.revision
    client.compact(last, physical=True)
    events, cancel = client.watch('c', start_revision=first)
    try:
        next(events)
        raise AssertionError('a watch of what has been compacted')
    except errors.RevisionCompactedError as error:
        assert error.compacted_revision == last
    cancel()


def maintenance(client):
    status = client.status()
    assert status.version.startswith('3.') and status.db_size > 0 and status.leader is not None
    members = list(client.members)
    assert [m.name for m in members] == ['default'] and members[0].id == status.leader.id
    client.defragment()
    assert client.hash() > 0
    saved = io.BytesIO()
    client.snapshot(saved)
    assert len(saved.getvalue()) % 512 == 32
    assert list(client.list_alarms()) == []
    assert len(client.create_alarm(members[0].id)) == 1
    try:
        client.put('x', 'y')
        raise AssertionError('a put without space')
    except Exception as error:  # Which class it is changes with the version of this client.
        assert 'database space exceeded' in str(error) or 'RESOURCE_EXHAUSTED' in repr(error), repr(error)
    assert len(client.disarm_alarm(members[0].id)) == 1
    client.put('x', 'y')


def many_at_once(client):
    def work(n):
        for i in range(100):
            client.put('p/%d/%d' % (n, i), 'x')
    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(client.get_prefix('p/'))) == 800


def main():
    checks = [one_key, many_keys, large_values, transactions, leases, locks, watches, compaction,
              maintenance, many_at_once]
    for check in checks:
        client = etcd3.client(host=sys.argv[1], port=int(sys.argv[2]), timeout=20)
        check(client)
        client.close()
        print(check.__name__, flush=True)


main()
