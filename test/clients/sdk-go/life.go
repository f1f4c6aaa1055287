// A life cycle through the generated client, once in each dialect; prints what it did, ends with 1 when something failed.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"healthmonitor.test/sdk-go/sdk"
)

const subnet = "823d5866-6e30-45c2-9b1a-a1ebc3757fdb"

var (
	ctx   = context.Background()
	calls = 0
)

func main() {
	if len(os.Args) != 2 {
		fail("usage: life BASE_URL")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail("%v", err)
	}
	go answer(listener)
	port := int32(listener.Addr().(*net.TCPAddr).Port)
	configuration := sdk.NewConfiguration()
	configuration.Servers[0].URL = os.Args[1]
	client := sdk.NewAPIClient(configuration)
	elb(client, port)
	octavia(client, port)
	fmt.Printf("ok, %d calls\n", calls)
}

func elb(client *sdk.APIClient, port int32) {
	balancers, listeners, pools := client.LoadBalancersAPI, client.ListenersAPI, client.PoolsAPI
	members, monitors := client.MembersAPI, client.HealthMonitorsAPI

	balancer := taken(balancers.ElbCreateLoadBalancer(ctx).ElbLoadBalancerCreate(
		*sdk.NewElbLoadBalancerCreate(*sdk.NewElbLoadBalancerCreateLoadbalancer(subnet))).Execute()).Loadbalancer.Id
	listener := taken(listeners.ElbCreateListener(ctx).ElbListenerCreate(
		*sdk.NewElbListenerCreate(*sdk.NewElbListenerCreateListener("HTTP", 80, balancer))).Execute()).Listener.Id
	newPool := sdk.NewElbPoolCreatePool("HTTP", "ROUND_ROBIN")
	newPool.SetListenerId(listener)
	pool := taken(pools.ElbCreatePool(ctx).ElbPoolCreate(*sdk.NewElbPoolCreate(*newPool)).Execute()).Pool.Id
	member := taken(members.ElbCreateMember(ctx, pool).ElbMemberCreate(
		*sdk.NewElbMemberCreate(*sdk.NewElbNewMember("127.0.0.1", port, subnet))).Execute()).Member.Id
	monitor := taken(monitors.ElbCreateHealthMonitor(ctx).ElbHealthMonitorCreate(
		*sdk.NewElbHealthMonitorCreate(*sdk.NewElbHealthMonitorCreateHealthmonitor(pool, "TCP", 1, 1, 1))).Execute()).Healthmonitor.Id

	status := func() sdk.ElbMemberOperatingStatus {
		return taken(members.ElbGetMember(ctx, pool, member).Execute()).Member.OperatingStatus
	}
	waitFor(status, sdk.ELBMEMBEROPERATINGSTATUS_ONLINE)
	expect(taken(members.ElbGetMemberHealth(ctx, pool, member).Execute()).Health.Reason, "PASSED")
	expect(taken(pools.ElbGetPoolHealth(ctx, pool).Execute()).Health.Counts.ONLINE, 1)
	expect(taken(members.ElbListMemberTransitions(ctx, pool, member).Execute()).Transitions[0].To, "ONLINE")

	monitorChange := sdk.NewElbHealthMonitorUpdateHealthmonitor()
	monitorChange.SetDelay(7)
	expect(taken(monitors.ElbUpdateHealthMonitor(ctx, monitor).ElbHealthMonitorUpdate(
		*sdk.NewElbHealthMonitorUpdate(*monitorChange)).Execute()).Healthmonitor.Delay, 7)
	expect(taken(monitors.ElbGetHealthMonitor(ctx, monitor).Execute()).Healthmonitor.Delay, 7)
	memberChange := sdk.NewElbMemberUpdateMember()
	memberChange.SetWeight(5)
	expect(taken(members.ElbUpdateMember(ctx, pool, member).ElbMemberUpdate(
		*sdk.NewElbMemberUpdate(*memberChange)).Execute()).Member.Weight, 5)
	poolChange := sdk.NewElbPoolUpdatePool()
	poolChange.SetName("web")
	expect(taken(pools.ElbUpdatePool(ctx, pool).ElbPoolUpdate(
		*sdk.NewElbPoolUpdate(*poolChange)).Execute()).Pool.Name, "web")
	listenerChange := sdk.NewElbListenerUpdateListener()
	listenerChange.SetName("http")
	expect(taken(listeners.ElbUpdateListener(ctx, listener).ElbListenerUpdate(
		*sdk.NewElbListenerUpdate(*listenerChange)).Execute()).Listener.GetDefaultPoolId(), pool)
	expect(taken(monitors.ElbListHealthMonitors(ctx).Limit(1).Id([]string{monitor}).Execute()).Healthmonitors[0].Id, monitor)

	deleted(monitors.ElbDeleteHealthMonitor(ctx, monitor).Execute())
	expect(status(), sdk.ELBMEMBEROPERATINGSTATUS_NO_MONITOR)
	deleted(members.ElbDeleteMember(ctx, pool, member).Execute())
	deleted(pools.ElbDeletePool(ctx, pool).Execute())
	deleted(listeners.ElbDeleteListener(ctx, listener).Execute())
	deleted(balancers.ElbDeleteLoadBalancer(ctx, balancer).Execute())
	gone[sdk.ElbError](monitors.ElbGetHealthMonitor(ctx, monitor).Execute())
	gone[sdk.ElbError](balancers.ElbGetLoadBalancer(ctx, balancer).Execute())
}

