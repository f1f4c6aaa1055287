"""A life cycle through the generated client, once in each dialect; prints what it did, fails with a raise."""
import socket
import sys
import threading
import time

import healthmonitor_client as sdk

SUBNET = '823d5866-6e30-45c2-9b1a-a1ebc3757fdb'
calls = 0


def count(call):
    def counted(*args, **kwargs):
        global calls
        calls += 1
        return call(*args, **kwargs)

    return counted


class Dialect:
    """The operations of one dialect under the names that both share: `create_pool` is `elb_create_pool`."""

    def __init__(self, prefix, client):
        self._prefix = prefix
        self._groups = [
            group(client)
            for group in (sdk.LoadBalancersApi, sdk.ListenersApi, sdk.PoolsApi, sdk.MembersApi, sdk.HealthMonitorsApi)
        ]

    def __getattr__(self, operation):
        name = f'{self._prefix}_{operation}'
        return count(next(getattr(group, name) for group in self._groups if hasattr(group, name)))


def expect(found, wanted):
    if found != wanted:
        raise AssertionError(f'{found!r}, not {wanted!r}')


def wait_for(status, wanted):
    until = time.monotonic() + 60
    while (last := status()) != wanted:
        if time.monotonic() > until:
            raise AssertionError(f'the member stayed {last}')
        time.sleep(0.2)


def expect_gone(call, *ids):
    try:
        call(*ids)
    except sdk.exceptions.NotFoundException as refusal:
        # Parsed into the model that the document promises for 404.
        if refusal.data is None:
            raise AssertionError('the refusal has no model') from refusal
        return
    raise AssertionError('it is still there')


def elb(api, port):
    balancer = api.create_load_balancer(
        sdk.ElbLoadBalancerCreate(loadbalancer=sdk.ElbLoadBalancerCreateLoadbalancer(vip_subnet_id=SUBNET))
    ).loadbalancer
    listener = api.create_listener(
        sdk.ElbListenerCreate(
            listener=sdk.ElbListenerCreateListener(loadbalancer_id=balancer.id, protocol='HTTP', protocol_port=80)
        )
    ).listener
    pool = api.create_pool(
        sdk.ElbPoolCreate(
            pool=sdk.ElbPoolCreatePool(listener_id=listener.id, protocol='HTTP', lb_algorithm='ROUND_ROBIN')
        )
    ).pool
    member = api.create_member(
        pool.id,
        sdk.ElbMemberCreate(member=sdk.ElbNewMember(address='127.0.0.1', protocol_port=port, subnet_id=SUBNET)),
    ).member
    expect(member.operating_status, 'NO_MONITOR')
    monitor = api.create_health_monitor(
        sdk.ElbHealthMonitorCreate(
            healthmonitor=sdk.ElbHealthMonitorCreateHealthmonitor(
                pool_id=pool.id, type='TCP', delay=1, timeout=1, max_retries=1
            )
        )
    ).healthmonitor
    wait_for(lambda: api.get_member(pool.id, member.id).member.operating_status, 'ONLINE')
    expect(api.get_member_health(pool.id, member.id).health.reason, 'PASSED')
    expect(api.get_pool_health(pool.id).health.counts.online, 1)
    expect(api.list_member_transitions(pool.id, member.id).transitions[0].to, 'ONLINE')
    monitor = api.update_health_monitor(
        monitor.id, sdk.ElbHealthMonitorUpdate(healthmonitor=sdk.ElbHealthMonitorUpdateHealthmonitor(delay=7))
    ).healthmonitor
    expect(monitor.delay, 7)
    expect(api.get_health_monitor(monitor.id).healthmonitor, monitor)
    expect(
        api.update_member(
            pool.id, member.id, sdk.ElbMemberUpdate(member=sdk.ElbMemberUpdateMember(weight=5))
        ).member.weight,
        5,
    )
    expect(
        api.update_pool(pool.id, sdk.ElbPoolUpdate(pool=sdk.ElbPoolUpdatePool(name='web'))).pool.name,
        'web',
    )
    expect(
        api.update_listener(
            listener.id, sdk.ElbListenerUpdate(listener=sdk.ElbListenerUpdateListener(name='http'))
        ).listener.default_pool_id,
        pool.id,
    )
    expect([each.id for each in api.list_health_monitors(limit=1, id=[str(monitor.id)]).healthmonitors], [monitor.id])
    api.delete_health_monitor(monitor.id)
    expect(api.get_member(pool.id, member.id).member.operating_status, 'NO_MONITOR')
    api.delete_member(pool.id, member.id)
    api.delete_pool(pool.id)
    api.delete_listener(listener.id)
    api.delete_load_balancer(balancer.id)
    expect_gone(api.get_health_monitor, monitor.id)
    expect_gone(api.get_load_balancer, balancer.id)


