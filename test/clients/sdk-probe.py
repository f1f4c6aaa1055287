"""Life of a health monitor through openstacksdk: sdk-probe.py CLOUD (`envvars`: the OS_* variables). Origin: the project's study of Octavia's clients."""
import openstack, sys, time
c = openstack.connect(cloud=sys.argv[1]); lb = c.load_balancer
t=time.time()
l = lb.create_load_balancer(name='sdk', vip_subnet_id='5f2dbd76-7e69-4b8f-8a7e-6b9a1f3c0001'); l = c.load_balancer.wait_for_load_balancer(l.id, interval=0.1)
p = lb.create_pool(name='p', loadbalancer_id=l.id, protocol='HTTP', lb_algorithm='ROUND_ROBIN'); lb.wait_for_load_balancer(l.id, interval=0.1)
m = lb.create_member(p, address='127.0.2.1', protocol_port=80); lb.wait_for_load_balancer(l.id, interval=0.1)
h = lb.create_health_monitor(pool_id=p.id, type='HTTP', delay=5, timeout=3, max_retries=2); lb.wait_for_load_balancer(l.id, interval=0.1)
print(h.to_dict())
assert h.id in [x.id for x in lb.health_monitors()] and lb.find_health_monitor('nosuch') is None
print([x.id for x in lb.health_monitors()], [x.name for x in lb.health_monitors(name='nosuch')], lb.find_health_monitor('nosuch'))
h = lb.update_health_monitor(h, delay=9, name='x'); lb.wait_for_load_balancer(l.id, interval=0.1); print(lb.get_health_monitor(h.id).delay, lb.find_health_monitor('x').id)
def refused(kind, call):
    try: call()
    except kind as e: print(type(e).__name__, e)
    else: sys.exit('not refused: %s' % kind.__name__)
refused(openstack.exceptions.BadRequestException, lambda: lb.update_health_monitor(h, max_retries=99))
refused(openstack.exceptions.ResourceNotFound, lambda: lb.get_health_monitor('00000000-0000-4000-8000-00000000dead'))
lb.delete_health_monitor(h); lb.wait_for_load_balancer(l.id, interval=0.1)
lb.delete_load_balancer(l, cascade=True); print('ok %.1fs' % (time.time()-t))
