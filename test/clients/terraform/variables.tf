# The values of the first apply; run.sh gives change.tfvars for the second.
variable "prefix" { default = "tf" }
variable "vip_subnet_id" { default = "5f2dbd76-7e69-4b8f-8a7e-6b9a1f3c0001" } # taken as it is; no Neutron call is made for it
variable "with_quota" { default = true }                                      # needs a role that may write quotas (admin); never deleted by the provider
variable "monitor_name" { default = "hm-http" }
variable "delay" { default = 5 }
variable "timeout" { default = 3 }
variable "max_retries_down" { default = 3 }
variable "expected_codes" { default = "200" }
variable "url_path" { default = "/healthz" }
variable "algorithm" { default = "ROUND_ROBIN" }
variable "http_members" { # openstack_lb_member_v2, one resource each
  type = map(object({ address = string, weight = number }))
  default = {
    a = { address = "127.0.2.11", weight = 1 }
    b = { address = "127.0.2.12", weight = 5 }
  }
}
variable "tcp_members" { # openstack_lb_members_v2, one resource, batch PUT
  type = map(object({ address = string, weight = number, backup = bool }))
  default = {
    c = { address = "127.0.2.21", weight = 1, backup = false }
    d = { address = "127.0.2.22", weight = 1, backup = true }
  }
}
variable "quota_healthmonitor" { default = 1000 }