def octavia(api, port):
    balancer = api.create_load_balancer(
        sdk.OctaviaLoadBalancerCreate(
            loadbalancer=sdk.OctaviaLoadBalancerCreateLoadbalancer(vip_subnet_id=SUBNET, name='python')
        )
    ).loadbalancer
    listener = api.create_listener(
        sdk.OctaviaListenerCreate(
            listener=sdk.OctaviaListenerCreateListener(
                loadbalancer_id=balancer.id, protocol='HTTP', protocol_port=80
            )
        )
    ).listener
    pool = api.create_pool(
        sdk.OctaviaPoolCreate(
            pool=sdk.OctaviaPoolCreatePool(listener_id=listener.id, protocol='HTTP', lb_algorithm='ROUND_ROBIN')
        )
    ).pool
    member = api.create_member(
        pool.id,
        sdk.OctaviaMemberCreate(member=sdk.OctaviaNewMember(address='127.0.0.1', protocol_port=port)),
    ).member
    expect(member.operating_status, 'NO_MONITOR')
    monitor = api.create_health_monitor(
        sdk.OctaviaHealthMonitorCreate(
            healthmonitor=sdk.OctaviaHealthMonitorCreateHealthmonitor(
                pool_id=pool.id, type='TCP', delay=1, timeout=1, max_retries=1
            )
        )
    ).healthmonitor
    wait_for(lambda: api.get_member(pool.id, member.id).member.operating_status, 'ONLINE')
    monitor = api.update_health_monitor(
        monitor.id,
        sdk.OctaviaHealthMonitorUpdate(
            healthmonitor=sdk.OctaviaHealthMonitorUpdateHealthmonitor(delay=7, tags=['slow'])
        ),
    ).healthmonitor
    expect(monitor.delay, 7)
    expect([each.id for each in api.list_health_monitors(tags=['slow']).healthmonitors], [monitor.id])
    expect(
        api.update_member(
            pool.id, member.id, sdk.OctaviaMemberUpdate(member=sdk.OctaviaMemberUpdateMember(weight=5))
        ).member.weight,
        5,
    )
    expect(
        api.update_pool(pool.id, sdk.OctaviaPoolUpdate(pool=sdk.OctaviaPoolUpdatePool(name='web'))).pool.name,
        'web',
    )
    expect(
        api.update_listener(
            listener.id, sdk.OctaviaListenerUpdate(listener=sdk.OctaviaListenerUpdateListener(name='http'))
        ).listener.default_pool_id,
        pool.id,
    )
    tree = api.get_load_balancer_statuses(balancer.id).statuses.loadbalancer
    expect(tree.listeners[0].pools[0].health_monitor.id, monitor.id)
    api.delete_health_monitor(monitor.id)
    expect(api.get_member(pool.id, member.id).member.operating_status, 'NO_MONITOR')
    api.delete_member(pool.id, member.id)
    api.delete_pool(pool.id)
    api.delete_listener(listener.id)
    api.delete_load_balancer(balancer.id)
    expect_gone(api.get_health_monitor, monitor.id)
    expect_gone(api.get_load_balancer, balancer.id)


def answer(server):
    while True:
        server.accept()[0].close()


def main(base):
    server = socket.create_server(('127.0.0.1', 0))
    threading.Thread(target=answer, args=(server,), daemon=True).start()
    port = server.getsockname()[1]
    with sdk.ApiClient(sdk.Configuration(host=base)) as client:
        elb(Dialect('elb', client), port)
        octavia(Dialect('octavia', client), port)
    print(f'ok, {calls} calls')


main(*sys.argv[1:])
