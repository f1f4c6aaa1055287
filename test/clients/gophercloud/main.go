// The life of a load balancer through gophercloud v2: load balancer, listener, pool, members one by one and in a batch,
// health monitor created, updated, listed page by page, deleted; then everything else. Exit 1 at the first surprise.
// Where: OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME, OS_DOMAIN_NAME, OS_REGION_NAME; type load-balancer of the catalogue.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/loadbalancer/v2/listeners"
	"github.com/gophercloud/gophercloud/v2/openstack/loadbalancer/v2/loadbalancers"
	"github.com/gophercloud/gophercloud/v2/openstack/loadbalancer/v2/monitors"
	"github.com/gophercloud/gophercloud/v2/openstack/loadbalancer/v2/pools"
	"github.com/gophercloud/gophercloud/v2/pagination"
)

const subnet = "5f2dbd76-7e69-4b8f-8a7e-6b9a1f3c0001"

var ctx = context.Background()

func require(holds bool, format string, arguments ...any) {
	if !holds {
		fmt.Fprintf(os.Stderr, "FAIL "+format+"\n", arguments...)
		os.Exit(1)
	}
}

// done gives the value and says which step is done.
func done[T any](step string) func(value T, err error) T {
	return func(value T, err error) T {
		require(err == nil, "%s: %v", step, err)
		fmt.Println("ok", step)
		return value
	}
}

func ok(step string, err error) { done[struct{}](step)(struct{}{}, err) }

func pointer[T any](value T) *T { return &value }

func connect() *gophercloud.ServiceClient {
	options := gophercloud.AuthOptions{
		IdentityEndpoint: os.Getenv("OS_AUTH_URL"), Username: os.Getenv("OS_USERNAME"), Password: os.Getenv("OS_PASSWORD"),
		TenantName: os.Getenv("OS_PROJECT_NAME"), DomainName: os.Getenv("OS_DOMAIN_NAME"), AllowReauth: true,
	}
	provider := done[*gophercloud.ProviderClient]("login")(openstack.AuthenticatedClient(ctx, options))
	endpoint := gophercloud.EndpointOpts{Region: os.Getenv("OS_REGION_NAME")}
	return done[*gophercloud.ServiceClient]("catalogue")(openstack.NewLoadBalancerV2(provider, endpoint))
}

// waitForActive is what every program of this SDK does after each write.
func waitForActive(client *gophercloud.ServiceClient, id string) {
	lb, err := loadbalancers.Get(ctx, client, id).Extract()
	require(err == nil && lb.ProvisioningStatus == "ACTIVE", "load balancer after a write: %+v %v", lb, err)
}

func createMonitor(client *gophercloud.ServiceClient, lb, pool string) string {
	hm := done[*monitors.Monitor]("monitor create")(monitors.Create(ctx, client, monitors.CreateOpts{
		PoolID: pool, Name: "hm", Type: "HTTP", Delay: 5, Timeout: 3, MaxRetries: 2, MaxRetriesDown: 4, URLPath: "/healthz",
		HTTPMethod: "GET", ExpectedCodes: "200-204", HTTPVersion: "1.1", DomainName: "example.org", Tags: []string{"blue"},
	}).Extract())
	require(hm.Delay == 5 && hm.MaxRetriesDown == 4 && hm.ExpectedCodes == "200-204" && hm.DomainName == "example.org" &&
		hm.HTTPVersion == "1.1" && len(hm.Tags) == 1 && len(hm.Pools) == 1 && hm.Pools[0].ID == pool && hm.AdminStateUp, "monitor: %+v", hm)
	waitForActive(client, lb)
	again := monitors.Create(ctx, client, monitors.CreateOpts{PoolID: pool, Type: "TCP", Delay: 5, Timeout: 3, MaxRetries: 2})
	require(gophercloud.ResponseCodeIs(again.Err, http.StatusConflict), "a second monitor of a pool: %v", again.Err)
	hm = done[*monitors.Monitor]("monitor update")(monitors.Update(ctx, client, hm.ID, monitors.UpdateOpts{
		Name: pointer("hm2"), Delay: 9, Timeout: 4, MaxRetries: 3, URLPath: "/ready", ExpectedCodes: "200,202", AdminStateUp: pointer(false),
	}).Extract())
	require(hm.Name == "hm2" && hm.Delay == 9 && hm.ExpectedCodes == "200,202" && !hm.AdminStateUp && hm.MaxRetriesDown == 4, "update: %+v", hm)
	waitForActive(client, lb)
	return hm.ID
}

