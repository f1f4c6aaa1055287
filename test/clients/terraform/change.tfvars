# The second apply: name, delay, timeout, max_retries_down, expected_codes, path, algorithm; weight of a; b removed, e added; likewise in the batch.
monitor_name     = "hm-http-2"
delay            = 8
timeout          = 4
max_retries_down = 2
expected_codes   = "200-204"
url_path         = "/ready?deep=1"
algorithm        = "LEAST_CONNECTIONS"
http_members = {
  a = { address = "127.0.2.11", weight = 10 }
  e = { address = "127.0.2.13", weight = 0 }
}
tcp_members = {
  c = { address = "127.0.2.21", weight = 7, backup = false }
  f = { address = "127.0.2.23", weight = 2, backup = false }
}
quota_healthmonitor = 900