func octavia(client *sdk.APIClient, port int32) {
	balancers, listeners, pools := client.LoadBalancersAPI, client.ListenersAPI, client.PoolsAPI
	members, monitors := client.MembersAPI, client.HealthMonitorsAPI

	newBalancer := sdk.NewOctaviaLoadBalancerCreateLoadbalancer()
	newBalancer.SetVipSubnetId(subnet)
	balancer := taken(balancers.OctaviaCreateLoadBalancer(ctx).OctaviaLoadBalancerCreate(
		*sdk.NewOctaviaLoadBalancerCreate(*newBalancer)).Execute()).Loadbalancer.Id
	listener := taken(listeners.OctaviaCreateListener(ctx).OctaviaListenerCreate(
		*sdk.NewOctaviaListenerCreate(*sdk.NewOctaviaListenerCreateListener(balancer, "HTTP", 80))).Execute()).Listener.Id
	newPool := sdk.NewOctaviaPoolCreatePool("HTTP", "ROUND_ROBIN")
	newPool.SetListenerId(listener)
	pool := taken(pools.OctaviaCreatePool(ctx).OctaviaPoolCreate(*sdk.NewOctaviaPoolCreate(*newPool)).Execute()).Pool.Id
	member := taken(members.OctaviaCreateMember(ctx, pool).OctaviaMemberCreate(
		*sdk.NewOctaviaMemberCreate(*sdk.NewOctaviaNewMember("127.0.0.1", port))).Execute()).Member.Id
	monitor := taken(monitors.OctaviaCreateHealthMonitor(ctx).OctaviaHealthMonitorCreate(
		*sdk.NewOctaviaHealthMonitorCreate(*sdk.NewOctaviaHealthMonitorCreateHealthmonitor(pool, "TCP", 1, 1, 1))).Execute()).Healthmonitor.Id

	status := func() sdk.OctaviaOperatingStatus {
		return taken(members.OctaviaGetMember(ctx, pool, member).Execute()).Member.OperatingStatus
	}
	waitFor(status, sdk.OCTAVIAOPERATINGSTATUS_ONLINE)

	monitorChange := sdk.NewOctaviaHealthMonitorUpdateHealthmonitor()
	monitorChange.SetDelay(7)
	monitorChange.SetTags([]string{"slow"})
	expect(taken(monitors.OctaviaUpdateHealthMonitor(ctx, monitor).OctaviaHealthMonitorUpdate(
		*sdk.NewOctaviaHealthMonitorUpdate(*monitorChange)).Execute()).Healthmonitor.Delay, 7)
	expect(taken(monitors.OctaviaListHealthMonitors(ctx).Tags([]string{"slow"}).Execute()).Healthmonitors[0].Id, monitor)
	memberChange := sdk.NewOctaviaMemberUpdateMember()
	memberChange.SetWeight(5)
	expect(taken(members.OctaviaUpdateMember(ctx, pool, member).OctaviaMemberUpdate(
		*sdk.NewOctaviaMemberUpdate(*memberChange)).Execute()).Member.Weight, 5)
	poolChange := sdk.NewOctaviaPoolUpdatePool()
	poolChange.SetName("web")
	expect(taken(pools.OctaviaUpdatePool(ctx, pool).OctaviaPoolUpdate(
		*sdk.NewOctaviaPoolUpdate(*poolChange)).Execute()).Pool.Name, "web")
	listenerChange := sdk.NewOctaviaListenerUpdateListener()
	listenerChange.SetName("http")
	expect(taken(listeners.OctaviaUpdateListener(ctx, listener).OctaviaListenerUpdate(
		*sdk.NewOctaviaListenerUpdate(*listenerChange)).Execute()).Listener.GetDefaultPoolId(), pool)
	tree := taken(balancers.OctaviaGetLoadBalancerStatuses(ctx, balancer).Execute()).Statuses.Loadbalancer
	expect(tree.Listeners[0].Pools[0].HealthMonitor.Id, monitor)

	deleted(monitors.OctaviaDeleteHealthMonitor(ctx, monitor).Execute())
	expect(status(), sdk.OCTAVIAOPERATINGSTATUS_NO_MONITOR)
	deleted(members.OctaviaDeleteMember(ctx, pool, member).Execute())
	deleted(pools.OctaviaDeletePool(ctx, pool).Execute())
	deleted(listeners.OctaviaDeleteListener(ctx, listener).Execute())
	deleted(balancers.OctaviaDeleteLoadBalancer(ctx, balancer).Execute())
	gone[sdk.OctaviaFault](monitors.OctaviaGetHealthMonitor(ctx, monitor).Execute())
	gone[sdk.OctaviaFault](balancers.OctaviaGetLoadBalancer(ctx, balancer).Execute())
}