// listPages creates four monitors more and walks all of them, two a page.
func listPages(client *gophercloud.ServiceClient, lb, first string) {
	want := map[string]bool{first: true}
	extra := []string{}
	for i := range 4 {
		pool, err := pools.Create(ctx, client, pools.CreateOpts{LoadbalancerID: lb, Protocol: "TCP", LBMethod: "ROUND_ROBIN", Name: fmt.Sprint("page", i)}).Extract()
		require(err == nil, "pool of a page: %v", err)
		hm, err := monitors.Create(ctx, client, monitors.CreateOpts{PoolID: pool.ID, Type: "TCP", Delay: 5, Timeout: 3, MaxRetries: 2}).Extract()
		require(err == nil, "monitor of a page: %v", err)
		want[hm.ID] = true
		extra = append(extra, pool.ID)
	}
	pages, seen := 0, 0
	ok("monitor list, two a page", monitors.List(client, monitors.ListOpts{Limit: 2, SortKey: "name", SortDir: "desc"}).EachPage(ctx,
		func(_ context.Context, page pagination.Page) (bool, error) {
			found, err := monitors.ExtractMonitors(page)
			pages++
			for _, hm := range found {
				require(want[hm.ID], "listed twice, or not of this project: %+v", hm)
				delete(want, hm.ID)
				seen++
			}
			return true, err
		}))
	require(seen == 5 && pages == 3, "%d monitors on %d pages", seen, pages)
	all, err := monitors.List(client, monitors.ListOpts{Name: "hm2"}).AllPages(ctx)
	require(err == nil, "filtered list: %v", err)
	found := done[[]monitors.Monitor]("monitor list by name")(monitors.ExtractMonitors(all))
	require(len(found) == 1 && found[0].ID == first, "by name: %+v", found)
	for _, id := range extra {
		ok("pool delete with its monitor", pools.Delete(ctx, client, id).ExtractErr())
	}
}

func members(client *gophercloud.ServiceClient, lb, pool string) {
	one := done[*pools.Member]("member create")(pools.CreateMember(ctx, client, pool, pools.CreateMemberOpts{
		Name: "one", Address: "127.0.3.1", ProtocolPort: 9, Weight: pointer(5), MonitorPort: pointer(19)}).Extract())
	require(one.Weight == 5 && one.MonitorPort == 19 && one.AdminStateUp && one.ProvisioningStatus != "", "member: %+v", one)
	waitForActive(client, lb)
	one = done[*pools.Member]("member update")(pools.UpdateMember(ctx, client, pool, one.ID, pools.UpdateMemberOpts{Weight: pointer(0)}).Extract())
	require(one.Weight == 0, "weight 0: %+v", one)
	batch := []pools.BatchUpdateMemberOpts{{Address: "127.0.3.1", ProtocolPort: 9, Weight: pointer(7)}, {Address: "127.0.3.2", ProtocolPort: 9, Backup: pointer(true)}}
	ok("member batch", pools.BatchUpdateMembers(ctx, client, pool, batch).ExtractErr())
	waitForActive(client, lb)
	all, err := pools.ListMembers(client, pool, pools.ListMembersOpts{}).AllPages(ctx)
	require(err == nil, "member list: %v", err)
	listed := done[[]pools.Member]("member list")(pools.ExtractMembers(all))
	require(len(listed) == 2, "after the batch: %+v", listed)
	for _, member := range listed {
		require((member.Address == "127.0.3.1") == (member.ID == one.ID && member.Weight == 7), "the batch keeps who stays: %+v", member)
		if member.ID != one.ID {
			ok("member delete", pools.DeleteMember(ctx, client, pool, member.ID).ExtractErr())
		}
	}
}

func main() {
	client := connect()
	lb := done[*loadbalancers.LoadBalancer]("load balancer create")(loadbalancers.Create(ctx, client,
		loadbalancers.CreateOpts{Name: "gc", VipSubnetID: subnet, Tags: []string{"go"}}).Extract())
	waitForActive(client, lb.ID)
	listener := done[*listeners.Listener]("listener create")(listeners.Create(ctx, client, listeners.CreateOpts{
		LoadbalancerID: lb.ID, Name: "ls", Protocol: "HTTP", ProtocolPort: 8080, InsertHeaders: map[string]string{"X-Forwarded-For": "true"}}).Extract())
	waitForActive(client, lb.ID)
	pool := done[*pools.Pool]("pool create")(pools.Create(ctx, client, pools.CreateOpts{
		ListenerID: listener.ID, Name: "po", Protocol: "HTTP", LBMethod: "ROUND_ROBIN", Persistence: &pools.SessionPersistence{Type: "HTTP_COOKIE"}}).Extract())
	require(len(pool.Loadbalancers) == 1 && pool.Loadbalancers[0].ID == lb.ID && pool.Persistence.Type == "HTTP_COOKIE", "pool: %+v", pool)
	waitForActive(client, lb.ID)
	members(client, lb.ID, pool.ID)
	hm := createMonitor(client, lb.ID, pool.ID)
	listPages(client, lb.ID, hm)
	tree := done[*loadbalancers.StatusTree]("status tree")(loadbalancers.GetStatuses(ctx, client, lb.ID).Extract())
	require(tree.Loadbalancer.ID == lb.ID && len(tree.Loadbalancer.Listeners) == 1, "tree: %+v", tree)
	done[*loadbalancers.Stats]("stats")(loadbalancers.GetStats(ctx, client, lb.ID).Extract())
	ok("monitor delete", monitors.Delete(ctx, client, hm).ExtractErr())
	gone := monitors.Get(ctx, client, hm)
	require(gophercloud.ResponseCodeIs(gone.Err, http.StatusNotFound), "a deleted monitor: %v", gone.Err)
	ok("pool delete", pools.Delete(ctx, client, pool.ID).ExtractErr())
	ok("listener delete", listeners.Delete(ctx, client, listener.ID).ExtractErr())
	ok("load balancer delete, cascade", loadbalancers.Delete(ctx, client, lb.ID, loadbalancers.DeleteOpts{Cascade: true}).ExtractErr())
	ended := loadbalancers.Get(ctx, client, lb.ID)
	require(gophercloud.ResponseCodeIs(ended.Err, http.StatusNotFound), "a deleted load balancer: %v", ended.Err)
	fmt.Println("ok all")
}
