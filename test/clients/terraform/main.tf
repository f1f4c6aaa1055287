# Load balancer, listeners, four pools, members one by one and in a batch, a monitor of each kind, quota.
# terraform-provider-openstack v1.54.1 has no data source for load balancing, and its monitor has neither http_version nor domain_name.
terraform {
  required_providers {
    openstack = { source = "terraform-provider-openstack/openstack" }
  }
}

provider "openstack" {} # all of it by OS_*

resource "openstack_lb_loadbalancer_v2" "lb" {
  name          = "${var.prefix}-lb"
  description   = "made by terraform"
  vip_subnet_id = var.vip_subnet_id
  tags          = ["blue", "green"]
}

resource "openstack_lb_listener_v2" "http" {
  name            = "${var.prefix}-http"
  protocol        = "HTTP"
  protocol_port   = 8080
  loadbalancer_id = openstack_lb_loadbalancer_v2.lb.id
  insert_headers  = { X-Forwarded-For = "true" }
}

resource "openstack_lb_listener_v2" "udp" {
  name            = "${var.prefix}-udp"
  protocol        = "UDP"
  protocol_port   = 5353
  loadbalancer_id = openstack_lb_loadbalancer_v2.lb.id
}

# ---- HTTP pool on a listener; members one by one
resource "openstack_lb_pool_v2" "http" {
  name        = "${var.prefix}-pool-http"
  protocol    = "HTTP"
  lb_method   = var.algorithm
  listener_id = openstack_lb_listener_v2.http.id
  persistence {
    type        = "APP_COOKIE"
    cookie_name = "sid"
  }
}

resource "openstack_lb_member_v2" "http" {
  for_each      = var.http_members
  name          = each.key
  pool_id       = openstack_lb_pool_v2.http.id
  address       = each.value.address
  protocol_port = 8080
  weight        = each.value.weight
  monitor_port  = 8081
}

resource "openstack_lb_monitor_v2" "http" {
  name             = var.monitor_name
  pool_id          = openstack_lb_pool_v2.http.id
  type             = "HTTP"
  delay            = var.delay
  timeout          = var.timeout
  max_retries      = 2
  max_retries_down = var.max_retries_down
  url_path         = var.url_path
  http_method      = "GET"
  expected_codes   = var.expected_codes
}

# ---- TCP pool directly on the load balancer; members in a batch; every optional argument of the monitor left out
resource "openstack_lb_pool_v2" "tcp" {
  name            = "${var.prefix}-pool-tcp"
  description     = "batch"
  protocol        = "TCP"
  lb_method       = "SOURCE_IP"
  loadbalancer_id = openstack_lb_loadbalancer_v2.lb.id
}

resource "openstack_lb_members_v2" "tcp" {
  pool_id = openstack_lb_pool_v2.tcp.id
  dynamic "member" {
    for_each = var.tcp_members
    content {
      name            = member.key
      address         = member.value.address
      protocol_port   = 9000
      weight          = member.value.weight
      backup          = member.value.backup
      monitor_address = member.value.address
      monitor_port    = 9001
    }
  }
}

resource "openstack_lb_monitor_v2" "tcp" {
  pool_id     = openstack_lb_pool_v2.tcp.id
  type        = "TCP"
  delay       = var.delay
  timeout     = var.timeout
  max_retries = 3
}

# ---- UDP pool on a listener
resource "openstack_lb_pool_v2" "udp" {
  name        = "${var.prefix}-pool-udp"
  protocol    = "UDP"
  lb_method   = "ROUND_ROBIN"
  listener_id = openstack_lb_listener_v2.udp.id
}

resource "openstack_lb_member_v2" "udp" {
  pool_id       = openstack_lb_pool_v2.udp.id
  address       = "127.0.2.31"
  protocol_port = 5353
  subnet_id     = var.vip_subnet_id
}

resource "openstack_lb_monitor_v2" "udp" {
  name        = "${var.prefix}-hm-udp"
  pool_id     = openstack_lb_pool_v2.udp.id
  type        = "UDP-CONNECT"
  delay       = var.delay
  timeout     = var.timeout
  max_retries = 3
}

# ---- PING, disabled monitor, IPv6 member
resource "openstack_lb_pool_v2" "ping" {
  name            = "${var.prefix}-pool-ping"
  protocol        = "TCP"
  lb_method       = "ROUND_ROBIN"
  loadbalancer_id = openstack_lb_loadbalancer_v2.lb.id
}

resource "openstack_lb_member_v2" "ping" {
  pool_id        = openstack_lb_pool_v2.ping.id
  address        = "::1"
  protocol_port  = 22
  admin_state_up = false
  backup         = true
}

resource "openstack_lb_monitor_v2" "ping" {
  name           = "${var.prefix}-hm-ping"
  pool_id        = openstack_lb_pool_v2.ping.id
  type           = "PING"
  delay          = var.delay
  timeout        = var.timeout
  max_retries    = 3
  admin_state_up = false
}

resource "openstack_lb_quota_v2" "q" {
  count          = var.with_quota ? 1 : 0
  project_id     = openstack_lb_loadbalancer_v2.lb.tenant_id
  loadbalancer   = -1
  listener       = 500
  member         = -1
  pool           = 500
  health_monitor = var.quota_healthmonitor
}

output "imports" { # address -> id: run.sh removes each from the state and imports it again
  value = {
    "openstack_lb_loadbalancer_v2.lb"    = openstack_lb_loadbalancer_v2.lb.id
    "openstack_lb_listener_v2.http"      = openstack_lb_listener_v2.http.id
    "openstack_lb_pool_v2.http"          = openstack_lb_pool_v2.http.id
    "openstack_lb_pool_v2.tcp"           = openstack_lb_pool_v2.tcp.id
    "openstack_lb_monitor_v2.http"       = openstack_lb_monitor_v2.http.id
    "openstack_lb_monitor_v2.ping"       = openstack_lb_monitor_v2.ping.id
    "openstack_lb_members_v2.tcp"        = openstack_lb_members_v2.tcp.id
    "openstack_lb_member_v2.http[\"a\"]" = "${openstack_lb_pool_v2.http.id}/${openstack_lb_member_v2.http["a"].id}"
  }
}