// taken gives what came back; a refusal ends the run.
func taken[Answer any](answer *Answer, response *http.Response, err error) *Answer {
	deleted(response, err)
	return answer
}

func deleted(response *http.Response, err error) {
	calls++
	if err == nil {
		return
	}
	if refusal, ok := err.(*sdk.GenericOpenAPIError); ok && response != nil {
		fail("%s %s: %v %s", response.Request.Method, response.Request.URL, err, refusal.Body())
	}
	fail("%v", err)
}

// gone wants a 404 that was parsed into the model which the document promises for it.
func gone[Refusal, Answer any](_ *Answer, response *http.Response, err error) {
	calls++
	refusal, ok := err.(*sdk.GenericOpenAPIError)
	if !ok || response.StatusCode != http.StatusNotFound {
		fail("it is still there: %v", err)
	}
	if _, ok := refusal.Model().(Refusal); !ok {
		fail("404 with %T: %s", refusal.Model(), refusal.Body())
	}
}

func waitFor[Status comparable](status func() Status, wanted Status) {
	last := status()
	for until := time.Now().Add(time.Minute); last != wanted; last = status() {
		if time.Now().After(until) {
			fail("the member stayed %v", last)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func expect[Value comparable](found, wanted Value) {
	if found != wanted {
		fail("%v, not %v", found, wanted)
	}
}

func answer(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		_ = connection.Close()
	}
}

func fail(format string, about ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", about...)
	os.Exit(1)
}
